"""Node pools out of the instance catalogue: what a node of a cloud's instance type has, as Kubernetes sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qhub.rehearsal.cluster import ClusterError
from qhub.rehearsal.cluster.controllers.pools import NodeSpec, PoolSpec

REGION_LABEL = "topology.kubernetes.io/region"

#: Simulated seconds from asking for a node until it is Ready: machine, boot, kubelet, network. Orders of magnitude from
#: cluster-autoscaler's own documents and the clouds' ("nodes join in one to three minutes"); GPU nodes also install or
#: load their driver.
NODE_SECONDS: Mapping[str, float] = {"aws": 60.0, "gcp": 60.0, "digitalocean": 120.0, "azure": 120.0}
GPU_SECONDS = 120.0


def pool_spec(
    cloud: str,
    name: str,
    *,
    instance_type: str,
    min: int,
    max: int,
    region: str = "",
    zones: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Mapping[str, str]] = (),
    gpus: int | None = None,
    spot: bool = False,
    seconds: float | None = None,
    group: str = "",
    build: str = "",
    in_place: bool = False,
) -> PoolSpec:
    """Return a pool whose nodes are what the catalogue says about the instance type.

    Args:
        cloud: aws, gcp, digitalocean, azure.
        name: the pool's name.
        instance_type: the cloud's name for the machine.
        min: nodes that are always there.
        max: most nodes.
        region: value of `topology.kubernetes.io/region`.
        zones: zones of its nodes.
        labels: all labels that the cloud puts on its nodes, beside those for host, system, architecture, instance type,
            region and zone.
        taints: `{"key": ..., "value": ..., "effect": "NoSchedule"}`; effects as Kubernetes writes them.
        gpus: GPUs that the pool attaches; None: those that come with the machine.
        spot: whether the cloud may take them away; the price stays the one on demand, the most they can cost.
        seconds: simulated seconds until a new node is Ready; None: what is usual.
        group: see `PoolSpec`.
        build, in_place: see `NodeSpec`.

    Raises:
        ClusterError: the catalogue does not have the instance type; names the nearest that it has.
        ValueError: not 0 <= min <= max.
    """
    # Here, not above: with the settings comes pydantic, and every `kubectl` of a rehearsal starts this package.
    from qhub.config import instances
    from qhub.config.nearest import nearest

    machine = instances.find(cloud, instance_type)
    if machine is None:
        near = nearest(instance_type, instances.names(cloud))
        hint = f"; did you mean {near}?" if near else ""
        raise ClusterError(f"pool {name}: {instance_type} is no instance type of {cloud} in the catalogue{hint}")
    room = instances.allocatable(cloud, machine, gpus=gpus)
    node = NodeSpec(
        instance_type=instance_type,
        cores=machine.cores,
        memory=machine.memory,
        allocatable_cores=room.cores,
        allocatable_memory=room.memory,
        pods=room.pods,
        architecture=machine.architecture,
        gpus=room.gpus,
        labels={**({REGION_LABEL: region} if region else {}), **(labels or {})},
        taints=tuple(dict(taint) for taint in taints),
        zones=tuple(zones),
        spot=spot,
        usd_per_hour=machine.usd_per_hour,
        build=build,
        in_place=in_place,
    )
    usual = NODE_SECONDS[cloud] + (GPU_SECONDS if room.gpus else 0.0)
    seconds = usual if seconds is None else seconds
    return PoolSpec(name=name, node=node, min=min, max=max, seconds=seconds, group=group)
