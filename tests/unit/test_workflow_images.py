"""The workflow that builds and pushes images: its rules, and its shell steps, run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FILE = ROOT / ".github" / "workflows" / "images.yaml"
WORKFLOW: dict[str, Any] = YAML(typ="safe").load(FILE)
JOB: dict[str, Any] = WORKFLOW["jobs"]["image"]
STEPS: list[dict[str, Any]] = JOB["steps"]
SHELL = ["bash", "-euo", "pipefail"]


def run(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as it stands, with stand-ins for other tools first on PATH; they write down how they were called."""
    step = next(one for one in STEPS if one.get("name") == name)
    assert environment.keys() == step["env"].keys(), "a step gets what its env says, and no more"
    commands = folder / "commands"
    (folder / "images").mkdir(exist_ok=True)
    shutil.copy(ROOT / "images" / "images.toml", folder / "images")
    (folder / "output").touch()
    machine = {"PATH": f"{commands}:{os.environ['PATH']}", "GITHUB_OUTPUT": str(folder / "output")}
    return subprocess.run(
        [*SHELL, "-c", step["run"]], cwd=folder, env=machine | environment, capture_output=True, text=True, check=False
    )


def stand_in(folder: Path, name: str, *, code: int = 0) -> None:
    """Put a command in place that writes down how it was called."""
    file = folder / "commands" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'#!/bin/sh\necho "{name} $*" >> {folder}/calls\nexit {code}\n')
    file.chmod(0o755)


def outputs(folder: Path) -> dict[str, str]:
    return dict(line.split("=", maxsplit=1) for line in (folder / "output").read_text().splitlines())


class TestRules:
    def test_a_pull_request_builds_and_pushes_nothing(self) -> None:
        built = STEPS[-1]["with"]
        signing = [one for one in STEPS if "login" in one.get("uses", "") or "Sign in" in one.get("name", "")]

        assert "pull_request_target" not in WORKFLOW["on"]
        assert len(signing) >= 3
        assert [one for one in signing if "github.event_name != 'pull_request'" not in one["if"]] == []
        # The step that says true does not run in a pull request.
        assert built["push"] == "${{ steps.there.outputs.push == 'true' }}"
        assert next(one for one in STEPS if one.get("id") == "there")["if"] == "github.event_name != 'pull_request'"

    def test_nothing_runs_before_a_registry_is_chosen(self) -> None:
        assert JOB["if"] == "vars.QHUB_IMAGE_REGISTRY != ''"

    def test_rights_are_the_least(self) -> None:
        assert WORKFLOW["permissions"] == {}
        assert JOB["permissions"] == {"contents": "read", "packages": "write", "id-token": "write"}

    def test_every_action_has_a_version_and_the_checkout_leaves_no_token(self) -> None:
        used = [one["uses"] for one in STEPS if "uses" in one]

        assert [name for name in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@(v\d+|[0-9a-f]{40})", name)] == []
        assert STEPS[0]["with"]["persist-credentials"] is False

    def test_what_is_to_be_set_is_explained_at_the_top(self) -> None:
        text = FILE.read_text(encoding="utf-8")
        top = text.partition("name: images")[0]

        assert [name for name in re.findall(r"(?:vars|secrets)\.(\w+)", text) if name not in top] == []

    def test_nothing_is_pasted_into_a_script(self) -> None:
        assert WORKFLOW["defaults"]["run"]["shell"] == f"{' '.join(SHELL)} {{0}}"
        assert [one["name"] for one in STEPS if "${{" in one.get("run", "")] == []

    def test_the_target_is_the_image(self) -> None:
        built = STEPS[-1]["with"]

        assert (built["context"], built["file"]) == (".", "images/Dockerfile")
        assert built["target"] == "${{ matrix.image }}"
        assert built["tags"] == "${{ steps.image.outputs.reference }}"


class TestNameTheImage:
    @pytest.mark.parametrize(
        ("registry", "kind"),
        [
            ("ghcr.io/my-organization/qhub", "github"),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/qhub", "aws"),
            ("europe-west1-docker.pkg.dev/my-project/qhub", "gcp"),
            ("my.azurecr.io/qhub", "azure"),
            ("registry.digitalocean.com/my-registry", "digitalocean"),
        ],
    )
    def test_each_registry(self, tmp_path: Path, registry: str, kind: str) -> None:
        done = run("Name the image", tmp_path, REGISTRY=registry, IMAGE="hub")
        release = re.search(r'^release = "(.+)"$', (ROOT / "images" / "images.toml").read_text(), re.MULTILINE)

        assert (done.returncode, done.stderr) == (0, "")
        assert release is not None
        assert outputs(tmp_path) == {
            "kind": kind,
            "host": registry.split("/", maxsplit=1)[0],
            "reference": f"{registry}/hub:{release[1]}",
        }

    @pytest.mark.parametrize("registry", ["docker.io/me", "ghcr.io", "evil.example/ghcr.io/me"])
    def test_another_one_is_told(self, tmp_path: Path, registry: str) -> None:
        done = run("Name the image", tmp_path, REGISTRY=registry, IMAGE="hub")

        assert done.returncode == 1
        assert done.stdout.startswith("::error::")
        assert outputs(tmp_path) == {}


class TestSignIn:
    @pytest.mark.parametrize(
        ("kind", "host", "call"),
        [
            ("gcp", "x-docker.pkg.dev", "gcloud auth configure-docker --quiet x-docker.pkg.dev"),
            ("azure", "my.azurecr.io", "az acr login --name my"),
            ("digitalocean", "registry.digitalocean.com", "doctl registry login"),
        ],
    )
    def test_by_the_clouds_command(self, tmp_path: Path, kind: str, host: str, call: str) -> None:
        for name in ("gcloud", "az", "doctl"):
            stand_in(tmp_path, name)
        done = run("Sign in by the cloud's command", tmp_path, KIND=kind, HOST=host)

        assert done.returncode == 0
        assert (tmp_path / "calls").read_text() == f"{call}\n"

    def test_a_refusal_stops_the_job(self, tmp_path: Path) -> None:
        stand_in(tmp_path, "az", code=1)

        assert run("Sign in by the cloud's command", tmp_path, KIND="azure", HOST="my.azurecr.io").returncode == 1


class TestLookWhetherItIsThere:
    @pytest.mark.parametrize(("code", "push"), [(0, "false"), (1, "true")])
    def test_a_release_is_pushed_once(self, tmp_path: Path, code: int, push: str) -> None:
        stand_in(tmp_path, "docker", code=code)
        done = run("Look whether it is there", tmp_path, REFERENCE="ghcr.io/me/hub:1")

        assert done.returncode == 0
        assert (tmp_path / "calls").read_text() == "docker manifest inspect ghcr.io/me/hub:1\n"
        assert outputs(tmp_path) == {"push": push}
