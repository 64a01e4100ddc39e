"""What is wanted from outside of a running cluster with a real node: images into it, and ports that lead there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.cluster.health import Health
from qhub.rehearsal.cluster.ports import free_port
from qhub.rehearsal.cluster.provider import Ground
from qhub.rehearsal.cluster.state import save_state

if TYPE_CHECKING:
    from qhub.rehearsal.node.images import Images

#: Seconds that the relay may take to serve one port more; it takes milliseconds.
RELAY_TIMEOUT = 10.0
#: Times that another port is tried when somebody takes one between our look and the relay's.
ATTEMPTS = 3


def images_of(health: Health) -> Images:
    """Return the images of a cluster's real node.

    Raises:
        ClusterError: it has none, or does not run.
    """
    # Here, not above: a command that only asks whether a cluster runs needs none of it.
    from qhub.rehearsal.node.provider import RealNode

    ground, holder, _ = _running(health)
    node = next(provider for provider in health.providers if isinstance(provider, RealNode))
    return node.images(health.layout, ground.place(holder))


def exposed_port(health: Health, target: str) -> int:
    """Return the port on 127.0.0.1 that leads to `target` (`ADDRESS:PORT`), served by now. Under the cluster's lock.

    Raises:
        ClusterError: the cluster has no real node, or does not run.
    """
    ground, _, relay = _running(health)
    state = health.state
    for _ in range(ATTEMPTS):
        port = state.exposed.get(target)
        if port in ground.served():
            return port
        if port is None:
            port = state.exposed[target] = free_port([*state.ports.values(), *state.exposed.values()])
            save_state(health.layout.state, state)
        ground.write_table(state.ports, state.exposed)
        ground.renew_relay(relay)
        deadline = time.monotonic() + RELAY_TIMEOUT
        while time.monotonic() < deadline:
            if port in ground.served():
                return port
            time.sleep(0.01)
        del state.exposed[target]
    raise ClusterError(f"{target} cannot be reached from this machine: the relay serves no port for it")


def _running(health: Health) -> tuple[Ground, int, int]:
    """Return where a cluster with a real node lives, and the ids of the two processes that make it so."""
    ground = health.ground
    if ground is None:
        raise ClusterError(f"cluster {health.name} has no real node: `qhub cluster start --nodes real` makes one")
    holder, relay = (health.pid(name) for name in ground.names)
    if holder is None or relay is None:
        raise ClusterError(f"cluster {health.name} does not run: `qhub cluster start --name {health.name}`")
    return ground, holder, relay
