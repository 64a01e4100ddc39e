"""The process of our controllers: `python -m qhub.rehearsal.cluster.controllers` with its options."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from qhub.rehearsal.cluster.api import Api
from qhub.rehearsal.cluster.controllers import autoscaler, load_balancer, storage
from qhub.rehearsal.cluster.controllers.loop import Controller, Loop
from qhub.rehearsal.cluster.controllers.pool_nodes import Setting
from qhub.rehearsal.cluster.controllers.scaling_log import scaling_log
from qhub.rehearsal.cluster.layout import Layout, write_private
from qhub.rehearsal.cluster.nodes import KWOK
from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.cluster.state import load_state


def main() -> None:
    """Run until SIGTERM. The ready file gets this process's id once all controllers have read the cluster."""
    parser = argparse.ArgumentParser(prog="qhub.rehearsal.cluster.controllers", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port of the API server on 127.0.0.1")
    parser.add_argument("--pki", type=Path, required=True, help="folder of the cluster's keys and certificates")
    parser.add_argument("--ready-file", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pki = Pki(given.pki)
    for identity, controller in _controllers(given.port, pki):
        Loop(controller, Api(given.port, pki=pki, identity=identity)).start()
    write_private(given.ready_file, str(os.getpid()))
    signal.pause()


def _controllers(port: int, pki: Pki) -> Iterator[tuple[str, Controller]]:
    """Yield each controller and the identity that it acts as."""
    has_pools = pki.certificate(autoscaler.IDENTITY_NAME).is_file()
    yield "controllers", Controller("rehearsal-storage", storage.COLLECTIONS, storage.reconcile)
    # A cloud has one controller for load balancers, whatever class they ask for.
    balance = partial(load_balancer.reconcile, any_class=has_pools)
    yield "controllers", Controller("rehearsal-load-balancer", load_balancer.COLLECTIONS, balance)
    if has_pools:
        layout = Layout(pki.folder.parent)
        scale = partial(autoscaler.reconcile, setting=_setting(layout, Api(port, pki=pki, identity="controllers")))
        yield (
            autoscaler.IDENTITY_NAME,
            Controller(autoscaler.NAME, autoscaler.COLLECTIONS, scale, settle=autoscaler.SETTLE),
        )


def _setting(layout: Layout, api: Api) -> Setting:
    # Here, not above: the simulated clusters are built on this package.
    from qhub.rehearsal.simulated.identity import load_identity

    made = load_identity(layout.folder)
    if made is None:
        raise FileNotFoundError(f"{layout.folder} has a certificate for node pools, but is no simulated cluster")
    return Setting(
        log=scaling_log(layout.folder),
        speed=made.speed,
        idle_seconds=made.idle_seconds,
        port=load_state(layout.state).ports[KWOK],
        version=api.get("/version")["gitVersion"],
    )


if __name__ == "__main__":
    main()
