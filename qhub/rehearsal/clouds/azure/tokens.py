"""Type tokens of the simulated Azure, its ids, and checks that several of its types share."""

from __future__ import annotations

from qhub.config.regions import regions
from qhub.rehearsal.clouds.resource import Check
from qhub.rehearsal.clouds.rules import Problems, matches, one_of
from qhub.rehearsal.clouds.subject import Subject

GROUP = "azure-native:resources:ResourceGroup"
NETWORK = "azure-native:network:VirtualNetwork"
SUBNET = "azure-native:network:Subnet"
NAT = "azure-native:network:NatGateway"
ADDRESS = "azure-native:network:PublicIPAddress"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
ROLE = "azure-native:authorization:RoleAssignment"
LOCK = "azure-native:authorization:ManagementLockByScope"
CLUSTER = "azure-native:containerservice:ManagedCluster"
POOL = "azure-native:containerservice:AgentPool"
MAINTENANCE = "azure-native:containerservice:MaintenanceConfiguration"
REGISTRY = "azure-native:containerregistry:Registry"
ACCOUNT = "azure-native:storage:StorageAccount"
ZONE = "azure-native:dns:Zone"
RECORD_SET = "azure-native:dns:RecordSet"
FEDERATED = "azure-native:managedidentity:FederatedIdentityCredential"
SHARE = "azure-native:storage:FileShare"

#: Subscription and tenant where the provider is told none.
SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
TENANT = "00000000-0000-4000-8000-000000000002"
#: When things in the simulated cloud were made: a date that is always the same shows no difference.
CREATED = "2026-01-01T00:00:00Z"

GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


def subscription(subject: Subject) -> str:
    """Return the subscription that the provider works in."""
    return subject.configuration.get("subscriptionId") or SUBSCRIPTION


def group_id(subject: Subject, name: str) -> str:
    """Return the id of a resource group."""
    return f"/subscriptions/{subscription(subject)}/resourceGroups/{name}"


def id_in_group(subject: Subject, *parts: str) -> str:
    """Return an id in the resource's group: `id_in_group(subject, "Microsoft.Network/natGateways", name)`."""
    return "/".join([group_id(subject, subject.inputs["resourceGroupName"]), "providers", *parts])


def location(path: str = "location") -> Check:
    """Return the check of a location."""
    return one_of(path, regions("azure"), "a location of Azure")


def tags(path: str = "tags") -> Check:
    """Return the check of tags (learn.microsoft.com/azure/azure-resource-manager/management/tag-resources)."""

    def check(subject: Subject) -> Problems:
        found = subject.get(path) or {}
        if len(found) > 50:
            yield path, f"{len(found)} are more than the 50 that a resource takes"
        for key, value in found.items():
            if set(key) & set("<>%&\\?/") or len(key) > 128 or len(str(value)) > 256:
                yield f'{path}["{key}"]', "a key has at most 128 characters, none of them <>%&\\?/, and a value 256"

    return check


def in_group(subject: Subject) -> Problems:
    """Tell that the resource group is missing; for `conditions`."""
    name = subject.get("resourceGroupName")
    if subject.find(GROUP, group_id(subject, str(name))) is None:
        yield "resourceGroupName", f"resource group {name!r} could not be found"


def not_locked(subject: Subject) -> Problems:
    """Tell that a lock keeps this, or what it is in, from being deleted; for `before_delete`.

    For a resource group, a lock on anything in it does too.
    """
    for lock in subject.all(LOCK):
        scope = str(lock.get("scope"))
        around = subject.id.startswith(f"{scope}/") or subject.id == scope
        inside = subject.token == GROUP and scope.startswith(f"{subject.id}/")
        if around or inside:
            text = f'the scope is locked by "{lock.get("lockName")}": remove the lock, then try again'
            yield "", f"{text} (ScopeLocked)"


def name(path: str, pattern: str, expected: str) -> Check:
    """Return the check of a name (learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules)."""
    return matches(path, pattern, expected)
