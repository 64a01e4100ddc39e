"""`qhub migrate` says what is odd about a file, whatever stands in it, and what it writes is YAML."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from qhub.config.document import read_document
from qhub.config.jupyterhub import Profile
from qhub.migrate.traits import TRAITS
from tests.unit.migrate.texts import LOCAL, of_text, run, told


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("profiles: 3", "profiles"),
        ("certificate: lets-encrypt", "certificate"),
        ("certificate: [lets-encrypt]", "certificate"),
        ("local: text", "local"),
    ],
)
def test_what_is_written_otherwise_is_not_told_as_unknown(text: str, path: str) -> None:
    assert told(of_text(f"{LOCAL}{text}\n"), path).startswith("asked: is not written as it is in their own documents")


@pytest.mark.parametrize(
    "text",
    [
        "default_images:\n  jupyterlab: >\n    quay.io/team/lab\n",
        'security: {authentication: {type: "one\\n- two\\u2028three\\efour"}}\n',
        'security: {users: {"a\\n- b": 3}}\n',
    ],
)
def test_a_line_break_in_the_old_file_breaks_no_comment_of_the_new(text: str, tmp_path: Path) -> None:
    old = tmp_path / "nebari-config.yaml"
    old.write_text(LOCAL + text)
    done = run(old, "--output", tmp_path)
    new = read_document(tmp_path / "Pulumi.prod.yaml")

    assert (done.exit_code, new.flaws) == (0, []), done.output
    assert set(new.data) == {"config"}


def test_ranges_that_are_no_list_are_asked() -> None:
    ranges = "{master_authorized_networks_config: {cidr_blocks: 7}}"
    moving = of_text(f"project_name: a\nprovider: gcp\ngoogle_cloud_platform: {ranges}\n")
    path = ("google_cloud_platform", "master_authorized_networks_config", "cidr_blocks")

    assert told(moving, *path).startswith("asked: is not written as it is in their own documents")


@pytest.mark.parametrize("gid", ["[a]", "{}", "{a: 1}", "many"])
def test_a_gid_that_is_no_number_is_asked(gid: str) -> None:
    groups = f"{{a: {{gid: {gid}}}, b: {{gid: '1100'}}}}"
    moving = of_text(
        f"project_name: a\nprovider: local\nsecurity: {{users: {{ada: {{primary_group: c}}}}, groups: {groups}}}\n"
    )

    assert "asked: qhub:groups.a" in told(moving, "security", "groups", "a", "gid")
    assert moving.values()["groups"]["c"] == {"gid": 1101}, "1100 is taken"


@pytest.mark.parametrize(
    ("config", "code", "words"),
    [("", 0, "nothing to do"), ("[]", 1, "should be a map of keys"), ("text", 1, "should be a map of keys")],
)
def test_of_ours_one_without_settings_is_told(config: str, code: int, words: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.up.yaml"
    file.write_text(f"config: {config}\n")
    done = run(file)

    assert (done.exit_code, words in done.output) == (code, True), done.output


@pytest.mark.filterwarnings("ignore:metadata:DeprecationWarning")  # of KubeSpawner itself
def test_whatever_kubespawner_knows_is_no_slip_of_the_pen() -> None:
    # Of the version that the hub's image has. Imported where it is needed: it takes a second.
    from kubespawner import KubeSpawner

    known = KubeSpawner.class_traits(config=True)
    profile = {"display_name": "A", "kubespawner_override": dict.fromkeys(known, 7)}
    moving = of_text(f"{LOCAL}profiles: {json.dumps({'jupyterlab': [profile]})}\n")

    assert known.keys() == TRAITS
    assert [note for note in moving.notes if "no key of KubeSpawner" in note.text] == []


def test_choices_within_a_profile_are_told_with_what_says_them_here() -> None:
    options = {"image": {"display_name": "Image", "choices": {"a": {"display_name": "A"}}}}
    profiles = {"jupyterlab": [{"display_name": "A", "profile_options": options}]}
    moving = of_text(f"{LOCAL}profiles: {json.dumps(profiles)}\n")
    said = told(moving, "profiles", "jupyterlab", 0, "profile_options")
    named = re.findall(r"`(\w+)`", said)

    assert named == ["sizes", "images", "other_image"]
    assert set(named) <= Profile.model_fields.keys()
