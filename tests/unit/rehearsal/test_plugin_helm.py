"""Releases, as far as they go without a cluster: inputs, flags, charts on disk, Helm's records and words."""

from __future__ import annotations

import base64
import gzip
import json
import tarfile
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest

from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.kubernetes.client import Api
from qhub.rehearsal.plugins.kubernetes.helm import chart, command, record, release
from qhub.rehearsal.plugins.kubernetes.helm.command import Helm, _shortened
from qhub.rehearsal.plugins.kubernetes.helm.options import Options, validate
from qhub.rehearsal.plugins.kubernetes.helm.outputs import outputs
from qhub.rehearsal.plugins.kubernetes.settings import Settings
from qhub.rehearsal.plugins.wire import UNKNOWN, FileAsset, Secret


def options(**inputs: Any) -> Options:
    return Options.of({"chart": "c", "name": "hub", "namespace": "ns", **inputs})


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "'chart' is missing"),
        ({"chart": "c", "valus": {}}, "Did you mean 'values'?"),
        ({"chart": "c", "timeout": "5m"}, "timeout must be a whole number"),
        ({"chart": "c", "atomic": "yes"}, "atomic must be true or false"),
        ({"chart": "c", "values": []}, "values must be an object"),
        ({"chart": "c", "recreatePods": True}, "can no longer restart pods"),
        ({"chart": "c", "disableCRDHooks": True}, "no crd-install hooks"),
        ({"chart": "c", "repositoryOpts": {"url": "x"}}, "repositoryOpts has no 'url'"),
    ],
)
def test_inputs_that_are_refused(inputs: dict[str, Any], words: str) -> None:
    with pytest.raises(PluginError) as error:
        validate(inputs)
    assert words in str(error.value)


def test_unknown_and_secret_inputs_pass() -> None:
    validate({"chart": UNKNOWN, "timeout": UNKNOWN, "values": {"a": Secret("b")}, "compat": "true", "version": None})


def test_flags_of_an_installation_and_of_an_upgrade() -> None:
    given = options(atomic=True, skipAwait=True, cleanupOnFail=True, maxHistory=5, waitForJobs=True, replace=True)
    install = given.flags(upgrade=False, seconds=600)
    assert "--wait" in install  # atomic cannot do without
    assert "--atomic" not in install  # undone by us, after the failure was looked at
    assert "--replace" in install
    assert "--timeout=600s" in install
    assert not {"--cleanup-on-fail", "--history-max=5", "--reset-values"} & set(install)
    upgrade = given.flags(upgrade=True, seconds=600)
    assert {"--cleanup-on-fail", "--history-max=5", "--reset-values", "--wait-for-jobs"} <= set(upgrade)
    assert "--wait" not in options(skipAwait=True).flags(upgrade=False, seconds=1)
    assert "--reset-values" not in options(reuseValues=True).flags(upgrade=True, seconds=1)


def test_how_long_helm_may_take() -> None:
    assert options().seconds(0) == 300
    assert options(timeout=900).seconds(0) == 900
    assert options(timeout=900).seconds(60.0) == 60


def test_values_keep_nulls_and_whole_numbers() -> None:
    assert json.loads(options(values={"a": None, "n": 604800}).values_text()) == {"a": None, "n": 604800}
    assert options(valueYamlFiles=[FileAsset(path="v.yaml")]).value_files() == [FileAsset(path="v.yaml")]
    with pytest.raises(PluginError, match="file or string assets"):
        options(valueYamlFiles=["v.yaml"]).value_files()


class TestChartOnDisk:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        made = tmp_path / "jupyterhub"
        made.mkdir()
        (made / "Chart.yaml").write_text("name: jupyterhub\nversion: 4.4.0\n")
        with tarfile.open(tmp_path / "jupyterhub-4.3.0.tgz", "w:gz") as archive:
            archive.add(made / "Chart.yaml", "jupyterhub/Chart.yaml")
        (tmp_path / "traefik").mkdir()
        (tmp_path / "traefik" / "Chart.yaml").write_text("name: traefik\nversion: 1.0.0\n")
        return made

    # Local charts are judged without helm, so there is none.
    def locate(self, **inputs: Any) -> chart.Source:
        class NoHelm:
            has_repositories = False

        return chart.locate(options(**inputs), NoHelm())  # ty: ignore[invalid-argument-type]

    def test_a_folder_and_an_archive_are_found(self, folder: Path) -> None:
        assert self.locate(chart=str(folder), version="4.4.0").reference == str(folder)
        archive = folder.parent / "jupyterhub-4.3.0.tgz"
        assert chart.metadata(archive)["version"] == "4.4.0"
        assert self.locate(chart=str(archive), version="v4.4.0").flags == ()

    @pytest.mark.parametrize("stated", [None, "~4"])
    def test_the_release_gets_the_version_that_lies_there_now(self, folder: Path, stated: str | None) -> None:
        """As the official plugin has it: this is how a changed chart on disk comes to be an upgrade."""
        cluster: Any = SimpleNamespace(helm=SimpleNamespace(has_repositories=False))
        request: Any = SimpleNamespace(urn="urn:pulumi:s::p::t::release", ignoreChanges=[])
        given = {"chart": str(folder), "name": "hub", "namespace": "ns", "version": stated, "values": {}}

        first = release.check(cluster, request, given, {})
        assert first["version"] == "4.4.0"
        (folder / "values.yaml").write_text("a: 1\n")
        assert release.check(cluster, request, given, first) == first
        (folder / "Chart.yaml").write_text("name: jupyterhub\nversion: 4.5.0\n")
        then = release.check(cluster, request, given, first)
        assert release.diff(request, {}, first, then).diffs == ["version"]

    def test_another_version_is_told_with_what_lies_there(self, folder: Path) -> None:
        with pytest.raises(PluginError) as error:
            self.locate(chart=str(folder), version="4.5.0")
        assert "has version 4.4.0, not 4.5.0" in str(error.value)
        assert "jupyterhub-4.3.0.tgz" in str(error.value)

    def test_a_missing_chart_is_told_with_its_versions_or_neighbours(self, folder: Path) -> None:
        with pytest.raises(PluginError, match=r"Did you mean 'jupyterhub-4.3.0.tgz'\?"):
            self.locate(chart=str(folder.parent / "jupyterhub-4.4.0.tgz"))
        with pytest.raises(PluginError, match=r"Did you mean 'traefik'\?"):
            self.locate(chart=str(folder.parent / "traefick"))
        with pytest.raises(PluginError, match="repository_opts"):
            self.locate(chart="jupyterhub-that-is-nowhere")

    def test_what_is_no_chart_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(PluginError, match="is no Helm chart"):
            self.locate(chart=str(tmp_path))


class FakeApi:
    """An API server that has these Secrets."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = items

    def get(self, path: str, **query: str) -> Any:
        return {"items": list(self.items)}


def kept(revision: int, status: str, description: str = "Install complete", **document: Any) -> dict[str, Any]:
    release = {
        "name": "hub",
        "namespace": "ns",
        "version": revision,
        "info": {"status": status, "description": description},
    }
    content = gzip.compress(json.dumps({**release, **document}).encode())
    data = base64.b64encode(base64.b64encode(content)).decode()
    labels = {record.OWNER_LABEL: "me"}
    return {"type": "helm.sh/release.v1", "metadata": {"labels": labels}, "data": {"release": data}}


def test_records_are_read_newest_first() -> None:
    api: Any = FakeApi(kept(9, "superseded"), kept(10, "deployed"), kept(8, "superseded"))
    found = record.history(api, "ns", "hub")
    assert [one.revision for one in found] == [10, 9, 8]
    assert found[0].status == "deployed"
    assert found[0].owner == "me"
    assert record.latest(api, "ns", "hub") == found[0]


def test_the_revision_to_go_back_to_was_once_deployed() -> None:
    def good(*items: dict[str, Any]) -> int | None:
        api: Any = FakeApi(*items)
        found = record.last_good(record.history(api, "ns", "hub"))
        return found.revision if found else None

    failed = 'Release "hub" failed: timed out'
    assert good(kept(1, "deployed"), kept(2, "pending-upgrade")) == 1
    assert good(kept(1, "superseded"), kept(2, "superseded", failed), kept(3, "pending-upgrade")) == 1
    assert good(kept(1, "superseded", failed), kept(2, "pending-upgrade")) is None
    assert good(kept(1, "pending-install")) is None


def test_the_state_names_the_release_and_its_objects() -> None:
    manifest = "---\napiVersion: v1\nkind: Service\nmetadata: {name: hub}\n---\n# empty\n"
    metadata = {"name": "jupyterhub", "version": "4.4.0", "appVersion": 5}
    api: Any = FakeApi(kept(3, "deployed", manifest=manifest, chart={"metadata": metadata}))
    newest = record.latest(api, "ns", "hub")
    assert newest is not None
    shown = outputs({"name": "hub", "values": {"a": Secret("x")}}, newest)
    assert shown["resourceNames"] == {"Service/v1": ["hub"]}
    assert shown["status"]["revision"] == 3
    assert shown["status"]["appVersion"] == "5"
    assert shown["__inputs"]["values"] == {"a": Secret("x")}


def test_helms_words_are_shortened_to_what_a_person_needs() -> None:
    said = (
        "WARNING: Kubernetes configuration file is group-readable\n"
        "I1123 11:40:54.310112   13928 warnings.go:110] something\n"
        "Error: INSTALLATION FAILED: values don't meet the specifications of the schema(s):\n"
        "demo:\n- at '/cull/timeout': got string, want integer\n"
    )
    assert _shortened(said) == (
        "values don't meet the specifications of the schema(s):\ndemo:\n- at '/cull/timeout': got string, want integer"
    )
    assert _shortened("Error: UPGRADE FAILED: context deadline exceeded") == "timed out"
    assert _shortened("") == "it ended without a word"


def test_helm_is_ended_when_what_watches_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed engine breaks the pipe that progress is written to: helm must not go on unattended."""
    tool = tmp_path / "helm"
    tool.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    tool.chmod(0o755)
    monkeypatch.setattr(command, "_tool", lambda: tool)
    monkeypatch.setenv("QHUB_CACHE_DIR", str(tmp_path / "cache"))
    api = cast("Api", SimpleNamespace(target=SimpleNamespace(document={})))
    helm = Helm(api=api, settings=Settings(), cancelled=threading.Event())

    def tick() -> None:
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip():
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        helm.run("install", tick=tick)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    helm.close()
