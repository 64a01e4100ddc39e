"""Configurations on DigitalOcean whose resource graph is recorded, and what DigitalOcean would answer."""

from __future__ import annotations

from typing import Any

from tests.graph import configurations
from tests.graph.clouds import CloudConfigurations
from tests.graph.configurations import DNS_01, GITHUB, PEOPLE, SECRETS
from tests.graph.recorder import Outputs, secret

#: name -> what stands in the stack file besides the domain.
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "digitalocean-minimal": {
        "cluster": {"provider": "digitalocean", "region": "fra1", "protect": False},
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "nfs-server", "size": "20Gi", "protect": False},
    },
    "digitalocean-default": {
        "domain": "hub.team.example.org",
        "cluster": {"provider": "digitalocean", "region": "atl1"},
        "authentication": GITHUB,
        "certificates": {"issuer": "letsencrypt", "email": "ops@example.org"},
        "ingress": {"controller": "traefik", "replicas": 2},
        "storage": {"kind": "managed", "size": "500Gi"},
    },
    "digitalocean-everything": {
        "domain": "hub.team.example.org",
        "cluster": {
            "provider": "digitalocean",
            "name": "team",
            "region": "nyc2",
            "version": "1.35.1-do.0",
            "ha": True,
            "maintenance": {"day": "saturday", "start_time": "23:30"},
            "network": {"cidr": "10.20.0.0/20", "pods_cidr": "10.24.0.0/16", "services_cidr": "10.28.0.0/20"},
            "api_access": ["203.0.113.0/24", "198.51.100.7/32"],
            "registry": True,
            "registry_name": "team-images",
            "registry_tier": "professional",
            "nfs_tier": "high",
            "tags": {"team": "data", "billed": ""},
            "node_pools": {
                "general": {"min": 2, "max": 4},
                "gpu": {
                    "instance_type": "gpu-h100x1-80gb",
                    "max": 2,
                    "gpu": {"count": 1},
                    "labels": {"example.org/rack": "a"},
                    "taints": [{"key": "example.org/dear", "value": "yes", "effect": "PreferNoSchedule"}],
                },
                "large": {"instance_type": "m-16vcpu-128gb", "architecture": "amd64", "cpu": 15, "memory": "110Gi"},
            },
        },
        "authentication": GITHUB,
        "certificates": DNS_01,
        "dns": {"provider": "digitalocean", "zone": "hub.team.example.org", "token": SECRETS["dns_token"]},
        "ingress": {"controller": "traefik", "replicas": 2},
        "storage": {"kind": "managed", "size": "1Ti"},
        "jupyterhub": {
            "profiles": [
                {"name": "small", "default": True},
                {"name": "gpu", "node_pool": "gpu", "gpu": {"count": 1}, "groups": ["developer"]},
            ]
        },
        **PEOPLE,
    },
    "digitalocean-given-network": {
        "cluster": {
            "provider": "digitalocean",
            "region": "nyc2",
            "network": {"vpc_uuid": "5a4981aa-9653-4bd1-bef5-d6bff52042e4"},
        },
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "managed"},
    },
}

#: base64 of "a certificate authority".
AUTHORITY = "YSBjZXJ0aWZpY2F0ZSBhdXRob3JpdHk="


def _cluster(inputs: dict[str, Any]) -> dict[str, Any]:
    version = inputs["version"]
    return {
        "endpoint": "https://0a1b2c.k8s.ondigitalocean.com",
        "kubeConfigs": secret(
            [{"clusterCaCertificate": AUTHORITY, "token": SECRETS["token"], "rawConfig": SECRETS["token"]}]
        ),
        "version": version if version.count(".") > 1 else f"{version}.1-do.0",
        "vpcUuid": inputs["vpcUuid"],
    }


#: What DigitalOcean would add.
OUTPUTS: Outputs = {
    **configurations.OUTPUTS,
    "digitalocean:index/vpc:Vpc": lambda inputs: {"ipRange": inputs.get("ipRange", "10.108.0.0/20")},
    "digitalocean:index/kubernetesCluster:KubernetesCluster": _cluster,
    "digitalocean:index/getDomain:getDomain": lambda wanted: wanted,
    "digitalocean:index/nfs:Nfs": lambda _: {"host": "10.20.0.4", "mountPath": "/1234/0a1b2c3d"},
}


_DIGITALOCEAN = CloudConfigurations(CONFIGURATIONS, OUTPUTS)
settings_of, record_settings = _DIGITALOCEAN.settings_of, _DIGITALOCEAN.record_settings
record_configuration = _DIGITALOCEAN.record_configuration
