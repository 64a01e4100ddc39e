"""The simulated Google Cloud: what it takes of our components, what it refuses, and what it replaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi  # all of it, before a plugin's module enters a part of it
import pytest

from qhub.rehearsal.clouds.definitions import give
from qhub.rehearsal.clouds.gcp import CLOUD
from qhub.rehearsal.clouds.gcp.tokens import (
    ACCOUNT,
    ACCOUNT_ROLE,
    CLUSTER,
    FILESTORE,
    NAT,
    NETWORK,
    NODE_POOL,
    RECORD_SET,
    REPOSITORY,
    SERVICE,
    SUBNETWORK,
    ZONE_ROLE,
)
from qhub.rehearsal.clouds.gcp.trust import distrust, trust, trusted_file
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import Record, World
from tests.graph.clouds_gcp import settings_of
from tests.unit.clouds.changing import changed

assert pulumi.Output

CONFIGURATION = {"project": "my-team-1234", "region": "europe-west1"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def subject(world: World, token: str, inputs: dict[str, Any], **more: Any) -> Subject:
    one = Subject(cloud="gcp", token=token, name="one", urn="urn::one", inputs=inputs, world=world, **more)
    one.configuration = CONFIGURATION
    return one


def refusals(world: World, token: str, inputs: dict[str, Any], **more: Any) -> list[str]:
    """Return what is told about inputs before anything in the cloud is looked at."""
    one = subject(world, token, inputs, **more)
    return [f"{path}: {text}" for check in CLOUD.by_token[token].checks for path, text in check(one)]


def problems_there(world: World, token: str, inputs: dict[str, Any], **more: Any) -> list[str]:
    """Return what is told with the cloud in view."""
    one = subject(world, token, inputs, **more)
    return [f"{path}: {text}" for check in CLOUD.by_token[token].conditions for path, text in check(one)]


def given(world: World, token: str, called: str, /, **outputs: Any) -> None:
    record = Record(cloud="gcp", type=token, id=f"{called}-id", name=called, urn=f"urn::{called}", inputs=outputs)
    world.put(record)


def recorded() -> list[tuple[str, dict[str, Any]]]:
    """Return (type, inputs) of everything that our components send, in all configurations."""
    from tests.graph.clouds_gcp import CONFIGURATIONS, record_configuration

    return [
        (made.type, made.inputs)
        for name in CONFIGURATIONS
        for made in record_configuration(name).resources.values()
        if made.type.startswith("gcp:")
    ]


def sent(token: str, **changes: Any) -> dict[str, Any]:
    """Return what our components send for one type by default, changed at dotted paths (`__` for the dot)."""
    from tests.graph.clouds_gcp import record_configuration

    made = record_configuration("gcp-everything").of_type(token)
    inputs = min(made, key=lambda one: (one.name != "pools-general", one.name)).inputs
    return changed(inputs, changes)


def test_it_takes_all_that_our_components_send(world: World) -> None:
    sent_by_us = recorded()

    assert {token for token, _ in sent_by_us} == set(CLOUD.by_token)
    for token, inputs in sent_by_us:
        assert refusals(world, token, inputs) == [], token


# type, what is changed in what we send, words of the refusal
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (SERVICE, {"service": "container"}, "compute.googleapis.com"),
    (ACCOUNT, {"accountId": "a"}, "6 to 30"),
    (NETWORK, {"name": "Team"}, "a letter first"),
    (SUBNETWORK, {"ipCidrRange": "10.20.0.0/30"}, "between a /4 and a /29"),
    (SUBNETWORK, {"ipCidrRange": "10.24.0.0/14"}, "overlaps 10.24.0.0/14 of ipCidrRange"),
    (SUBNETWORK, {"region": "us-centrl1"}, "us-central1"),
    (NAT, {"enableEndpointIndependentMapping": True}, "must be false"),
    (NAT, {"minPortsPerVm": 100}, "power of 2"),
    (CLUSTER, {"name": "a" * 41}, "1 to 40"),
    (CLUSTER, {"nodeLocations": ["europe-west4-a"]}, "not in us-central1"),
    (CLUSTER, {"initialNodeCount": 0}, "at least 1"),
    (CLUSTER, {"workloadIdentityConfig__workloadPool": "other.svc.id.goog"}, "my-team-1234.svc.id.goog"),
    (CLUSTER, {"minMasterVersion": "v1.34"}, "1.34.1-gke.1"),
    (CLUSTER, {"releaseChannel__channel": "REGULR"}, "REGULAR"),
    (CLUSTER, {"resourceLabels": {"Team": "a"}}, "a-z first"),
    (CLUSTER, {"maintenancePolicy__dailyMaintenanceWindow__startTime": "2am"}, "time of day"),
    (CLUSTER, {"clusterAutoscaling__enabled": True}, "resourceLimits"),
    (NODE_POOL, {"autoscaling__maxNodeCount": 3}, "cannot be used together"),
    (NODE_POOL, {"autoscaling__totalMinNodeCount": 99}, "more than totalMaxNodeCount"),
    (NODE_POOL, {"nodeCount": 1}, "together with autoscaling"),
    (NODE_POOL, {"nodeConfig__machineType": "e2-standrd-2"}, "e2-standard-2"),
    (NODE_POOL, {"nodeConfig__machineType": "c4a-standard-4"}, "not compatible"),
    (NODE_POOL, {"nodeConfig__taints": [{"key": "a", "value": "", "effect": "NoSchedule"}]}, "Google's spelling"),
    (NODE_POOL, {"nodeConfig__taints": [{"key": "a", "effect": "NO_EXECUTE"}] * 2}, "two taints"),
    (NODE_POOL, {"nodeConfig__guestAccelerators": [{"type": "nvidia-l4", "count": 1}]}, "takes no GPUs"),
    (NODE_POOL, {"upgradeSettings__maxSurge": 0}, "1 to 20 together"),
    (REPOSITORY, {"format": "docker"}, "DOCKER"),
    (
        REPOSITORY,
        {"cleanupPolicies": [{"id": "a", "action": "DELETE", "mostRecentVersions": {"keepCount": 1}}]},
        "action KEEP",
    ),
    (FILESTORE, {"fileShares__capacityGb": 100}, "between 1024 and 102400 for tier REGIONAL"),
    (FILESTORE, {"tier": "ZONAL"}, "must be a zone"),
    (FILESTORE, {"tier": "BASIC_HDD", "location": "us-central1-a"}, "NFS_V4_1 is not there"),
    (FILESTORE, {"fileShares__name": "home-folders"}, "1 to 16"),
    (RECORD_SET, {"name": "hub.team.example.org"}, "a dot at its end"),
    (RECORD_SET, {"rrdatas": ["hub.elb.example.org"]}, "no IPv4 address"),
    (ZONE_ROLE, {"role": "dns.admin"}, "roles/NAME"),
    (ACCOUNT_ROLE, {"serviceAccountId": "team-dns@my-team-1234.iam.gserviceaccount.com"}, "the whole name"),
]


@pytest.mark.parametrize(("token", "changes", "words"), REFUSED)
def test_what_google_would_refuse_is_refused(world: World, token: str, changes: dict[str, Any], words: str) -> None:
    assert words in "\n".join(refusals(world, token, sent(token, **changes)))


class TestWithTheCloudInView:
    def test_nothing_is_made_before_its_service_is_on(self, world: World) -> None:
        [told] = problems_there(world, NETWORK, sent(NETWORK))
        given(world, SERVICE, "compute", service="compute.googleapis.com")

        assert "enable it first" in told
        assert problems_there(world, NETWORK, sent(NETWORK)) == []

    def test_a_cluster_needs_the_ranges_of_its_subnetwork(self, world: World) -> None:
        for token, name, outputs in (
            (SERVICE, "container", {"service": "container.googleapis.com"}),
            (NETWORK, "net", {"name": "team"}),
            (ACCOUNT, "nodes", {"email": "team-nodes@my-team-1234.iam.gserviceaccount.com"}),
            (
                SUBNETWORK,
                "sub",
                {
                    "name": "team",
                    "region": "us-central1",
                    "secondaryIpRanges": [{"rangeName": "pods", "ipCidrRange": "10.24.0.0/14"}],
                },
            ),
        ):
            given(world, token, name, **outputs)

        [told] = problems_there(world, CLUSTER, sent(CLUSTER))
        assert "has no secondary range 'services'" in told

    def test_a_record_is_in_its_zone(self, world: World) -> None:
        [gone] = problems_there(world, RECORD_SET, sent(RECORD_SET))
        settings = settings_of("gcp-everything")
        give(world, "gcp", settings.cluster, settings.dns)

        assert "no managed zone 'example-org' in project names-1234" in gone
        assert problems_there(world, RECORD_SET, sent(RECORD_SET)) == []
        [outside] = problems_there(world, RECORD_SET, sent(RECORD_SET, name="hub.example.com."))
        assert "hub.example.com. is not in zone example.org." in outside
        assert world.left() == []

    def test_a_pod_can_be_somebody_once_there_is_a_cluster(self, world: World) -> None:
        member = sent(ACCOUNT_ROLE)["serviceAccountId"]
        given(world, ACCOUNT, "solver", name=member)
        [told] = problems_there(world, ACCOUNT_ROLE, sent(ACCOUNT_ROLE))
        given(world, CLUSTER, "gke", workloadIdentityConfig={"workloadPool": "my-team-1234.svc.id.goog"})

        assert "Identity Pool does not exist (my-team-1234.svc.id.goog)" in told
        assert problems_there(world, ACCOUNT_ROLE, sent(ACCOUNT_ROLE)) == []

    def test_a_range_that_a_cluster_uses_stays(self, world: World) -> None:
        given(world, NETWORK, "network-vpc")
        given(world, CLUSTER, "gke", subnetwork="team", ipAllocationPolicy={"clusterSecondaryRangeName": "pods"})
        before = sent(SUBNETWORK)
        after = {**before, "secondaryIpRanges": before["secondaryIpRanges"][1:]}

        assert "cannot change" in "\n".join(problems_there(world, SUBNETWORK, after, old_inputs=before))

    def test_a_pool_is_upgraded_by_google_where_there_is_a_channel(self, world: World) -> None:
        given(world, CLUSTER, "gke", name="team", location="us-central1", releaseChannel={"channel": "REGULAR"})
        given(world, ACCOUNT, "nodes", email="team-nodes@my-team-1234.iam.gserviceaccount.com")

        assert problems_there(world, NODE_POOL, sent(NODE_POOL)) == []
        [told] = problems_there(world, NODE_POOL, sent(NODE_POOL, management__autoUpgrade=False))
        assert "management.autoUpgrade" in told

    @pytest.mark.parametrize(
        ("token", "key"), [(CLUSTER, "deletionProtection"), (FILESTORE, "deletionProtectionEnabled")]
    )
    def test_what_is_protected_is_not_deleted(self, world: World, token: str, key: str) -> None:
        def reasons(protect: bool) -> list[str]:
            one = subject(world, token, sent(token, **{key: protect}))
            return [text for check in CLOUD.by_token[token].before_delete for _, text in check(one)]

        assert len(reasons(True)) == 1
        assert reasons(False) == []

    def test_a_network_that_another_project_shares_goes_by_its_path(self, world: World) -> None:
        given(world, SERVICE, "file", service="file.googleapis.com")
        given(world, NETWORK, "net", name="offices")
        networks = sent(FILESTORE)["networks"]

        def told(network: str) -> list[str]:
            return problems_there(world, FILESTORE, sent(FILESTORE, networks=[{**networks[0], "network": network}]))

        assert told("projects/host-project/global/networks/offices") == told("offices") == []
        assert "there is no Network 'homes'" in "\n".join(told("homes"))

    def test_a_cluster_that_never_started_can_be_deleted(self, world: World) -> None:
        after_delete = CLOUD.by_token[CLUSTER].after_delete
        assert after_delete is not None

        after_delete(subject(world, CLUSTER, sent(CLUSTER)))


class TestReplacement:
    @staticmethod
    def replaced(world: World, token: str, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
        kind = CLOUD.by_token[token]
        one = subject(world, token, after, old_inputs=before)
        extra = list(kind.replaces(one)) if kind.replaces else []
        return [path for path in kind.replaced_by if one.changed(path)] + extra

    def test_a_wider_subnetwork_is_an_update_and_a_narrower_one_another(self, world: World) -> None:
        before = sent(SUBNETWORK)

        assert self.replaced(world, SUBNETWORK, before, {**before, "ipCidrRange": "10.20.0.0/20"}) == []
        assert self.replaced(world, SUBNETWORK, before, {**before, "ipCidrRange": "10.20.0.0/24"}) == ["ipCidrRange"]

    def test_zones_version_and_access_are_updates_of_the_cluster(self, world: World) -> None:
        before = sent(CLUSTER)
        after = sent(
            CLUSTER,
            nodeLocations=["us-central1-a"],
            minMasterVersion="1.36",
            masterAuthorizedNetworksConfig__cidrBlocks=[],
            resourceLabels={},
            deletionProtection=False,
        )

        assert self.replaced(world, CLUSTER, before, after) == []
        assert self.replaced(world, CLUSTER, before, sent(CLUSTER, network="other")) == ["network"]

    def test_another_machine_is_an_update_of_the_pool_and_spot_is_another_pool(self, world: World) -> None:
        before = sent(NODE_POOL)
        another = sent(NODE_POOL, nodeConfig__machineType="e2-standard-8", nodeConfig__labels={}, nodeConfig__taints=[])

        assert self.replaced(world, NODE_POOL, before, another) == []
        assert self.replaced(world, NODE_POOL, before, sent(NODE_POOL, nodeConfig__spot=True)) == ["nodeConfig.spot"]

    def test_a_file_system_grows_in_place(self, world: World) -> None:
        before = sent(FILESTORE)

        assert self.replaced(world, FILESTORE, before, sent(FILESTORE, fileShares__capacityGb=4096)) == []
        assert self.replaced(world, FILESTORE, before, sent(FILESTORE, tier="ZONAL")) == ["tier"]


class TestTrust:
    #: base64 of two texts that stand for certificates.
    ONE, OTHER = "LS0tb25lLS0tCg==", "LS0tb3RoZXItLS0K"

    def test_every_authority_is_there_once_until_it_goes(self, tmp_path: Path) -> None:
        for certificate in (self.ONE, self.OTHER, self.ONE):
            trust(tmp_path, certificate)
        assert trusted_file(tmp_path).read_text() == "---one---\n---other---\n"

        distrust(tmp_path, self.ONE)
        assert trusted_file(tmp_path).read_text() == "---other---\n"

    def test_one_that_was_never_there_can_go(self, tmp_path: Path) -> None:
        distrust(tmp_path, self.ONE)

        assert not trusted_file(tmp_path).exists()
