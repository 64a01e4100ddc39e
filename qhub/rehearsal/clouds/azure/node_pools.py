"""Node pools beside the cluster's own."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.azure.cluster_checks import minor
from qhub.rehearsal.clouds.azure.pools import POOL_NAME, SPOT_LABEL, node_count, pool_checks, set_nodes, zone_problems
from qhub.rehearsal.clouds.azure.tokens import CLUSTER, POOL, SUBNET, id_in_group, in_group, name, not_locked, tags
from qhub.rehearsal.clouds.resource import ResourceType
from qhub.rehearsal.clouds.rules import Problems, matches, refers_to
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record

#: What AKS refuses to change of a pool (`PropertyChangeNotAllowed`); the provider does not replace for these.
_FIXED = (
    "availabilityZones",
    "osDiskSizeGB",
    "osDiskType",
    "osType",
    "maxPods",
    "scaleSetPriority",
    "scaleSetEvictionPolicy",
    "vnetSubnetID",
)
#: Nodes may be as many minor versions behind their control plane (kubernetes.io/releases/version-skew-policy).
_SKEW = 3


def _cluster(subject: Subject) -> Record | None:
    group, wanted = subject.get("resourceGroupName"), subject.get("resourceName")
    return subject.one(CLUSTER, resourceGroupName=group, name=wanted)


def _what_is_fixed_stays(subject: Subject) -> Problems:
    replaced = any(subject.changed(path) for path in NODE_POOL_TYPE.replaced_by)
    for path in _FIXED if not replaced else ():
        if subject.changed(path) and subject.known(path):
            yield path, "cannot be changed for a pool that is there (PropertyChangeNotAllowed)"


def _labels_are_ours(subject: Subject) -> Problems:
    for key in subject.get("nodeLabels") or ():
        if key.startswith("kubernetes.azure.com/") and key != SPOT_LABEL:
            yield f'nodeLabels["{key}"]', "labels of kubernetes.azure.com are AKS' own"


def _fits_its_cluster(subject: Subject) -> Problems:
    cluster = _cluster(subject)
    if cluster is None:
        yield "resourceName", f"there is no cluster {subject.get('resourceName')!r} in the group"
        return
    if subject.get("agentPoolName") in cluster.each("agentPoolProfiles[*].name"):
        yield "agentPoolName", f"{subject.get('agentPoolName')} is a pool of the cluster's own"
    yield from zone_problems(subject, cluster.get("location"), "availabilityZones[*]")
    version = subject.get("orchestratorVersion")
    behind = minor(cluster.get("kubernetesVersion")) - minor(version) if version is not None else 0
    if not 0 <= behind <= _SKEW:
        yield (
            "orchestratorVersion",
            f"{version} does not go with the control plane's {cluster.get('kubernetesVersion')}: not above it, and at "
            f"most {_SKEW} minor versions below",
        )
    homes = {str(one).rpartition("/subnets/")[0] for one in cluster.each("agentPoolProfiles[*].vnetSubnetID")}
    own = str(subject.get("vnetSubnetID", "")).rpartition("/subnets/")[0]
    if homes and own not in homes:
        yield "vnetSubnetID", "all pools of a cluster are in one virtual network"


def _set_nodes(subject: Subject) -> None:
    cluster = _cluster(subject)
    if cluster is None:
        raise subject.refuse("resourceName", "the cluster is gone from the simulated cloud")
    set_nodes(subject, cluster, subject.inputs, name=subject.inputs["agentPoolName"])


def _remove_nodes(subject: Subject) -> None:
    kubernetes.remove_pool(subject, _cluster(subject), subject.inputs["agentPoolName"])


def _outputs(subject: Subject) -> dict[str, Any]:
    version = str(subject.get("orchestratorVersion", "1.34"))
    return {
        "name": subject.inputs["agentPoolName"],
        "type": subject.get("type", "VirtualMachineScaleSets"),
        "count": node_count(subject.inputs),
        "currentOrchestratorVersion": version if version.count(".") > 1 else f"{version}.1",
        "provisioningState": "Succeeded",
        "powerState": {"code": "Running"},
    }


NODE_POOL_TYPE = ResourceType(
    token=POOL,
    # A scale set without nodes; the nodes' own time comes from the simulated Kubernetes.
    create_seconds=60,
    # Another version drains and replaces node after node.
    update_seconds=lambda subject: 600 if subject.changed("orchestratorVersion") else 30,
    delete_seconds=120,
    replaced_by=("agentPoolName", "resourceName", "resourceGroupName", "vmSize", "gpuInstanceProfile"),
    id=lambda subject: id_in_group(
        subject,
        "Microsoft.ContainerService/managedClusters",
        subject.inputs["resourceName"],
        "agentPools",
        subject.inputs["agentPoolName"],
    ),
    outputs=_outputs,
    checks=(
        name("agentPoolName", POOL_NAME, "1 to 12 of a-z and 0-9, a letter first"),
        matches("orchestratorVersion", r"1\.\d{2}(\.\d+)?", "a version: 1.34 or 1.34.2"),
        tags(),
        _what_is_fixed_stays,
        _labels_are_ours,
        *pool_checks(),
    ),
    conditions=(in_group, refers_to("vnetSubnetID", SUBNET), _fits_its_cluster),
    before_delete=(not_locked,),
    during_create=_set_nodes,
    after_update=_set_nodes,
    after_delete=_remove_nodes,
)
