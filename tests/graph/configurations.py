"""The configurations whose resource graph is written down, and the program that each of them runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pulumi

from qhub.clouds import make_cluster
from qhub.config import Settings
from qhub.platform import KubernetesPlatform, KubernetesPlatformArgs
from tests.graph.recorder import Outputs, Recording, record, secret

#: Values that must never be seen in clear, each of its own kind.
SECRETS = {
    "password": "a-password-nobody-may-see",
    "client_secret": "a-client-secret-nobody-may-see",
    "random": "ab" * 32,
    "token": "a-cluster-token-nobody-may-see",
    "dns_token": "a-dns-token-nobody-may-see",
}

KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "qhub-test",
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:6443"}}],
    "users": [{"name": "u", "user": {"token": SECRETS["token"]}}],
    "contexts": [{"name": "qhub-test", "context": {"cluster": "c", "user": "u"}}],
}

GITHUB = {
    "type": "github",
    "client_id": "an-id",
    "client_secret": SECRETS["client_secret"],
    "organizations": ["example", "example:data"],
    "admin_users": ["alice"],
}
OIDC = {
    "type": "oidc",
    "client_id": "an-id",
    "client_secret": SECRETS["client_secret"],
    "issuer": "https://login.example.org",
    "allowed_groups": ["data"],
    "admin_groups": ["ops"],
    "group_mapping": {"data": "analyst"},
}
#: With a section `dns` beside it.
DNS_01 = {"issuer": "letsencrypt", "email": "ops@example.org", "challenge": "dns01"}
PEOPLE: dict[str, Any] = {
    "users": {"alice": {"uid": 1001, "primary_group": "analyst", "secondary_groups": ["developer"]}, "bob": {}},
    "groups": {"analyst": {"gid": 1100}, "developer": {"gid": 1101, "read_only_members": ["carol"]}},
}
POOLS: dict[str, Any] = {
    "general": {"node_selector": {"example.org/pool": "general"}},
    "user": {
        "node_selector": {"example.org/pool": "user"},
        "tolerations": [{"key": "example.org/pool", "value": "user", "effect": "NoSchedule"}],
    },
    "gpu": {
        "node_selector": {"example.org/pool": "gpu"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        "gpu": {"count": 2},
    },
    "worker": {"node_selector": {"example.org/pool": "worker"}, "spot": True},
}

#: name -> what stands in the stack file besides the domain.
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "local": {
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "nfs-server", "size": "5Gi", "protect": False},
    },
    "github-letsencrypt": {
        "domain": "hub.team.example.org",
        "authentication": GITHUB,
        "certificates": {"issuer": "letsencrypt", "email": "ops@example.org"},
        "ingress": {"controller": "traefik", "replicas": 2},
        "namespace": {"quota": {"cpu": "32", "memory": "128Gi", "pods": 100, "storage": "500Gi"}},
        "cluster": {"node_pools": POOLS, "load_balancer_annotations": {"example.org/kind": "public"}},
        "jupyterhub": {
            "profiles": [
                {"name": "small", "default": True},
                {
                    "name": "gpu",
                    "node_pool": "gpu",
                    "gpu": {"count": 1},
                    "groups": ["developer"],
                    "image": {"name": "quay.io/jupyter/pytorch-notebook", "tag": "2026-05-26"},
                },
            ]
        },
        "dask": {
            "profiles": [{"name": "small"}, {"name": "gpu", "node_pool": "gpu", "gpu": {}, "groups": ["analyst"]}]
        },
        **PEOPLE,
    },
    "oidc-groups": {
        "authentication": OIDC,
        "dask": {"limits": [{"groups": ["analyst"], "max_workers_per_cluster": 50}]},
        **PEOPLE,
    },
    "native": {
        "authentication": {"type": "native", "admin_users": ["alice"], "admin_password": SECRETS["password"]},
    },
    "traefik": {
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "nfs-server", "size": "5Gi", "protect": False},
        "ingress": {"controller": "traefik"},
    },
    "managed-storage": {
        "storage": {"kind": "managed", "server": "files.example.org", "path": "/homes", "size": "1Ti"},
        "certificates": {"issuer": "existing-secret", "secret_name": "hub-example-org"},
        "namespace": {"pod_security": "baseline"},
    },
    "storage-class": {
        "storage": {"kind": "storage-class", "storage_class": "cephfs", "size": "2Ti"},
        "certificates": {"issuer": "none"},
        "ingress": {"controller": "traefik"},
    },
    "existing-claim": {
        "storage": {"kind": "existing-claim", "claim_name": "team-files"},
        "certificates": {"issuer": "none"},
        "ingress": {"service": {"type": "NodePort"}},
    },
    "cloudflare": {
        "domain": "hub.team.example.org",
        "authentication": GITHUB,
        "certificates": DNS_01,
        "dns": {"provider": "cloudflare", "zone": "example.org", "token": SECRETS["dns_token"]},
    },
    "add-ons": {
        "ingress": {"controller": "traefik"},
        "monitoring": {"enabled": True, "storage": "50Gi", "retention_size": "32Gi", "storage_class": "fast"},
        "images": {
            "registry": "registry.example.org/copies",
            "credentials": {"username": "robot", "password": SECRETS["password"]},
        },
        "extra_releases": {
            "loki": {
                "chart": "loki",
                "version": "6.0.0",
                "repository": "https://charts.example.org",
                "namespace": "logs",
                "values": {"replicas": 1},
                "secret_values": {"storage.password": SECRETS["client_secret"]},
            },
            "alloy": {"chart": "oci://registry.example.org/charts/alloy", "version": "1.0.0", "depends_on": ["loki"]},
        },
    },
    "environments-ssh": {
        "environments": {"named": {"geo": {"packages": ["geopandas==1.0.1"]}}},
        "ssh": {"enabled": True, "image": {"name": "registry.example.org/qhub/ssh", "tag": "1"}},
    },
    "no-dask": {"dask": {"enabled": False}, "charts": {"mirror": "oci://registry.example.org/charts"}},
}

#: What a cluster, the random provider and Cloudflare would answer.
OUTPUTS: Outputs = {
    "cloudflare:index/getZone:getZone": lambda wanted: {"zoneId": "0a1b2c3d", "name": wanted["filter"]["name"]},
    "kubernetes:core/v1:Service": lambda inputs: {
        "spec": {**inputs["spec"], "clusterIP": "127.96.0.10"},
        "status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.7"}]}}
        if inputs["spec"]["type"] == "LoadBalancer"
        else {"loadBalancer": {}},
    },
    "kubernetes:helm.sh/v3:Release": lambda inputs: {
        "status": {
            "name": inputs["name"],
            "namespace": inputs["namespace"],
            "version": inputs["version"],
            "appVersion": "1.2.3",
            "status": "deployed",
            "revision": 1,
        }
    },
    "random:index/randomBytes:RandomBytes": lambda _: {
        "hex": secret(SECRETS["random"]),
        "base64": secret(SECRETS["random"]),
    },
}


def settings_of(name: str, root: Path, **changes: Any) -> Settings:
    """Return the settings of a configuration, with sections replaced; `root` gets a kubeconfig."""
    (root / "kubeconfig").write_text(json.dumps(KUBECONFIG), encoding="utf-8")
    written: dict[str, Any] = {"domain": "qhub.localhost", **CONFIGURATIONS[name], **changes}
    cluster = {"name": "qhub-test", "kubeconfig": "kubeconfig", **written.get("cluster", {})}
    return Settings.model_validate({**written, "cluster": cluster, "stack": "test", "root": root})


def program_of(settings: Settings) -> Callable[[], None]:
    """Return the Pulumi program for some settings: the same few calls as in `stacks/`."""

    def program() -> None:
        cluster = make_cluster(settings)
        platform = KubernetesPlatform("qhub", KubernetesPlatformArgs(settings=settings, cluster=cluster))
        for name, value in platform.exports().items():
            pulumi.export(name, value)
        pulumi.export("kubeconfig", cluster.kubeconfig)

    return program


def record_configuration(name: str, *, preview: bool = False, **changes: Any) -> Recording:
    """Run the program for a configuration, with sections replaced, and return what it registered.

    A recording without changes is made once and shared: nobody writes to one.
    """
    if changes:
        return _recorded(name, preview=preview, changes=changes)
    return _shared(name, preview=preview)


@cache
def _shared(name: str, *, preview: bool) -> Recording:
    return _recorded(name, preview=preview, changes={})


def _recorded(name: str, *, preview: bool, changes: dict[str, Any]) -> Recording:
    with TemporaryDirectory() as root:
        return record(program_of(settings_of(name, Path(root), **changes)), outputs=OUTPUTS, preview=preview)
