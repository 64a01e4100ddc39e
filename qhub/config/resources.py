"""CPU, memory and GPUs that a container or a user may have, and the image it runs."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from qhub.config.model import Expected, Section, nested
from qhub.config.names import ImageName, ImageTag
from qhub.config.quantities import Cores, Count, CpuQuantity, MemoryQuantity, SpawnerMemory, parse_quantity


class Image(Section):
    """A container image."""

    name: ImageName = Field(description="Registry and name, without a tag, for example quay.io/jupyter/scipy-notebook.")
    tag: ImageTag = Field(description='Tag as text in quotes; pin a dated or numbered one, never "latest".')

    architectures: tuple[Literal["amd64", "arm64"], ...] = Field(
        default=(),
        description="CPU architectures that it is built for: its pool has to be one of them. Empty: not said.",
    )

    @property
    def reference(self) -> str:
        """`name:tag`, as a container runtime takes it."""
        return f"{self.name}:{self.tag}"


class Amounts(Section):
    """CPU and memory of a container, as Kubernetes reads them."""

    cpu: CpuQuantity | None = Field(default=None, description="CPU cores, for example 0.5 or 500m; null sets none.")
    memory: MemoryQuantity | None = Field(default=None, description="Memory, for example 512Mi; null sets none.")


class Resources(Section):
    """What a container of the platform itself is promised and may use at most. What is given replaces all defaults."""

    requests: Amounts = nested("Reserved on the node where the container runs; without any, the limits are.")
    limits: Amounts = nested("Never exceeded: more CPU is held back, more memory kills.")

    @model_validator(mode="after")
    def _requests_are_within_limits(self) -> Self:
        """Kubernetes refuses a pod that is promised more than it may use."""
        for name in Amounts.model_fields:
            asked, most = getattr(self.requests, name), getattr(self.limits, name)
            if asked is not None and most is not None and parse_quantity(asked) > parse_quantity(most):
                raise ValueError(
                    f"requests.{name} ({asked}) is more than limits.{name} ({most}), which Kubernetes refuses: lower "
                    "the one or raise the other"
                )
        return self


class UserCpu(Section):
    """CPU of one notebook server."""

    limit: Cores = Field(default=1.0, description="Cores that a server may use at most.")
    guarantee: Cores | None = Field(default=None, description="Cores reserved for a server; null reserves the limit.")


class UserMemory(Section):
    """Memory of one notebook server."""

    limit: SpawnerMemory = Field(default="2G", description="Most memory of a server (K, M, G, T); more ends a kernel.")
    guarantee: SpawnerMemory | None = Field(default=None, description="Memory reserved for a server; null: the limit.")


class UserGpu(Section):
    """GPUs of one notebook server or Dask worker."""

    count: Count = Field(default=1, description="GPUs per server or worker.")


class NodeGpu(Section):
    """GPUs of one node of a pool."""

    count: Count = Field(default=1, description="GPUs per node.")
    resource: Annotated[str, Expected("the name of an extended resource, for example nvidia.com/gpu")] = Field(
        default="nvidia.com/gpu", description="Extended resource under which the device plugin offers them."
    )
