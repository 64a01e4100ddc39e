"""The simulated Azure: what it takes of our components, what it refuses, and what it replaces."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pulumi  # all of it, before a plugin's module enters a part of it
import pytest

from qhub.config.azure import AzureCluster
from qhub.rehearsal.clouds.azure import CLOUD
from qhub.rehearsal.clouds.azure.credentials import LIST_CREDENTIALS
from qhub.rehearsal.clouds.azure.identity import ACR_PULL
from qhub.rehearsal.clouds.azure.tokens import (
    ACCOUNT,
    ADDRESS,
    CLUSTER,
    FEDERATED,
    GROUP,
    IDENTITY,
    LOCK,
    MAINTENANCE,
    NAT,
    NETWORK,
    POOL,
    RECORD_SET,
    REGISTRY,
    ROLE,
    SHARE,
    SUBNET,
)
from qhub.rehearsal.clouds.definitions import give
from qhub.rehearsal.clouds.operations import problems_of
from qhub.rehearsal.clouds.resource import Call
from qhub.rehearsal.clouds.subject import Refused, Subject
from qhub.rehearsal.clouds.world import Record, World
from tests.graph import clouds_azure as recorded
from tests.unit.clouds.changing import changed

assert pulumi.Output

EVERYTHING = "azure-everything"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def made(world: World) -> World:
    """The account after `pulumi up` of the configuration with everything on."""
    settings = recorded.settings_of(EVERYTHING)
    give(world, "azure-native", settings.cluster, settings.dns)
    for one in recorded.record_configuration(EVERYTHING).resources.values():
        if one.type in CLOUD.by_token:
            inputs = sent_as(one.type, one.inputs)
            added = recorded.OUTPUTS.get(one.type, lambda _: {})(inputs)
            id_ = recorded.resource_id(one.type, one.name)
            put(world, one.type, one.name, {**inputs, **added}, id=id_, inputs=inputs)
    return world


def put(
    world: World,
    token: str,
    called: str,
    outputs: dict[str, Any],
    *,
    id: str = "",
    inputs: dict[str, Any] | None = None,
) -> None:
    record = Record(
        cloud="azure-native",
        type=token,
        id=id or f"{called}-id",
        name=called,
        urn="",
        inputs=outputs if inputs is None else inputs,
        outputs=outputs,
    )
    world.put(record)


def sent_as(token: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """Return inputs with what the provider adds: a made-up name, defaults."""
    kind = CLOUD.by_token[token]
    made_up = {} if kind.autoname is None else {kind.autoname.property: "files1a2b3c4d"}
    return {**made_up, **kind.defaults, **inputs}


def sent(token: str, name: str = "", /, **changes: Any) -> dict[str, Any]:
    """Return what our components send for one type, changed at dotted paths (`__` for the dot)."""
    found = recorded.record_configuration("azure-default" if token == GROUP else EVERYTHING).of_type(token)
    inputs = sent_as(token, next(one for one in found if not name or one.name == name).inputs)
    return changed(inputs, changes)


def own_pool(**changes: Any) -> list[dict[str, Any]]:
    """Return the cluster's own pool as we send it, changed."""
    return [{**sent(CLUSTER)["agentPoolProfiles"][0], **changes}]


def subject(world: World, token: str, inputs: dict[str, Any], **more: Any) -> Subject:
    configuration = {"subscriptionId": recorded.SUBSCRIPTION}
    return Subject(
        cloud="azure-native",
        token=token,
        name="one",
        urn="urn::one",
        inputs=inputs,
        world=world,
        configuration=configuration,
        **more,
    )


def told(rules: Any, one: Subject) -> str:
    return "\n".join(f"{path}: {text}" for path, text in problems_of(rules, one))


class TestWhatWeSend:
    def test_it_takes_all_that_our_components_send(self, world: World) -> None:
        all_sent = [
            (made.type, sent_as(made.type, made.inputs))
            for name in recorded.CONFIGURATIONS
            for made in recorded.record_configuration(name).resources.values()
            if made.type.startswith("azure-native:")
        ]

        assert {token for token, _ in all_sent} == set(CLOUD.by_token)
        for token, inputs in all_sent:
            assert told(CLOUD.by_token[token].checks, subject(world, token, inputs)) == "", token

    def test_it_fits_together_in_the_cloud(self, made: World) -> None:
        for record in made.left():
            one = subject(made, record.type, record.inputs, id=record.id)
            assert told(CLOUD.by_token[record.type].conditions, one) == "", str(record)

    def test_what_the_settings_say_is_there_is_there_and_not_left_over(self, world: World) -> None:
        network = {"subnet_id": recorded.SUBNET, "outbound": "nat-gateway"}
        section = AzureCluster.model_validate(
            {
                "region": "westeurope",
                "resource_group": "team",
                "network": network,
                "subscription_id": recorded.SUBSCRIPTION,
            }
        )
        give(world, "azure-native", section)

        assert {one.type for one in world.records()} == {GROUP, NETWORK, SUBNET, NAT}
        assert world.left() == []


# type, what is changed in what we send, words of the refusal
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (GROUP, {"resourceGroupName": "ends-with."}, "no dot at the end"),
    (GROUP, {"tags": {"a/b": "c"}}, 'tags["a/b"]'),
    (NETWORK, {"addressSpace__addressPrefixes": ["10.20.0.0/30"]}, "between a /8 and a /29"),
    (SUBNET, {"addressPrefix": "10.20.4.1/22"}, "no bits set after the prefix"),
    (SUBNET, {"addressPrefix": None}, "is required"),
    (ADDRESS, {"publicIPAllocationMethod": "Dynamic"}, "must be Static"),
    (NAT, {"location": "swedncentral"}, "swedencentral"),
    (IDENTITY, {"resourceName": "ab"}, "3 to 128"),
    (ROLE, {"roleAssignmentName": "nodes-pull"}, "a GUID"),
    (ROLE, {"roleDefinitionId": ACR_PULL}, "the id of a role definition in a subscription"),
    (LOCK, {"level": "CannotDelete"}, "CanNotDelete"),
    (CLUSTER, {"kubernetesVersion": "1.35.x"}, "a version"),
    (CLUSTER, {"location": "mars"}, "a location of Azure"),
    (CLUSTER, {"agentPoolProfiles": []}, "at least one pool of mode System"),
    (CLUSTER, {"agentPoolProfiles": own_pool, "_": {"name": "system-pool"}}, "agentPoolProfiles[0].name"),
    (CLUSTER, {"agentPoolProfiles": own_pool, "_": {"vmSize": "Standard_D4as_v55"}}, "Standard_D4as_v5"),
    (CLUSTER, {"agentPoolProfiles": own_pool, "_": {"minCount": 0}}, "at least 1 node"),
    (CLUSTER, {"agentPoolProfiles": own_pool, "_": {"scaleSetPriority": "Spot"}}, "cannot have spot nodes"),
    (CLUSTER, {"networkProfile__serviceCidr": "10.64.16.0/20"}, "overlaps podCidr"),
    (CLUSTER, {"networkProfile__serviceCidr": "172.30.0.0/20"}, "AKS keeps to itself"),
    (CLUSTER, {"networkProfile__dnsServiceIP": "10.28.0.1"}, "not its first address"),
    (CLUSTER, {"networkProfile__dnsServiceIP": "10.29.0.10"}, "must be in 10.28.0.0/20"),
    (CLUSTER, {"networkProfile__networkDataplane": "azure"}, "cilium needs networkDataplane cilium"),
    (CLUSTER, {"networkProfile__outboundType": "natGateway"}, "an outbound type"),
    (CLUSTER, {"aadProfile": None}, "disableLocalAccounts: needs aadProfile"),
    (CLUSTER, {"oidcIssuerProfile__enabled": False}, "needs oidcIssuerProfile"),
    (CLUSTER, {"identity__userAssignedIdentities": []}, "is required with type UserAssigned"),
    (CLUSTER, {"apiServerAccessProfile__authorizedIPRanges": ["203.0.113.1/24"]}, "authorizedIPRanges[0]"),
    (CLUSTER, {"sku__tier": "Paid"}, "a tier of AKS"),
    (CLUSTER, {"securityProfile__imageCleaner__intervalHours": 12}, "between 24 and 2160"),
    (MAINTENANCE, {"configName": "sundays"}, "one of AKS' names"),
    (MAINTENANCE, {"maintenanceWindow__durationHours": 3}, "between 4 and 24"),
    (MAINTENANCE, {"maintenanceWindow__schedule__weekly__dayOfWeek": "sunday"}, "Sunday"),
    (POOL, {"agentPoolName": "general-pool"}, "1 to 12 of a-z and 0-9"),
    (POOL, {"minCount": 9}, "more than maxCount (4)"),
    (POOL, {"maxCount": None}, "maxCount: is required with enableAutoScaling"),
    (POOL, {"count": 1}, "between minCount (2) and maxCount (4)"),
    (POOL, {"nodeTaints": ["dear:Never"]}, "key=value:effect"),
    (POOL, {"nodeLabels": {"kubernetes.azure.com/mode": "x"}}, "are AKS' own"),
    (POOL, {"gpuProfile": {"driver": "Install"}}, "Standard_D2s_v5 has no GPU"),
    (POOL, {"spotMaxPrice": -1}, "for scaleSetPriority Spot only"),
    (POOL, {"scaleSetPriority": "Spot"}, "cannot be given for spot nodes"),
    (POOL, {"osDiskSizeGB": 16}, "between 30 and 2048"),
    (REGISTRY, {"registryName": "my-team"}, "letters and digits"),
    (REGISTRY, {"sku__name": "Standard", "zoneRedundancy": "Enabled"}, "needs the Premium SKU"),
    (ACCOUNT, {"accountName": "my-files"}, "3 to 24"),
    (ACCOUNT, {"sku__name": "Standard_LRS"}, "not one that FileStorage takes"),
    (SHARE, {"shareQuota": 50}, "between 100 and 102400"),
    (SHARE, {"shareName": "my--homes"}, "single inner"),
    (SHARE, {"enabledProtocols": "SMB"}, "for NFS shares only"),
    (RECORD_SET, {"recordType": "a"}, "a type of record"),
    (RECORD_SET, {"aRecords": [{"ipv4Address": "hub.elb.example.org"}]}, "no IPv4 address"),
    (RECORD_SET, {"relativeRecordSetName": "hub.team.example.org"}, "leave out the zone"),
    (RECORD_SET, {"relativeRecordSetName": "@", "recordType": "CNAME"}, "zone's own name"),
    (FEDERATED, {"subject": "cert-manager/cert-manager"}, "system:serviceaccount:NAMESPACE:NAME"),
    (FEDERATED, {"audiences": ["https://example.org"]}, "an audience that Azure takes"),
]


@pytest.mark.parametrize(("token", "changes", "words"), REFUSED)
def test_what_azure_would_refuse_is_refused(world: World, token: str, changes: dict[str, Any], words: str) -> None:
    inner = changes.get("_", {})
    values = {key: value(**inner) if callable(value) else value for key, value in changes.items() if key != "_"}
    inputs = sent(token, "pools-general" if token == POOL else "", **values)

    assert words in told(CLOUD.by_token[token].checks, subject(world, token, inputs))


# type, logical name, what is changed in what we send, words of the refusal
MISFITS: list[tuple[str, str, dict[str, Any], str]] = [
    (NETWORK, "", {"resourceGroupName": "elsewhere"}, "resource group 'elsewhere' could not be found"),
    (SUBNET, "", {"addressPrefix": "10.21.0.0/24"}, "is not inside 10.20.0.0/16"),
    (SUBNET, "", {"subnetName": "more", "addressPrefix": "10.20.5.0/24"}, "overlaps 10.20.4.0/22"),
    (SUBNET, "", {"virtualNetworkName": "other"}, "there is no virtual network 'other'"),
    (SUBNET, "", {"natGateway__id": "gone"}, "there is no NatGateway"),
    (NAT, "", {"publicIpAddresses": [{"id": "gone"}]}, "there is no public address 'gone'"),
    (ROLE, "registry-nodes-pull", {"principalId": "aaaaaaaa-bbbb-cccc-dddd-000000000009"}, "PrincipalNotFound"),
    (ROLE, "registry-nodes-pull", {"scope": f"{recorded.GROUP}/providers/x/y/z"}, "there is nothing with the id"),
    (CLUSTER, "", {"agentPoolProfiles": own_pool, "_": {"vnetSubnetID": "gone"}}, "no such subnet"),
    (CLUSTER, "", {"networkProfile__podCidr": "10.20.0.0/16"}, "of the network of its nodes"),
    (CLUSTER, "", {"apiServerAccessProfile__authorizedIPRanges": ["203.0.113.0/24"]}, "they would never get ready"),
    (CLUSTER, "", {"identity__userAssignedIdentities": ["gone"]}, "there is no identity 'gone'"),
    (CLUSTER, "", {"location": "westus"}, "is in swedencentral, the cluster in westus"),
    (POOL, "pools-user", {"resourceName": "other"}, "there is no cluster 'other'"),
    (POOL, "pools-user", {"orchestratorVersion": "1.36"}, "does not go with the control plane's 1.35"),
    (POOL, "pools-user", {"agentPoolName": "system"}, "is a pool of the cluster's own"),
    (POOL, "pools-user", {"vnetSubnetID": recorded.SUBNET}, "in one virtual network"),
    (ACCOUNT, "", {"networkRuleSet__virtualNetworkRules": [{"virtualNetworkResourceId": "gone"}]}, "no subnet 'gone'"),
    (SHARE, "", {"accountName": "other"}, "there is no storage account 'other'"),
    (RECORD_SET, "", {"zoneName": "example.com"}, "zone 'example.com' could not be found"),
    (RECORD_SET, "", {"resourceGroupName": "elsewhere"}, "resource group 'elsewhere' could not be found"),
    (FEDERATED, "", {"issuer": "https://elsewhere.example.org/"}, "is the issuer of no cluster"),
    (FEDERATED, "", {"resourceName": "other"}, "there is no identity 'other'"),
    (ROLE, "dns-solver-writes", {"scope": f"{recorded.GROUP}/providers/a/b/c"}, "there is nothing with the id"),
]  # fmt: skip


@pytest.mark.parametrize(("token", "name", "changes", "words"), MISFITS)
def test_what_does_not_fit_the_account(made: World, token: str, name: str, changes: dict[str, Any], words: str) -> None:
    inner = changes.get("_", {})
    values = {key: value(**inner) if callable(value) else value for key, value in changes.items() if key != "_"}
    one = subject(made, token, sent(token, name, **values))

    assert words in told(CLOUD.by_token[token].conditions, one)


class TestOrder:
    def test_the_identity_has_its_right_before_the_cluster_comes(self, made: World) -> None:
        made.remove("azure-native", ROLE, recorded.resource_id(ROLE, "cluster-uses-subnet"))
        found = told(CLOUD.by_token[CLUSTER].conditions, subject(made, CLUSTER, sent(CLUSTER)))

        assert "has no right to join nodes to subnet" in found

    def test_nodes_have_a_way_out_before_the_cluster_comes(self, made: World) -> None:
        subnet = made.get("azure-native", SUBNET, recorded.resource_id(SUBNET, "network-nodes"))
        assert subnet is not None
        put(made, SUBNET, "network-nodes", {**subnet.outputs, "natGateway": None}, id=subnet.id)
        found = told(CLOUD.by_token[CLUSTER].conditions, subject(made, CLUSTER, sent(CLUSTER)))

        assert "has no NAT gateway" in found

    def test_a_share_can_be_mounted_before_it_is_made(self, made: World) -> None:
        account = sent(ACCOUNT, enableHttpsTrafficOnly=True, networkRuleSet__defaultAction="Allow")
        put(made, ACCOUNT, "files", {**account, "name": "files1a2b3c4d"}, id=recorded.resource_id(ACCOUNT, "files"))
        found = told(CLOUD.by_token[SHARE].conditions, subject(made, SHARE, sent(SHARE)))

        assert "takes HTTPS only" in found
        assert "cannot be reached from the internet" in found

    def test_a_subnet_lets_storage_in_before_an_account_wants_it(self, made: World) -> None:
        subnet = made.get("azure-native", SUBNET, recorded.resource_id(SUBNET, "network-nodes"))
        assert subnet is not None
        put(made, SUBNET, "network-nodes", {**subnet.outputs, "serviceEndpoints": []}, id=subnet.id)

        assert "no service endpoint" in told(CLOUD.by_token[ACCOUNT].conditions, subject(made, ACCOUNT, sent(ACCOUNT)))


class TestChange:
    @staticmethod
    def replaced(world: World, token: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
        one = subject(world, token, after, old_inputs=before)
        return [path for path in CLOUD.by_token[token].replaced_by if one.changed(path)]

    def test_a_cluster_is_not_replaced_for_what_can_be_changed(self, world: World) -> None:
        after = sent(CLUSTER, kubernetesVersion="1.36", sku__tier="Free", tags={}, apiServerAccessProfile=None)

        assert self.replaced(world, CLUSTER, sent(CLUSTER), after) == []
        assert told(CLOUD.by_token[CLUSTER].checks, subject(world, CLUSTER, after, old_inputs=sent(CLUSTER))) == ""
        other = sent(CLUSTER, networkProfile__podCidr="10.80.0.0/12")
        assert self.replaced(world, CLUSTER, sent(CLUSTER), other) == ["networkProfile.podCidr"]

    @pytest.mark.parametrize(("version", "words"), [("1.34", "downgrades"), ("1.37", "cannot be skipped")])
    def test_a_version_goes_up_one_by_one(self, world: World, version: str, words: str) -> None:
        one = subject(world, CLUSTER, sent(CLUSTER, kubernetesVersion=version), old_inputs=sent(CLUSTER))

        assert words in told(CLOUD.by_token[CLUSTER].checks, one)

    def test_pools_do_not_come_into_a_cluster_by_its_list(self, world: World) -> None:
        after = sent(CLUSTER, agentPoolProfiles=[*own_pool(), *own_pool(name="more")])

        assert "a new agent pool was introduced" in told(
            CLOUD.by_token[CLUSTER].checks, subject(world, CLUSTER, after, old_inputs=sent(CLUSTER))
        )

    @pytest.mark.parametrize("change", [{"osDiskSizeGB": 200}, {"availabilityZones": ["1"]}, {"vnetSubnetID": "other"}])
    def test_what_is_fixed_needs_another_pool(self, world: World, change: dict[str, Any]) -> None:
        before = sent(POOL, "pools-user")
        refused, renamed = {**before, **change}, {**before, **change, "agentPoolName": "user00000"}

        for after, words in ((refused, "PropertyChangeNotAllowed"), (renamed, "")):
            found = told(CLOUD.by_token[POOL].checks, subject(world, POOL, after, old_inputs=before))
            assert words in found
            assert bool(words) == bool(found)
        assert self.replaced(world, POOL, before, renamed) == ["agentPoolName"]

    def test_limits_labels_and_taints_are_updates_of_a_pool(self, world: World) -> None:
        before = sent(POOL, "pools-user")
        after = {**before, "minCount": 1, "maxCount": 20, "nodeLabels": {}, "nodeTaints": []}

        assert self.replaced(world, POOL, before, after) == []
        assert told(CLOUD.by_token[POOL].checks, subject(world, POOL, after, old_inputs=before)) == ""

    def test_a_share_grows_in_place(self, world: World) -> None:
        assert self.replaced(world, SHARE, sent(SHARE), sent(SHARE, shareQuota=2048)) == []
        assert self.replaced(world, SHARE, sent(SHARE), sent(SHARE, enabledProtocols="SMB")) == ["enabledProtocols"]

    def test_the_copies_of_an_account_stay(self, world: World) -> None:
        one = subject(world, ACCOUNT, sent(ACCOUNT, sku__name="Premium_LRS"), old_inputs=sent(ACCOUNT))

        assert "Premium_ZRS stays" in told(CLOUD.by_token[ACCOUNT].checks, one)


class TestDeletion:
    @pytest.mark.parametrize(
        ("token", "name", "words"),
        [
            (NETWORK, "network-network", "still uses it"),
            (SUBNET, "network-nodes", "still uses it"),
            (NAT, "network-nat", "still uses it"),
            (ADDRESS, "network-egress", "still uses it"),
            (ACCOUNT, "files", "ScopeLocked"),
        ],
    )
    def test_what_is_in_use_or_locked_stays(self, made: World, token: str, name: str, words: str) -> None:
        record = made.get("azure-native", token, recorded.resource_id(token, name))
        assert record is not None
        one = subject(made, token, record.inputs, id=record.id, state=record.outputs)

        assert words in told(CLOUD.by_token[token].before_delete, one)

    def test_a_lock_on_the_homes_keeps_their_share_and_their_group(self, world: World) -> None:
        group = f"/subscriptions/{recorded.SUBSCRIPTION}/resourceGroups/team"
        account = f"{group}/providers/Microsoft.Storage/storageAccounts/files"
        put(world, LOCK, "lock", {"lockName": "qhub-homes", "scope": account})

        for token, id_ in ((GROUP, group), (ACCOUNT, account), (SHARE, f"{account}/fileServices/default/shares/home")):
            assert "qhub-homes" in told(CLOUD.by_token[token].before_delete, subject(world, token, {}, id=id_))
        other = subject(world, ACCOUNT, {}, id=f"{account}2")
        assert told(CLOUD.by_token[ACCOUNT].before_delete, other) == ""

    def test_a_group_takes_all_that_is_in_it_along(self, world: World) -> None:
        group = f"/subscriptions/{recorded.SUBSCRIPTION}/resourceGroups/team"
        put(world, ACCOUNT, "inside", {}, id=f"{group}/providers/Microsoft.Storage/storageAccounts/files")
        put(world, ACCOUNT, "outside", {}, id=f"{group}2/providers/Microsoft.Storage/storageAccounts/files")
        after_delete = CLOUD.by_token[GROUP].after_delete
        assert after_delete is not None

        after_delete(subject(world, GROUP, {}, id=group))

        assert [record.name for record in world.records()] == ["outside"]


class TestCredentials:
    @staticmethod
    def ask(world: World, name: str) -> dict[str, Any]:
        call = Call(
            arguments={"resourceGroupName": "data-science", "resourceName": name},
            configuration={"subscriptionId": recorded.SUBSCRIPTION},
            subject=subject(world, CLUSTER, {}),
        )
        (handed_out,) = CLOUD.functions[LIST_CREDENTIALS](call)["kubeconfigs"]
        return json.loads(base64.b64decode(handed_out["value"]))

    def test_with_entra_no_key_is_handed_out(self, world: World) -> None:
        id_ = f"/subscriptions/{recorded.SUBSCRIPTION}/resourceGroups/data-science/providers/x/team"
        server = {"server": "https://127.0.0.1:6443", "certificate-authority-data": recorded.AUTHORITY}
        world.put(
            Record(
                cloud="azure-native",
                type=CLUSTER,
                id=id_,
                name="cluster-aks",
                urn="",
                inputs={},
                outputs={"name": "team", "location": "swedencentral", "aadProfile": {"managed": True}},
                notes={"api server": server},
            )
        )
        kubeconfig = self.ask(world, "team")

        assert kubeconfig["clusters"][0]["cluster"] == server
        assert kubeconfig["users"][0]["user"].keys() == {"exec"}

    def test_a_cluster_that_is_not_there_is_told(self, world: World) -> None:
        with pytest.raises(Refused, match="there is no cluster 'gone' in resource group 'data-science'"):
            self.ask(world, "gone")
