"""`qhub init`: what it writes is valid, what it refuses is told as the settings tell it, and nothing is overwritten."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from qhub import commands_init
from qhub.config import load_settings_file
from qhub.config.check import check_settings_file
from qhub.config.document import read_document
from qhub.config.schema import pulumi_project_config, settings_json_schema
from tests.unit.init.answering import CLOUDS, SIGN_INS, init, seal

STACKS = ("staging", "prod")
SEALED = ("client-secret", "password", "admin-password")


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands_init, "asks", lambda: True)


def settings(folder: Path, stack: str) -> Any:
    return load_settings_file(folder / f"Pulumi.{stack}.yaml")


def lacking(folder: Path, stack: str) -> set[str]:
    return {mistake.key for mistake in check_settings_file(folder / f"Pulumi.{stack}.yaml").mistakes}


class TestWhatIsWritten:
    @pytest.mark.parametrize("cloud", CLOUDS)
    def test_is_valid_but_for_the_secret_on_each_cloud(self, cloud: str, tmp_path: Path) -> None:
        done = init(cloud, CLOUDS[cloud], output=tmp_path)

        assert done.exit_code == 0, done.output
        assert [lacking(tmp_path, stack) for stack in STACKS] == [{"authentication.client_secret"}] * 2
        seal(tmp_path)
        staging, prod = (settings(tmp_path, stack) for stack in STACKS)
        assert (staging.domain, prod.domain) == ("staging.hub.lab.org", "hub.lab.org")
        assert staging.cluster.provider == prod.cluster.provider == cloud
        assert (staging.storage.protect, prod.storage.protect) == (False, True)
        assert (staging.authentication.client_id, prod.authentication.client_id) == ("another-id", "an-id")
        assert (staging.certificates.issuer, prod.certificates.issuer) == ("letsencrypt-staging", "letsencrypt")
        # Nothing to worry about is left, such as a controller without security fixes, but what a person has to look at.
        to_look_at = ["cluster.enforces_network_policies"] if cloud == "existing" else []
        assert [one.key for one in check_settings_file(tmp_path / "Pulumi.prod.yaml").warnings] == to_look_at

    @pytest.mark.parametrize("sign_in", SIGN_INS)
    def test_is_valid_with_each_way_of_signing_in(self, sign_in: str, tmp_path: Path) -> None:
        done = init("existing", SIGN_INS[sign_in], output=tmp_path)

        assert done.exit_code == 0, done.output
        seal(tmp_path)
        for stack in STACKS:
            authentication = settings(tmp_path, stack).authentication
            assert authentication.type == sign_in
            assert authentication.lets_somebody_in

    def test_a_name_of_this_machine_needs_no_certificate_and_no_secret(self, tmp_path: Path) -> None:
        done = init("existing", {"domain": "hub.localhost", "sign-in": "dummy"}, output=tmp_path)

        assert done.exit_code == 0, done.output
        assert "--secret" not in done.output
        assert [lacking(tmp_path, stack) for stack in STACKS] == [set(), set()]

    def test_a_value_that_yaml_would_misread_is_in_quotes(self, tmp_path: Path) -> None:
        init("existing", {**CLOUDS["existing"], "client-id": "0123", "context": "on"}, output=tmp_path)
        seal(tmp_path)
        prod = settings(tmp_path, "prod")

        assert (prod.authentication.client_id, prod.cluster.context) == ("0123", "on")

    def test_editors_and_the_engine_know_its_keys(self, tmp_path: Path) -> None:
        init("aws", CLOUDS["aws"], output=tmp_path)
        validator = jsonschema.Draft202012Validator(settings_json_schema(part=True))

        assert read_document(tmp_path / "Pulumi.yaml").data["config"] == pulumi_project_config()
        assert json.loads((tmp_path / "stack.schema.json").read_text()) == settings_json_schema(part=True)
        for name in ("base.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml"):
            file = tmp_path / name
            assert file.read_text().startswith("# yaml-language-server: $schema=stack.schema.json\n")
            assert [error.message for error in validator.iter_errors(read_document(file).data)] == []

    @pytest.mark.parametrize(
        ("sign_in", "example"),
        [("azuread", r"[0-9]{8}(-[0-9]{4}){3}-[0-9]{12}"), ("gitlab", ".+/.+"), ("oidc", "data")],
    )
    def test_an_example_of_a_group_is_one_of_that_provider(self, sign_in: str, example: str, tmp_path: Path) -> None:
        answers = {name: answer for name, answer in SIGN_INS[sign_in].items() if name != "allowed-groups"}
        init("existing", {**answers, "admin-users": "ada"}, output=tmp_path)

        assert re.search(rf'# allowed_groups: \["?{example}"?\]\n', (tmp_path / "base.yaml").read_text())

    def test_a_secret_cannot_be_given(self) -> None:
        assert [name for name in SEALED if init("aws", {name: "s3cret"}).exit_code == 0] == []
        assert [option.name for option in commands_init.init_command.params if "secret" in (option.name or "")] == []

    def test_the_workflow_is_ours_but_for_what_is_installed(self, tmp_path: Path) -> None:
        init("aws", CLOUDS["aws"], output=tmp_path)
        ours, theirs = Path(__file__).parents[3] / ".github/workflows", tmp_path / ".github/workflows"

        assert (theirs / "deploy.yaml").read_text() == (ours / "deploy.yaml").read_text()
        mine, new = (
            YAML(typ="safe").load(folder / "stack.yaml")["jobs"]["pulumi"]["steps"] for folder in (ours, theirs)
        )
        other = [one.get("name", one.get("uses")) for one, two in zip(mine, new, strict=True) if one != two]
        assert other == ["actions/setup-python@v6", "Install", "Look at the stack"]
        assert "-r requirements.txt" in new[3]["run"]
        assert (tmp_path / "requirements.txt").read_text().splitlines()[-1].startswith("qhub[aws]")


class TestWhatIsThere:
    def test_stays_as_it_is_and_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "README.md").write_text("ours")
        (tmp_path / "base.yaml").symlink_to(tmp_path / "nowhere")
        done = init("aws", CLOUDS["aws"], output=tmp_path)

        assert done.exit_code == 0
        assert f"kept  {tmp_path}/README.md, which was there already" in done.output
        assert f"kept  {tmp_path}/base.yaml" in done.output
        assert (tmp_path / "README.md").read_text() == "ours"
        assert not (tmp_path / "nowhere").exists()

    def test_a_folder_that_cannot_be_made_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        done = init("aws", CLOUDS["aws"], output=tmp_path / "file" / "below")

        assert done.exit_code == 1
        assert "cannot be written" in done.output

    def test_nothing_is_written_after_a_wrong_answer(self, tmp_path: Path) -> None:
        done = init("aws", {**CLOUDS["aws"], "region": "mars"}, output=tmp_path)

        assert done.exit_code == 2
        assert list(tmp_path.iterdir()) == []


class TestByOptions:
    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"region": "eu-wset-1"}, "--region: eu-wset-1 is not a region of aws that is known here"),
            ({"region": "eu-wset-1"}, 'did you mean "eu-west-1"?'),
            ({"domain": "https://hub.lab.org/"}, "write the host name alone: hub.lab.org"),
            ({"domain": "10.0.0.5"}, '--domain: "10.0.0.5" is an IP address'),
            ({"domain": ""}, "--domain: is needed"),
            ({"email": "ops"}, '--email: found "ops"; expected an e-mail address'),
            ({"sign-in": "githib"}, '--sign-in: "githib" is not possible; did you mean "github"?'),
            ({"admin-users": "Alice"}, "write alice"),
            ({"admin-users": "", "organizations": ""}, "--admin-users: nobody could sign in"),
            ({"project": "lab-1234"}, "--project belongs to gcp, not to aws"),
            ({"tenant": "lab.org"}, "--tenant belongs to --sign-in azuread, not to github"),
        ],
    )
    def test_a_wrong_answer_is_told_as_the_settings_tell_it(
        self, options: dict[str, str], told: str, tmp_path: Path
    ) -> None:
        done = init("aws", {**CLOUDS["aws"], **options}, output=tmp_path)

        assert done.exit_code == 2
        assert told in done.output

    def test_all_that_is_wrong_is_told_at_once(self, tmp_path: Path) -> None:
        done = init("gcp", {"domain": "hub.lab.org", "region": "europe-wes4"}, output=tmp_path)

        wrong = ["--region", "--project", "--email", "--sign-in"]
        assert [option for option in wrong if f"{option}: " in done.output] == wrong
        assert "--domain: " not in done.output

    @pytest.mark.parametrize(("word", "cloud"), [("do", "digitalocean"), ("gke", "gcp"), ("AKS", "azure")])
    def test_a_cloud_has_other_names(self, word: str, cloud: str, tmp_path: Path) -> None:
        init(word, CLOUDS[cloud], output=tmp_path)

        assert f"provider: {cloud}" in (tmp_path / "base.yaml").read_text()

    def test_a_word_that_is_no_cloud(self, tmp_path: Path) -> None:
        done = init("azur", {}, output=tmp_path)

        assert done.exit_code == 2
        assert 'did you mean "azure"?' in done.output


@pytest.mark.usefixtures("at_a_terminal")
class TestAtATerminal:
    def test_it_asks_what_it_must_and_again_after_a_wrong_answer(self, tmp_path: Path) -> None:
        typed = ["hub.lab.org", "", "fra11", "fra1", "ops@lab.org", "github", "lab", "Alice", "alice", "an-id", "an-id"]
        done = init("do", {}, output=tmp_path, typed="\n".join(typed) + "\n")

        assert done.exit_code == 0, done.output
        assert "fra11" not in (tmp_path / "base.yaml").read_text()
        assert '"Alice" would never match' in done.output
        assert "domain: staging.hub.lab.org" in (tmp_path / "Pulumi.staging.yaml").read_text()
        assert lacking(tmp_path, "prod") == {"authentication.client_secret"}

    def test_it_does_not_ask_what_an_option_says(self, tmp_path: Path) -> None:
        done = init("aws", CLOUDS["aws"], output=tmp_path, typed="\n")

        assert done.exit_code == 0, done.output
        assert "Region" not in done.output
        assert "DNS name of staging [staging.hub.lab.org]" in done.output
