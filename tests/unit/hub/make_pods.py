"""Run as a program: `make_pods.py FOLDER`. The pods that the real hub and KubeSpawner would make.

FOLDER is laid out as the hub's pod mounts it. The working folder takes the database. Nothing is contacted. Reads a list
of `{"user": str, "groups": [str], "profile": str | null, "options"?: {...}}` as JSON from its input; `groups` are those
that the hub knows the user in already, besides those of its configuration; `options` are what was chosen besides.
Prints for each, in the same order, what became of it as JSON:
`{"pod": ..., "profiles": [slug, ...], "scopes": [...]}`, or `{"refused": message}`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from pathlib import Path
from typing import Any

from tests.unit.charts.spawn_once import KUBECONFIG


async def made(hub: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Do what the hub does when somebody starts a server, up to the pod."""
    from jupyterhub import orm, scopes
    from kubernetes_asyncio.client import ApiClient

    record = orm.User.find(hub.db, wanted["user"]) or orm.User(name=wanted["user"])
    hub.db.add(record)
    for name in wanted["groups"]:
        group = orm.Group.find(hub.db, name) or orm.Group(name=name)
        hub.db.add(group)
        record.groups.append(group)
    hub.db.commit()
    spawner = hub.users[wanted["user"]].spawner
    spawner.api_token = "none"
    named = {} if wanted["profile"] is None else {"profile": wanted["profile"]}
    spawner.user_options = {**named, **wanted.get("options", {})}
    try:
        await spawner._run_apply_user_options(spawner.user_options)
        done = spawner.run_pre_spawn_hook()
        if inspect.isawaitable(done):
            await done
        await spawner.load_user_options()
    except Exception as error:
        return {"refused": getattr(error, "jupyterhub_message", getattr(error, "log_message", None) or str(error))}
    offered = spawner.profile_list(spawner) if callable(spawner.profile_list) else spawner.profile_list
    async with ApiClient() as client:
        pod = client.sanitize_for_serialization(await spawner.get_pod_manifest())
    server_role = orm.Role.find(hub.db, "server")
    owned = scopes.expand_scopes(server_role.scopes, owner=record)
    return {"pod": pod, "profiles": [profile["slug"] for profile in offered], "scopes": sorted(owned)}


async def main(folder: str) -> None:
    """Configure the hub and make every pod that is asked for."""
    from jupyterhub.app import JupyterHub

    # The one that options of other classes (CryptKeeper) look for their configuration.
    hub = JupyterHub.instance()
    await hub.initialize(["--config", f"{folder}/jupyterhub_config.py"])
    json.dump([await made(hub, wanted) for wanted in json.load(sys.stdin)], sys.stdout)


if __name__ == "__main__":
    path = Path("kubeconfig").resolve()
    path.write_text(KUBECONFIG, encoding="utf-8")
    os.environ["KUBECONFIG"] = str(path)
    asyncio.run(main(sys.argv[1]))
