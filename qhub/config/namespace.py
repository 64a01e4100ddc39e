"""The Kubernetes namespace that holds the platform."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from qhub.config.model import NEW_STORAGE, Section
from qhub.config.names import LabelKey, LabelValue, NamespaceName
from qhub.config.quantities import Count, CpuQuantity, MemoryQuantity, VolumeSize

#: Namespaces that every cluster has: they are used, and never made or deleted.
GIVEN_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


def _is_not_given(text: str) -> str:
    if text in GIVEN_NAMESPACES:
        raise ValueError(f"every cluster has {text} already, and the platform makes a namespace: choose another name")
    return text


class Quota(Section):
    """Most that everything in the namespace together may ask for (Kubernetes ResourceQuota); null: no such bound."""

    cpu: CpuQuantity | None = Field(default=None, description="CPU cores requested by all pods together.")
    memory: MemoryQuantity | None = Field(default=None, description="Memory requested by all pods together.")
    pods: Count | None = Field(default=None, description="Number of pods.")
    storage: VolumeSize | None = Field(default=None, description="Size of all volume claims together.")


class Namespace(Section):
    """The namespace of the hub, its users' servers and their Dask clusters."""

    name: Annotated[NamespaceName, AfterValidator(_is_not_given), NEW_STORAGE] = Field(
        default="qhub", description="Name of the namespace. Changing it makes a new platform: data is not moved."
    )
    # Not `restricted`: a user pod's init container gives the home to its owner, for which it is root.
    pod_security: Literal["privileged", "baseline"] = Field(
        default="privileged",
        description="Pod Security Standard enforced by Kubernetes. The block on cloud metadata in each notebook pod "
        "needs privileged; with baseline a network policy takes its place.",
    )
    labels: dict[LabelKey, LabelValue] = Field(default={}, description="More labels for the namespace.")
    quota: Quota | None = Field(default=None, description="Bounds for the whole namespace; null sets none.")
