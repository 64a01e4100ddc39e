"""The process of our controllers: `python -m qhub.rehearsal.cluster.controllers` with its options."""

from __future__ import annotations

import argparse
import ipaddress
import logging
import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster.api import Api
from qhub.rehearsal.cluster.controllers import autoscaler, cloud_storage, load_balancer, pods_starting, storage
from qhub.rehearsal.cluster.controllers.durations import BY_CLOUD
from qhub.rehearsal.cluster.controllers.loop import Controller, Loop
from qhub.rehearsal.cluster.controllers.pace import Pace
from qhub.rehearsal.cluster.controllers.pool_nodes import Setting
from qhub.rehearsal.cluster.controllers.scaling_log import scaling_log
from qhub.rehearsal.cluster.layout import Layout, write_private
from qhub.rehearsal.cluster.nodes import KWOK
from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.cluster.state import load_state

if TYPE_CHECKING:
    from qhub.rehearsal.simulated.identity import Identity

_STORAGE = "rehearsal-storage"
_LOAD_BALANCER = "rehearsal-load-balancer"


def main() -> None:
    """Run until SIGTERM. The ready file gets this process's id once all controllers have read the cluster."""
    parser = argparse.ArgumentParser(prog="qhub.rehearsal.cluster.controllers", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port of the API server on 127.0.0.1")
    parser.add_argument("--pki", type=Path, required=True, help="folder of the cluster's keys and certificates")
    parser.add_argument("--ready-file", type=Path, required=True)
    parser.add_argument("--load-balancers", type=ipaddress.IPv4Network, required=True, help="addresses to give away")
    parser.add_argument("--load-balancer-mode", choices=("Proxy", "VIP"), required=True)
    parser.add_argument("--volumes", type=Path, help="folder of the real node's volumes, where there is one")
    parser.add_argument("--node", default="", help="name of the real node, where there is one")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    pki = Pki(given.pki)
    pool = load_balancer.Pool(given.load_balancers, given.load_balancer_mode)
    disks = storage.NodeDisks(given.node, given.volumes, plane.NODE_VOLUMES) if given.node else None
    for identity, controller in _controllers(given.port, pki, pool=pool, disks=disks):
        Loop(controller, Api(given.port, pki=pki, identity=identity)).start()
    write_private(given.ready_file, str(os.getpid()))
    signal.pause()


def _controllers(
    port: int, pki: Pki, *, pool: load_balancer.Pool, disks: storage.NodeDisks | None
) -> Iterator[tuple[str, Controller]]:
    """Yield each controller and the identity that it acts as."""
    if not pki.certificate(autoscaler.IDENTITY_NAME).is_file():
        store = partial(storage.reconcile, disks=disks)
        yield "controllers", Controller(_STORAGE, storage.COLLECTIONS, store)
        balance = partial(load_balancer.reconcile, kind=load_balancer.Kind(pool=pool))
        yield "controllers", Controller(_LOAD_BALANCER, load_balancer.COLLECTIONS, balance)
        return
    layout = Layout(pki.folder.parent)
    made = _identity(layout)
    yield from _of_cloud(made)
    scale = partial(autoscaler.reconcile, setting=_setting(made, layout, Api(port, pki=pki, identity="controllers")))
    yield (
        autoscaler.IDENTITY_NAME,
        Controller(autoscaler.NAME, autoscaler.COLLECTIONS, scale, settle=autoscaler.SETTLE),
    )


def _of_cloud(made: Identity) -> Iterator[tuple[str, Controller]]:
    """Yield what a cloud does beside nodes; one without a name does it in no time, and in no zone."""
    durations = BY_CLOUD.get(made.cloud)
    pace = Pace(speed=made.speed, durations=durations) if durations else None
    # A cloud has one controller for load balancers, whatever class they ask for. On AWS they have host names.
    domain = f"elb.{made.region}.rehearsal.invalid" if made.cloud == "aws" else ""
    kind = load_balancer.Kind(any_class=True, domain=domain, pace=pace)
    balance = partial(load_balancer.reconcile, kind=kind)
    yield "controllers", Controller(_LOAD_BALANCER, load_balancer.COLLECTIONS, balance)
    if pace is None:
        yield "controllers", Controller(_STORAGE, storage.COLLECTIONS, storage.reconcile)
        return
    store = partial(cloud_storage.reconcile, pace=pace)
    yield "controllers", Controller(_STORAGE, cloud_storage.COLLECTIONS, store)
    start = partial(pods_starting.reconcile, pace=pace)
    yield "controllers", Controller("rehearsal-pods", pods_starting.COLLECTIONS, start)


def _identity(layout: Layout) -> Identity:
    # Here, not above: the simulated clusters are built on this package.
    from qhub.rehearsal.simulated.identity import load_identity

    made = load_identity(layout.folder)
    if made is None:
        raise FileNotFoundError(f"{layout.folder} has a certificate for node pools, but is no simulated cluster")
    return made


def _setting(made: Identity, layout: Layout, api: Api) -> Setting:
    return Setting(
        log=scaling_log(layout.folder),
        speed=made.speed,
        idle_seconds=made.idle_seconds,
        port=load_state(layout.state).ports[KWOK],
        version=api.get("/version")["gitVersion"],
    )


if __name__ == "__main__":
    main()
