"""Run as a program: `spawn_once.py FOLDER`. Prints the pod that JupyterHub and KubeSpawner would make for user alice.

FOLDER is laid out as the hub's pod mounts it. The working folder takes the database. Nothing is contacted.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from pathlib import Path

#: KubeSpawner wants to know a cluster before it makes a pod's description; this one is never asked.
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: none
contexts: [{name: none, context: {cluster: none, user: none}}]
clusters: [{name: none, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: none, user: {}}]
"""


async def main(folder: str) -> None:
    """Configure the hub, run the hook that runs before a server starts, and print the pod as JSON."""
    from jupyterhub import orm
    from jupyterhub.app import JupyterHub
    from kubernetes_asyncio.client import ApiClient

    # The one that options of other classes (CryptKeeper) look for their configuration.
    hub = JupyterHub.instance()
    await hub.initialize(["--config", f"{folder}/jupyterhub_config.py"])
    hub.db.add(orm.User.find(hub.db, "alice") or orm.User(name="alice"))
    hub.db.commit()
    spawner = hub.users["alice"].spawner
    spawner.api_token = "none"
    done = spawner.run_pre_spawn_hook()
    if inspect.isawaitable(done):
        await done
    await spawner.load_user_options()
    pod = await spawner.get_pod_manifest()
    async with ApiClient() as client:
        json.dump(client.sanitize_for_serialization(pod), sys.stdout)


if __name__ == "__main__":
    path = Path("kubeconfig").resolve()
    path.write_text(KUBECONFIG, encoding="utf-8")
    os.environ["KUBECONFIG"] = str(path)
    asyncio.run(main(sys.argv[1]))
