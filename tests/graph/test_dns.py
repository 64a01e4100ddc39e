"""The record of the hub's name, and who may write into its zone, wherever that is managed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.graph.clouds_aws import LOAD_BALANCER
from tests.graph.clouds_azure import CLIENT, ISSUER
from tests.graph.configurations import DNS_01, SECRETS
from tests.graph.matrix import MATRIX
from tests.graph.recorder import Recording, Registered

ADDRESS = "127.0.0.7"
SERVICE_ACCOUNT = "cert-manager"
RELEASE, SECRET = "kubernetes:helm.sh/v3:Release", "kubernetes:core/v1:Secret"

#: Configuration -> type of the record and what it says.
RECORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "aws-everything": (
        "aws:route53/record:Record",
        {
            "name": "hub.team.example.org",
            "type": "A",
            "aliases": [{"name": LOAD_BALANCER, "zoneId": "Z3F0SRJ5LGBH90", "evaluateTargetHealth": False}],
        },
    ),
    "gcp-everything": (
        "gcp:dns/recordSet:RecordSet",
        {"name": "hub.team.example.org.", "type": "A", "rrdatas": [ADDRESS], "project": "names-1234"},
    ),
    # The zone's own name.
    "digitalocean-everything": (
        "digitalocean:index/dnsRecord:DnsRecord",
        {"domain": "hub.team.example.org", "name": "@", "type": "A", "value": ADDRESS},
    ),
    "azure-everything": (
        "azure-native:dns:RecordSet",
        {"relativeRecordSetName": "hub.team", "recordType": "A", "aRecords": [{"ipv4Address": ADDRESS}]},
    ),
    "cloudflare": (
        "cloudflare:index/dnsRecord:DnsRecord",
        {"name": "hub.team.example.org", "type": "A", "content": ADDRESS, "proxied": False},
    ),
}
#: Configuration -> types of what lets cert-manager write into the zone.
ACCESS = {
    "aws-everything": {"aws:iam/rolePolicy:RolePolicy", "aws:eks/podIdentityAssociation:PodIdentityAssociation"},
    "gcp-everything": {
        "gcp:serviceaccount/iAMMember:IAMMember",
        "gcp:dns/dnsManagedZoneIamMember:DnsManagedZoneIamMember",
    },
    "azure-everything": {
        "azure-native:managedidentity:FederatedIdentityCredential",
        "azure-native:authorization:RoleAssignment",
    },
}
WITH_TOKEN = sorted(RECORDS.keys() - ACCESS.keys())


def record(name: str, **changes: Any) -> Recording:
    return MATRIX[name].record_configuration(name, **changes)


def access(recording: Recording) -> Iterator[Registered]:
    """Yield what belongs to the zone, but for the record."""
    yield from (made for made in recording.resources.values() if made.custom and made.parent.endswith(":Dns::dns"))


def solver(recording: Recording) -> dict[str, Any]:
    (only,) = recording.one("kubernetes:cert-manager.io/v1:ClusterIssuer").inputs["spec"]["acme"]["solvers"]
    return only


@pytest.mark.parametrize("name", RECORDS)
class TestTheRecord:
    def test_leads_to_the_load_balancer_and_goes_before_it(self, name: str) -> None:
        token, says = RECORDS[name]
        recording = record(name)
        made = recording.one(token)

        assert {key: made.inputs[key] for key in says} == says
        assert [urn.rpartition("::")[2] for urn in made.dependencies] == ["qhub-ingress-load-balancer"]
        assert "has to lead to" not in recording.outputs["login_hint"]

    def test_is_left_to_people_where_they_say_so(self, name: str) -> None:
        dns = {**MATRIX[name].CONFIGURATIONS[name]["dns"], "record": False}
        recording = record(name, dns=dns)

        assert recording.of_type(RECORDS[name][0]) == []
        assert "has to lead to" in recording.outputs["login_hint"]
        assert "dns01" in solver(recording)

    def test_does_without_rights_for_cert_manager_by_http01(self, name: str) -> None:
        dns = dict(MATRIX[name].CONFIGURATIONS[name]["dns"])
        if name == "digitalocean-everything":
            del dns["token"]
        recording = record(name, certificates={**DNS_01, "challenge": "http01"}, dns=dns)

        assert list(access(recording)) == []
        assert "http01" in solver(recording)
        assert [made for made in recording.of_type(SECRET) if made.name.endswith("dns-token")] == []
        assert recording.one(RECORDS[name][0])


@pytest.mark.parametrize("name", ACCESS)
def test_a_pod_of_cert_managers_has_its_rights_when_it_starts(name: str) -> None:
    recording = record(name)
    release = recording.one(RELEASE, "qhub-cert-manager")
    before, todo = set[str](), list(release.dependencies)
    while todo:
        urn = todo.pop()
        before.add(urn)
        todo.extend(recording.resources[urn].dependencies)

    rights = [made for made in access(recording) if made.type in ACCESS[name]]
    assert {made.type for made in rights} == ACCESS[name]
    assert {made.urn for made in rights} <= before
    assert release.inputs["namespace"] == release.inputs["name"] == SERVICE_ACCOUNT


class TestWhoWrites:
    """Each cloud has its own way to say `cert-manager in cert-manager`."""

    def test_on_aws(self) -> None:
        recording = record("aws-everything")
        association = recording.one("aws:eks/podIdentityAssociation:PodIdentityAssociation", "dns").inputs

        assert (association["namespace"], association["serviceAccount"]) == (SERVICE_ACCOUNT, SERVICE_ACCOUNT)
        assert solver(recording) == {"dns01": {"route53": {"region": "eu-central-1", "hostedZoneID": "Z0A1B2C3D4"}}}

    def test_on_google_cloud(self) -> None:
        recording = record("gcp-everything")
        email = "team-dns@my-team-1234.iam.gserviceaccount.com"
        acts = recording.one("gcp:serviceaccount/iAMMember:IAMMember").inputs
        values = recording.one(RELEASE, "qhub-cert-manager").inputs["values"]

        assert acts["member"] == f"serviceAccount:my-team-1234.svc.id.goog[{SERVICE_ACCOUNT}/{SERVICE_ACCOUNT}]"
        assert acts["serviceAccountId"].endswith(email)
        assert values["serviceAccount"]["annotations"] == {"iam.gke.io/gcp-service-account": email}
        assert solver(recording) == {"dns01": {"cloudDNS": {"project": "names-1234", "hostedZoneName": "example-org"}}}

    def test_on_azure(self) -> None:
        recording = record("azure-everything")
        trusted = recording.one("azure-native:managedidentity:FederatedIdentityCredential").inputs
        azure_dns = solver(recording)["dns01"]["azureDNS"]

        assert trusted["subject"] == f"system:serviceaccount:{SERVICE_ACCOUNT}:{SERVICE_ACCOUNT}"
        assert trusted["issuer"] == ISSUER
        assert azure_dns["managedIdentity"] == {"clientID": CLIENT}
        assert recording.one("azure-native:authorization:RoleAssignment", "dns-solver-writes").inputs["scope"] == (
            f"/subscriptions/{azure_dns['subscriptionID']}/resourceGroups/{azure_dns['resourceGroupName']}"
            f"/providers/Microsoft.Network/dnszones/{azure_dns['hostedZoneName']}"
        )

    @pytest.mark.parametrize("name", WITH_TOKEN)
    def test_elsewhere_by_a_token(self, name: str) -> None:
        recording = record(name)
        secret = recording.one(SECRET, "qhub-cert-manager-dns-token").inputs
        ((_, by_token),) = solver(recording)["dns01"].items()
        (reference,) = by_token.values()

        assert secret["metadata"] == {"name": reference["name"], "namespace": SERVICE_ACCOUNT}
        assert secret["stringData"]["value"] == {reference["key"]: SECRETS["dns_token"]}
