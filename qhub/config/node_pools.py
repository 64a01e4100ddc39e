"""How pods get onto the nodes of a pool, and what one of its nodes has."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from qhub.config.model import Section
from qhub.config.names import LabelKey, LabelValue
from qhub.config.quantities import Cores, MemoryQuantity, SecondsOrNever
from qhub.config.resources import NodeGpu

#: Pools that the platform places its own parts on; they are there even when the settings name others.
STANDARD_POOLS = ("general", "user", "worker")


class Toleration(Section):
    """Lets pods onto nodes with a matching taint (Kubernetes `core/v1` Toleration)."""

    key: LabelKey | None = Field(default=None, description="Taint key; null with operator Exists matches every taint.")
    operator: Literal["Equal", "Exists"] = Field(default="Equal", description="Exists matches any value.")
    value: LabelValue | None = Field(default=None, description="Taint value, for operator Equal.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="Taint effect; null matches all."
    )
    toleration_seconds: SecondsOrNever | None = Field(
        default=None, description="Seconds that a pod stays after a NoExecute taint; null stays for ever."
    )


class NodePool(Section):
    """Nodes of one kind."""

    node_selector: dict[LabelKey, LabelValue] = Field(
        default={}, description="Labels that the nodes of this pool carry and others do not; empty means any node."
    )
    tolerations: tuple[Toleration, ...] = Field(default=(), description="For the taints of this pool's nodes.")
    gpu: NodeGpu | None = Field(default=None, description="GPUs of one node; null for none.")
    spot: bool = Field(default=False, description="The provider may take nodes of this pool away at any time.")
    architecture: Literal["amd64", "arm64"] = Field(default="amd64", description="CPU architecture of the nodes.")
    cpu: Cores | None = Field(
        default=None, description="CPU cores of one node that pods can use; lets profiles be checked against it."
    )
    memory: MemoryQuantity | None = Field(
        default=None, description="Memory of one node that pods can use, for example 14Gi; lets profiles be checked."
    )
