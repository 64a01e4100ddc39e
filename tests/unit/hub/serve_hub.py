"""Run as a program: `serve_hub.py FOLDER`. The real JupyterHub with the configuration of FOLDER, on a free port.

FOLDER is laid out as the hub's pod mounts it. The working folder takes the database. The hub's own handlers and
database answer; there is no proxy before it, and no server of a user can be started. Prints its port on the first line
of its output and ends when its input is closed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.unit.charts.spawn_once import KUBECONFIG


async def main(folder: str) -> None:
    """Configure the hub and serve its pages until the input ends."""
    from jupyterhub.app import JupyterHub
    from tornado import httpserver, netutil

    # The one that options of other classes (CryptKeeper) look for their configuration.
    hub = JupyterHub.instance()
    await hub.initialize(["--config", f"{folder}/jupyterhub_config.py"])
    [socket] = netutil.bind_sockets(0, "127.0.0.1")
    server = httpserver.HTTPServer(hub.tornado_application)
    server.add_socket(socket)
    print(socket.getsockname()[1], flush=True)  # noqa: T201 - that is its answer
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.stop()


if __name__ == "__main__":
    path = Path("kubeconfig").resolve()
    path.write_text(KUBECONFIG, encoding="utf-8")
    os.environ["KUBECONFIG"] = str(path)
    asyncio.run(main(sys.argv[1]))
