"""The keeper: starts again what of a cluster has ended, until the cluster is stopped.

`python -m qhub.rehearsal.cluster.keeper` runs it, as the last process of every cluster whose nodes are of a kind that
has a name. It does what the next `qhub cluster start` would, and less: ports stay, nothing that runs is stopped. It
sees ends, not bad health. It goes when it is stopped with the cluster, when the cluster's folder is gone, and when the
state file names another one.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.cluster.health import Health
from qhub.rehearsal.cluster.kinds import providers_of
from qhub.rehearsal.cluster.layout import Layout, locked, write_private
from qhub.rehearsal.cluster.starting import Starter
from qhub.rehearsal.cluster.state import load_state

logger = logging.getLogger(__name__)

#: Seconds between two looks. One look takes a few milliseconds.
PAUSE = 1.0
#: A process that ends again within this many seconds does not just get over a bad moment.
CALM = 60.0
#: Seconds until such a process is started again: the first and the longest, each twice the one before.
FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0


class Delays:
    """When a process that has ended may be started again: at once, and later and later if it keeps ending."""

    def __init__(self) -> None:
        self._delays: dict[str, float] = {}
        self._tried: dict[str, float] = {}

    def due(self, name: str, now: float) -> bool:
        """Tell whether it may be started at the time `now`, in seconds."""
        return name not in self._tried or now >= self._tried[name] + self._delays[name]

    def tried(self, name: str, now: float) -> None:
        """Note that a start was tried, well or not, and ended at the time `now`."""
        before = self._delays.get(name, 0.0)
        soon = name in self._tried and now <= self._tried[name] + before + CALM
        self._delays[name] = min(2 * before, LONGEST_DELAY) if soon else FIRST_DELAY
        self._tried[name] = now


class Keeper:
    """Looks after the cluster in one folder."""

    def __init__(self, name: str, layout: Layout) -> None:
        """Remember the cluster's name and files; nothing is looked at yet."""
        self._name = name
        self._layout = layout
        self._delays = Delays()

    def keep(self) -> None:
        """Look until there is nothing to look after."""
        while self._layout.state.exists():
            if any(self._delays.due(name, time.monotonic()) for name in self._ended()) and not self._repair():
                return
            time.sleep(PAUSE)

    def _ended(self) -> Sequence[str]:
        health = self._health()
        return [name for name in health.names() if not health.pid(name)]

    def _health(self) -> Health:
        state = load_state(self._layout.state)
        return Health(self._name, f"qhub-{self._name}", self._layout, providers_of(state.nodes), state)

    def _repair(self) -> bool:
        """Start what has ended, unless another command works on the cluster; False when another keeper does this."""
        try:
            with locked(self._layout.lock, timeout=0.0):
                if load_state(self._layout.state).pids.get(plane.KEEPER) != os.getpid():
                    return False
                if ended := self._ended():  # nothing, when that command has started it
                    self._start(ended)
        except ClusterError as error:  # it is locked: whoever works on it may well start what has ended
            logger.debug("%s", error)
        return True

    def _start(self, ended: Sequence[str]) -> None:
        begun = time.monotonic()
        logger.warning("ended: %s", ", ".join(ended))
        providers = providers_of(load_state(self._layout.state).nodes)
        try:
            Starter(self._name, self._layout, providers, port=None, report=logger.info).repair()
        except Exception:  # whatever it is: it is told here and tried again, for nobody else will
            logger.exception("not all of it runs again")
        else:
            logger.info("all runs again after %.1f s", time.monotonic() - begun)
        finally:
            for name in ended:
                self._delays.tried(name, time.monotonic())


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="qhub.rehearsal.cluster.keeper", description=__doc__)
    parser.add_argument("--name", required=True, help="the cluster's name")
    parser.add_argument("--folder", type=Path, required=True, help="the cluster's folder")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    layout = Layout(given.folder)
    write_private(plane.ready_file(layout, plane.KEEPER), str(os.getpid()))
    Keeper(given.name, layout).keep()


if __name__ == "__main__":
    main()
