"""The workflow that deploys: its rules, and its shell steps, run as they stand beside stand-ins for other tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
WORKFLOWS = ROOT / ".github" / "workflows"
SHELL = ["bash", "-euo", "pipefail"]

STACK_FILE = """
config:
  qhub:domain: qhub.localhost
  qhub:cluster: {provider: %s, region: fra1}
"""


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow as data."""
    return YAML(typ="safe").load(WORKFLOWS / f"{name}.yaml")


DEPLOY, STACK = workflow("deploy"), workflow("stack")
STEPS: list[dict[str, Any]] = STACK["jobs"]["pulumi"]["steps"]


def step(name: str) -> dict[str, Any]:
    """Return the step of that name."""
    return next(one for one in STEPS if one.get("name") == name)


def texts(value: Any) -> Iterator[str]:
    """Yield every text in some data."""
    if isinstance(value, Mapping):
        value = list(value.values())
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping | list):
            yield from texts(item)
        elif isinstance(item, str):
            yield item


@dataclass
class Runner:
    """A copy of what the steps need of the project, and the machine that they run on."""

    root: Path
    commands: Path = field(init=False)

    def __post_init__(self) -> None:
        self.commands = self.root / "commands"
        for folder in (self.commands, self.root / "temp", self.root / "requirements"):
            folder.mkdir()
        for name in ("up.txt", "test.txt"):
            shutil.copy(ROOT / "requirements" / name, self.root / "requirements" / name)
        for name in ("Makefile", "Pulumi.yaml", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root / name)

    def stand_in(self, path: str, script: str = "") -> None:
        """Put a command in place that writes down how it was called, then runs a script."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'#!/bin/sh\necho "$(basename "$0") $*" >> {self.root}/calls\n{script}\n')
        file.chmod(0o755)

    def run(self, name: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a step as it stands; what it has from GitHub is in `environment`, empty where nothing is given."""
        one = step(name)
        script = self.root / "temp" / "script.sh"
        script.write_text(one["run"])
        given = dict.fromkeys(one.get("env", {}), "") | environment
        for file in ("output", "env"):
            (self.root / file).touch()
        machine = {
            "PATH": f"{self.commands}:{os.environ['PATH']}",
            "HOME": str(self.root),
            "RUNNER_TEMP": str(self.root / "temp"),
            "GITHUB_OUTPUT": str(self.root / "output"),
            "GITHUB_ENV": str(self.root / "env"),
        }
        assert given.keys() == one.get("env", {}).keys(), "a step gets what its env says, and no more"
        return subprocess.run(
            [*SHELL, str(script)], cwd=self.root, env=machine | given, capture_output=True, text=True, check=False
        )

    def text(self, name: str) -> str:
        """Return what a file of the folder holds."""
        return (self.root / name).read_text()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


class TestRules:
    @pytest.mark.parametrize("document", [DEPLOY, STACK], ids=["deploy", "stack"])
    def test_strangers_code_never_meets_secrets(self, document: dict[str, Any]) -> None:
        assert "pull_request_target" not in document["on"]
        assert "workflow_run" not in document["on"]

    def test_a_fork_previews_nothing(self) -> None:
        assert "head.repo.full_name == github.repository" in DEPLOY["jobs"]["preview"]["if"]

    def test_nothing_runs_before_a_cloud_is_chosen(self) -> None:
        first = {name: job for name, job in DEPLOY["jobs"].items() if "needs" not in job}

        assert all("vars.QHUB_CLOUD != ''" in job["if"] for job in first.values())

    def test_each_job_has_the_least_rights(self) -> None:
        rights = {name: job["permissions"] for name, job in DEPLOY["jobs"].items()}

        assert DEPLOY["permissions"] == {}
        assert rights == {
            "preview": {"contents": "read", "id-token": "write", "pull-requests": "write"},
            "staging": {"contents": "read", "id-token": "write"},
            "prod": {"contents": "read", "id-token": "write"},
        }

    def test_a_pull_request_only_previews_and_main_brings_up(self) -> None:
        commands = {name: job["with"]["command"] for name, job in DEPLOY["jobs"].items()}

        assert DEPLOY["on"] == {"pull_request": {"branches": ["main"]}, "push": {"branches": ["main"]}}
        assert commands == {"preview": "preview", "staging": "up", "prod": "up"}
        assert "github.event_name == 'pull_request'" in DEPLOY["jobs"]["preview"]["if"]
        assert "github.event_name == 'push'" in DEPLOY["jobs"]["staging"]["if"]

    def test_prod_waits_for_staging_and_for_the_approval_of_its_environment(self) -> None:
        prod = DEPLOY["jobs"]["prod"]

        assert prod["needs"] == "staging"
        assert (prod["with"]["stack"], prod["with"]["environment"]) == ("prod", "prod")
        assert STACK["jobs"]["pulumi"]["environment"] == "${{ inputs.environment }}"
        # A preview of prod must not wait for it, nor have its rights.
        assert DEPLOY["jobs"]["preview"]["with"]["environment"] == "preview"

    def test_both_stacks_are_previewed(self) -> None:
        preview = DEPLOY["jobs"]["preview"]

        assert preview["strategy"]["matrix"]["stack"] == ["staging", "prod"]
        assert all((ROOT / f"Pulumi.{stack}.yaml").is_file() for stack in preview["strategy"]["matrix"]["stack"])

    def test_an_up_is_never_cancelled_and_never_has_company(self) -> None:
        concurrency = STACK["jobs"]["pulumi"]["concurrency"]

        assert concurrency["cancel-in-progress"] == "${{ inputs.command == 'preview' }}"
        assert "inputs.stack" in concurrency["group"]
        assert "timeout-minutes" not in STACK["jobs"]["pulumi"]

    def test_a_job_gives_what_the_called_workflow_asks_for(self) -> None:
        asked = STACK["on"]["workflow_call"]["inputs"]

        for job in DEPLOY["jobs"].values():
            assert job["uses"] == "./.github/workflows/stack.yaml"
            assert job["with"].keys() == asked.keys()

    def test_every_action_has_a_version(self) -> None:
        used = [one["uses"] for one in STEPS if "uses" in one]

        assert [name for name in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@(v\d+|[0-9a-f]{40})", name)] == []

    def test_the_checkout_leaves_no_token_behind(self) -> None:
        assert STEPS[0]["with"]["persist-credentials"] is False

    def test_keys_of_clouds_are_by_oidc_but_where_there_is_none(self) -> None:
        secrets = {name for text in texts(STACK) for name in re.findall(r"secrets\.(\w+)", text)}

        assert secrets == {
            "PULUMI_ACCESS_TOKEN",
            "PULUMI_CONFIG_PASSPHRASE",
            "DIGITALOCEAN_ACCESS_TOKEN",
            "KUBECONFIG",
        }

    def test_everything_that_is_to_be_set_is_explained_at_the_top(self) -> None:
        text = (WORKFLOWS / "stack.yaml").read_text(encoding="utf-8")
        top = text.partition("name: stack")[0]
        named = {name for one in texts(STACK) for name in re.findall(r"(?:vars|secrets)\.(\w+)", one)}

        assert [name for name in named if name not in top] == []

    def test_pulumis_action_comments_on_the_pull_request_and_shows_no_outputs(self) -> None:
        given = STEPS[-1]["with"]

        assert STEPS[-1]["uses"].startswith("pulumi/actions@")
        assert given["comment-on-pr"] == "${{ inputs.command == 'preview' }}"
        assert given["suppress-outputs"] is True


class TestShell:
    def test_it_stops_at_the_first_failure(self) -> None:
        assert STACK["defaults"]["run"]["shell"] == f"{' '.join(SHELL)} {{0}}"
        assert [one["name"] for one in STEPS if "shell" in one] == []

    def test_nothing_is_pasted_into_a_script(self) -> None:
        # An expression becomes part of the script, whatever it holds; a variable does not.
        assert [one["name"] for one in STEPS if "${{" in one.get("run", "")] == []

    @pytest.mark.parametrize("name", [one["name"] for one in STEPS if "run" in one])
    def test_it_is_bash(self, name: str) -> None:
        done = subprocess.run(["bash", "-n"], input=step(name)["run"], capture_output=True, text=True, check=False)

        assert (done.returncode, done.stderr) == (0, "")


class TestCheckWhatIsSet:
    NAME = "Check what is set"

    @pytest.mark.parametrize(
        "given",
        [
            {"CLOUD": "aws", "AWS_ROLE": "arn:aws:iam::1:role/r", "AWS_REGION": "eu-west-1"},
            {"CLOUD": "gcp", "GCP_WORKLOAD_IDENTITY_PROVIDER": "p", "GCP_SERVICE_ACCOUNT": "a"},
            {"CLOUD": "azure", "AZURE_CLIENT_ID": "c", "AZURE_TENANT_ID": "t", "AZURE_SUBSCRIPTION_ID": "s"},
            {"CLOUD": "digitalocean", "DIGITALOCEAN_ACCESS_TOKEN": "a-token"},
            {"CLOUD": "existing", "KUBECONFIG": "apiVersion: v1"},
        ],
        ids=lambda given: given["CLOUD"],
    )
    def test_what_a_cloud_needs_is_enough_and_no_less(self, runner: Runner, given: dict[str, str]) -> None:
        assert runner.run(self.NAME, **given).returncode == 0
        for lacking in given.keys() - {"CLOUD"}:
            done = runner.run(self.NAME, **{**given, lacking: ""})
            assert done.returncode == 1
            assert done.stdout.startswith("::error::")
            assert lacking in done.stdout
            assert "a-token" not in done.stdout + done.stderr

    @pytest.mark.parametrize("cloud", ["", "AWS", "do"])
    def test_a_word_that_is_no_cloud(self, runner: Runner, cloud: str) -> None:
        done = runner.run(self.NAME, CLOUD=cloud)

        assert done.returncode == 1
        assert "aws, gcp, azure, digitalocean or existing" in done.stdout


class TestInstall:
    NAME = "Install"

    @pytest.fixture
    def installing(self, runner: Runner) -> Runner:
        """Return a runner whose make and pip write down what they are asked for."""
        runner.stand_in("commands/make")
        runner.stand_in(".venv/bin/python")
        return runner

    @pytest.mark.parametrize(
        ("cloud", "sdk"),
        [
            ("aws", "pulumi-aws"),
            ("gcp", "pulumi-gcp"),
            ("azure", "pulumi-azure-native"),
            ("digitalocean", "pulumi-digitalocean"),
        ],
    )
    def test_the_pins_and_the_one_sdk(self, installing: Runner, cloud: str, sdk: str) -> None:
        done = installing.run(self.NAME, CLOUD=cloud)
        made, installed = installing.text("calls").splitlines()
        pins = installing.text("temp/cloud.txt")

        assert (done.returncode, done.stderr) == (0, "")
        assert made == "make .venv/.up"
        assert installed.startswith("python -m pip install ")
        assert "--require-hashes --no-deps" in installed
        assert installed.endswith(f"-r {installing.root}/temp/cloud.txt")
        assert [line.split("==")[0] for line in pins.splitlines() if not line.startswith(" ")] == [sdk]
        assert "--hash=sha256:" in pins

    def test_a_cluster_that_is_there_needs_no_sdk(self, installing: Runner) -> None:
        assert installing.run(self.NAME, CLOUD="existing").returncode == 0
        assert installing.text("calls") == "make .venv/.up\n"

    def test_a_failed_install_stops_the_job(self, installing: Runner) -> None:
        installing.stand_in("commands/make", "exit 2")

        assert installing.run(self.NAME, CLOUD="aws").returncode == 2
        assert "pip" not in installing.text("calls")

    def test_an_sdk_without_pins_is_told(self, installing: Runner) -> None:
        (installing.root / "requirements" / "test.txt").write_text("pulumi==1.0\n")
        done = installing.run(self.NAME, CLOUD="aws")

        assert done.returncode == 1
        assert "no pulumi-aws: run make pins" in done.stdout

    def test_the_makefile_has_what_is_made(self, runner: Runner) -> None:
        done = subprocess.run(
            ["make", "--dry-run", ".venv/.up"], cwd=runner.root, capture_output=True, text=True, check=False
        )

        assert done.returncode == 0
        assert "--require-hashes -r requirements/up.txt" in done.stdout


class TestLookAtTheStack:
    NAME = "Look at the stack"

    @pytest.fixture
    def looking(self, runner: Runner) -> Runner:
        """Return a runner with a valid stack file and the real command."""
        (runner.root / ".venv").symlink_to(Path(sys.prefix))
        (runner.root / "Pulumi.staging.yaml").write_text(STACK_FILE % "digitalocean")
        return runner

    def outputs(self, runner: Runner) -> dict[str, str]:
        return dict(line.split("=", maxsplit=1) for line in runner.text("output").splitlines())

    def test_it_passes_on_the_stack_and_the_version_of_the_engine(self, looking: Runner) -> None:
        done = looking.run(self.NAME, CLOUD="digitalocean", STACK="staging")
        pinned = re.search(r"^pulumi==([0-9.]+)", looking.text("requirements/up.txt"), re.MULTILINE)

        assert (done.returncode, done.stderr) == (0, "")
        assert pinned is not None
        assert self.outputs(looking) == {"name": "staging", "version": pinned[1]}

    def test_an_organization_stands_before_the_stack(self, looking: Runner) -> None:
        looking.run(self.NAME, CLOUD="digitalocean", STACK="staging", ORGANIZATION="my-team")

        assert self.outputs(looking)["name"] == "my-team/qhub/staging"

    def test_another_cloud_than_the_stacks_is_told(self, looking: Runner) -> None:
        done = looking.run(self.NAME, CLOUD="aws", STACK="staging")

        assert done.returncode == 1
        assert "cluster.provider is digitalocean, and QHUB_CLOUD is aws" in done.stdout
        assert self.outputs(looking) == {}

    def test_a_mistake_in_the_settings_stops_before_the_cloud(self, looking: Runner) -> None:
        (looking.root / "Pulumi.staging.yaml").write_text(STACK_FILE % "digitalocaen")
        done = looking.run(self.NAME, CLOUD="digitalocean", STACK="staging")

        assert done.returncode != 0
        assert "cluster.provider" in done.stdout + done.stderr


class TestWriteTheKubeconfig:
    def test_only_the_job_can_read_it(self, runner: Runner) -> None:
        done = runner.run("Write the kubeconfig", CONTENTS="apiVersion: v1\nusers: [$(whoami)]")
        file = runner.root / "temp" / "kubeconfig"

        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert file.read_text() == "apiVersion: v1\nusers: [$(whoami)]\n"
        assert file.stat().st_mode & 0o777 == 0o600
        assert runner.text("env") == f"KUBECONFIG={file}\n"
