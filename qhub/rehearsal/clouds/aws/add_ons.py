"""EKS add-ons. What they would run is not run here; that they come in the right order is seen to."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.aws.tokens import (
    ADD_ON,
    CREATED,
    NODE_GROUP,
    arn,
    cluster_is_there,
    json_check,
    role_is_for,
    tags_check,
)
from qhub.rehearsal.clouds.resource import ResourceType
from qhub.rehearsal.clouds.rules import Problems, matches, one_of
from qhub.rehearsal.clouds.subject import Subject

#: Add-ons that run on every node, and so need none to be ACTIVE.
ON_EVERY_NODE = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
#: Add-ons with pods of a Deployment: without a node for them they are DEGRADED, and creating them fails.
WITH_PODS = ("coredns", "aws-ebs-csi-driver", "aws-efs-csi-driver", "metrics-server", "snapshot-controller")
#: Without these a node does not become Ready, where the cluster was made without the self-managed ones.
FOR_NODES = ("vpc-cni", "kube-proxy")
_CONFLICTS = ("NONE", "OVERWRITE", "PRESERVE")


def has_add_on(subject: Subject, cluster: str, name: str) -> bool:
    """Say whether an add-on of a cluster is active."""
    return any(one.ready for one in subject.all(ADD_ON, clusterName=cluster, addonName=name))


def _has_a_node(subject: Subject) -> Problems:
    if subject.get("addonName") not in WITH_PODS or subject.old_inputs is not None:
        return
    groups = subject.all(NODE_GROUP, clusterName=subject.get("clusterName"))
    if not any(one.ready and (one.get("scalingConfig.desiredSize") or 0) > 0 for one in groups):
        yield (
            "addonName",
            f"{subject.get('addonName')} would stay DEGRADED (InsufficientNumberOfReplicas): no node group of the "
            "cluster has a node yet; make it after one",
        )


def _outputs(subject: Subject) -> dict[str, Any]:
    return {
        "arn": arn(subject, "eks", f"addon/{subject.id.replace(':', '/')}"),
        # EKS's default for the cluster's version. The number is of the simulated cloud.
        "addonVersion": subject.get("addonVersion") or "v1.0.0-eksbuild.1",
        "createdAt": CREATED,
    }


ADD_ON_TYPE = ResourceType(
    token=ADD_ON,
    create_seconds=lambda subject: 45 if subject.get("addonName") in WITH_PODS else 20,
    update_seconds=60,
    delete_seconds=20,
    id=lambda subject: f"{subject.inputs['clusterName']}:{subject.inputs['addonName']}",
    replaced_by=("clusterName", "addonName", "namespaceConfig"),
    outputs=_outputs,
    checks=(
        one_of("addonName", (*ON_EVERY_NODE, *WITH_PODS), "an add-on of EKS that is known here"),
        matches("addonVersion", r"v\d+\.\d+\.\d+-eksbuild\.\d+", "a version such as v1.12.1-eksbuild.2"),
        one_of("resolveConflictsOnCreate", _CONFLICTS[:2], "a way to resolve conflicts when it is made"),
        one_of("resolveConflictsOnUpdate", _CONFLICTS, "a way to resolve conflicts"),
        json_check("configurationValues"),
        tags_check(),
    ),
    conditions=(
        cluster_is_there,
        role_is_for("podIdentityAssociations[*].roleArn", "pods.eks.amazonaws.com"),
        _has_a_node,
    ),
)
