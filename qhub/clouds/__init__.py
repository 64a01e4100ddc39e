"""Where the platform runs. One file per cloud; each returns the same `Cluster`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pulumi

    from qhub.clouds.cluster import Cluster
    from qhub.config import Settings


def make_cluster(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> Cluster:
    """Make or find the cluster that the settings name. Only the chosen cloud's SDK is imported.

    Raises:
        ValueError: a mistake that a person can mend, told in the message.
        NotImplementedError: a provider that the settings know and this function does not.
    """
    match settings.cluster.provider:
        case "existing":
            from qhub.clouds.existing import existing_cluster

            return existing_cluster(settings, opts=opts)
        case unknown:
            raise NotImplementedError(f"cluster.provider: {unknown} is not supported yet; use provider: existing")
