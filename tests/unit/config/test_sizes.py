"""Sizes that are a share of a node: what each server gets, and that as many fit as are to share the node."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from qhub.automation.rehearse.looking import reserved
from qhub.automation.rehearse.user_pods import user_pod
from qhub.config import Settings, instances
from qhub.config.cloud import CloudNodePool
from qhub.config.quantities import SMALLEST_PROCESS, parse_spawner_memory
from qhub.config.sizes import SMALLEST_CORES, SYSTEM_CORES, SYSTEM_MEMORY, amounts, servers_per_node
from tests.unit.platform.building import hub_values, make_settings

GIB = 1024**3
PLACES: dict[str, dict[str, Any]] = {
    "aws": {"region": "eu-west-1"},
    "gcp": {"region": "europe-west4", "project": "my-team-1234"},
    "digitalocean": {"region": "fra1"},
    "azure": {"region": "westeurope", "subscription_id": "11111111-2222-3333-4444-555555555555"},
}


def on_existing(size: dict[str, Any], **pool: Any) -> Settings:
    profile = {"name": "one", **size}
    return make_settings(cluster={"node_pools": {"user": pool}}, jupyterhub={"profiles": [profile]})


@st.composite
def machines(draw: st.DrawFn) -> tuple[str, str]:
    """A cloud and one of its machines without a GPU, which need more settings."""
    cloud = draw(st.sampled_from(instances.CLOUDS))
    plain = [name for name in instances.names(cloud) if not _of(cloud, name).gpus]
    return cloud, draw(st.sampled_from(plain))


def _of(cloud: str, name: str) -> instances.InstanceType:
    found = instances.find(cloud, name)
    assert found is not None
    return found


@example(machine=("gcp", "n2-highcpu-16"), users=27, cpu=1.0, memory=1.0)  # 0.57 cores, which binary has no number for
@given(machine=machines(), users=st.integers(1, 30), cpu=st.floats(1, 8), memory=st.floats(1, 8))
def test_as_many_servers_fit_on_a_node_as_are_to_share_it_beside_the_systems_own_pods(
    machine: tuple[str, str], users: int, cpu: float, memory: float
) -> None:
    cloud, name = machine
    room = instances.allocatable(cloud, _of(cloud, name))
    # With less the settings are refused: see the corpus.
    assume((room.cores - SYSTEM_CORES) / users > SMALLEST_CORES + 0.01)
    assume((room.memory - SYSTEM_MEMORY) / users > SMALLEST_PROCESS + 2**20)
    size = {"users_per_node": users, "burst": {"cpu": cpu, "memory": memory}}
    settings = on_existing(size, cpu=room.cores, memory=str(room.memory))
    # The very pod that a rehearsal starts.
    pod = user_pod(hub_values(settings), "one", namespace="qhub")["spec"]
    cores, memory_reserved, _ = reserved(pod)
    [notebook] = pod["containers"]

    assert users * cores <= room.cores - SYSTEM_CORES + 1e-9
    assert users * memory_reserved <= room.memory - SYSTEM_MEMORY
    # What is lost by rounding is less than a hundredth of a core and a MiB each.
    assert users * (cores + 0.01) > room.cores - SYSTEM_CORES - 1e-9
    assert users * (memory_reserved + 2**20) > room.memory - SYSTEM_MEMORY
    assert cores <= float(notebook["resources"]["limits"]["cpu"]) <= room.cores
    assert memory_reserved <= int(notebook["resources"]["limits"]["memory"]) <= room.memory


@pytest.mark.parametrize("cloud", PLACES)
def test_the_room_of_a_clouds_nodes_is_that_of_the_catalogue(cloud: str) -> None:
    settings = make_settings(
        cluster={"provider": cloud, "name": "qhub-test", **PLACES[cloud]},
        jupyterhub={"profiles": [{"name": "one", "users_per_node": 2}]},
    )
    pool = settings.cluster.node_pools["user"]
    assert isinstance(pool, CloudNodePool)
    room = instances.allocatable(cloud, _of(cloud, pool.instance_type))
    override = hub_values(settings)["custom"]["qhub"]["profiles"][0]["kubespawner_override"]

    assert override["cpu_guarantee"] == pytest.approx((room.cores - SYSTEM_CORES) / 2, abs=0.01)
    assert parse_spawner_memory(override["mem_guarantee"]) == pytest.approx(
        (room.memory - SYSTEM_MEMORY) / 2, abs=2**20
    )


@given(users=st.integers(1, 20), cores=st.integers(2, 64), gib=st.integers(4, 512))
def test_shares_fill_a_node_and_no_further_one_fits(users: int, cores: int, gib: int) -> None:
    pool = make_settings(cluster={"node_pools": {"user": {"cpu": cores, "memory": f"{gib}Gi"}}}).cluster.pools["user"]
    size = on_existing({"users_per_node": users}, cpu=1024, memory="100Ti").jupyterhub.default_profile
    share = amounts(size, cpu=float(cores), memory=gib * GIB)
    fitting = servers_per_node(share, pool)

    assert fitting is not None
    assert fitting >= users
    # Rounding may leave room for another one only where shares are tiny.
    assert fitting == users or share.cpu_guarantee < 0.2


def test_limits_are_multiples_of_the_share_and_at_most_the_node() -> None:
    settings = on_existing({"users_per_node": 4, "burst": {"cpu": 3, "memory": 1.5}}, cpu=4, memory="16Gi")
    override = hub_values(settings)["custom"]["qhub"]["profiles"][0]["kubespawner_override"]

    # (4 - 0.5) / 4 cores, and (16384 - 768) / 4 MiB.
    assert (override["cpu_guarantee"], override["cpu_limit"]) == (0.87, 2.61)
    assert (override["mem_guarantee"], override["mem_limit"]) == ("3904M", "5856M")
