"""`qhub validate`: several files at once; for people, for programs and for GitHub; what it ends with and imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from qhub.cli import ELSEWHERE, main
from tests.unit.config.files import Folder

GOOD = """
    config:
      qhub:domain: a.localhost
      qhub:ingress: {controller: traefik}
      qhub:authentication: {password: {secure: v1:abc}}
    """
WARNED = GOOD.replace("traefik", "ingress-nginx")
BAD = GOOD.replace("traefik", "nginx")


def run(*words: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, words)], input=stdin)


class TestForPeople:
    def test_a_valid_file_ends_with_0(self, folder: Folder) -> None:
        done = run(folder.write(GOOD))

        assert done.exit_code == 0
        assert "Pulumi.prod.yaml: the settings are valid" in done.output

    def test_all_files_are_looked_at(self, folder: Folder) -> None:
        done = run(folder.write(BAD, stack="a"), folder.write(GOOD, stack="b"), folder.write(BAD, stack="c"))

        assert done.exit_code == 1
        assert "Pulumi.a.yaml:3:30  ingress.controller" in done.output
        assert "Pulumi.b.yaml: the settings are valid" in done.output
        assert "Pulumi.c.yaml:3:30  ingress.controller" in done.output

    def test_a_warning_has_its_place_and_is_no_mistake(self, folder: Folder) -> None:
        done = run(folder.write(WARNED))

        assert done.exit_code == 0
        assert "warning: Pulumi.prod.yaml:3:30  ingress.controller: ingress-nginx was retired" in done.output

    @pytest.mark.parametrize(
        ("options", "told"),
        [("", True), ("options: {refresh: never}\n", True), ("options: {refresh: always}\n", False)],
    )
    def test_nodes_in_use_that_a_run_on_digitalocean_would_take_away(
        self, folder: Folder, options: str, told: bool
    ) -> None:
        (folder.path / "Pulumi.yaml").write_text(f"name: qhub\nruntime: python\n{options}")
        done = run(
            folder.write(
                """
                config:
                  qhub:domain: a.localhost
                  qhub:cluster: {provider: digitalocean, region: fra1}
                  qhub:ingress: {controller: traefik}
                  qhub:authentication: {password: {secure: v1:abc}}
                """
            )
        )

        assert done.exit_code == 0, done.output
        assert ("write `options: {refresh: always}` into Pulumi.yaml" in done.output) == told

    def test_strict_ends_with_1_on_a_warning(self, folder: Folder) -> None:
        assert run("--strict", folder.write(WARNED)).exit_code == 1
        assert run("--strict", folder.write(GOOD)).exit_code == 0

    def test_a_name_is_a_stack_of_the_project(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.write(GOOD, stack="lab")
        (folder.path / "below").mkdir()
        monkeypatch.chdir(folder.path / "below")

        assert run("lab").exit_code == 0
        assert "there are settings for: lab" in run("lap").output

    def test_a_warning_about_a_default_names_the_stacks_file_alone(self, folder: Folder) -> None:
        (folder.path / "Pulumi.yaml").write_text("name: qhub\nconfig:\n  ingress: {type: object, default: {}}\n")
        done = run(folder.write("config: {qhub:domain: a.localhost}"))

        assert "warning: Pulumi.prod.yaml  ingress.controller" in done.output

    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ("config: {qhub:domain: a.lab.org}", "authentication.password"),
            # What the last run was compared with.
            ("config: {qhub:domain: a.localhost}", "cluster.provider"),
        ],
    )
    def test_a_mistake_about_a_default_names_the_stacks_file_alone(self, folder: Folder, text: str, key: str) -> None:
        declared = "".join(f"  {name}: {{type: object, default: {{}}}}\n" for name in ("authentication", "cluster"))
        (folder.path / "Pulumi.yaml").write_text(f"name: qhub\nconfig:\n{declared}")
        file = folder.write(text)
        outputs = json.dumps({"fixed_settings": {"cluster.provider": "aws", "cluster.protect": True}})

        assert f"\nPulumi.prod.yaml  {key}" in run("--outputs", "-", file, stdin=outputs).output
        assert f"Pulumi.prod.yaml,title={key}" in run("--github", "--outputs", "-", file, stdin=outputs).output

    def test_the_command_line_itself_ends_with_2(self, folder: Folder) -> None:
        assert run("--json", "--github", folder.write(GOOD)).exit_code == 2


@pytest.mark.parametrize("way", [(), ("--json",), ("--github",)])
@pytest.mark.parametrize(
    "written",
    [
        'qhub:images: {registry: r.lab.org, credentials: "ci-bot:hunter2"}',
        "qhub:monitoring: {grafana: hunter2}",
        "qhub:extra_releases: {a: {chart: ./a, secret_values: hunter2}}",
        "qhub:extra_releases: {a: hunter2}",
        "qhub:charts: {traefik: {overrides: 'password: hunter2'}}",
        """qhub:authentication: '{"type": "native", "admin_password": "hunter2"}'""",
        # A comma is missing, so it is no JSON.
        """qhub:authentication: '{"type": "native" "admin_password": "hunter2"}'""",
        # A rule finds a mistake, or the type is none.
        """qhub:authentication: '{"type": "native", "minimum_password_length": 99}  # hunter2'""",
        """qhub:authentication: '{"type": "hunter", "admin_password": "hunter2"}'""",
    ],
)
def test_a_secret_in_the_place_of_a_section_is_not_shown(folder: Folder, written: str, way: tuple[str, ...]) -> None:
    done = run(*way, folder.write(f"config:\n  qhub:domain: a.localhost\n  {written}\n"))

    assert done.exit_code == 1
    assert written.split(":")[1] in done.output
    assert "hunter2" not in done.output


def test_text_that_is_json_is_a_section_as_it_is_for_the_engine(folder: Folder) -> None:
    text = GOOD.replace("{controller: traefik}", """'{"controller": "traefik"}'""")

    assert run(folder.write(text)).exit_code == 0
    told = run(folder.write(text.replace('"traefik"', '"nginx"'))).output
    assert 'Pulumi.prod.yaml:3:3  ingress.controller: "nginx" is not possible' in told


class TestForPrograms:
    def document(self, *words: str | Path) -> dict[str, Any]:
        return json.loads(run("--json", *words).output)

    def test_everything_is_in_the_document(self, folder: Folder) -> None:
        document = self.document(folder.write(BAD, stack="a"), folder.write(WARNED, stack="b"))

        assert document["valid"] is False
        bad, warned = document["files"]
        assert (bad["stack"], bad["valid"], warned["valid"]) == ("a", False, True)
        (mistake,) = bad["mistakes"]
        assert mistake == {
            "file": "Pulumi.a.yaml",
            "line": 3,
            "column": 30,
            "key": "ingress.controller",
            "message": '"nginx" is not possible',
            "expected": None,
            "nearest": "ingress-nginx",
            "known": ["ingress-nginx", "traefik"],
        }
        assert [warning["key"] for warning in warned["warnings"]] == ["ingress.controller"]

    def test_no_secret_is_in_it(self, folder: Folder) -> None:
        text = GOOD.replace("{secure: v1:abc}", "hunter2")

        assert "hunter2" not in json.dumps(self.document(folder.write(text)))


class TestForGitHub:
    def annotations(self, folder: Folder, text: str) -> list[str]:
        done = run("--github", folder.write(text))
        return [line for line in done.output.splitlines() if line.startswith("::")]

    def test_a_mistake_is_an_error_beside_its_line(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_WORKSPACE", str(folder.path.parent))
        file = f"{folder.path.name}/Pulumi.prod.yaml"

        assert self.annotations(folder, BAD) == [
            f"::error file={file},line=3,col=30,title=ingress.controller::"
            '"nginx" is not possible; did you mean "ingress-nginx"?  (known: ingress-nginx, traefik)'
        ]

    def test_a_warning_is_a_warning(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_WORKSPACE", str(folder.path))
        (line,) = self.annotations(folder, WARNED)

        assert line.startswith("::warning file=Pulumi.prod.yaml,line=3,col=30,title=ingress.controller::ingress-nginx")

    def test_what_would_end_an_annotation_is_escaped(self, folder: Folder) -> None:
        (line,) = self.annotations(folder, GOOD + "\n      qhub:groups: {'a,b:c%': {gid: 1100}}\n")

        properties, _, message = line.removeprefix("::").partition("::")
        assert "title=groups.a%2Cb%3Ac%25" in properties
        assert '"a,b:c%25" is not' in message


class TestWithTheOutputsOfTheLastRun:
    def test_a_change_that_cannot_be_made_is_told(self, folder: Folder) -> None:
        outputs = json.dumps({"address": "x", "fixed_settings": {"storage.size": "500Gi"}})
        done = run("--outputs", "-", folder.write(GOOD), stdin=outputs)

        assert done.exit_code == 1
        assert "storage.size: 100Gi after 500Gi: storage can grow, never shrink" in done.output

    def test_a_size_that_is_none_in_them_is_told_as_theirs(self, folder: Folder) -> None:
        outputs = json.dumps({"fixed_settings": {"storage.size": "abc"}})
        done = run("--outputs", "-", folder.write(GOOD), stdin=outputs)

        assert done.exit_code == 1
        assert 'storage.size: is "abc" in the outputs of the last `pulumi up`, which is no size' in done.output

    @pytest.mark.parametrize("outputs", ["", "[]", '{"address": "x"}', '{"fixed_settings": 5}'])
    def test_what_is_none_is_told_as_a_wrong_command(self, folder: Folder, outputs: str) -> None:
        done = run("--outputs", "-", folder.write(GOOD), stdin=outputs)

        assert done.exit_code == 2
        assert "--outputs" in done.output


#: What a look at a file has no use for: SDKs, the engine's client, the rehearsal, terminal tables.
TOO_MUCH = ("pulumi", "pulumi_kubernetes", "kubernetes", "grpc", "rich", "psutil", "qhub.rehearsal", "qhub.automation")


def test_nothing_is_imported_that_it_has_no_use_for(folder: Folder) -> None:
    script = "import sys\nfrom qhub.cli import main\ntry: main()\nexcept SystemExit: print(*sys.modules, sep='\\n')"
    command = [sys.executable, "-c", script, "validate", str(folder.write(GOOD))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert "the settings are valid" in done.stdout
    assert [name for name in TOO_MUCH if name in done.stdout.splitlines()] == []


@pytest.mark.parametrize("name", ELSEWHERE)
def test_every_command_that_is_imported_late_is_there(name: str) -> None:
    done = CliRunner().invoke(main, [name, "--help"])

    assert done.exit_code == 0
    assert "Usage:" in done.output
