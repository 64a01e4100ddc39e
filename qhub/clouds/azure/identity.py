"""Rights of identities on Azure."""

from __future__ import annotations

import uuid

import pulumi
import pulumi_azure_native as azure

#: Ids of built-in roles, the same in every tenant (learn.microsoft.com/azure/role-based-access-control/built-in-roles).
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
DNS_ZONE_CONTRIBUTOR = "befefa01-2a29-4197-83a8-272ff33ce314"


def grant(
    name: str, *, role: str, scope: pulumi.Input[str], principal_id: pulumi.Input[str | None], parent: pulumi.Resource
) -> azure.authorization.RoleAssignment:
    """Give an identity a role. Who runs `pulumi` needs the right to do so: Owner, or User Access Administrator.

    Args:
        name: logical name.
        role: id of a built-in role.
        scope: id of what the role holds for.
        principal_id: object id of the identity.
        parent: component that it belongs to.
    """
    known = pulumi.Output.all(scope=scope, principal=principal_id)
    return azure.authorization.RoleAssignment(
        name,
        role_assignment_name=known.apply(lambda it: assignment_name(role, it["scope"], it["principal"])),
        role_definition_id=known.apply(lambda it: role_definition_id(role, it["scope"])),
        scope=scope,
        principal_id=principal_id,
        # Said, because Entra may not know an identity yet that was made a moment ago, and would not look it up then.
        principal_type=azure.authorization.PrincipalType.SERVICE_PRINCIPAL,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def assignment_name(role: str, scope: str, principal_id: str) -> str:
    """Return the name of an assignment, which has to be a GUID: always the same one for the same three things."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope.lower()}/{role}/{principal_id}"))


def role_definition_id(role: str, scope: str) -> str:
    """Return the id of a built-in role as the subscription has it that the scope is in."""
    return f"/subscriptions/{scope.split('/')[2]}/providers/Microsoft.Authorization/roleDefinitions/{role}"
