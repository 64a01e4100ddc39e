"""Help while writing: `qhub explain`, the settings reference, the JSON Schemas for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from qhub.cli import main
from qhub.config import load_settings_file
from qhub.config.describe import all_keys
from qhub.config.document import read_document
from qhub.config.explain import UnknownKeyError, explain
from qhub.config.reference import EXAMPLES, settings_reference
from qhub.config.schema import settings_json_schema
from qhub.config.settings import SECTIONS
from tests.unit.config.files import Folder

ROOT = Path(__file__).parents[3]
TEMPLATES = ["Pulumi.local.yaml", *(f"tests/assets/config_{cloud}.yaml" for cloud in ("aws", "gcp", "do", "azure"))]
PARTS = ["Pulumi.staging.yaml", "Pulumi.prod.yaml", "stacks/base.yaml"]


def errors(file: Path, *, part: bool = False) -> list[str]:
    found = jsonschema.Draft202012Validator(settings_json_schema(part=part)).iter_errors(read_document(file).data)
    return [f"{error.json_path}: {error.message[:200]}" for error in found]


class TestExplain:
    def test_a_key_is_told_with_type_unit_and_default(self) -> None:
        text = explain("jupyterhub.cull.timeout")

        assert "Seconds without activity" in text
        assert "a whole number of seconds" in text
        assert "Default: 1800" in text

    @pytest.mark.parametrize("key", ["users.alice.uid", "users.uid", "qhub:users.bob.uid"])
    def test_names_of_maps_may_be_any_or_left_out(self, key: str) -> None:
        assert "from 1000 to 60000" in explain(key)

    @pytest.mark.parametrize("key", ["jupyterhub.profiles[0].cpu.limit", "jupyterhub.profiles.cpu.limit"])
    def test_positions_may_be_left_out(self, key: str) -> None:
        assert "Cores that a server may use at most" in explain(key)

    def test_a_section_lists_its_keys(self) -> None:
        assert {"enabled", "timeout", "every", "max_age"} <= set(explain("jupyterhub.cull").split())

    def test_without_a_key_all_sections_are_listed(self) -> None:
        assert [line.split()[0] for line in explain("").splitlines()] == list(SECTIONS)
        assert explain("qhub:") == explain("")

    def test_a_key_of_some_clouds_says_of_which(self) -> None:
        assert "(with provider: gcp)" in explain("cluster.release_channel")
        assert "(with kind: nfs-server, managed, storage-class)" in explain("storage.size")

    def test_what_cannot_be_changed_is_said(self) -> None:
        assert "never shrink" in explain("storage.size")
        assert "It cannot be changed once the stack is up" in explain("namespace.name")

    def test_a_secret_comes_with_its_command(self) -> None:
        command = "pulumi config set --path --secret qhub:authentication.client_secret"
        assert command in explain("authentication.client_secret")

        told = explain('extra_releases.a.secret_values["auth.password"]')
        assert """ 'qhub:extra_releases.a.secret_values["auth.password"]'""" in told

    @pytest.mark.parametrize(
        ("key", "words"),
        [
            ("jupyterhub.cull.timout", 'did you mean "jupyterhub.cull.timeout"?'),
            ("gid", "keys of that name: groups.<name>.gid"),
            ("stroage", 'did you mean "storage"?'),
            ("zzz", "`qhub explain` lists the sections"),
            ("a..b[", "there is no key"),
            ("[]", "`qhub explain` lists the sections"),
        ],
    )
    def test_an_unknown_key_names_what_was_meant(self, key: str, words: str) -> None:
        with pytest.raises(UnknownKeyError) as caught:
            explain(key)

        assert words in str(caught.value)

    def test_the_command_ends_with_1_for_one(self) -> None:
        assert CliRunner().invoke(main, ["explain", "zzz"]).exit_code == 1
        assert CliRunner().invoke(main, ["explain", "domain"]).exit_code == 0

    @pytest.mark.parametrize("name", sorted({key.name for key in all_keys()}))
    def test_every_key_can_be_explained(self, name: str) -> None:
        assert name in explain(name)


class TestTheReference:
    def test_is_up_to_date(self) -> None:
        written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")

        assert written == settings_reference(), "run `make reference`"

    def test_has_every_key_with_a_description(self) -> None:
        keys = all_keys()

        assert [key.name for key in keys if not key.description] == []
        assert len(keys) > 300

    def test_its_examples_are_one_valid_file(self, folder: Folder) -> None:
        lines = [f"qhub:{name}: {text}" for name, text in EXAMPLES.items() if name != "base"]
        indented = "\n".join(lines).replace("\n", "\n  ")
        settings = load_settings_file(folder.write(f"config:\n  {indented}\n"))

        assert settings.warnings() == ()
        assert set(EXAMPLES) == set(SECTIONS)


class TestTheSchemas:
    @pytest.mark.parametrize(("name", "part"), [("stack.schema.json", False), ("stack-part.schema.json", True)])
    def test_are_up_to_date(self, name: str, part: bool) -> None:
        written: Any = json.loads((ROOT / "docs" / name).read_text(encoding="utf-8"))

        assert written == settings_json_schema(part=part), "run `make reference`"
        jsonschema.Draft202012Validator.check_schema(written)

    @pytest.mark.parametrize("name", TEMPLATES)
    def test_take_every_template(self, name: str) -> None:
        assert errors(ROOT / name) == []

    @pytest.mark.parametrize("name", PARTS)
    def test_of_a_part_take_bases_and_what_is_laid_over_them(self, name: str) -> None:
        assert errors(ROOT / name, part=True) == []

    @pytest.mark.parametrize("name", [*TEMPLATES, *PARTS])
    def test_are_named_where_an_editor_looks(self, name: str) -> None:
        file = ROOT / name
        first = file.read_text(encoding="utf-8").splitlines()[0]
        said = "stack-part" if name in PARTS else "stack"

        assert first.startswith("# yaml-language-server: $schema=")
        assert (file.parent / first.partition("=")[2]).resolve() == ROOT / "docs" / f"{said}.schema.json"

    @pytest.mark.parametrize(
        ("written", "says"),
        [
            ("qhub:storage: {size: 5}", None),
            ("qhub:namespace: {quota: {cpu: 4, memory: 2Gi}}", None),
            ("qhub:cluster: {region: eu-west-1}", "not valid"),
            ("qhub:jupyterhub: {start_timeout: soon}", "integer"),
            ("qhub:ingress: {controller: nginx}", "nginx"),
        ],
    )
    def test_hold_what_the_models_hold(self, folder: Folder, written: str, says: str | None) -> None:
        found = errors(folder.write(f"config:\n  qhub:domain: a.b\n  {written}\n"))

        assert (found == []) if says is None else any(says in one for one in found)

    def test_say_what_cannot_be_changed_in_hover_texts(self) -> None:
        definition = settings_json_schema()["$defs"]["AwsCluster"]["properties"]["region"]

        assert "It cannot be changed once the stack is up" in definition["description"]
