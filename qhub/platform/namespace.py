"""A namespace of the platform: how strict its pods must be, and how much they may take together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes.core.v1 import Namespace, NamespacePatch, ResourceQuota


@dataclass(frozen=True, kw_only=True)
class PlatformNamespaceArgs:
    """What a namespace is to be.

    Attributes:
        name: name of the Namespace object.
        pod_security: Pod Security Standard that the API server enforces: `privileged`, `baseline` or `restricted`.
        labels: more labels for the Namespace.
        quota: `spec.hard` of a ResourceQuota, for example `{"requests.cpu": "32"}`; empty for no quota.
        keep: the namespace holds data. It is protected, and stays when the stack is destroyed: deleting a namespace
            deletes every claim in it, those marked "retain" too.
        existing: the namespace is there already and somebody else's: our labels are put on it and taken off in the
            end, and it is never deleted.
    """

    name: str
    pod_security: str
    labels: Mapping[str, str] = field(default_factory=dict)
    quota: Mapping[str, str] = field(default_factory=dict)
    keep: bool = False
    existing: bool = False


class PlatformNamespace(pulumi.ComponentResource):
    """One Namespace with its Pod Security label and, where asked, a quota.

    Creates:
        Namespace (a NamespacePatch if it exists already), ResourceQuota (only with `quota`).

    Attributes:
        name: name of the namespace, known at preview.
        namespace: the Namespace resource, for `depends_on`.
    """

    name: str
    namespace: Namespace | NamespacePatch

    def __init__(self, name: str, args: PlatformNamespaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:Namespace", name, None, opts)
        self.name = args.name
        kind = NamespacePatch if args.existing else Namespace
        # Taking a patch away deletes nothing, so there is nothing to protect.
        keep = args.keep and not args.existing
        self.namespace = kind(
            name,
            metadata={
                "name": args.name,
                "labels": {**args.labels, "pod-security.kubernetes.io/enforce": args.pod_security},
            },
            opts=pulumi.ResourceOptions(parent=self, protect=keep, retain_on_delete=keep),
        )
        if args.quota:
            ResourceQuota(
                f"{name}-quota",
                metadata={"name": "qhub", "namespace": args.name},
                spec={"hard": dict(args.quota)},
                opts=pulumi.ResourceOptions(parent=self, depends_on=[self.namespace]),
            )
        self.register_outputs({"name": self.name})


def quota_hard(*, cpu: str | None, memory: str | None, pods: int | None, storage: str | None) -> dict[str, str]:
    """Return `spec.hard` for the limits that are set.

    CPU and memory are counted by request, since that is what the scheduler reserves on nodes and what a cloud bills.
    """
    limits = {
        "requests.cpu": cpu,
        "requests.memory": memory,
        "pods": None if pods is None else str(pods),
        "requests.storage": storage,
    }
    return {key: value for key, value in limits.items() if value is not None}
