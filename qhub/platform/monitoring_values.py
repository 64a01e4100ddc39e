"""Values of monitoring: chart kube-prometheus-stack 88.5, and what the other charts have to let Prometheus see.

Who measures what:

| what | where | how it is found |
|---|---|---|
| hub | `/hub/metrics` of its own port | ServiceMonitor, with a token that may read measurements and nothing else |
| proxy | port 8002, on which it answers once told to | PodMonitor |
| Dask: schedulers and workers | `/metrics` of their dashboards | PodMonitor |
| Dask Gateway's Traefik, ingress controller | `/metrics` | PodMonitor |
| pods, nodes | kubelet, kube-state-metrics, node-exporter | the chart's own monitors |
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from qhub.config.cloud import POOL_LABEL
from qhub.platform.names import DASK_PROXY_PODS
from qhub.platform.pods import container_resources, placement, resources

if TYPE_CHECKING:
    import pulumi

    from qhub.clouds.cluster import NodePool
    from qhub.config import Settings
    from qhub.config.monitoring import Monitoring

#: The release, after which the chart names what it makes.
RELEASE_NAME = "kube-prometheus-stack"
GRAFANA_URL = f"http://{RELEASE_NAME}-grafana"
#: Grafana's pods, and where they listen.
GRAFANA_PODS = {"app.kubernetes.io/name": "grafana", "app.kubernetes.io/instance": RELEASE_NAME}
GRAFANA_PORT = 3000
#: Secret with the token for the hub's measurements, and its one key.
TOKEN_SECRET = "hub-metrics"  # noqa: S105 - a name
TOKEN_KEY = "token"  # noqa: S105
#: Secret with name and password of Grafana's administrator, and its keys.
ADMIN_SECRET = "grafana-admin"  # noqa: S105
ADMIN_USER_KEY, ADMIN_PASSWORD_KEY = "admin-user", "admin-password"
#: Annotation of Grafana's pod.
PASSWORD_MARK = "qhub.dev/admin-password"  # noqa: S105

#: Services of the hub: who reads measurements, and what the proxy hands on to.
METRICS_SERVICE = "prometheus"
GRAFANA_SERVICE = "grafana"
GRAFANA_PATH = f"/services/{GRAFANA_SERVICE}"
#: Where Grafana is told that files have changed, inside its own pod.
PROVISIONING = f"http://localhost:{GRAFANA_PORT}{GRAFANA_PATH}/api/admin/provisioning"
#: Where the proxy tells its measurements; no port of its own is used by anything else of the pod.
PROXY_METRICS_PORT = 8002
#: On the pods of servers: which profile they were started with.
PROFILE_LABEL = "qhub.dev/profile"
CLUSTER_LABEL = "gateway.dask.org/cluster"

#: Measurements of one pod that runs what its user sends; a server of many workers has some thousands.
SAMPLE_LIMIT = 20_000
#: Labels of pods that kube-state-metrics tells of, for what is counted by profile, user and Dask cluster.
POD_LABELS = (PROFILE_LABEL, "hub.jupyter.org/username", "component", CLUSTER_LABEL)


def monitoring_namespace(settings: Settings) -> str:
    """Return the name of the namespace of Prometheus and Grafana."""
    return f"{settings.namespace.name}-monitoring"


def password_mark(password: str, key: str) -> str:
    """Return what changes with a password and tells nothing of it to who does not know `key`, which nobody can guess.

    Whoever may read pods sees it. A plain digest of a weak password could be found by trying.
    """
    return hmac.new(key.encode(), password.encode(), "sha256").hexdigest()


def monitoring_values(settings: Settings, *, pool: NodePool, password_mark: pulumi.Input[str]) -> dict[str, Any]:
    """Return the values of the release `kube-prometheus-stack`.

    Args:
        settings: the whole settings.
        pool: nodes for its pods; one pod of node-exporter is on every node.
        password_mark: changes with the password of Grafana's administrator, see the function of that name.
    """
    placed = placement(pool)
    small = resources(cpu="10m", memory="64Mi", memory_limit="256Mi")
    return {
        # Alerts go nowhere until somebody says where to: `charts.kube_prometheus_stack.overrides`.
        "alertmanager": {"enabled": False},
        # Parts of the control plane, which no cloud lets anybody measure.
        **{part: {"enabled": False} for part in ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")},
        "prometheusOperator": {
            # A webhook that checks rules, and its certificate: one more thing that every other change would wait for.
            "admissionWebhooks": {"enabled": False},
            "tls": {"enabled": False},
            "resources": small,
            "prometheusConfigReloader": {"resources": resources(cpu="10m", memory="32Mi", memory_limit="128Mi")},
            **placed,
        },
        "prometheus": {
            "prometheusSpec": _prometheus_spec(settings.monitoring) | placed,
            "additionalServiceMonitors": [_hub_monitor(settings)],
            "additionalPodMonitors": _pod_monitors(settings),
        },
        "grafana": _grafana(settings, password_mark) | placed,
        "kube-state-metrics": {
            "metricLabelsAllowlist": [f"pods=[{','.join(POD_LABELS)}]", f"nodes=[{POOL_LABEL}]"],
            "resources": small,
            **placed,
        },
        "prometheus-node-exporter": {"resources": resources(cpu="10m", memory="32Mi", memory_limit="128Mi")},
    }


def _prometheus_spec(monitoring: Monitoring) -> dict[str, Any]:
    claim: dict[str, Any] = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": monitoring.storage}},
    }
    if monitoring.storage_class is not None:
        claim["storageClassName"] = monitoring.storage_class
    return {
        "retention": f"{monitoring.retention_days}d",
        # Prometheus' own unit; it counts in powers of 1024 (prometheus/common, units).
        "retentionSize": f"{monitoring.retention_bytes // 2**20}MB",
        "resources": container_resources(monitoring.resources),
        "storageSpec": {"volumeClaimTemplate": {"spec": claim}},
    }


def _hub_monitor(settings: Settings) -> dict[str, Any]:
    return {
        "name": "qhub-hub",
        "namespaceSelector": {"matchNames": [settings.namespace.name]},
        "selector": {"matchLabels": {"app": "jupyterhub", "component": "hub"}},
        "endpoints": [
            {
                "port": "hub",
                "path": "/hub/metrics",
                # In the namespace of the monitor, which is the release's.
                "authorization": {"type": "Bearer", "credentials": {"name": TOKEN_SECRET, "key": TOKEN_KEY}},
            }
        ],
    }


def _pod_monitors(settings: Settings) -> list[dict[str, Any]]:
    """Return what Prometheus finds by its pods, in the order of their names."""
    hub, ingress = settings.namespace.name, f"{settings.namespace.name}-ingress"
    at_port = {
        # The pod names no such port, so the address is put together: that of another port, with this one.
        "port": "api",
        "relabelings": [
            {
                "sourceLabels": ["__meta_kubernetes_pod_ip"],
                "targetLabel": "__address__",
                "replacement": f"$1:{PROXY_METRICS_PORT}",
            }
        ],
    }
    made = [
        _pod_monitor("qhub-ingress", ingress, {"matchLabels": {"qhub.dev/ingress": "true"}}, {"port": "metrics"}),
        _pod_monitor("qhub-proxy", hub, {"matchLabels": {"app": "jupyterhub", "component": "proxy"}}, at_port),
    ]
    if settings.dask.enabled:
        clusters = {"matchExpressions": [{"key": CLUSTER_LABEL, "operator": "Exists"}]}
        gateway = {"matchLabels": DASK_PROXY_PODS}
        made += [
            _pod_monitor("qhub-dask-clusters", hub, clusters, {"port": "dashboard"})
            # Users' own programs answer here: what they may send is bounded.
            | {"podTargetLabels": [CLUSTER_LABEL, "app.kubernetes.io/component"], "sampleLimit": SAMPLE_LIMIT},
            _pod_monitor("qhub-dask-gateway", hub, gateway, {"port": "traefik"}),
        ]
    return sorted(made, key=lambda monitor: monitor["name"])


def _pod_monitor(name: str, namespace: str, selector: dict[str, Any], endpoint: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "namespaceSelector": {"matchNames": [namespace]},
        "selector": selector,
        "podMetricsEndpoints": [endpoint],
    }


def _grafana(settings: Settings, password_mark: pulumi.Input[str]) -> dict[str, Any]:
    small = resources(cpu="10m", memory="96Mi", memory_limit="256Mi")
    return {
        "admin": {
            "existingSecret": ADMIN_SECRET,
            "userKey": ADMIN_USER_KEY,
            "passwordKey": ADMIN_PASSWORD_KEY,
        },
        # Grafana reads the password when it starts, and the chart does not look into a Secret that is not its own.
        "podAnnotations": {PASSWORD_MARK: password_mark},
        "env": {
            # The proxy hands on whole paths.
            "GF_SERVER_ROOT_URL": f"{settings.address}{GRAFANA_PATH}/",
            "GF_SERVER_SERVE_FROM_SUB_PATH": "true",
            "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
            "GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
            "GF_ANALYTICS_REPORTING_ENABLED": "false",
            "GF_USERS_ALLOW_SIGN_UP": "false",
        },
        "sidecar": {
            "resources": small,
            # Dashboards of this release alone, so that no chart of a user's puts one in. The chart knows nothing of the
            # path, and a call without it is redirected, which turns it into another.
            "dashboards": {
                "searchNamespace": monitoring_namespace(settings),
                "reloadURL": f"{PROVISIONING}/dashboards/reload",
            },
            "datasources": {"reloadURL": f"{PROVISIONING}/datasources/reload", "alertmanager": {"enabled": False}},
        },
        "serviceMonitor": {"path": f"{GRAFANA_PATH}/metrics"},
        # A pod that tries Grafana by `helm test`, with an image of its own.
        "testFramework": {"enabled": False},
        "resources": resources(cpu="50m", memory="128Mi", memory_limit="512Mi"),
    }


def measured_hub(
    settings: Settings, *, metrics_token: pulumi.Input[str], grafana_token: pulumi.Input[str]
) -> dict[str, Any]:
    """Return what is laid over the values of chart jupyterhub, so that Prometheus and Grafana reach what they need.

    Args:
        settings: the whole settings.
        metrics_token: token of Prometheus.
        grafana_token: token that the hub wants each of its services to have; Grafana never uses it.
    """
    prometheus = {"matchLabels": {"kubernetes.io/metadata.name": monitoring_namespace(settings)}}
    come_in = [{"namespaceSelector": prometheus}]
    return {
        "hub": {
            "services": {
                METRICS_SERVICE: {"apiToken": metrics_token, "display": False},
                GRAFANA_SERVICE: {
                    "apiToken": grafana_token,
                    "url": f"{GRAFANA_URL}.{monitoring_namespace(settings)}",
                    "display": False,
                },
            },
            "loadRoles": {METRICS_SERVICE: {"scopes": ["read:metrics"], "services": [METRICS_SERVICE]}},
            "networkPolicy": {"ingress": [{"from": come_in, "ports": [{"port": "http", "protocol": "TCP"}]}]},
        },
        "proxy": {
            "chp": {
                "extraCommandLineFlags": ["--metrics-ip=0.0.0.0", f"--metrics-port={PROXY_METRICS_PORT}"],
                "networkPolicy": {
                    "ingress": [{"from": come_in, "ports": [{"port": PROXY_METRICS_PORT, "protocol": "TCP"}]}]
                },
            }
        },
    }


def labelled(profile: dict[str, Any]) -> dict[str, Any]:
    """Return an entry of KubeSpawner's `profile_list` whose servers say which profile they are of."""
    override = profile["kubespawner_override"]
    labels = {**override.get("extra_labels", {}), PROFILE_LABEL: profile["slug"]}
    return {**profile, "kubespawner_override": {**override, "extra_labels": labels}}


#: Arguments of Dask Gateway's Traefik, which then tells measurements at the port that it has for probes.
TRAEFIK_MEASURED = ("--metrics.prometheus=true",)
#: Laid over the values of chart ingress-nginx. Traefik's chart does so by itself.
MEASURED_INGRESS_NGINX: dict[str, Any] = {"controller": {"metrics": {"enabled": True}}}
