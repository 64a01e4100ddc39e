"""Configurations on Google Cloud whose resource graph is recorded, and what Google Cloud would answer."""

from __future__ import annotations

from typing import Any

from tests.graph import configurations
from tests.graph.clouds import CloudConfigurations
from tests.graph.configurations import DNS_01, GITHUB, PEOPLE, SECRETS
from tests.graph.recorder import Outputs

#: name -> what stands in the stack file besides the domain.
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "gcp-minimal": {
        "cluster": {
            "provider": "gcp",
            "project": "my-team-1234",
            "region": "europe-west1",
            "protect": False,
            "registry": False,
        },
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "nfs-server", "size": "20Gi", "protect": False},
    },
    "gcp-default": {
        "domain": "hub.team.example.org",
        "cluster": {"provider": "gcp", "project": "my-team-1234", "region": "europe-west1"},
        "authentication": GITHUB,
        "certificates": {"issuer": "letsencrypt", "email": "ops@example.org"},
        "ingress": {"controller": "traefik", "replicas": 2},
        "storage": {"kind": "managed", "size": "500Gi"},
    },
    "gcp-everything": {
        "domain": "hub.team.example.org",
        "cluster": {
            "provider": "gcp",
            "name": "team",
            "project": "my-team-1234",
            "region": "us-central1",
            "version": "1.35",
            "release_channel": "STABLE",
            "endpoint": "ip",
            "maintenance_start": "23:30",
            "network": {
                "cidr": "10.20.0.0/22",
                "pods_cidr": "10.24.0.0/14",
                "services_cidr": "10.28.0.0/20",
                "zones": ["us-central1-a", "us-central1-b", "us-central1-c"],
            },
            "api_access": ["203.0.113.0/24", "198.51.100.7/32"],
            "storage_class": "premium-rwo",
            "filestore_tier": "REGIONAL",
            "tags": {"team": "data", "billed": ""},
            "node_pools": {
                "general": {"min": 2, "max": 4},
                "worker": {"spot": True},
                "arm": {"instance_type": "c4a-standard-4", "max": 4, "disk_size": "60Gi"},
                "gpu": {
                    "instance_type": "g2-standard-8",
                    "max": 2,
                    "zones": ["us-central1-a"],
                    "gpu": {"count": 1},
                    "labels": {"example.org/rack": "a"},
                    "taints": [{"key": "example.org/dear", "value": "yes", "effect": "PreferNoSchedule"}],
                },
                "t4": {
                    "instance_type": "n1-standard-8",
                    "max": 2,
                    "spot": True,
                    "gpu": {"type": "nvidia-tesla-t4", "count": 2},
                },
                "large": {"instance_type": "n2-highmem-8", "architecture": "amd64", "cpu": 7, "memory": "56Gi"},
            },
        },
        "authentication": GITHUB,
        "certificates": DNS_01,
        "dns": {
            "provider": "cloud-dns",
            "zone": "example.org",
            "managed_zone": "example-org",
            "project": "names-1234",
        },
        "ingress": {"controller": "traefik", "replicas": 2},
        "storage": {"kind": "managed", "size": "2Ti"},
        "jupyterhub": {
            "profiles": [
                {"name": "small", "default": True},
                {"name": "gpu", "node_pool": "gpu", "gpu": {"count": 1}, "groups": ["developer"]},
            ]
        },
        **PEOPLE,
    },
    "gcp-given-network": {
        "cluster": {
            "provider": "gcp",
            "project": "my-team-1234",
            "region": "europe-west1",
            "network": {
                "network": "offices",
                "subnetwork": "offices-hub",
                "pods_range": "hub-pods",
                "services_range": "hub-services",
            },
        },
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "managed"},
    },
}

#: base64 of "a certificate authority".
AUTHORITY = "YSBjZXJ0aWZpY2F0ZSBhdXRob3JpdHk="
DNS_NAME = "gke-0a1b2c-123456789.europe-west1.gke.goog"


def _cluster(inputs: dict[str, Any]) -> dict[str, Any]:
    endpoints = inputs["controlPlaneEndpointsConfig"]
    return {
        "endpoint": "203.0.113.9",
        "masterAuth": {"clusterCaCertificate": AUTHORITY},
        "controlPlaneEndpointsConfig": {
            **endpoints,
            "dnsEndpointConfig": {**endpoints["dnsEndpointConfig"], "endpoint": DNS_NAME},
        },
    }


def _account(inputs: dict[str, Any]) -> dict[str, Any]:
    email = f"{inputs['accountId']}@my-team-1234.iam.gserviceaccount.com"
    return {
        "email": email,
        "member": f"serviceAccount:{email}",
        "name": f"projects/my-team-1234/serviceAccounts/{email}",
    }


#: What Google Cloud would add.
OUTPUTS: Outputs = {
    **configurations.OUTPUTS,
    "gcp:container/cluster:Cluster": _cluster,
    "gcp:serviceaccount/account:Account": _account,
    "gcp:dns/getManagedZone:getManagedZone": lambda wanted: {**wanted, "dnsName": "example.org."},
    "gcp:artifactregistry/repository:Repository": lambda inputs: {"name": inputs["repositoryId"]},
    "gcp:filestore/instance:Instance": lambda inputs: {
        "networks": [{**inputs["networks"][0], "ipAddresses": ["10.30.0.2"]}]
    },
}


_GCP = CloudConfigurations(CONFIGURATIONS, OUTPUTS)
settings_of, record_settings = _GCP.settings_of, _GCP.record_settings
record_configuration = _GCP.record_configuration
