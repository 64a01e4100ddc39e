"""Changes to a cluster that is there, by the real engine: each touches what it must, on every cloud alike.

The graph tests say what the program sends; here it is the cloud that says what it updates, replaces or refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.engine.clouds.stack import CloudStack

Json = dict[str, Any]
#: The engine's words for one resource that takes the place of another.
REPLACED = {"replace", "create-replacement", "delete-replaced"}


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """What differs between the clouds.

    Attributes:
        cluster: the `cluster` section.
        instance_type: of pools beside those that are always there.
        tagged: what shows another tag at least, beside the pools.
        zones: three of them, of which the cluster begins with the first; none where the cloud has none.
        stretched: what three zones change beside the pools.
        pools_move: whether the cloud replaces a pool for other zones.
    """

    cluster: Json
    instance_type: str
    tagged: frozenset[str]
    zones: tuple[str, ...] = ()
    stretched: frozenset[str] = frozenset()
    pools_move: bool = False

    def write(self, stack: CloudStack, pools: Json, *, zones: int = 1, **changes: Any) -> None:
        """Write the settings of a stack; changes are laid over its cluster."""
        cluster: Json = {**self.cluster, "registry": False, "node_pools": pools, **changes}
        if self.zones:
            cluster["network"] = {"zones": list(self.zones[:zones])}
        settings = {
            "domain": "qhub.localhost",
            "storage": {"kind": "nfs-server", "size": "20Gi", "protect": False},
            "cluster": cluster,
        }
        with (stack.folder / "settings.yaml").open("w", encoding="utf-8") as file:
            YAML().dump({"config": {f"{stack.name}:{key}": section for key, section in settings.items()}}, file)


GCP = Cloud(
    cluster={"provider": "gcp", "project": "my-team-1234", "region": "europe-west1"},
    instance_type="e2-standard-16",
    tagged=frozenset({"gcp", "cluster-gke"}),
    zones=("europe-west1-b", "europe-west1-c", "europe-west1-d"),
    stretched=frozenset({"cluster-gke"}),
)
DIGITALOCEAN = Cloud(
    cluster={"provider": "digitalocean", "region": "fra1"},
    instance_type="g-8vcpu-32gb",
    tagged=frozenset({"cluster-doks"}),
)
AZURE = Cloud(
    cluster={"provider": "azure", "region": "westeurope"},
    instance_type="Standard_D16s_v5",
    tagged=frozenset({"resource-group-group", "network-network", "cluster-aks"}),
    zones=("1", "2", "3"),
    pools_move=True,
)


def done_since(stack: CloudStack, before: int) -> dict[str, set[str]]:
    """Return what the simulated cloud has done: logical name -> operations."""
    found: dict[str, set[str]] = {}
    for event in stack.world.events()[before:]:
        if event.operation != "read":
            found.setdefault(event.name, set()).add(event.operation)
    return found


@pytest.mark.parametrize("cloud", [GCP, DIGITALOCEAN, AZURE], ids=lambda cloud: cloud.cluster["provider"])
def test_a_change_touches_what_it_must(make_cloud_stack: Callable[..., CloudStack], cloud: Cloud) -> None:
    stack = make_cloud_stack("cluster")
    larger = {"instance_type": cloud.instance_type}
    first = {"user": {"max": 4}, "worker": {}, "old": larger}
    cloud.write(stack, first)
    stack.up()

    cloud.write(stack, dict(reversed(first.items())))
    assert stack.steps() == {}, "the order of pools means nothing"

    # One pool more, one less, more nodes, another label: each its own pool and no other.
    second = {"user": {"max": 9}, "worker": {"labels": {"example.org/rack": "a"}}, "new": larger}
    before = len(stack.world.events())
    cloud.write(stack, second)
    stack.up()
    assert done_since(stack, before) == {
        "pools-new": {"create"},
        "pools-old": {"delete"},
        "pools-user": {"update"},
        "pools-worker": {"update"},
    }
    pools = {f"pools-{name}" for name in ("general", *second)}

    cloud.write(stack, second, tags={"team": "data"})
    steps = stack.steps()
    assert steps.keys() >= cloud.tagged | pools
    assert set(steps.values()) == {"update"}

    if cloud.zones:
        zones_are_three(stack, cloud, second, pools=pools)
    deletion_is_refused_until_it_is_allowed(stack, cloud, second, zones=3)


def zones_are_three(stack: CloudStack, cloud: Cloud, settings: Json, *, pools: set[str]) -> None:
    """Bring the cluster from one zone to three."""
    before = len(stack.world.events())
    cloud.write(stack, settings, zones=3)
    steps = stack.steps()
    assert steps.keys() == cloud.stretched | pools
    assert {steps[name] for name in pools} <= (REPLACED if cloud.pools_move else {"update"})
    stack.up()
    done = done_since(stack, before)
    moved = {"create", "delete"} if cloud.pools_move else {"update"}
    assert done == {**dict.fromkeys(pools, moved), **{name: {"update"} for name in cloud.stretched}}
    if cloud.pools_move:
        order = [(event.operation, event.name) for event in stack.world.events()[before:]]
        for name in pools:
            assert order.index(("create", name)) < order.index(("delete", name)), "no pool is without nodes meanwhile"


def deletion_is_refused_until_it_is_allowed(stack: CloudStack, cloud: Cloud, settings: Json, *, zones: int) -> None:
    """Destroy the stack: refused before anything is touched, and possible once `protect` is off."""
    before = len(stack.world.events())
    said = stack.pulumi("destroy", "--yes", fails=True)
    assert "it is protected" in said
    assert done_since(stack, before) == {}

    cloud.write(stack, settings, zones=zones, protect=False)
    stack.up()
    assert not any("create" in done or "delete" in done for done in done_since(stack, before).values())
    stack.destroy()
    assert stack.world.left() == []
