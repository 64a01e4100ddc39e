"""What of a node is left for pods, after what the kernel keeps and what each cloud's kubelet reserves.

A machine that is sold with 16 GiB shows its kubelet less: the kernel describes every page of memory (1/64 of it), and
firmware and hypervisor keep a part. The kubelet then reserves memory and CPU for itself and for the system. What is
returned here was checked against nodes in use: it promises none of them more than it had, and at most 100 MiB less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qhub.config.instances.catalogue import InstanceType

_MIB = 1024**2
_GIB = 1024**3
#: Below this much free memory the kubelet evicts pods, so it is never given to any: the default on EKS, GKE and AKS.
_EVICTION_MIB = 100
_REST = float("inf")

Steps = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Allocatable:
    """What pods may ask for on one node.

    Attributes:
        cores: CPU cores.
        memory: bytes.
        gpus: GPUs.
        pods: number of pods.
    """

    cores: float
    memory: int
    gpus: int
    pods: int


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """What pods do not get of a node: cores, MiB of memory, and pods beyond a cap."""

    cores: float
    memory_mib: float
    most_pods: int | None = None


def allocatable(cloud: str, instance: InstanceType, *, gpus: int | None = None) -> Allocatable:
    """Return what of a node is left for pods.

    The system's own pods (network, logs, volumes) still go off that: about 0.2 to 0.5 cores and 0.3 to 0.7 GiB.

    Args:
        cloud: word of `cluster.provider`, one of `CLOUDS`.
        instance: the machine.
        gpus: GPUs that the pool attaches; default: those that come with the machine.
    """
    kept = _KEPT[cloud](instance)
    return Allocatable(
        cores=round(instance.cores - kept.cores, 3),
        memory=instance.memory - round(kept.memory_mib * _MIB),
        gpus=instance.gpus if gpus is None else gpus,
        pods=instance.pods if kept.most_pods is None else min(instance.pods, kept.most_pods),
    )


def _stepped(amount: float, steps: Steps) -> float:
    """Return the sum of each share of each slice: `((4, 0.25), (4, 0.2))` is 25 % of the first 4, 20 % of the next."""
    total = 0.0
    for width, share in steps:
        part = min(amount, width)
        total += part * share
        amount -= part
    return total


def _mib(instance: InstanceType) -> float:
    return instance.memory / _MIB


#: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest: GKE and EKS alike
#: (cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes; awslabs/amazon-eks-ami, nodeadm kubelet config).
_CORE_STEPS: Steps = ((1, 0.06), (1, 0.01), (2, 0.005), (_REST, 0.0025))


def _eks(instance: InstanceType) -> _Kept:
    """EKS: 11 MiB per pod and 255 MiB (awslabs/amazon-eks-ami, nodeadm/internal/kubelet/config.go).

    The reservation goes by the addresses for pods, also where a managed node group lets fewer run: 110 below 30 cores,
    250 from there (docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html, "How maxPods is determined").
    """
    # 2.6 % and 330 MiB fit m5.large, m5.xlarge, r5.xlarge, r5.4xlarge and r5.16xlarge as seen, 3 to 43 MiB too high.
    unseen = 0.026 * _mib(instance) + 330
    return _Kept(
        cores=_stepped(instance.cores, _CORE_STEPS),
        memory_mib=unseen + 11 * instance.pods + 255 + _EVICTION_MIB,
        most_pods=110 if instance.cores < 30 else 250,
    )


#: 25 % of the first 4 GB, 20 % of the next 4, 10 % of the next 8, 6 % of the next 112, 2 % of the rest, where a GB is
#: 1000 MiB: so it is in kubernetes/autoscaler (cloudprovider/gce/reserved.go), and so it is on nodes, to the MiB.
_GKE_MEMORY_STEPS: Steps = ((4000, 0.25), (4000, 0.2), (8000, 0.1), (112000, 0.06), (_REST, 0.02))
#: They share their cores with others, and GKE reserves 1060 thousandths of them (plan-node-sizes).
_GKE_SHARED_CORE = frozenset({"e2-micro", "e2-small", "e2-medium"})


def _gke(instance: InstanceType) -> _Kept:
    # 1/64 and 200 MiB fit n1-highmem-4 and n2-highmem-4, -16, -32 and -64 as seen, 3 to 95 MiB too high.
    unseen = _mib(instance) / 64 + 200
    return _Kept(
        cores=1.06 if instance.name in _GKE_SHARED_CORE else _stepped(instance.cores, _CORE_STEPS),
        memory_mib=unseen + _stepped(_mib(instance), _GKE_MEMORY_STEPS) + _EVICTION_MIB,
    )


#: Sums up to what nodes of 2, 4 and 8 GiB were seen to leave: 1574, 3110 and 6694 MiB. Above, the table of DigitalOcean
#: (docs.digitalocean.com/products/kubernetes/details/limits: 13 of 16 GiB, 28 of 32, 58 of 64, 119 of 128), less the
#: 550 MiB by which that table is below each of the three; beyond 128 GiB the last share goes on.
_DOKS_MEMORY_STEPS: Steps = (
    (2048, 474 / 2048),
    (2048, 0.25),
    (4096, 0.125),
    (8192, 0.125),
    (49152, 0.0625),
    (_REST, 0.046875),
)


def _doks(instance: InstanceType) -> _Kept:
    """DOKS: 0.1 cores of each node, and memory by a table that has kernel and eviction in it."""
    return _Kept(cores=0.1, memory_mib=_stepped(_mib(instance), _DOKS_MEMORY_STEPS))


#: 0.06 cores of 1, 0.1 of 2, 0.14 of 4, 0.18 of 8, 0.26 of 16, 0.42 of 32, 0.74 of 64, and on a straight line between
#: (learn.microsoft.com/azure/aks/node-resource-reservations).
_AKS_CORE_STEPS: Steps = ((1, 0.06), (1, 0.04), (2, 0.02), (_REST, 0.01))


def _aks(instance: InstanceType) -> _Kept:
    """AKS from 1.29 on: 20 MiB per pod that may run and 50 MiB, at most a quarter of the memory (the same page)."""
    # 1/64 and 160 MiB; nodes of 4 and 16 GiB were seen to lack 1/64 and 109 MiB. Larger ones were not looked at.
    unseen = _mib(instance) / 64 + 160
    return _Kept(
        cores=_stepped(instance.cores, _AKS_CORE_STEPS),
        memory_mib=unseen + min(20 * instance.pods + 50, _mib(instance) / 4) + _EVICTION_MIB,
    )


_KEPT: dict[str, Callable[[InstanceType], _Kept]] = {"aws": _eks, "gcp": _gke, "digitalocean": _doks, "azure": _aks}
