"""Objects that every cluster begins with: rights of our components, and the default storage class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qhub.rehearsal.cluster.pki import IDENTITIES

Json = dict[str, Any]

#: What claims ask for when they name no class; our storage controller answers.
STORAGE_CLASS = "standard"
PROVISIONER = "rehearsal.qhub.dev/disk"

RBAC = "/apis/rbac.authorization.k8s.io/v1"
READ = ("get", "list", "watch")


def rule(resources: Sequence[str], verbs: Sequence[str], *, group: str = "") -> Json:
    """Return one rule of a ClusterRole: `verbs` on `resources` of an API group."""
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def role(user: str, rules: Sequence[Json], *, name: str = "", kind: str = "User") -> dict[str, Json]:
    """Return a ClusterRole and its binding to `user`, by the path to apply each to.

    Both carry the user's name, or `name`, for rights that the user has in some clusters beside its own. `kind` is
    `User` or `Group`.
    """
    name = name or user.replace(":", "-")
    return {
        f"{RBAC}/clusterroles/{name}": {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": list(rules),
        },
        f"{RBAC}/clusterrolebindings/{name}": {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": user}],
        },
    }


def cluster_manifests() -> dict[str, Json]:
    """Return what is applied to every cluster at each start, by path."""
    return {
        **role(
            IDENTITIES["controllers"].user,
            [
                rule(["persistentvolumes"], [*READ, "create", "patch", "delete"]),
                rule(["persistentvolumeclaims", "services"], READ),
                rule(["persistentvolumeclaims/status", "services/status"], ["patch"]),
                rule(["storageclasses"], READ, group="storage.k8s.io"),
                rule(["events"], ["create"]),
            ],
        ),
        f"/apis/storage.k8s.io/v1/storageclasses/{STORAGE_CLASS}": storage_class(STORAGE_CLASS, default=True),
    }


def storage_class(name: str, *, default: bool = False) -> Json:
    """Return a StorageClass of our storage controller; `default`: for claims that name none."""
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": annotations},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
        "allowVolumeExpansion": True,
        "volumeBindingMode": "Immediate",
    }
