"""What a stack may have besides: one registry for every image, monitoring, releases of the user's own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qhub.platform.chart_source import ChartError
from qhub.platform.extra_releases import extra_chart_source
from tests.graph.configurations import SECRETS, record_configuration
from tests.graph.matrix import MATRIX
from tests.graph.recorder import SECRET_SIGNATURE, SIGNATURE_KEY, Recording, Registered
from tests.graph.test_any_settings import in_clear
from tests.graph.test_invariants import RELEASE, transitive
from tests.unit.charts.rendering import render
from tests.unit.platform.building import make_settings
from tests.unit.platform.test_chart_images import MIRROR, REFERENCE, pull_secrets, texts

#: Chart `jupyterhub` is rendered in the namespace that its values speak of.
SECTIONS: dict[str, Any] = {
    "images": {"registry": MIRROR, "credentials": {"username": "robot", "password": SECRETS["password"]}},
    "monitoring": {"enabled": True},
}
#: One configuration of each kind of cluster, with as much in it as there is.
FULL = ["local", "traefik", "aws-everything", "gcp-everything", "digitalocean-everything", "azure-everything"]


#: What nodes need and only some clouds bring themselves.
BY_US = {
    "aws-everything": {"cluster-autoscaler", "nvidia-device-plugin"},
    "azure-everything": {"nvidia-device-plugin"},
}


@pytest.fixture(scope="module", params=FULL)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def mirrored(kind: str) -> Recording:
    return MATRIX[kind].record_configuration(kind, **SECTIONS)


def rendered(release: Registered) -> Any:
    """Return the objects that the contract chart makes of what a release is given."""
    return render(release.inputs["chart"], in_clear(release.inputs["values"]), namespace=release.inputs["namespace"])


def images_in(text: str) -> Iterator[str]:
    # The registry of the copies names others in the paths below it.
    for found in REFERENCE.findall(text):
        if not found.startswith(f"{MIRROR}/"):
            yield found


class TestOneRegistry:
    def test_no_image_comes_from_elsewhere(self, mirrored: Recording) -> None:
        strange = {}
        # What is of the cloud's own runs nothing, and writes taints like images.
        for made in (one for one in mirrored.resources.values() if one.type.startswith("kubernetes:")):
            text = texts(rendered(made)) if made.type == RELEASE else json.dumps(in_clear(made.inputs))
            if found := sorted(set(images_in(text))):
                strange[made.name] = found

        assert strange == {}

    def test_every_pod_has_a_secret_to_pull_with_in_its_namespace(self, mirrored: Recording) -> None:
        secrets = {
            (made.inputs["metadata"]["namespace"], made.inputs["metadata"]["name"]): made
            for made in mirrored.of_type("kubernetes:core/v1:Secret")
            if made.inputs.get("type") == "kubernetes.io/dockerconfigjson"
        }
        for release in mirrored.of_type(RELEASE):
            for key, names in pull_secrets(rendered(release)).items():
                (secret,) = names
                assert secrets[release.inputs["namespace"], secret].name in transitive(mirrored, release), key
        for made in secrets.values():
            assert made.inputs["stringData"][SIGNATURE_KEY] == SECRET_SIGNATURE

    def test_the_file_server_pulls_with_one_too(self) -> None:
        pod = record_configuration("local", **SECTIONS).one("kubernetes:apps/v1:Deployment").inputs["spec"]["template"]

        assert pod["spec"]["imagePullSecrets"] == [{"name": "nfs-server-registry"}]
        assert pod["spec"]["containers"][0]["image"] == f"{MIRROR}/ghcr.io/2i2c-org/nfs-ganesha:1.2.0"


def extra(**releases: Any) -> dict[str, Any]:
    usual = {"version": "1.0.0", "repository": "https://charts.example.org"}
    return {name: {"chart": name, **usual, **release} for name, release in releases.items()}


class TestExtraReleases:
    def test_another_order_and_another_neighbour_change_none_of_them(self) -> None:
        one = record_configuration("local", extra_releases=extra(loki={}, alloy={"namespace": "logs"})).resources
        two = record_configuration(
            "local", extra_releases=extra(tempo={}, alloy={"namespace": "logs"}, loki={})
        ).resources

        assert {urn.split("::")[-1] for urn in two.keys() ^ one.keys()} == {"qhub-extra-tempo"}
        assert [urn for urn in one if one[urn] != two[urn] and "extra" in urn] == []

    def test_come_after_what_they_wait_for_and_their_namespace(self) -> None:
        releases = extra(alloy={"depends_on": ["loki", "jupyterhub"]}, loki={"namespace": "logs"})
        recording = record_configuration("local", extra_releases=releases)
        before = transitive(recording, recording.one(RELEASE, "qhub-extra-alloy"))

        assert {"qhub-extra-loki", "qhub-extra-namespace-logs", "qhub-jupyterhub"} <= before
        assert "qhub-jupyterhub" not in transitive(recording, recording.one(RELEASE, "qhub-extra-loki"))
        assert {"alloy", "loki"} <= recording.outputs["releases"].keys()

    def test_may_wait_for_each_release_in_the_output(self, mirrored: Recording, kind: str) -> None:
        others = sorted(mirrored.outputs["releases"])
        releases = extra(mine={"depends_on": others})
        recording = MATRIX[kind].record_configuration(kind, **SECTIONS, extra_releases=releases)
        before = transitive(recording, recording.one(RELEASE, "qhub-extra-mine"))

        assert {"cluster-autoscaler", "nvidia-device-plugin"} & set(others) == BY_US.get(kind, set())
        assert {made.name for made in mirrored.of_type(RELEASE)} <= before

    def test_secret_values_are_secret_where_they_are_laid(self) -> None:
        releases = extra(
            loki={"values": {"auth": {"user": "a"}}, "secret_values": {"auth.password": SECRETS["password"]}}
        )
        values = record_configuration("local", extra_releases=releases).one(RELEASE, "qhub-extra-loki").inputs["values"]

        assert values["auth"]["user"] == "a"
        assert values["auth"]["password"] == {SIGNATURE_KEY: SECRET_SIGNATURE, "value": SECRETS["password"]}

    @pytest.mark.parametrize(("version", "told"), [(None, ""), ("1.2.0", ""), ("2.0.0", "holds version 1.2.0")])
    def test_a_folder_has_the_version_that_is_asked_for(self, tmp_path: Path, version: str | None, told: str) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "Chart.yaml").write_text("name: mine\nversion: 1.2.0\n")
        settings = make_settings(extra_releases={"a": {"chart": "./mine", "version": version}})
        where = {"project_root": tmp_path, "working_dir": tmp_path / "stacks"}
        if told:
            with pytest.raises(ChartError, match=told):
                extra_chart_source("a", settings.extra_releases["a"], **where)
            return
        source = extra_chart_source("a", settings.extra_releases["a"], **where)

        # No path of this machine gets into the state.
        assert (source.chart, source.version, source.repository) == ("../mine", "1.2.0", None)

    def test_a_folder_that_is_not_there_is_told_by_its_key(self, tmp_path: Path) -> None:
        settings = make_settings(extra_releases={"a": {"chart": "./mine"}})

        with pytest.raises(ChartError, match=r"extra_releases\.a\.chart: \./mine is no folder"):
            extra_chart_source("a", settings.extra_releases["a"], project_root=tmp_path, working_dir=tmp_path)


class TestMonitoring:
    def test_only_adds_and_changes_what_has_to_let_it_in(self) -> None:
        before = record_configuration("local").resources
        after = record_configuration("local", monitoring={"enabled": True}).resources

        assert [urn for urn in before if urn not in after] == []
        assert {after[urn].name for urn in before if before[urn] != after[urn]} == {
            "qhub-dask-gateway", "qhub-dask-gateway-schedulers", "qhub-ingress-ingress-nginx", "qhub-jupyterhub",
        }  # fmt: skip

    def test_prometheus_and_the_hub_know_the_same_token(self) -> None:
        recording = record_configuration("local", monitoring={"enabled": True})
        secret = recording.one("kubernetes:core/v1:Secret", "qhub-monitoring-hub-metrics")
        services = recording.one(RELEASE, "qhub-jupyterhub").inputs["values"]["hub"]["services"]

        assert in_clear(services["prometheus"]["apiToken"]) == in_clear(secret.inputs["stringData"])["token"]
        assert services["prometheus"]["apiToken"][SIGNATURE_KEY] == SECRET_SIGNATURE

    @pytest.mark.parametrize("written", [None, SECRETS["password"]])
    def test_the_password_is_a_secret_output_and_grafanas_own(self, written: str | None) -> None:
        grafana = {} if written is None else {"grafana": {"admin_password": written}}
        recording = record_configuration("local", monitoring={"enabled": True, **grafana})
        secret = recording.one("kubernetes:core/v1:Secret", "qhub-monitoring-grafana-admin")
        made = any(one.name == "qhub-secrets-grafana-password" for one in recording.resources.values())

        password = recording.outputs["grafana_admin_password"]

        assert in_clear(password) == in_clear(secret.inputs["stringData"])["admin-password"]
        assert password[SIGNATURE_KEY] == SECRET_SIGNATURE
        assert made is (written is None)
        assert recording.outputs["grafana"].endswith("/services/grafana/")

    def test_another_password_starts_grafana_anew_and_its_pod_does_not_tell_it(self) -> None:
        marks = []
        for password in ("grafana", "anafarg"):
            monitoring = {"enabled": True, "grafana": {"admin_password": password}}
            values = (
                record_configuration("local", monitoring=monitoring).one(RELEASE, "qhub-monitoring").inputs["values"]
            )
            [mark] = values["grafana"]["podAnnotations"].values()
            assert mark[SIGNATURE_KEY] == SECRET_SIGNATURE
            # A weak password is not found by trying either.
            assert in_clear(mark) != hashlib.sha256(password.encode()).hexdigest()
            marks.append(in_clear(mark))

        assert len(set(marks)) == 2
