"""Bad input on the main job: a clear message, nothing lost, and the next run goes on."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.engine.main_job.project import Project

TRACEBACK = "Traceback (most recent call last)"


def releases(project: Project) -> dict[str, str]:
    """Return Helm's own word on each release: name -> status of its newest revision."""
    secrets = project.kubectl("secrets", "--all-namespaces", "--selector", "owner=helm")["items"]
    newest: dict[str, tuple[int, str]] = {}
    for secret in secrets:
        labels = secret["metadata"]["labels"]
        entry = (int(labels["version"]), labels["status"])
        newest[labels["name"]] = max(newest.get(labels["name"], (0, "")), entry)
    return {name: status for name, (_, status) in newest.items()}


class TestSettings:
    """A mistake in the stack's file is told by `qhub up` before it starts anything, and by `pulumi` as well."""

    def test_unknown_key(self, project: Project) -> None:
        project.set(jupyterhub={"cull": {"timout": 60}})
        printed = project.qhub("up", fails=True)
        assert "Pulumi.local.yaml:" in printed
        assert "jupyterhub.cull.timout" in printed
        assert '"timeout"' in printed
        assert TRACEBACK not in printed
        assert not (project.folder / ".qhub" / "clusters").exists()

    def test_wrong_type(self, project: Project) -> None:
        project.set(jupyterhub={"cull": {"timeout": "soon"}})
        printed = project.qhub("up", fails=True)
        assert "jupyterhub.cull.timeout" in printed
        assert "whole number" in printed
        assert TRACEBACK not in printed

    def test_missing_secret(self, project: Project) -> None:
        project.set(authentication={"type": "github", "client_id": "abc", "organizations": ["team"]})
        printed = project.qhub("up", fails=True)
        assert "client_secret" in printed
        assert "pulumi config set --path --secret qhub:authentication.client_secret" in printed
        assert TRACEBACK not in printed

    def test_stack_without_a_file(self, project: Project) -> None:
        printed = project.qhub("up", "--stack", "stagin", fails=True)
        assert "Pulumi.stagin.yaml" in printed
        assert "staging" in printed
        assert TRACEBACK not in printed


class TestTheRunningPlatform:
    """Mistakes that only the engine, Helm or the cluster can see, on a platform that is up: it stays as it is."""

    @pytest.fixture(autouse=True)
    def restore(self, platform: Project):
        """Give every test the settings that the platform was brought up with."""
        path = platform.folder / "Pulumi.local.yaml"
        before = path.read_text()
        yield
        path.write_text(before)

    def test_plain_pulumi_tells_the_place_too(self, platform: Project) -> None:
        platform.set(ingress={"controler": "traefik"})
        printed = platform.pulumi("preview", fails=True)
        assert "ingress.controler" in printed
        assert '"controller"' in printed
        assert TRACEBACK not in printed

    def test_chart_version_that_does_not_exist(self, platform: Project) -> None:
        platform.set(charts={"jupyterhub": {"version": "4.4.9"}})
        printed = platform.qhub("up", fails=True)
        assert "4.4.9" in printed
        assert "4.4.0" in printed, "the version that there is"
        assert TRACEBACK not in printed
        assert releases(platform)["jupyterhub"] == "deployed"

    def test_wrong_context(self, platform: Project) -> None:
        platform.set(cluster={"context": "qhub-lokal"})
        printed = platform.pulumi("preview", fails=True)
        assert "qhub-lokal" in printed
        assert "qhub-local" in printed, "the nearest that there is"
        assert TRACEBACK not in printed

    def test_release_that_never_gets_ready(self, platform: Project) -> None:
        fault = {"hub": {"annotations": {"rehearsal.qhub.dev/fault": "ImagePullBackOff"}}}
        # atomic: Helm alone leaves what a failed upgrade has added to an object, and so the fault.
        platform.set(charts={"jupyterhub": {"timeout": 15, "atomic": True, "overrides": fault}})
        printed = platform.qhub("up", fails=True)
        assert "hub-" in printed, "the pod is named"
        assert "ImagePullBackOff" in printed, "and its reason"
        assert TRACEBACK not in printed

    def test_after_it_the_next_run_goes_on(self, platform: Project) -> None:
        platform.qhub("up")
        assert set(releases(platform).values()) == {"deployed"}
        assert platform.preview() == {}

    def test_unreachable_api_server(self, platform: Project) -> None:
        path = platform.folder / "elsewhere.yaml"
        kubeconfig = YAML(typ="safe").load(platform.cluster.kubeconfig_path.read_text())
        # Port 9 is discard: nothing listens there on loopback.
        kubeconfig["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
        with path.open("w") as file:
            YAML(typ="safe").dump(kubeconfig, file)
        platform.set(cluster={"kubeconfig": "elsewhere.yaml"}, jupyterhub={"start_timeout": 601})
        printed = platform.pulumi("up", "--yes", fails=True)
        assert "127.0.0.1:9" in printed
        assert TRACEBACK not in printed

    def test_api_server_that_died_is_started_again(self, platform: Project) -> None:
        [server] = [p for p in platform.cluster.status().processes if p.name == "kube-apiserver"]
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        printed = platform.qhub("up")
        assert "unchanged" in printed


class TestTheMachine:
    """What the machine lacks or holds."""

    def test_no_go_and_no_tools(self, project: Project, tmp_path: Path) -> None:
        # A PATH with a shell and nothing to build with, and a cache that holds nothing.
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in ("sh", "env", "uname"):
            (folder / name).symlink_to(str(shutil.which(name)))
        printed = project.qhub("up", fails=True, PATH=str(folder), QHUB_CACHE_DIR=str(tmp_path / "cache"))
        assert "Go" in printed
        assert "pulumi" in printed
        assert TRACEBACK not in printed
