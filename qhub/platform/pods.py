"""Where our pods run and what they may use: the parts of a pod that every component says the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qhub.clouds.cluster import NodePool
    from qhub.config.resources import Resources


def node_selector(pool: NodePool) -> dict[str, str]:
    """Return the node selector of `pool` as a plain dict."""
    return dict(pool.node_selector)


def tolerations(pool: NodePool) -> list[dict[str, Any]]:
    """Return the tolerations of `pool` as plain dicts with the keys of `core/v1`."""
    return [dict(toleration) for toleration in pool.tolerations]


def placement(pool: NodePool) -> dict[str, Any]:
    """Return `nodeSelector` and `tolerations` under the names that charts and pod specs use."""
    return {"nodeSelector": node_selector(pool), "tolerations": tolerations(pool)}


def resources(*, cpu: str, memory: str, memory_limit: str | None = None) -> dict[str, Any]:
    """Return container resources: requests, and a memory limit only.

    A CPU limit would throttle short bursts (start-up, TLS handshakes) on idle nodes and protects nobody: requests
    already share a busy node fairly.

    Args:
        cpu: request, Kubernetes quantity.
        memory: request, Kubernetes quantity.
        memory_limit: limit, Kubernetes quantity; None for none.
    """
    made: dict[str, Any] = {"requests": {"cpu": cpu, "memory": memory}}
    if memory_limit is not None:
        made["limits"] = {"memory": memory_limit}
    return made


def container_resources(settings: Resources) -> dict[str, Any]:
    """Return the `resources` of a container from the settings, without what is not set; empty if nothing is."""
    return {name: amounts for name, amounts in settings.model_dump(exclude_none=True).items() if amounts}
