"""Managed node groups, and the tags that the autoscaler reads.

A group has as many nodes as it was asked for, by an update of its scaling configuration or by the cluster-autoscaler
that runs in the cluster. EKS itself scales nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from qhub.config import instances
from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.aws.add_ons import FOR_NODES, has_add_on
from qhub.rehearsal.clouds.aws.routes import has_way_out
from qhub.rehearsal.clouds.aws.tokens import (
    AUTOSCALING_TAG,
    LAUNCH_TEMPLATE,
    NODE_GROUP,
    SUBNET,
    arn,
    cluster_is_there,
    cluster_of,
    name_of,
    region_of,
    role_is_for,
    tags_check,
)
from qhub.rehearsal.clouds.resource import ResourceType
from qhub.rehearsal.clouds.rules import Problems, between, matches, one_of, refers_to
from qhub.rehearsal.clouds.subject import Subject

#: Image -> (architecture of its nodes, whether it has NVIDIA's driver).
IMAGES = {
    "AL2023_x86_64_STANDARD": ("amd64", False),
    "AL2023_ARM_64_STANDARD": ("arm64", False),
    "AL2023_x86_64_NVIDIA": ("amd64", True),
    "AL2023_ARM_64_NVIDIA": ("arm64", True),
    "BOTTLEROCKET_x86_64": ("amd64", False),
    "BOTTLEROCKET_ARM_64": ("arm64", False),
    "BOTTLEROCKET_x86_64_NVIDIA": ("amd64", True),
    "BOTTLEROCKET_ARM_64_NVIDIA": ("arm64", True),
}
#: How EKS spells effects -> how Kubernetes does.
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
_RESERVED_LABELS = ("kubernetes.io/", "k8s.io/", "eks.amazonaws.com/")
#: Quota "Nodes per managed node group".
_MOST_NODES = 450


def _sizes(subject: Subject) -> Problems:
    least, wanted, most = (subject.get(f"scalingConfig.{key}Size") for key in ("min", "desired", "max"))
    if most is not None and most < 1:
        yield "scalingConfig.maxSize", "the maximum size must be at least 1"
    if most is not None and most > _MOST_NODES:
        yield "scalingConfig.maxSize", f"{most:g} nodes are more than the quota per managed node group, {_MOST_NODES}"
    if least is not None and wanted is not None and least > wanted:
        yield (
            "scalingConfig.minSize",
            f"Minimum capacity {least:g} can't be greater than desired size {wanted:g}",
        )
    if most is not None and wanted is not None and wanted > most:
        yield "scalingConfig.maxSize", f"Maximum capacity {most:g} can't be less than desired size {wanted:g}"


def _image_fits_the_machine(subject: Subject) -> Problems:
    image = IMAGES.get(str(subject.get("amiType")))
    for place, name in subject.each("instanceTypes[*]"):
        machine = instances.find("aws", str(name))
        if machine is None or image is None:
            continue
        if machine.architecture != image[0]:
            yield "amiType", f"{subject.get('amiType')} is for {image[0]}, and {name} has {machine.architecture}"
        if machine.gpus and not image[1]:
            yield "amiType", f"{name} has a GPU, for which this image has no driver: take one that ends in NVIDIA"
        if image[1] and not machine.gpus:
            yield place, f"{name} has no GPU, and the image is for NVIDIA's"


def _template_and_group_agree(subject: Subject) -> Problems:
    if not subject.given("launchTemplate"):
        return
    for path in ("diskSize", "remoteAccess"):
        if subject.given(path):
            yield path, "belongs into the launch template where there is one"


def _labels_are_free(subject: Subject) -> Problems:
    for key in subject.get("labels") or {}:
        if any(f"{key.rpartition('/')[0]}/".endswith(reserved) for reserved in _RESERVED_LABELS):
            yield f"labels.{key}", f"Label cannot contain reserved prefixes {', '.join(_RESERVED_LABELS)}"


def _nodes_get_ready(subject: Subject) -> Problems:
    """NodeCreationFailure: what keeps a node that is asked for from joining."""
    if not subject.get("scalingConfig.desiredSize") or subject.old_inputs is not None:
        return
    cluster = cluster_of(subject)
    if cluster is not None and cluster.get("bootstrapSelfManagedAddons") is False:
        for name in FOR_NODES:
            if not has_add_on(subject, cluster.id, name):
                yield "", f"NodeCreationFailure: nodes stay NotReady without the add-on {name}; make it before"
    for place, subnet in subject.each("subnetIds[*]"):
        if not has_way_out(subject, subnet):
            yield place, f"NodeCreationFailure: from subnet {subnet} nodes reach neither EKS nor a registry: no route"


def _subnets_are_the_clusters(subject: Subject) -> Problems:
    cluster = cluster_of(subject)
    for place, wanted in subject.each("subnetIds[*]"):
        subnet = subject.find(SUBNET, wanted)
        if cluster and subnet and subnet.get("vpcId") != cluster.get("vpcConfig.vpcId"):
            yield place, f'subnet "{subnet.name}" is not in the VPC of the cluster'


def _nodes_are_no_newer(subject: Subject) -> Problems:
    cluster, version = cluster_of(subject), subject.get("version")
    if cluster is not None and version is not None and _minor(version) > _minor(str(cluster.get("version"))):
        yield "version", f"nodes cannot be newer than the control plane, which has {cluster.get('version')}"


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _replaces(subject: Subject) -> Iterator[str]:
    """A launch template's version is updated in place; another template is another group."""
    for path in ("launchTemplate.id", "launchTemplate.name"):
        if subject.changed(path):
            yield path


def _pool_name(subject: Subject) -> str:
    """Return a name for the nodes' pool, short enough for names of nodes."""
    given = subject.get("nodeGroupName") or str(subject.get("nodeGroupNamePrefix", "")).rstrip("-")
    return f"{given}-{subject.hex(5, 'pool')}"


def _make_nodes(subject: Subject) -> None:
    _set_nodes(subject, desired=int(subject.inputs["scalingConfig"]["desiredSize"]))


def _change_nodes(subject: Subject) -> None:
    """The provider sends a scaling configuration only where it changed; then the number of nodes as well."""
    changed = subject.changed("scalingConfig")
    _set_nodes(subject, desired=int(subject.inputs["scalingConfig"]["desiredSize"]) if changed else None)


def _set_nodes(subject: Subject, *, desired: int | None) -> None:
    cluster = cluster_of(subject)
    if cluster is None:
        raise subject.refuse("clusterName", "the cluster is gone")
    found = [subject.find(SUBNET, value) for _, value in subject.each("subnetIds[*]")]
    capacity = str(subject.get("capacityType", "ON_DEMAND"))
    kubernetes.set_pool(
        subject,
        cluster,
        cloud="aws",
        name=_pool_name(subject),
        instance_type=subject.inputs["instanceTypes"][0],
        min=int(subject.inputs["scalingConfig"]["minSize"]),
        max=int(subject.inputs["scalingConfig"]["maxSize"]),
        desired=desired,
        group=_autoscaling_group(subject),
        region=region_of(subject),
        zones=sorted({str(subnet.get("availabilityZone")) for subnet in found if subnet is not None}),
        labels={
            **(subject.get("labels") or {}),
            "eks.amazonaws.com/nodegroup": _group_name(subject),
            "eks.amazonaws.com/capacityType": capacity,
        },
        taints=[
            {"key": one["key"], "value": one.get("value") or "", "effect": EFFECTS[one["effect"]]}
            for one in subject.get("taints") or ()
        ],
        spot=capacity == "SPOT",
        # Another image or version of the template is rolled out; labels and taints are put on the nodes there are.
        build=json.dumps([subject.get(path) for path in ("amiType", "version", "launchTemplate")], sort_keys=True),
        in_place=True,
    )


def _remove_nodes(subject: Subject) -> None:
    kubernetes.remove_pool(subject, cluster_of(subject), _pool_name(subject))


def _group_name(subject: Subject) -> str:
    return name_of(subject, "nodeGroupName", "nodeGroupNamePrefix")


def _autoscaling_group(subject: Subject) -> str:
    return f"eks-{_group_name(subject)}-{subject.uuid('autoscaling group')}"


def _outputs(subject: Subject) -> dict[str, Any]:
    name, cluster = _group_name(subject), cluster_of(subject)
    return {
        "nodeGroupName": name,
        "arn": arn(subject, "eks", f"nodegroup/{subject.inputs['clusterName']}/{name}/{subject.uuid('group')}"),
        "status": "ACTIVE",
        "version": subject.get("version") or (cluster.get("version") if cluster else ""),
        "resources": [
            {"autoscalingGroups": [{"name": _autoscaling_group(subject)}], "remoteAccessSecurityGroupId": ""}
        ],
    }


def _template_version_is_there(subject: Subject) -> Problems:
    template = subject.find(LAUNCH_TEMPLATE, subject.get("launchTemplate.id"))
    wanted = str(subject.get("launchTemplate.version", "1"))
    if template is not None and wanted.isdigit() and int(wanted) > int(template.get("latestVersion", 1)):
        yield "launchTemplate.version", f'launch template "{template.name}" has no version {wanted}'


def _group_is_there(subject: Subject) -> Problems:
    wanted = subject.get("autoscalingGroupName")
    if not any(wanted in one.each("resources[*].autoscalingGroups[*].name") for one in subject.all(NODE_GROUP)):
        yield "autoscalingGroupName", f"there is no autoscaling group {wanted!r} in the simulated cloud"


NODE_GROUP_TYPES = (
    ResourceType(
        token=NODE_GROUP,
        # The group's own time; its nodes take theirs beside it.
        create_seconds=90,
        update_seconds=lambda subject: 900 if subject.changed("version") or subject.changed("launchTemplate") else 30,
        delete_seconds=180,
        id=lambda subject: f"{subject.inputs['clusterName']}:{_group_name(subject)}",
        replaced_by=(
            "clusterName",
            "nodeGroupName",
            "nodeGroupNamePrefix",
            "nodeRoleArn",
            "subnetIds",
            "amiType",
            "instanceTypes",
            "capacityType",
            "diskSize",
            "remoteAccess",
        ),
        replaces=_replaces,
        defaults={"capacityType": "ON_DEMAND", "amiType": "AL2023_x86_64_STANDARD", "instanceTypes": ["t3.medium"]},
        outputs=_outputs,
        checks=(
            matches("nodeGroupName", r"[0-9A-Za-z][\w-]{0,62}", "1 to 63 letters, digits, '_' and '-'"),
            matches("nodeGroupNamePrefix", r"[0-9A-Za-z][\w-]{0,36}", "1 to 37 letters, digits, '_' and '-'"),
            one_of("instanceTypes[*]", instances.names("aws"), "an instance type in the catalogue"),
            one_of("amiType", IMAGES, "a type of image that is known here"),
            one_of("capacityType", ("ON_DEMAND", "SPOT"), "a type of capacity"),
            one_of("taints[*].effect", EFFECTS, "an effect of a taint, as EKS spells it"),
            between("updateConfig.maxUnavailablePercentage", 1, 100),
            _sizes,
            _image_fits_the_machine,
            _template_and_group_agree,
            _labels_are_free,
            tags_check(),
        ),
        conditions=(
            cluster_is_there,
            refers_to("subnetIds[*]", SUBNET),
            refers_to("launchTemplate.id", LAUNCH_TEMPLATE),
            role_is_for(
                "nodeRoleArn", "ec2.amazonaws.com", "AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"
            ),
            _template_version_is_there,
            _subnets_are_the_clusters,
            _nodes_are_no_newer,
            _nodes_get_ready,
        ),
        during_create=_make_nodes,
        after_update=_change_nodes,
        after_delete=_remove_nodes,
    ),
    ResourceType(
        token=AUTOSCALING_TAG,
        create_seconds=1,
        update_seconds=1,
        delete_seconds=1,
        id=lambda subject: f"{subject.inputs['autoscalingGroupName']},{subject.inputs['tag']['key']}",
        replaced_by=("autoscalingGroupName", "tag.key"),
        checks=(
            matches("tag.key", r".{1,128}", "1 to 128 characters"),
            matches("tag.value", r".{0,256}", "at most 256 characters"),
        ),
        conditions=(_group_is_there,),
    ),
)
