"""The kinds of object the stand-in knows, what of them cannot change in place, and how long they may take.

Sources: the Kubernetes API reference (v1.35) for groups, names and scope; the replace triggers are those of the
official plugin (`provider/pkg/provider/diff.go`), plus the fields that the API server itself refuses to change.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from qhub.rehearsal.plugins.errors import PluginError, nearest
from qhub.rehearsal.plugins.treediff import Path, parse_path


@dataclasses.dataclass(frozen=True)
class Kind:
    """One kind of object.

    Attributes:
        group: API group, empty for the core group.
        version: API version as the program names it.
        name: the kind's name.
        namespaced: `True`, `False`, or `None` where only the cluster can tell (custom resources).
        fixed: paths whose change replaces the object.
        timeout: seconds to wait for readiness or deletion unless the program says otherwise.
        patch: the resource sets some fields of an object that is somebody else's (`NamespacePatch`).
    """

    group: str
    version: str
    name: str
    namespaced: bool | None
    fixed: tuple[str, ...] = ()
    timeout: float = 600.0
    patch: bool = False

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def custom(self) -> bool:
        """Whether a CustomResourceDefinition makes it."""
        return self.namespaced is None

    def __str__(self) -> str:
        return f"{self.api_version} {self.name}"


_RBAC = "rbac.authorization.k8s.io"
_VOLUME_SOURCES = """
    awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs
    hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume
"""
#: Of a pod's spec the API server's validation lets only images, tolerations and deadlines change.
_POD_FIELDS = """
    affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC
    hostNetwork hostPID hostname imagePullSecrets initContainers nodeName nodeSelector overhead preemptionPolicy
    priority priorityClassName readinessGates restartPolicy runtimeClassName schedulerName securityContext
    serviceAccountName shareProcessNamespace subdomain terminationGracePeriodSeconds topologySpreadConstraints volumes
"""
_CLAIM_FIELDS = "accessModes selector storageClassName volumeName volumeMode dataSource dataSourceRef"


def _in_spec(fields: str) -> str:
    return " ".join(f"spec.{field}" for field in fields.split())


#: The official plugin gives a StatefulSet, a claim and a pod five minutes and the rest ten.
_FIVE_MINUTES = 300.0


def _kind(
    group: str, version: str, name: str, *, namespaced: bool = True, fixed: str = "", timeout: float = 600.0
) -> Kind:
    return Kind(group, version, name, namespaced, tuple(fixed.split()), timeout)


_BUILT_IN = (
    _kind("", "v1", "Namespace", namespaced=False),
    _kind("", "v1", "ResourceQuota", fixed="spec.scopes"),
    _kind("", "v1", "LimitRange"),
    _kind("", "v1", "ConfigMap"),
    _kind("", "v1", "Secret", fixed="type"),
    _kind("", "v1", "Service", fixed="spec.clusterIP"),
    _kind("", "v1", "ServiceAccount"),
    _kind(
        "",
        "v1",
        "PersistentVolume",
        namespaced=False,
        fixed=_in_spec(f"{_VOLUME_SOURCES} volumeMode storageClassName"),
        timeout=_FIVE_MINUTES,
    ),
    _kind(
        "",
        "v1",
        "PersistentVolumeClaim",
        fixed=_in_spec(_CLAIM_FIELDS),
        timeout=_FIVE_MINUTES,
    ),
    _kind("", "v1", "Pod", fixed=_in_spec(_POD_FIELDS), timeout=_FIVE_MINUTES),
    _kind("apps", "v1", "Deployment", fixed="spec.selector"),
    _kind("apps", "v1", "DaemonSet", fixed="spec.selector"),
    _kind(
        "apps",
        "v1",
        "StatefulSet",
        fixed="spec.podManagementPolicy spec.selector spec.serviceName spec.volumeClaimTemplates",
        timeout=_FIVE_MINUTES,
    ),
    _kind("batch", "v1", "Job", fixed="spec.completions spec.completionMode spec.selector spec.template"),
    _kind("batch", "v1", "CronJob"),
    _kind(_RBAC, "v1", "Role"),
    _kind(_RBAC, "v1", "RoleBinding", fixed="roleRef"),
    _kind(_RBAC, "v1", "ClusterRole", namespaced=False),
    _kind(_RBAC, "v1", "ClusterRoleBinding", namespaced=False, fixed="roleRef"),
    _kind("networking.k8s.io", "v1", "NetworkPolicy"),
    _kind("networking.k8s.io", "v1", "Ingress"),
    _kind("networking.k8s.io", "v1", "IngressClass", namespaced=False, fixed="spec.controller"),
    _kind("policy", "v1", "PodDisruptionBudget"),
    _kind(
        "storage.k8s.io",
        "v1",
        "StorageClass",
        namespaced=False,
        fixed="parameters provisioner reclaimPolicy volumeBindingMode",
    ),
    _kind("scheduling.k8s.io", "v1", "PriorityClass", namespaced=False, fixed="value preemptionPolicy"),
    _kind(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        namespaced=False,
        fixed="spec.group spec.scope spec.names.kind spec.names.plural",
    ),
    _kind("autoscaling", "v2", "HorizontalPodAutoscaler"),
    _kind("autoscaling", "v1", "HorizontalPodAutoscaler"),
)
_KNOWN = {(kind.group, kind.version, kind.name): kind for kind in _BUILT_IN}

PACKAGE = "kubernetes"
RELEASE_TOKEN = "kubernetes:helm.sh/v3:Release"  # noqa: S105 - a type token
_UNSUPPORTED = {
    "kubernetes:helm.sh/v4:Chart": "use `helm.v3.Release`",
    "kubernetes:yaml": "use one resource per object",
    "kubernetes:kustomize": "use one resource per object",
}


def type_token(urn: str) -> str:
    """Return the type token of a resource's URN: the last part of its type chain."""
    return urn.split("::")[2].rsplit("$", 1)[-1]


def logical_name(urn: str) -> str:
    """Return the name that the program gave the resource."""
    return urn.split("::", 3)[3]


def of_token(token: str) -> Kind:
    """Return the kind of a type token such as `kubernetes:apps/v1:Deployment`.

    A group with a dot that is not one of Kubernetes' own is taken for a custom resource's.

    Raises:
        PluginError: the stand-in does not know the kind, or the official plugin would make a component of it.
    """
    for start, remedy in _UNSUPPORTED.items():
        if token.startswith(start):
            raise PluginError(f"the stand-in Kubernetes plugin has no `{token}`: {remedy}, or use the official plugin")
    try:
        _, api, name = token.split(":")
        group, _, version = api.rpartition("/")
    except ValueError:
        raise PluginError(f"`{token}` is no resource type of Kubernetes") from None
    if not version:
        raise PluginError(f"`{token}` is no resource type of Kubernetes: it has no API version")
    return of_object("" if group == "core" else group, version, name, token)


def of_object(group: str, version: str, name: str, named_by: str) -> Kind:
    """Return the kind of this group, version and name; `named_by` is what the message calls it.

    Raises:
        PluginError: as `of_token`.
    """
    if kind := _KNOWN.get((group, version, name)):
        return kind
    if name.endswith("Patch") and (whole := _KNOWN.get((group, version, name.removesuffix("Patch")))):
        # Of what may change only by replacement, a patch replaces nothing: the object is not its own.
        return dataclasses.replace(whole, fixed=(), patch=True)
    if "." in group and not group.endswith(".k8s.io"):
        return Kind(group, version, name, namespaced=None)
    same = [kind for kind in _BUILT_IN if kind.name == name]
    if same:
        versions = ", ".join(kind.api_version for kind in same)
        raise PluginError(f"the stand-in Kubernetes plugin does not know `{named_by}`: it knows {name} of {versions}")
    hint = nearest(name, (kind.name for kind in _BUILT_IN))
    raise PluginError(
        f"the stand-in Kubernetes plugin does not know `{named_by}`.{hint} "
        "Use a kind it knows, or install the official plugin `pulumi-resource-kubernetes`"
    )


def fixed_paths(
    kind: Kind, objects: Iterable[dict[str, Any]], *, mutable_maps: bool, mutable_secrets: bool
) -> list[Path]:
    """Return the paths of an object whose change replaces it.

    Args:
        kind: its kind.
        objects: the old and the new object: an immutable ConfigMap or Secret on either side counts.
        mutable_maps: the provider's `enableConfigMapMutable`; without it, changed data makes a new ConfigMap.
        mutable_secrets: the provider's `enableSecretMutable`, likewise.
    """
    texts = ["metadata.name", "metadata.namespace", "kind", *kind.fixed]
    immutable = any(one.get("immutable") is True for one in objects)
    if kind.api_version == "v1" and kind.name == "ConfigMap" and (immutable or not mutable_maps):
        texts += ["data", "binaryData"]
    if kind.api_version == "v1" and kind.name == "Secret" and (immutable or not mutable_secrets):
        texts += ["data", "stringData"]
    if immutable:
        texts.append("immutable")
    return [parse_path(text) for text in texts]
