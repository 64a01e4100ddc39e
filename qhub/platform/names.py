"""Names on which two charts, or a chart and our own code, have to agree."""

from __future__ import annotations

#: Name of the gateway as a service of the hub. Its release has the same name: the chart's objects are only called
#: `traefik-dask-gateway` and so on, as the hub knows them, under this very one.
DASK_SERVICE = "dask-gateway"

#: Path of the gateway behind the hub's proxy, and `gateway.prefix` of its own chart.
DASK_PATH = f"/services/{DASK_SERVICE}"

#: The gateway's Traefik pods, and their port (their Service is on 80): network policies see the pod's port.
DASK_PROXY_PODS = {"app.kubernetes.io/name": "dask-gateway", "app.kubernetes.io/component": "traefik"}
DASK_PROXY_POD_PORT = 8000

#: Home folder in a user's container.
HOME = "/home/jovyan"

#: Folder of the environments, in users' containers and in those of Dask clusters: what is installed there has it
#: written down.
ENVIRONMENTS = "/environments"
