"""DOKS clusters. Their control plane is a real API server, reached at 127.0.0.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.digitalocean.pools import CLOUD, node_count, pool_checks, set_nodes
from qhub.rehearsal.clouds.digitalocean.tokens import CLUSTER, CREATED, REGISTRY, VPC, region, tags
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, address_range, matches, one_of, parse_range, refers_to
from qhub.rehearsal.clouds.subject import Subject

_SLUG = r"1\.\d{2}(\.\d+-do\.\d+)?"
_DAYS = ("any", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _ranges_go_together(subject: Subject) -> Problems:
    given = [path for path in ("clusterSubnet", "serviceSubnet") if subject.given(path)]
    if len(given) == 1:
        yield given[0], "clusterSubnet and serviceSubnet must be given together"
    pods, services = parse_range(subject.get("clusterSubnet")), parse_range(subject.get("serviceSubnet"))
    if pods and services and pods.overlaps(services):
        yield "serviceSubnet", f"{services} overlaps clusterSubnet {pods}"


def _first_pool_has_a_node(subject: Subject) -> Problems:
    scales = subject.get("nodePool.autoScale") is True
    path = "nodePool.minNodes" if scales else "nodePool.nodeCount"
    if subject.known(path) and subject.get(path, 0) < 1:
        yield path, "the first pool of a cluster has at least 1 node"


def _ha_stays(subject: Subject) -> Problems:
    if subject.old_inputs is not None and subject.old_inputs.get("ha") is True and not subject.get("ha", False):
        yield "ha", "a highly available control plane cannot be made an ordinary one again"


def _firewall_has_ranges(subject: Subject) -> Problems:
    for place, value in subject.each("controlPlaneFirewall.allowedAddresses[*]"):
        if parse_range(value if "/" in str(value) else f"{value}/32") is None:
            yield place, f"{value!r} is neither an IPv4 address nor a range of them"


def _vpc_is_in_the_region(subject: Subject) -> Problems:
    vpc = subject.find(VPC, subject.get("vpcUuid"))
    if vpc is not None and vpc.get("region") != subject.get("region"):
        yield "vpcUuid", f'VPC "{vpc.name}" is in {vpc.get("region")}, the cluster in {subject.get("region")}'
    home = parse_range(vpc.get("ipRange")) if vpc is not None else None
    for path in ("clusterSubnet", "serviceSubnet"):
        own = parse_range(subject.get(path))
        if home is not None and own is not None and own.overlaps(home):
            yield path, f"{own} overlaps the VPC's range {home}"


def _pods_are_apart(subject: Subject) -> Problems:
    """VPC-native clusters of one account may not share ranges of pods."""
    own = parse_range(subject.get("clusterSubnet"))
    for other in subject.all(CLUSTER):
        theirs = parse_range(other.inputs.get("clusterSubnet"))
        if own is not None and theirs is not None and own.overlaps(theirs):
            yield "clusterSubnet", f'{own} overlaps {theirs} of cluster "{other.name}"'


def _registry_is_there(subject: Subject) -> Problems:
    if subject.get("registryIntegration") is True and not subject.all(REGISTRY):
        yield "registryIntegration", "the account has no container registry to integrate"


def _replaces(subject: Subject) -> Iterator[str]:
    """A version goes up in place; down, it is another cluster. `1.34` counts as lower than `1.34.1-do.0`."""
    before = subject.state.get("version") or (subject.old_inputs or {}).get("version")
    after = subject.get("version")
    if isinstance(before, str) and isinstance(after, str) and _order(after) < _order(before):
        yield "version"


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _create(subject: Subject) -> None:
    kubernetes.start(
        subject,
        cloud=CLOUD,
        name=subject.inputs["name"],
        version=subject.inputs["version"],
        region=subject.inputs["region"],
        id=subject.id,
    )
    subject.save()
    _set_nodes(subject)


def _set_nodes(subject: Subject) -> None:
    subject.save()
    cluster = subject.find(CLUSTER, subject.id)
    if cluster is None:
        raise subject.refuse("", "it is gone from the simulated cloud")
    pool_id = subject.uuid("node pool")
    set_nodes(subject, cluster, subject.inputs["nodePool"], region=subject.inputs["region"], pool_id=pool_id)


def _outputs(subject: Subject) -> dict[str, Any]:
    server, certificate = kubernetes.endpoint(subject)
    version, pool = subject.inputs["version"], subject.inputs["nodePool"]
    # Nobody accepts it: the rehearsal's own credentials command gives out what the API server does accept.
    token = f"dop_v1_{subject.hex(64, 'token')}"
    return {
        # Asked for a minor version, DigitalOcean runs a patch of it, and says which.
        "version": version if version.count(".") > 1 else f"{version}.1-do.0",
        "vpcUuid": subject.get("vpcUuid") or subject.uuid("default vpc"),
        "clusterSubnet": subject.get("clusterSubnet") or "10.244.0.0/16",
        "serviceSubnet": subject.get("serviceSubnet") or "10.245.0.0/16",
        "clusterUrn": f"do:kubernetes:{subject.id}",
        "endpoint": server,
        "ipv4Address": "127.0.0.1",
        "status": "running",
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "kubeConfigs": [{"host": server, "clusterCaCertificate": certificate, "token": token, "expiresAt": ""}],
        "nodePool": {**pool, "id": subject.uuid("node pool"), "actualNodeCount": node_count(pool), "nodes": []},
    }


CLUSTER_TYPE = ResourceType(
    token=CLUSTER,
    # Four to six minutes, its first node included.
    create_seconds=300,
    update_seconds=lambda subject: 900 if subject.changed("version") else 10,
    delete_seconds=30,
    autoname=AutoName(),
    unique=("name",),
    replaced_by=("region", "vpcUuid", "clusterSubnet", "serviceSubnet", "nodePool.size", "isolatedWorkers"),
    replaces=_replaces,
    compared_to_state=("version",),
    defaults={"surgeUpgrade": True, "ha": False, "registryIntegration": False, "destroyAllAssociatedResources": False},
    outputs=_outputs,
    computed=("nodePool.id", "nodePool.actualNodeCount", "nodePool.nodes"),
    secrets=("kubeConfigs",),
    checks=(
        region(),
        tags(),
        tags("nodePool.tags[*]"),
        matches("name", r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "1 to 63 of a-z, 0-9 and inner '-'"),
        matches("version", _SLUG, "a version as `doctl kubernetes options versions` lists it, or a minor version"),
        one_of("maintenancePolicy.day", _DAYS, "a day of the week"),
        matches("maintenancePolicy.startTime", r"([01]\d|2[0-3]):[0-5]\d", "a time of day: 04:00"),
        address_range("clusterSubnet", largest=8, smallest=24, private=True),
        address_range("serviceSubnet", largest=8, smallest=24, private=True),
        _ranges_go_together,
        _first_pool_has_a_node,
        _ha_stays,
        _firewall_has_ranges,
        *pool_checks("nodePool."),
    ),
    conditions=(refers_to("vpcUuid", VPC), _vpc_is_in_the_region, _pods_are_apart, _registry_is_there),
    during_create=_create,
    after_update=_set_nodes,
    after_delete=kubernetes.stop,
)
