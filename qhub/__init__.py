"""JupyterHub and Dask for a team, as one Pulumi program: `qhub.config` -> `qhub.clouds` -> `qhub.platform`."""
