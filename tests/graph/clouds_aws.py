"""Configurations on AWS whose resource graph is recorded, and what AWS would answer."""

from __future__ import annotations

from typing import Any

from tests.graph import configurations
from tests.graph.clouds import CloudConfigurations
from tests.graph.configurations import DNS_01, GITHUB, PEOPLE, SECRETS
from tests.graph.recorder import Outputs

GPU_POOL: dict[str, Any] = {
    "instance_type": "g4dn.xlarge",
    "max": 2,
    "gpu": {"count": 1},
    "disk_size": "200Gi",
    "zones": ["eu-central-1a"],
    "labels": {"example.org/rack": "a"},
    "taints": [{"key": "example.org/dear", "value": "yes", "effect": "PreferNoSchedule"}],
}

#: name -> what stands in the stack file besides the domain.
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "aws-minimal": {
        "cluster": {"provider": "aws", "region": "eu-west-1", "registry": False, "protect": False},
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "nfs-server", "size": "20Gi", "protect": False},
    },
    "aws-default": {
        "domain": "hub.team.example.org",
        "cluster": {"provider": "aws", "region": "us-east-1"},
        "authentication": GITHUB,
        "certificates": {"issuer": "letsencrypt", "email": "ops@example.org"},
        "ingress": {"controller": "traefik", "replicas": 2},
        "storage": {"kind": "managed", "size": "500Gi"},
    },
    "aws-everything": {
        "domain": "hub.team.example.org",
        "cluster": {
            "provider": "aws",
            "name": "team",
            "region": "eu-central-1",
            "version": "1.35",
            "network": {
                "cidr": "10.20.0.0/18",
                "services_cidr": "192.168.128.0/20",
                "zones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
                "nat": "per-zone",
            },
            "api_access": ["203.0.113.0/24", "198.51.100.7/32"],
            "admins": ["arn:aws:iam::123456789012:role/ops", "arn:aws:iam::123456789012:user/team/alice"],
            "support": "extended",
            "logs": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
            "log_retention": 90,
            "add_on_versions": {"coredns": "v1.12.1-eksbuild.2"},
            "repositories": ["notebook"],
            "tags": {"team": "data", "cost centre": "42"},
            "node_pools": {
                "general": {"min": 2, "max": 4},
                "user": {"instance_type": "m7g.xlarge"},
                "worker": {"spot": True},
                "gpu": GPU_POOL,
                "large": {"instance_type": "r7g.4xlarge", "architecture": "arm64", "cpu": 15, "memory": "110Gi"},
            },
        },
        "authentication": GITHUB,
        "certificates": DNS_01,
        "dns": {"provider": "route53", "zone": "team.example.org"},
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
    "aws-given-network": {
        "cluster": {
            "provider": "aws",
            "region": "us-west-2",
            "network": {
                "vpc_id": "vpc-0a1b2c3d",
                "private_subnets": {"us-west-2a": "subnet-0a", "us-west-2b": "subnet-0b"},
                "public_subnets": {"us-west-2a": "subnet-1a", "us-west-2b": "subnet-1b"},
            },
        },
        "authentication": {"type": "dummy", "password": SECRETS["password"]},
        "storage": {"kind": "managed"},
    },
}

#: base64 of "a certificate authority".
AUTHORITY = "YSBjZXJ0aWZpY2F0ZSBhdXRob3JpdHk="
LOAD_BALANCER = "a0b1c2.elb.eu-central-1.amazonaws.com"
ENDPOINT = "https://0a1b2c.gr7.eu-west-1.eks.amazonaws.com"


def _autoscaling_group(inputs: dict[str, Any]) -> dict[str, Any]:
    name = f"eks-{inputs['nodeGroupNamePrefix']}0a1b"
    return {"resources": [{"autoscalingGroups": [{"name": name}], "remoteAccessSecurityGroupId": ""}]}


#: What AWS would add.
OUTPUTS: Outputs = {
    **configurations.OUTPUTS,
    "aws:ec2/launchTemplate:LaunchTemplate": lambda _: {"latestVersion": 1},
    "aws:ecr/repository:Repository": lambda inputs: {
        "repositoryUrl": f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{inputs['name']}"
    },
    "aws:efs/fileSystem:FileSystem": lambda _: {"dnsName": "fs-0a1b2c.efs.eu-west-1.amazonaws.com"},
    "aws:eks/cluster:Cluster": lambda inputs: {
        "endpoint": ENDPOINT,
        "certificateAuthority": {"data": AUTHORITY},
        "vpcConfig": {**inputs["vpcConfig"], "clusterSecurityGroupId": "sg-0a1b2c"},
    },
    "aws:eks/nodeGroup:NodeGroup": _autoscaling_group,
    "aws:iam/role:Role": lambda inputs: {
        "arn": f"arn:aws:iam::123456789012:role/{inputs['namePrefix']}0a1b",
        "name": f"{inputs['namePrefix']}0a1b",
    },
    "aws:lb/getHostedZoneId:getHostedZoneId": lambda _: {"id": "Z3F0SRJ5LGBH90"},
    "aws:route53/getZone:getZone": lambda wanted: {"zoneId": "Z0A1B2C3D4", "name": wanted["name"]},
    # A load balancer has a name, not an address.
    "kubernetes:core/v1:Service": lambda inputs: {
        **configurations.OUTPUTS["kubernetes:core/v1:Service"](inputs),
        "status": {"loadBalancer": {"ingress": [{"hostname": LOAD_BALANCER}]}},
    },
    "aws:kms/key:Key": lambda _: {"arn": "arn:aws:kms:eu-west-1:123456789012:key/0a1b", "keyId": "0a1b"},
}


_AWS = CloudConfigurations(CONFIGURATIONS, OUTPUTS)
settings_of, record_settings = _AWS.settings_of, _AWS.record_settings
record_configuration = _AWS.record_configuration
