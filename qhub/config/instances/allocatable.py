"""What of a node is left for pods, after what each cloud's kubelet reserves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qhub.config.instances.catalogue import InstanceType

_MIB = 1024**2
_GIB = 1024**3


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


def allocatable(cloud: str, instance: InstanceType, *, gpus: int | None = None) -> Allocatable:
    """Return what of a node is left for pods.

    Args:
        cloud: word of `cluster.provider`.
        instance: the machine.
        gpus: GPUs that the pool attaches; default: those that come with the machine.
    """
    cores, memory = _RESERVED[cloud](instance)
    return Allocatable(
        cores=round(instance.cores - cores, 3),
        memory=instance.memory - memory,
        gpus=instance.gpus if gpus is None else gpus,
        pods=instance.pods,
    )


def _stepped(amount: float, steps: Sequence[tuple[float, float]]) -> float:
    """Return the sum of each share of each slice: `((4, 0.25), (4, 0.2))` is 25 % of the first 4, 20 % of the next."""
    total = 0.0
    for width, share in steps:
        part = min(amount, width)
        total += part * share
        amount -= part
    return total


#: 6 % of the first core, 1 % of the second, 0.5 % of the next two, 0.25 % of the rest: GKE and EKS alike
#: (cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes; awslabs/amazon-eks-ami, nodeadm kubelet config).
_CORE_STEPS = ((1.0, 0.06), (1.0, 0.01), (2.0, 0.005), (float("inf"), 0.0025))
#: 25 % of the first 4 GiB, 20 % of the next 4, 10 % of the next 8, 6 % of the next 112, 2 % of the rest: GKE.
_GKE_MEMORY_STEPS = ((4.0, 0.25), (4.0, 0.2), (8.0, 0.1), (112.0, 0.06), (float("inf"), 0.02))


def _eks(instance: InstanceType) -> tuple[float, int]:
    # 11 MiB per pod and 255 MiB besides (nodeadm), and the 100 MiB below which the kubelet evicts.
    return _stepped(instance.cores, _CORE_STEPS), (11 * instance.pods + 255 + 100) * _MIB


def _gke(instance: InstanceType) -> tuple[float, int]:
    memory = _stepped(instance.memory / _GIB, _GKE_MEMORY_STEPS) * _GIB
    return _stepped(instance.cores, _CORE_STEPS), round(memory) + 100 * _MIB


_RESERVED: dict[str, Callable[[InstanceType], tuple[float, int]]] = {"aws": _eks, "gcp": _gke}
