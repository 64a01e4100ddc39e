"""The pure parts of a cluster on Google Cloud."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.clouds.gcp.cluster import addons, kubeconfig
from qhub.clouds.gcp.file_system import connect_mode, gibibytes
from qhub.clouds.gcp.naming import account_id, all_labels
from qhub.clouds.gcp.node_pools import first_nodes, node_config, upgrade_settings
from qhub.config.cloud import CloudNodePool
from qhub.config.gcp import GcpCluster

GCP = {"provider": "gcp", "project": "my-team-1234", "region": "europe-west1"}
ACCOUNT = "nodes@my-team-1234.iam.gserviceaccount.com"
#: iam.googleapis.com v1, `CreateServiceAccountRequest.accountId`.
ACCOUNT_ID = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])")


class TestNames:
    def test_a_short_name_is_kept(self) -> None:
        assert account_id("qhub-prod", "nodes") == "qhub-prod-nodes"

    def test_long_names_that_begin_alike_stay_apart(self) -> None:
        one, other = (account_id(f"data-science-platform-{end}", "nodes") for end in ("one", "other"))

        assert one != other
        assert one.startswith("data-science-plat-")

    @given(st.from_regex(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True))
    def test_every_cluster_name_gives_an_account_id(self, name: str) -> None:
        made = account_id(name, "nodes")

        assert 6 <= len(made) <= 30
        assert ACCOUNT_ID.fullmatch(made)

    def test_labels_say_whose_it_is_and_the_settings_win(self) -> None:
        section = GcpCluster.model_validate({**GCP, "name": "qhub", "tags": {"team": "a", "qhub-stack": "mine"}})

        assert all_labels(section, stack="Prod.EU") == {"qhub-cluster": "qhub", "qhub-stack": "mine", "team": "a"}
        assert all_labels(section.model_copy(update={"tags": {}}), stack="Prod.EU")["qhub-stack"] == "prod-eu"


class TestKubeconfig:
    def test_the_same_every_time_and_without_credentials(self) -> None:
        text = kubeconfig("qhub", address="203.0.113.9", certificate="YQ==")
        known = json.loads(text)

        assert text == json.dumps(known, sort_keys=True)
        assert known["clusters"][0]["cluster"] == {
            "server": "https://203.0.113.9",
            "certificate-authority-data": "YQ==",
        }
        assert list(known["users"][0]["user"]) == ["exec"]

    def test_a_name_brings_no_certificate(self) -> None:
        known = json.loads(kubeconfig("qhub", address="gke-1.europe-west1.gke.goog"))

        assert known["clusters"][0]["cluster"] == {"server": "https://gke-1.europe-west1.gke.goog"}


class TestNodes:
    @staticmethod
    def section(**pool: object) -> GcpCluster:
        return GcpCluster.model_validate({**GCP, "node_pools": {"other": {"max": 2, **pool}}})

    def test_a_pod_never_gets_the_identity_of_its_node(self) -> None:
        made = node_config(self.section(instance_type="e2-standard-4"), "other", labels={}, account=ACCOUNT)

        assert made.get("workload_metadata_config") == {"mode": "GKE_METADATA"}
        assert made.get("service_account") == ACCOUNT
        assert "guest_accelerators" not in made

    @pytest.mark.parametrize(
        ("effect", "word"),
        [("NoSchedule", "NO_SCHEDULE"), ("PreferNoSchedule", "PREFER_NO_SCHEDULE"), ("NoExecute", "NO_EXECUTE")],
    )
    def test_effects_are_in_googles_spelling(self, effect: str, word: str) -> None:
        section = self.section(instance_type="e2-standard-4", taints=[{"key": "a", "value": "b", "effect": effect}])
        made = node_config(section, "other", labels={}, account=ACCOUNT)

        assert made.get("taints") == [
            {"key": "a", "value": "b", "effect": word},
            {"key": "qhub.dev/pool", "value": "other", "effect": "NO_SCHEDULE"},
        ]

    @pytest.mark.parametrize(
        ("pool", "secure"),
        [
            ({"instance_type": "e2-standard-4"}, True),
            ({"instance_type": "t2a-standard-4"}, False),
            ({"instance_type": "g2-standard-4", "gpu": {}}, False),
        ],
    )
    def test_secure_boot_is_on_where_nothing_speaks_against_it(self, pool: dict[str, object], secure: bool) -> None:
        made = node_config(self.section(**pool), "other", labels={}, account=ACCOUNT)

        assert made.get("shielded_instance_config") == {
            "enable_secure_boot": secure,
            "enable_integrity_monitoring": True,
        }

    def test_a_disk_is_rounded_up_to_what_can_be_bought(self) -> None:
        section = self.section(instance_type="e2-standard-4", disk_size="100G")
        made = node_config(section, "other", labels={}, account=ACCOUNT)

        assert made.get("disk_size_gb") == 94

    @pytest.mark.parametrize(
        ("pool", "zones", "first"),
        [
            ({"min": 0, "max": 4}, 1, None),
            ({"min": 1, "max": 4}, 1, 1),
            ({"min": 2, "max": 4}, 3, 1),
            ({"min": 4, "max": 6}, 3, 2),
            ({"min": 2, "max": 2}, 3, None),
            ({"min": 1, "max": 4, "gpu": {"count": 1}}, 3, None),
            ({"min": 3, "max": 4, "gpu": {"count": 1}}, 3, 1),
        ],
    )
    def test_a_pool_begins_with_its_min(self, pool: dict[str, Any], zones: int, first: int | None) -> None:
        made = CloudNodePool.model_validate({"instance_type": "g2-standard-4", **pool})

        assert first_nodes(made, zones=[f"zone-{place}" for place in range(zones)]) == first

    @pytest.mark.parametrize("gpu", [None, {"count": 1}])
    def test_an_upgrade_always_makes_progress(self, gpu: dict[str, int] | None) -> None:
        settings = upgrade_settings(CloudNodePool.model_validate({"instance_type": "g2-standard-4", "gpu": gpu}))

        assert (settings.get("max_surge"), settings.get("max_unavailable")) in ((1, 0), (0, 1))


def test_the_driver_of_filestore_is_there_where_homes_are_on_one() -> None:
    assert addons(filestore=True).get("gcp_filestore_csi_driver_config") == {"enabled": True}
    assert addons(filestore=False).get("gcp_filestore_csi_driver_config") == {"enabled": False}


@pytest.mark.parametrize(("size", "gib"), [("1Ti", 1024), ("100Gi", 100), ("100G", 94), ("1536Mi", 2)])
def test_a_share_is_at_least_as_large_as_asked_for(size: str, gib: int) -> None:
    assert gibibytes(size) == gib


@pytest.mark.parametrize(
    ("network", "mode"),
    [
        ("lab", "DIRECT_PEERING"),
        ("projects/my-team-1234/global/networks/lab", "DIRECT_PEERING"),
        ("projects/shared-5678/global/networks/lab", "PRIVATE_SERVICE_ACCESS"),
    ],
)
def test_filestore_gets_into_a_network_of_another_project_by_private_services_access(network: str, mode: str) -> None:
    ranges = {"subnetwork": "nodes", "pods_range": "pods", "services_range": "services"}
    section = GcpCluster.model_validate({**GCP, "project": "my-team-1234", "network": {"network": network, **ranges}})

    assert connect_mode(section) == mode
