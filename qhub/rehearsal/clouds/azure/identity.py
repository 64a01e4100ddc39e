"""Identities, role assignments, locks."""

from __future__ import annotations

from typing import Any

from qhub.rehearsal.clouds.azure.tokens import (
    ACCOUNT,
    CLUSTER,
    FEDERATED,
    GUID,
    IDENTITY,
    LOCK,
    REGISTRY,
    ROLE,
    SUBNET,
    TENANT,
    ZONE,
    id_in_group,
    in_group,
    location,
    name,
    subscription,
    tags,
)
from qhub.rehearsal.clouds.resource import AutoName, ResourceType
from qhub.rehearsal.clouds.rules import Problems, matches, one_of
from qhub.rehearsal.clouds.subject import Subject

#: Built-in roles that the simulated tenant has.
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
DNS_ZONE_CONTRIBUTOR = "befefa01-2a29-4197-83a8-272ff33ce314"
_ROLES = (NETWORK_CONTRIBUTOR, ACR_PULL, DNS_ZONE_CONTRIBUTOR)
_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
#: What a role or a lock may be for.
_SCOPES = (SUBNET, REGISTRY, ACCOUNT, CLUSTER, ZONE)


def _principal_is_there(subject: Subject) -> Problems:
    wanted = subject.get("principalId")
    identities = {one.get("principalId") for one in subject.all(IDENTITY)}
    kubelets = {one.get("identityProfile.kubeletidentity.objectId") for one in subject.all(CLUSTER)}
    if wanted not in identities | kubelets:
        yield "principalId", f"principal {wanted} does not exist in the directory (PrincipalNotFound)"


def _scope_is_there(subject: Subject) -> Problems:
    scope = str(subject.get("scope"))
    parts = scope.split("/")
    if len(parts) < 3 or parts[1] != "subscriptions" or parts[2] != subscription(subject):
        # A network may be in another subscription, which is not simulated unless it was given.
        if subject.find(SUBNET, scope) is None:
            yield "scope", f"{scope} is not in subscription {subscription(subject)}"
    elif len(parts) > 5 and not any(subject.find(token, scope) for token in _SCOPES):
        yield "scope", f"there is nothing with the id {scope} in the simulated cloud"


def _role_is_the_subscriptions(subject: Subject) -> Problems:
    wanted = subject.get("roleDefinitionId")
    if wanted is not None and "/roleDefinitions/" in str(wanted) and str(wanted).rsplit("/", 1)[-1] not in _ROLES:
        yield "roleDefinitionId", f"role definition {wanted} does not exist"


def _assigned_once(subject: Subject) -> Problems:
    same = {key: subject.get(key) for key in ("scope", "principalId", "roleDefinitionId")}
    if subject.all(ROLE, **same):
        yield "", "the role assignment already exists (RoleAssignmentExists)"


def _identity_is_there(subject: Subject) -> Problems:
    wanted, group = subject.get("resourceName"), subject.get("resourceGroupName")
    if subject.one(IDENTITY, name=wanted, resourceGroupName=group) is None:
        yield "resourceName", f"there is no identity {wanted!r} in resource group {group!r}"


def _issuer_is_a_clusters(subject: Subject) -> Problems:
    wanted = subject.get("issuer")
    if wanted not in {one.get("oidcIssuerProfile.issuerURL") for one in subject.all(CLUSTER)}:
        yield "issuer", f"{wanted!r} is the issuer of no cluster in the simulated cloud"


def _identity_outputs(subject: Subject) -> dict[str, Any]:
    return {
        "name": subject.inputs["resourceName"],
        "type": _IDENTITIES,
        "principalId": subject.uuid("principal"),
        "clientId": subject.uuid("client"),
        "tenantId": TENANT,
    }


IDENTITY_TYPE = ResourceType(
    token=IDENTITY,
    create_seconds=4,
    delete_seconds=4,
    autoname=AutoName(property="resourceName", separator="", digits=8),
    replaced_by=("resourceName", "resourceGroupName", "location"),
    id=lambda subject: id_in_group(subject, _IDENTITIES, subject.inputs["resourceName"]),
    outputs=_identity_outputs,
    checks=(
        name("resourceName", r"[A-Za-z0-9][\w-]{2,127}", "3 to 128 of letters, digits, _ and -"),
        location(),
        tags(),
    ),
    conditions=(in_group,),
)

FEDERATED_TYPE = ResourceType(
    token=FEDERATED,
    create_seconds=4,
    update_seconds=4,
    delete_seconds=4,
    autoname=AutoName(property="federatedIdentityCredentialResourceName", separator="", digits=8),
    replaced_by=("resourceGroupName", "resourceName", "federatedIdentityCredentialResourceName"),
    # Among the credentials of one identity (learn.microsoft.com/entra/workload-id/workload-identity-federation).
    unique=("resourceGroupName", "resourceName", "issuer", "subject"),
    id=lambda subject: id_in_group(
        subject,
        _IDENTITIES,
        subject.inputs["resourceName"],
        "federatedIdentityCredentials",
        subject.inputs["federatedIdentityCredentialResourceName"],
    ),
    outputs=lambda subject: {
        "name": subject.inputs["federatedIdentityCredentialResourceName"],
        "type": f"{_IDENTITIES}/federatedIdentityCredentials",
    },
    checks=(
        name(
            "federatedIdentityCredentialResourceName", r"[A-Za-z0-9][\w-]{2,119}", "3 to 120 of letters, digits, _, -"
        ),
        matches("subject", r"system:serviceaccount:[a-z0-9-]+:[a-z0-9.-]+", "system:serviceaccount:NAMESPACE:NAME"),
        one_of("audiences[*]", ("api://AzureADTokenExchange",), "an audience that Azure takes from a cluster"),
    ),
    conditions=(in_group, _identity_is_there, _issuer_is_a_clusters),
)

ROLE_TYPE = ResourceType(
    token=ROLE,
    create_seconds=3,
    delete_seconds=3,
    replaced_by=("roleAssignmentName", "scope", "principalId", "roleDefinitionId", "principalType"),
    id=lambda subject: (
        f"{subject.inputs['scope']}/providers/Microsoft.Authorization/roleAssignments/"
        f"{subject.inputs['roleAssignmentName']}"
    ),
    outputs=lambda subject: {
        "name": subject.inputs["roleAssignmentName"],
        "type": "Microsoft.Authorization/roleAssignments",
    },
    checks=(
        matches("roleAssignmentName", GUID, "a GUID"),
        matches("principalId", GUID, "the object id of an identity"),
        matches(
            "roleDefinitionId",
            rf"/subscriptions/{GUID}/providers/Microsoft\.Authorization/roleDefinitions/{GUID}",
            "the id of a role definition in a subscription",
        ),
        one_of("principalType", ("User", "Group", "ServicePrincipal", "ForeignGroup", "Device"), "a type of principal"),
    ),
    conditions=(_principal_is_there, _scope_is_there, _role_is_the_subscriptions, _assigned_once),
)

LOCK_TYPE = ResourceType(
    token=LOCK,
    create_seconds=2,
    update_seconds=2,
    delete_seconds=2,
    autoname=AutoName(property="lockName", separator="", digits=8),
    replaced_by=("lockName", "scope"),
    id=lambda subject: (
        f"{subject.inputs['scope']}/providers/Microsoft.Authorization/locks/{subject.inputs['lockName']}"
    ),
    outputs=lambda subject: {"name": subject.inputs["lockName"], "type": "Microsoft.Authorization/locks"},
    checks=(
        name("lockName", r"[^<>%&?/]{1,90}", "1 to 90 characters, none of <>%&?/"),
        one_of("level", ("CanNotDelete", "ReadOnly"), "a level of locks"),
    ),
    conditions=(_scope_is_there,),
)
