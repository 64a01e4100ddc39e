"""What AKS does not take of a cluster."""

from __future__ import annotations

import ipaddress

from qhub.config.azure import RESERVED
from qhub.rehearsal.clouds.azure.identity import NETWORK_CONTRIBUTOR
from qhub.rehearsal.clouds.azure.pools import POOL_NAME, pool_checks, zone_problems
from qhub.rehearsal.clouds.azure.tokens import ADDRESS, GUID, IDENTITY, NAT, NETWORK, ROLE, SUBNET, location, tags
from qhub.rehearsal.clouds.rules import Problems, address_range, between, matches, one_of, parse_range
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record

_RANGES = ("networkProfile.podCidr", "networkProfile.serviceCidr")
_SUBNETS = "agentPoolProfiles[*].vnetSubnetID"
_ALLOWED = "apiServerAccessProfile.authorizedIPRanges"


def minor(version: object) -> int:
    """Return the minor version of `1.34` or `1.34.2`."""
    return int(str(version).split(".")[1])


def _has_a_system_pool(subject: Subject) -> Problems:
    modes = [mode for _, mode in subject.each("agentPoolProfiles[*].mode")]
    if subject.known("agentPoolProfiles") and "System" not in modes:
        yield "agentPoolProfiles", "a cluster is made with at least one pool of mode System"


def _pools_stay(subject: Subject) -> Problems:
    if subject.old_inputs is None:
        return
    before = {pool["name"] for pool in subject.old_inputs.get("agentPoolProfiles") or ()}
    for place, called in subject.each("agentPoolProfiles[*].name"):
        if called not in before:
            yield place, "a new agent pool was introduced: add pools to a cluster as resources of their own"


def _version_goes_up_by_one(subject: Subject) -> Problems:
    before, after = (subject.old_inputs or {}).get("kubernetesVersion"), subject.get("kubernetesVersion")
    if before is None or after is None:
        return
    step = minor(after) - minor(before)
    if step < 0 or step > 1:
        told = "downgrades are not supported" if step < 0 else "minor versions cannot be skipped"
        yield "kubernetesVersion", f"from {before} to {after}: {told}"


def _ranges_are_apart(subject: Subject) -> Problems:
    found = {path: parsed for path in _RANGES if (parsed := parse_range(subject.get(path))) is not None}
    for path, own in found.items():
        for taken in RESERVED:
            if own.overlaps(ipaddress.IPv4Network(taken)):
                yield path, f"{own} overlaps {taken}, which AKS keeps to itself"
    if len(found) == 2 and found[_RANGES[0]].overlaps(found[_RANGES[1]]):
        yield _RANGES[1], f"{found[_RANGES[1]]} overlaps podCidr {found[_RANGES[0]]}"
    services, server = found.get(_RANGES[1]), subject.get("networkProfile.dnsServiceIP")
    if services is not None and server is not None:
        address = ipaddress.IPv4Address(server)
        if address not in services or address == services[1]:
            yield "networkProfile.dnsServiceIP", f"{server} must be in {services}, and not its first address"


def _network_fits_together(subject: Subject) -> Problems:
    profile = {key: subject.get(f"networkProfile.{key}") for key in subject.inputs.get("networkProfile") or ()}
    if profile.get("networkPluginMode") == "overlay" and profile.get("networkPlugin") != "azure":
        yield "networkProfile.networkPluginMode", "overlay needs networkPlugin azure"
    if profile.get("networkPolicy") == "cilium" and profile.get("networkDataplane") != "cilium":
        yield "networkProfile.networkPolicy", "cilium needs networkDataplane cilium"
    if profile.get("networkDataplane") == "cilium" and profile.get("networkPolicy") not in (None, "none", "cilium"):
        yield "networkProfile.networkPolicy", "networkDataplane cilium takes cilium or none"


def _accounts_fit_together(subject: Subject) -> Problems:
    if subject.get("disableLocalAccounts") is True and subject.get("aadProfile.managed") is not True:
        yield "disableLocalAccounts", "needs aadProfile with managed: nobody could sign in"
    issuer = subject.get("oidcIssuerProfile.enabled") is True
    if subject.get("securityProfile.workloadIdentity.enabled") is True and not issuer:
        yield "securityProfile.workloadIdentity.enabled", "needs oidcIssuerProfile to be enabled"
    if (subject.old_inputs or {}).get("oidcIssuerProfile", {}).get("enabled") is True and not issuer:
        yield "oidcIssuerProfile.enabled", "cannot be switched off again"
    given = subject.get("identity.type")
    if given == "UserAssigned" and subject.known("identity") and not subject.get("identity.userAssignedIdentities"):
        yield "identity.userAssignedIdentities", "is required with type UserAssigned"


def _subnets(subject: Subject) -> list[tuple[str, Record | None]]:
    return [(place, subject.find(SUBNET, wanted)) for place, wanted in subject.each(_SUBNETS)]


def _subnet_is_there(subject: Subject) -> Problems:
    for place, subnet in _subnets(subject):
        if subnet is None:
            yield place, "there is no such subnet in the simulated cloud"
            continue
        network = subject.one(
            NETWORK, resourceGroupName=subnet.get("resourceGroupName"), name=subnet.get("virtualNetworkName")
        )
        if network is not None and network.get("location") != subject.get("location"):
            yield place, f"is in {network.get('location')}, the cluster in {subject.get('location')}"
        taken = [
            *subnet.each("addressPrefix"),
            *(network.each("addressSpace.addressPrefixes[*]") if network is not None else ()),
        ]
        for path in _RANGES:
            own = parse_range(subject.get(path))
            for text in taken:
                theirs = parse_range(text)
                if own is not None and theirs is not None and own.overlaps(theirs):
                    yield path, f"{own} overlaps {theirs} of the network of its nodes"


def _nodes_get_out(subject: Subject) -> Problems:
    if subject.get("networkProfile.outboundType") != "userAssignedNATGateway":
        return
    for _, subnet in _subnets(subject):
        if subnet is not None and subnet.get("natGateway.id") is None:
            yield "networkProfile.outboundType", f"subnet {subnet.get('name')} has no NAT gateway"


def _nodes_reach_the_api_server(subject: Subject) -> Problems:
    """From behind a NAT gateway nodes come with its address, which a closed API server has to let in."""
    allowed = [parsed for _, text in subject.each(f"{_ALLOWED}[*]") if (parsed := parse_range(text)) is not None]
    for _, subnet in _subnets(subject) if allowed else ():
        gateway = subject.find(NAT, subnet.get("natGateway.id")) if subnet is not None else None
        for wanted in gateway.each("publicIpAddresses[*].id") if gateway is not None else ():
            address = subject.find(ADDRESS, wanted)
            if address is not None and not any(
                ipaddress.IPv4Address(address.get("ipAddress")) in one for one in allowed
            ):
                text = f"nodes come from {address.get('ipAddress')}, the NAT gateway's address, which is not among them"
                yield _ALLOWED, f"{text}: they would never get ready"


def _identity_may_use_the_subnet(subject: Subject) -> Problems:
    for place, wanted in subject.each("identity.userAssignedIdentities[*]"):
        identity = subject.find(IDENTITY, wanted)
        if identity is None:
            yield place, f"there is no identity {wanted!r} in the simulated cloud"
            continue
        for _, subnet in _subnets(subject):
            rights = subject.all(ROLE, principalId=identity.get("principalId"))
            covers = [one for one in rights if subnet is not None and subnet.id.startswith(str(one.get("scope")))]
            if subnet is not None and not any(
                str(one.get("roleDefinitionId")).endswith(NETWORK_CONTRIBUTOR) for one in covers
            ):
                yield place, f"has no right to join nodes to subnet {subnet.get('name')}: Network Contributor"


def _zones_are_there(subject: Subject) -> Problems:
    yield from zone_problems(subject, str(subject.get("location")), "agentPoolProfiles[*].availabilityZones[*]")


CHECKS = (
    matches("resourceName", r"[A-Za-z0-9]([\w-]{0,61}[A-Za-z0-9])?", "1 to 63 of letters, digits, _ and inner -"),
    matches("dnsPrefix", r"[A-Za-z0-9]([A-Za-z0-9-]{0,52}[A-Za-z0-9])?", "1 to 54 of letters, digits and inner -"),
    matches("nodeResourceGroup", r"[\w().-]{0,79}[\w()-]", "1 to 80 of letters, digits, _ - . ( )"),
    matches("kubernetesVersion", r"1\.\d{2}(\.\d+)?", "a version: 1.34 or 1.34.2"),
    matches("agentPoolProfiles[*].name", POOL_NAME, "1 to 12 of a-z and 0-9, a letter first"),
    matches("aadProfile.adminGroupObjectIDs[*]", GUID, "the object id of a group"),
    location(),
    tags(),
    one_of("sku.name", ("Base", "Automatic"), "a SKU of AKS"),
    one_of("sku.tier", ("Free", "Standard", "Premium"), "a tier of AKS"),
    one_of("networkProfile.networkPlugin", ("azure", "kubenet", "none"), "a network plugin"),
    one_of("networkProfile.networkDataplane", ("azure", "cilium"), "a dataplane"),
    one_of(
        "networkProfile.outboundType",
        ("loadBalancer", "userDefinedRouting", "managedNATGateway", "userAssignedNATGateway", "none"),
        "an outbound type",
    ),
    one_of("autoUpgradeProfile.upgradeChannel", ("rapid", "stable", "patch", "node-image", "none"), "a channel"),
    one_of("autoUpgradeProfile.nodeOSUpgradeChannel", ("None", "Unmanaged", "NodeImage", "SecurityPatch"), "a channel"),
    one_of("autoScalerProfile.expander", ("least-waste", "most-pods", "priority", "random"), "an expander"),
    between("securityProfile.imageCleaner.intervalHours", 24, 2160),
    address_range("networkProfile.podCidr", largest=8, smallest=24),
    address_range("networkProfile.serviceCidr", largest=13, smallest=28),
    address_range(f"{_ALLOWED}[*]", largest=0, smallest=32),
    *pool_checks("agentPoolProfiles[*]."),
    _has_a_system_pool,
    _pools_stay,
    _version_goes_up_by_one,
    _ranges_are_apart,
    _network_fits_together,
    _accounts_fit_together,
)

CONDITIONS = (
    _subnet_is_there,
    _nodes_get_out,
    _nodes_reach_the_api_server,
    _identity_may_use_the_subnet,
    _zones_are_there,
)
