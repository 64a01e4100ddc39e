"""Configuration of dask-gateway-server's API from the chart's values. Runs in the gateway's image (2026.3).

The values lie beside this file as values.json: {"gateway": the section of that name, "names": {"apiUrl", "instance"}}.
What stands below `gateway.extraConfig` comes after this text in the same file.
"""

import json
import os
from pathlib import Path

_VALUES = json.loads((Path(__file__).resolve().parent / "values.json").read_text(encoding="utf-8"))

#: Options of KubeClusterConfig, and the key under `gateway.backend` that gives each.
_CLUSTER_OPTIONS = {
    "image_pull_policy": "image.pullPolicy",
    "image_pull_secrets": "imagePullSecrets",
    "environment": "environment",
    "namespace": "namespace",
    "worker_threads": "worker.threads",
    **{
        f"{role}_{option}": f"{role}.{key}"
        for role in ("scheduler", "worker")
        for option, key in {
            "cores": "cores.request",
            "cores_limit": "cores.limit",
            "memory": "memory.request",
            "memory_limit": "memory.limit",
            "extra_pod_config": "extraPodConfig",
            "extra_container_config": "extraContainerConfig",
        }.items()
    },
}


def get_property(key, default=None):
    """Return the value under a dotted path of keys, as in "gateway.prefix"; `default` where there is no such key."""
    found = _VALUES
    for part in key.split("."):
        if not isinstance(found, dict) or part not in found:
            return default
        found = found[part]
    return found


def _hub_api_url():
    """Return the address of the hub's API: as given, else from what Kubernetes says of the Service `hub`."""
    given = get_property("gateway.auth.jupyterhub.apiUrl")
    if given:
        return given
    try:
        return f"http://{os.environ['HUB_SERVICE_HOST']}:{os.environ['HUB_SERVICE_PORT']}/hub/api"
    except KeyError:
        raise ValueError(
            "there is no Service hub in this namespace (or it was made after this pod): set "
            "gateway.auth.jupyterhub.apiUrl"
        ) from None


def _configure_auth(c):
    """Let JupyterHub say who a user is. The service's own token comes by JUPYTERHUB_API_TOKEN."""
    c.DaskGateway.authenticator_class = "dask_gateway_server.auth.JupyterHubAuthenticator"
    c.JupyterHubAuthenticator.jupyterhub_api_url = _hub_api_url()
    service = get_property("gateway.auth.jupyterhub.jupyterhubServiceName")
    if service is not None:
        c.JupyterHubAuthenticator.jupyterhub_service_name = service


def _configure(c):
    """Set addresses, backend, defaults of clusters, and authentication."""
    image = get_property("gateway.backend.image")
    c.DaskGateway.address = ":8000"
    c.DaskGateway.log_level = get_property("gateway.loglevel")
    c.DaskGateway.backend_class = "dask_gateway_server.backends.kubernetes.KubeBackend"
    c.KubeBackend.api_url = get_property("names.apiUrl")
    c.KubeBackend.gateway_instance = get_property("names.instance")
    c.KubeClusterConfig.image = f"{image['name']}:{image['tag']}"
    for option, key in _CLUSTER_OPTIONS.items():
        value = get_property(f"gateway.backend.{key}")
        if value is not None:
            setattr(c.KubeClusterConfig, option, value)
    _configure_auth(c)


_configure(globals()["c"])
