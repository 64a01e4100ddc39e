"""The cluster-autoscaler that runs in a cluster whose cloud has none of its own (EKS): what it was started with.

It scales the groups that its arguments name (`--nodes=min:max:group`), between the bounds that stand there. Who does
not run scales nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from qhub.rehearsal.cluster.controllers.pools import PoolSpec, created

Json = dict[str, Any]

#: The program's name in its image.
PROGRAM = "cluster-autoscaler"
NODES_FLAG, KEEPS_MIN_FLAG = "--nodes=", "--enforce-node-group-min-size="


class BadArguments(ValueError):
    """The autoscaler would end at once, with these words.

    Attributes:
        pod: its Pod object.
    """

    def __init__(self, pod: Json, text: str) -> None:
        super().__init__(text)
        self.pod = pod


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """An autoscaler that runs.

    Attributes:
        bounds: group -> fewest and most nodes.
        keeps_min: whether it asks for nodes until there are as many as the fewest; else it only never goes below.
    """

    bounds: Mapping[str, tuple[int, int]]
    keeps_min: bool = False

    def scaled(self, pools: Mapping[str, PoolSpec]) -> dict[str, PoolSpec]:
        """Return the pools that it looks after, each with the bounds that it keeps."""
        return {
            name: replace(pool, min=self.bounds[pool.group][0], max=self.bounds[pool.group][1])
            for name, pool in pools.items()
            if pool.group in self.bounds
        }


def deployed(pods: Iterable[Json]) -> Deployed | None:
    """Return the autoscaler that runs in the cluster; None where there is none, or none that is Ready.

    Of several the oldest counts: it has the lease, as long as it lives.

    Raises:
        BadArguments: its arguments mean nothing.
    """
    running = [pod for pod in pods if _words(pod) and _is_up(pod)]
    if not running:
        return None
    leader = min(running, key=lambda pod: (created(pod), pod["metadata"]["name"]))
    words = _words(leader)
    return Deployed(
        bounds=dict(_bounds(leader, word) for word in words if word.startswith(NODES_FLAG)),
        keeps_min=f"{KEEPS_MIN_FLAG}true" in words,
    )


def _words(pod: Json) -> list[str]:
    """Return the command line of a pod's autoscaler; empty for any other pod."""
    for container in pod["spec"].get("containers") or []:
        command = [*(container.get("command") or []), *(container.get("args") or [])]
        if command and command[0].rpartition("/")[2] == PROGRAM:
            return command[1:]
    return []


def _is_up(pod: Json) -> bool:
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions") or [])
    return ready and "deletionTimestamp" not in pod["metadata"]


def _bounds(pod: Json, word: str) -> tuple[str, tuple[int, int]]:
    """Return group and bounds of one `--nodes=`."""
    least, _, rest = word.removeprefix(NODES_FLAG).partition(":")
    most, _, group = rest.partition(":")
    if not (least.isdecimal() and most.isdecimal() and group):
        raise BadArguments(pod, f"failed to parse node group spec {word!r}: expected --nodes=min:max:group")
    if int(least) > int(most):
        raise BadArguments(pod, f"failed to parse node group spec {word!r}: max size must be greater or equal to min")
    return group, (int(least), int(most))
