"""A namespace with one object of each common kind; what changes is configuration."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
cluster = k8s.Provider(
    "cluster",
    kubeconfig=config.require("kubeconfig"),
    context=config.require("context"),
    cluster_identifier="tests",
)
on_cluster = pulumi.ResourceOptions(provider=cluster)
namespace = k8s.core.v1.Namespace("namespace", metadata={"name": config.require("namespace")}, opts=on_cluster)
place: Any = {"namespace": namespace.metadata.name}
labels = {"app": "web"}

named = k8s.core.v1.ConfigMap(
    "named", metadata={**place, "name": "named"}, data={"key": config.get("data") or "one"}, opts=on_cluster
)
unnamed = k8s.core.v1.ConfigMap("unnamed", metadata=place, data={"key": config.get("data") or "one"}, opts=on_cluster)
secret = k8s.core.v1.Secret(
    "secret", metadata={**place, "name": "secret"}, string_data={"password": "never-shown-anywhere"}, opts=on_cluster
)
quota = k8s.core.v1.ResourceQuota(
    "quota",
    metadata={**place, "name": "quota"},
    spec={"hard": {"pods": "20", "requests.cpu": "4000m"}},
    opts=on_cluster,
)
limits = k8s.core.v1.LimitRange(
    "limits",
    metadata={**place, "name": "limits"},
    spec={"limits": [{"type": "Container", "default_request": {"cpu": "0.1"}}]},
    opts=on_cluster,
)
account = k8s.core.v1.ServiceAccount("account", metadata={**place, "name": "account"}, opts=on_cluster)
role = k8s.rbac.v1.Role(
    "role",
    metadata={**place, "name": "reader"},
    rules=[{"api_groups": [""], "resources": ["pods"], "verbs": ["get"]}],
    opts=on_cluster,
)
binding = k8s.rbac.v1.RoleBinding(
    "binding",
    metadata={**place, "name": "reader"},
    role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": role.metadata.name},
    subjects=[{"kind": "ServiceAccount", "name": account.metadata.name, "namespace": namespace.metadata.name}],
    opts=on_cluster,
)
claim = k8s.core.v1.PersistentVolumeClaim(
    "claim",
    metadata={**place, "name": "claim"},
    spec={"access_modes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    opts=on_cluster,
)
policy = k8s.networking.v1.NetworkPolicy(
    "policy",
    metadata={**place, "name": "policy"},
    spec={"pod_selector": {}, "policy_types": ["Ingress"]},
    opts=on_cluster,
)
pods: Any = {
    "metadata": {"labels": labels},
    "spec": {"containers": [{"name": "main", "image": config.get("image") or "example.invalid/web:1"}]},
}
deployment = k8s.apps.v1.Deployment(
    "deployment",
    metadata={**place, "name": "web"},
    spec={
        "replicas": config.get_int("replicas") or 1,
        "selector": {"match_labels": {**labels, **(config.get_object("selector") or {})}},
        "template": {**pods, "metadata": {"labels": {**labels, **(config.get_object("selector") or {})}}},
    },
    opts=pulumi.ResourceOptions(provider=cluster, ignore_changes=config.get_object("ignored") or []),
)
sets = k8s.apps.v1.StatefulSet(
    "set",
    metadata={**place, "name": "set"},
    spec={
        "service_name": "set",
        "selector": {"match_labels": {"app": "set"}},
        "template": {**pods, "metadata": {"labels": {"app": "set"}}},
    },
    opts=on_cluster,
)
daemons = k8s.apps.v1.DaemonSet(
    "daemons",
    metadata={**place, "name": "daemons"},
    spec={
        "selector": {"match_labels": {"app": "daemons"}},
        "template": {**pods, "metadata": {"labels": {"app": "daemons"}}},
    },
    opts=on_cluster,
)
containers: Any = pods["spec"]["containers"]
job = k8s.batch.v1.Job(
    "job",
    metadata={**place, "name": "job"},
    spec={"template": {"spec": {"containers": containers, "restart_policy": "Never"}}},
    opts=on_cluster,
)
service = k8s.core.v1.Service(
    "service", metadata={**place, "name": "web"}, spec={"selector": labels, "ports": [{"port": 80}]}, opts=on_cluster
)
ingress = k8s.networking.v1.Ingress(
    "ingress",
    metadata={**place, "name": "web"},
    spec={"default_backend": {"service": {"name": service.metadata.name, "port": {"number": 80}}}},
    opts=on_cluster,
)
budget = k8s.policy.v1.PodDisruptionBudget(
    "budget",
    metadata={**place, "name": "web"},
    spec={"max_unavailable": 1, "selector": {"match_labels": labels}},
    opts=on_cluster,
)

pulumi.export("address", service.spec.cluster_ip)
pulumi.export("unnamed", unnamed.metadata.name)
