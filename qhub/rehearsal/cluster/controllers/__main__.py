"""The process of our controllers: `python -m qhub.rehearsal.cluster.controllers` with its options."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from pathlib import Path

from qhub.rehearsal.cluster.api import Api
from qhub.rehearsal.cluster.controllers import load_balancer, storage
from qhub.rehearsal.cluster.controllers.loop import Controller, Loop
from qhub.rehearsal.cluster.layout import write_private
from qhub.rehearsal.cluster.pki import Pki

CONTROLLERS = (
    Controller("rehearsal-storage", storage.COLLECTIONS, storage.reconcile),
    Controller("rehearsal-load-balancer", load_balancer.COLLECTIONS, load_balancer.reconcile),
)


def main() -> None:
    """Run until SIGTERM. The ready file gets this process's id once all controllers have read the cluster."""
    parser = argparse.ArgumentParser(prog="qhub.rehearsal.cluster.controllers", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port of the API server on 127.0.0.1")
    parser.add_argument("--pki", type=Path, required=True, help="folder of the cluster's keys and certificates")
    parser.add_argument("--ready-file", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    api = Api(given.port, pki=Pki(given.pki), identity="controllers")
    for controller in CONTROLLERS:
        Loop(controller, api).start()
    write_private(given.ready_file, str(os.getpid()))
    signal.pause()


if __name__ == "__main__":
    main()
