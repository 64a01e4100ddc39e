"""Run as a program: `make_dask_pods.py FOLDER`. The pods that the real Dask gateway would make.

FOLDER holds what the charts' ConfigMaps mount, in `api/` and `controller/`. Nothing is contacted. Reads a list of
`{"user": str, "groups": [str], "admin": bool, "options": {...}}` as JSON from its input. Prints for each, in the same
order, what became of it as JSON: `{"scheduler": pod, "worker": pod, "config": {...}, "profiles": [...]}`, or
`{"refused": message}`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

#: What the answer says of the cluster itself, beyond its pods.
SHOWN = ("cluster_max_workers", "idle_timeout", "worker_threads")


async def made(backend: Any, controller: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Do what the gateway does when somebody starts a cluster, up to the pods."""
    from dask_gateway_server.models import User

    user = User(wanted["user"], groups=wanted["groups"], admin=wanted["admin"])
    try:
        offered = await backend.get_cluster_options(user)
        _, config = await backend.process_cluster_options(user, wanted["options"])
    except Exception as error:
        return {"refused": getattr(error, "reason", None) or str(error)}
    profiles = next(field for field in offered.get_specification() if field["field"] == "profile")
    return {
        "scheduler": controller.make_pod("team", "c", config),
        "worker": controller.make_pod("team", "c", config, is_worker=True),
        "config": {name: getattr(config, name) for name in SHOWN},
        "profiles": profiles["spec"]["options"],
    }


async def main(folder: str) -> None:
    """Configure the gateway's two programs and make every pod that is asked for."""
    from dask_gateway_server.app import DaskGateway
    from dask_gateway_server.auth import JupyterHubAuthenticator
    from dask_gateway_server.backends.kubernetes.backend import KubeBackend
    from dask_gateway_server.backends.kubernetes.controller import KubeController

    gateway = DaskGateway()
    gateway.load_config_file(f"{folder}/api/dask_gateway_config.py")
    authenticator = JupyterHubAuthenticator(parent=gateway, log=gateway.log)
    assert authenticator.use_service_access_scopes
    backend = KubeBackend(parent=gateway, log=gateway.log)
    controller = KubeController()
    controller.load_config_file(f"{folder}/controller/dask_gateway_config.py")
    json.dump([await made(backend, controller, wanted) for wanted in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    os.environ.setdefault("JUPYTERHUB_API_TOKEN", "none")
    asyncio.run(main(sys.argv[1]))
