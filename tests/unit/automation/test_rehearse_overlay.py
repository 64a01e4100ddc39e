"""The stack's file as it is rehearsed: nothing of the user's own is reached."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from qhub.automation.rehearse.extra_charts import CHARTS as charts_of_a_rehearsal
from qhub.automation.rehearse.extra_charts import STAND_IN, extra_charts, not_rehearsed
from qhub.automation.rehearse.nodes import POOL_LABEL, nodes_for
from qhub.automation.rehearse.overlay import Overlay, overlay, unprotected
from qhub.config.node_pools import NodePool
from tests.unit.platform.building import make_settings

CHARTS = Path("/charts")
WRITTEN: dict[str, Any] = {
    "secretsprovider": "awskms://alias/team",
    "encryptedkey": "AQID",
    "config": {
        "qhub:domain": "hub.example.org",
        "qhub:cluster": {"provider": "existing", "context": "prod"},
        "qhub:authentication": {"type": "github", "client_id": "id", "client_secret": {"secure": "AAAB"}},
        "aws:secretKey": {"secure": "AAAC"},
        "qhub:storage": {"kind": "nfs-server", "protect": True},
    },
}


def laid(
    written: dict[str, Any] = WRITTEN, *, mirror: Path | str | None = None, kubeconfig: Path | None = None
) -> Overlay:
    return overlay(written, project="qhub", charts=CHARTS, mirror=mirror, kubeconfig=kubeconfig)


class TestOverlay:
    def test_secrets_are_made_up_anew_each_time_and_told(self) -> None:
        first, second = laid(), laid()
        path = "qhub:authentication.client_secret"
        assert list(first.secrets) == [path]
        assert first.secrets != second.secrets
        assert any("authentication.client_secret" in line for line in first.simulated)
        assert first.secrets[path] not in "".join(first.simulated)

    def test_no_ciphertext_and_no_key_of_the_users_is_left(self) -> None:
        text = json.dumps(laid().document)
        for word in ("AAAB", "AAAC", "AQID", "awskms"):
            assert word not in text

    def test_everything_else_stays_and_the_original_is_not_touched(self) -> None:
        before = copy.deepcopy(WRITTEN)
        config = laid().document["config"]
        assert config["qhub:domain"] == "hub.example.org"
        assert config["qhub:authentication"] == {"type": "github", "client_id": "id"}
        assert before == WRITTEN

    def test_a_cluster_of_the_users_is_replaced_by_the_embedded_one(self) -> None:
        cluster = laid(kubeconfig=Path("/r/kubeconfig")).document["config"]["qhub:cluster"]
        assert cluster == {"provider": "existing", "kubeconfig": "/r/kubeconfig", "context": "qhub-rehearsal"}

    def test_charts_come_from_the_folder_unless_the_settings_name_a_mirror(self) -> None:
        assert laid().document["config"]["qhub:charts"] == {"mirror": "/charts"}
        own = laid(mirror="oci://registry/charts").document["config"]["qhub:charts"]
        assert own == {"mirror": "oci://registry/charts"}

    def test_the_logo_is_the_users_own_file_wherever_the_rehearsal_runs(self) -> None:
        hub = {"start_timeout": 300, "theme": {"title": "Lab", "logo": "logo.svg"}}
        written = {"config": {**WRITTEN["config"], "qhub:jupyterhub": hub}}
        made = overlay(
            written, project="qhub", charts=CHARTS, mirror=None, kubeconfig=None, logo=Path("/home/ada/logo.svg")
        )
        theme = {"title": "Lab", "logo": "/home/ada/logo.svg"}
        assert made.document["config"]["qhub:jupyterhub"] == {"start_timeout": 300, "theme": theme}

    def test_a_release_of_the_users_own_gets_a_chart_that_is_here(self) -> None:
        far = {"chart": "loki", "version": "6.30.0", "repository": "https://charts.example.org", "namespace": "logs"}
        near = {"chart": "./mine", "version": "1.2.0", "secret_values": {"a.b": {"secure": "AAAB"}}}
        written = {"config": {"qhub:extra_releases": {"far": far, "near": near}}}
        here = {"far": Path("/charts/extra-release"), "near": Path("/home/ada/mine")}
        made = overlay(written, project="qhub", charts=CHARTS, mirror=None, kubeconfig=None, extra_charts=here)
        assert made.document["config"]["qhub:extra_releases"] == {
            "far": {"chart": "/charts/extra-release", "namespace": "logs"},
            "near": {"chart": "/home/ada/mine", "version": "1.2.0", "secret_values": {}},
        }

    def test_a_secret_in_a_list_keeps_its_place(self) -> None:
        written = {"config": {"qhub:x": {"keys": ["a", {"secure": "AAAB"}]}}}
        made = laid(written)
        assert made.document["config"]["qhub:x"] == {"keys": ["a", ""]}
        assert list(made.secrets) == ["qhub:x.keys[1]"]

    def test_a_dotted_key_is_quoted_for_the_engine(self) -> None:
        assert list(laid({"config": {"qhub:x": {"a.b": {"secure": "AAAB"}}}}).secrets) == ['qhub:x["a.b"]']


OWN_MIRROR, OURS = {"mirror": "mine"}, {"mirror": str(charts_of_a_rehearsal)}
FAR = {"chart": "loki", "version": "6.30.0", "repository": "https://charts.example.org"}


class TestExtraCharts:
    @pytest.mark.parametrize("charts", [{}, OURS])
    @pytest.mark.parametrize("release", [FAR, {"chart": "oci://registry.example.org/loki", "version": "6.30.0"}])
    def test_a_chart_that_is_elsewhere_is_left_out_and_told(
        self, charts: dict[str, str], release: dict[str, str]
    ) -> None:
        settings = make_settings(charts=charts, extra_releases={"logs": release})

        assert extra_charts(settings) == {"logs": STAND_IN}
        (told,) = not_rehearsed(settings)
        assert told.startswith(f"NOT REHEARSED: release logs: its chart, {release['chart']} 6.30.0")

    def test_it_is_taken_from_where_it_says_where_the_platforms_charts_are_the_users_own(self) -> None:
        settings = make_settings(charts=OWN_MIRROR, extra_releases={"logs": FAR})

        assert extra_charts(settings) == {}
        assert list(not_rehearsed(settings)) == []

    @pytest.mark.parametrize("charts", [{}, OWN_MIRROR])
    def test_a_folder_of_the_project_is_found_from_any_copy_of_it(self, charts: dict[str, str]) -> None:
        settings = make_settings(charts=charts, extra_releases={"mine": {"chart": "./charts/mine"}})

        assert extra_charts(settings) == {"mine": settings.root / "charts" / "mine"}
        assert list(not_rehearsed(settings)) == []


class TestUnprotected:
    def test_an_existing_cluster_has_no_such_key(self) -> None:
        config = unprotected(WRITTEN, project="qhub", storage=True)["config"]
        assert config["qhub:storage"] == {"kind": "nfs-server", "protect": False}
        assert "protect" not in config["qhub:cluster"]

    def test_a_cluster_on_a_cloud_has(self) -> None:
        written = {"config": {"qhub:cluster": {"provider": "aws", "protect": True}}}
        config = unprotected(written, project="qhub", storage=False)["config"]
        assert config == {"qhub:cluster": {"provider": "aws", "protect": False}}


class TestNodes:
    def test_pools_that_select_nothing_share_two_nodes(self) -> None:
        nodes = nodes_for({"general": NodePool(), "user": NodePool()})
        assert [node.name for node in nodes] == ["shared-1", "shared-2"]

    def test_what_is_selected_is_there_and_what_is_tolerated_is_tainted(self) -> None:
        pool = NodePool.model_validate({
            "node_selector": {"kind": "gpu"},
            "tolerations": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}],
            "gpu": {"count": 4, "resource": "amd.com/gpu"},
            "cpu": 16,
            "memory": "60Gi",
        })  # fmt: skip
        node = nodes_for({"general": NodePool(), "gpu": pool})[-1]
        assert node.labels == {"kind": "gpu", POOL_LABEL: "gpu"}
        assert [(taint.key, taint.value, taint.effect) for taint in node.taints] == [("gpu", "yes", "NoSchedule")]
        assert (node.cpu, node.memory, node.allocatable) == ("16", "60Gi", {"amd.com/gpu": "4"})
