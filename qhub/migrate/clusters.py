"""The cluster: region, versions, node groups, each cloud's own keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from qhub.config import instances
from qhub.config.cloud import CloudCluster
from qhub.migrate import usual
from qhub.migrate.moving import SECTIONS, Moving, Path, slug
from qhub.migrate.rules import ODD, Table, needless, no_counterpart, of, to, walk

#: The least version that a new cluster starts with.
VERSION = CloudCluster.model_fields["version"].default
#: Azure's machines before version 5, which are no longer offered to new subscriptions everywhere; same cores.
_OLD_AZURE = re.compile(r"Standard_D(\d+)s?_v[234]")
#: A selector that every node has.
ANY_NODE = ("kubernetes.io/os", "linux")


def version(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """A new cluster starts with a version that is supported: theirs only where it is not older than ours."""
    found = re.match(r"1\.(\d+)", str(value))
    if found and int(found[1]) >= int(VERSION.partition(".")[2]):
        moving.put(("cluster", "version"), f"1.{found[1]}")
    elif value is not None:
        moving.note("changed", path, f"a new cluster starts with {VERSION}, which is QHub's default")


def pool(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """A node group: a pool by the same name, with the GPUs that its machines have."""
    name = slug(path[-1])
    here = ("cluster", "node_pools", name)
    if moving.get(here) is not None:
        moving.note("asked", path, f"would be {name} here, as another one is: nothing was made of it; rename one")
        return
    if name != path[-1]:
        moving.note("changed", path, f"is {name} here: names are a-z, 0-9 and -")
    walk(moving, POOL, value, path=path, under=here, top=len(path))
    _supported(moving, path, here)
    kind = instances.find(moving.provider, str(moving.get((*here, "instance_type"))))
    if kind is not None and kind.gpus and not moving.get((*here, "gpu")):
        moving.put((*here, "gpu", "count"), kind.gpus)
    least, most = moving.get((*here, "min")) or 0, moving.get((*here, "max"))
    if isinstance(most, int) and isinstance(least, int) and most < max(1, least):
        moving.put((*here, "max"), max(1, least))
    if name == "general":
        _general(moving, path, here)


def _supported(moving: Moving, path: Path, here: Path) -> None:
    name = str(moving.get((*here, "instance_type")))
    if moving.provider != "azure" or instances.find("azure", name) is not None:
        return
    old = _OLD_AZURE.fullmatch(name)
    newer = f"Standard_D{old[1]}s_v5" if old else ""
    if newer and instances.find("azure", newer) is not None:
        moving.put((*here, "instance_type"), newer)
        moving.note("changed", (*path, "instance"), f"{name} is of an old series: {newer} has as many cores")


def _general(moving: Moving, path: Path, here: Path) -> None:
    if moving.get((*here, "min")) == 0:
        moving.put((*here, "min"), 1)
        moving.note("changed", (*path, "min_nodes"), "is 1 here: the hub runs in this pool")
    if moving.get((*here, "spot")):
        moving.put((*here, "spot"), False)
        moving.note("changed", path, "has no spot nodes here: the hub and its database run in this pool")


def _taints(moving: Moving, path: Path, value: Any, under: Path) -> None:
    taints = []
    for one in value:
        if isinstance(one, Mapping):
            text = f"{one.get('key')}={one.get('value') or ''}:{one.get('effect')}"
        else:
            text = str(one)
        key, _, effect = text.rpartition(":")
        key, _, word = key.partition("=")
        # Every pool of ours but `general` has a taint of its own already.
        if key != "dedicated":
            taints.append({"key": key, "value": word, "effect": effect})
    if taints:
        moving.put((*under, "taints"), taints)


def _accelerators(moving: Moving, path: Path, value: Any, under: Path) -> None:
    for one in (one for one in value[:1] if isinstance(one, Mapping)):
        moving.put((*under, "gpu"), {"type": one.get("name"), "count": one.get("count", 1)})
    if len(value) > 1:
        moving.note("lost", path, "one kind of GPU per pool: make a pool for each")


def _zones(moving: Moving, path: Path, value: Any, under: Path) -> None:
    zones = [value] if isinstance(value, str) else [one for one in value if one]
    if zones:
        moving.put(("cluster", "network", "zones"), zones)


def _channel(moving: Moving, path: Path, value: Any, under: Path) -> None:
    if str(value).upper() in ("RAPID", "REGULAR", "STABLE", "EXTENDED"):
        moving.put(("cluster", "release_channel"), str(value).upper())
    else:
        moving.note("changed", path, "QHub's clusters are in a release channel: REGULAR, upgraded by Google")


def _address_blocks(moving: Moving, path: Path, value: Any, under: Path) -> None:
    blocks = value.get("cidr_blocks", [value])
    listed = blocks if isinstance(blocks, list) else []
    ranges = [one["cidr_block"] for one in listed if isinstance(one, Mapping) and "cidr_block" in one]
    if blocks and not listed:
        moving.note("asked", (*path, "cidr_blocks"), ODD)
    elif ranges:
        moving.put(("cluster", "api_access"), ranges)


def _gcp_network(moving: Moving, path: Path, value: Any, under: Path) -> None:
    if value not in (None, "default"):
        moving.put(("cluster", "network", "network"), value)


def selectors(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`node_selectors.<pool>` of a cluster that is there: one label."""
    key, word = value.get("key"), value.get("value")
    if (key, word) != ANY_NODE:
        moving.put(("cluster", "node_pools", slug(path[-1]), "node_selector"), {str(key): str(word)})


def context(moving: Moving, path: Path, value: Any, under: Path) -> None:
    """`kube_context`: that of a cluster that Nebari made itself goes with it."""
    if value and moving.theirs == "local" and moving.is_nebari:
        moving.note(
            "asked", path, f"{value} is Nebari's own test cluster: name one of yours in qhub:cluster, `context`"
        )
    elif value:
        moving.put(("cluster", "context"), value)


_BY_INSTANCE = needless("the instance type says so")
POOL: Table = {
    "instance": to("instance_type"),
    "min_nodes": to("min"),
    "max_nodes": to("max"),
    "spot": to("spot"),
    "preemptible": to("spot"),
    "labels": to("labels"),
    "taints": of(list, _taints),
    "gpu": _BY_INSTANCE,
    "guest_accelerators": of(list, _accelerators),
    "accelerators": of(list, _accelerators),
    "single_subnet": no_counterpart("name the pool's zone in `zones`"),
    "permissions_boundary": no_counterpart("QHub's roles have none; add it by a policy of the account"),
    "launch_template": no_counterpart("nodes start from EKS's own images, without a script"),
    "ami_type": no_counterpart("nodes start from EKS's own images for the instance type"),
}

_BY_PROVIDER: dict[str, Table] = {
    "amazon_web_services": {
        "availability_zones": of(list, _zones),
        "eks_public_access_cidrs": to("api_access", takes=list),
        "eks_endpoint_access": no_counterpart("narrow `cluster.api_access` to where `pulumi` runs", usual=("public",)),
        "eks_kms_arn": no_counterpart("EKS encrypts Secrets with a key of its own"),
        "existing_subnet_ids": no_counterpart(
            "name the VPC and its subnets by zone: cluster.network.vpc_id, private_subnets"
        ),
        "existing_security_group_id": no_counterpart("EKS makes the cluster's own security group"),
        "vpc_cidr_block": to("network.cidr"),
        "permissions_boundary": no_counterpart("QHub's roles have none; add it by a policy of the account"),
    },
    "google_cloud_platform": {
        "project": to("project"),
        "zone": of(str, _zones),
        "availability_zones": of(list, _zones),
        "release_channel": _channel,
        "networking_mode": needless("clusters are VPC-native"),
        "network": _gcp_network,
        "subnetwork": to("network.subnetwork"),
        "ip_allocation_policy.cluster_secondary_range_name": to("network.pods_range"),
        "ip_allocation_policy.services_secondary_range_name": to("network.services_range"),
        "ip_allocation_policy.*": no_counterpart(
            "ranges of a network that QHub makes: cluster.network.pods_cidr, services_cidr"
        ),
        "master_authorized_networks_config": of(Mapping, _address_blocks),
        "private_cluster_config": needless(
            "nodes are always private; who reaches the API server is cluster.api_access"
        ),
        "tags": no_counterpart("network tags: firewall rules of your own can match the nodes' service account"),
    },
    "azure": {
        "region": to("region", lambda region: str(region).lower().replace(" ", "")),
        "storage_account_postfix": needless("there is no storage account for Terraform's state"),
        "authorized_ip_ranges": to("api_access", takes=list),
        "resource_group_name": no_counterpart(
            "QHub makes a group named like the cluster; `cluster.resource_group` names one that is there"
        ),
        "vnet_subnet_id": to("network.subnet_id"),
        "private_cluster_enabled": no_counterpart("narrow `cluster.api_access` to where `pulumi` runs"),
        "network_profile": no_counterpart("ranges are cluster.network.pods_cidr and services_cidr"),
        "max_pods": no_counterpart("nodes take as many pods as AKS lets them"),
        "workload_identity_enabled": needless("it is always there"),
        "azure_policy_enabled": no_counterpart("switch the add-on on in Azure"),
        "project": needless("there are no projects on Azure"),
    },
    "digital_ocean": {},
    "local": {"kube_context": context, "node_selectors.*": of(Mapping, selectors)},
    "existing": {"kube_context": context, "node_selectors.*": of(Mapping, selectors)},
}
_EVERYWHERE: Table = {
    "region": to("region"),
    "kubernetes_version": version,
    "node_groups.*": of(Mapping, pool),
    "tags": to("tags"),
}


def cluster(moving: Moving) -> None:
    """Fill `cluster` from the section of the provider."""
    name = SECTIONS[moving.theirs]
    section = moving.document.data.get(name)
    if section is None and moving.provider != "existing":
        moving.note("asked", (), f"there is no section {name}: add region and node_pools to qhub:cluster")
    elif isinstance(section, Mapping):
        section = usual.node_groups(moving, section, (name,))
    walk(moving, {**_EVERYWHERE, **_BY_PROVIDER[name]}, section or {}, path=(name,), under=("cluster",), top=1)
