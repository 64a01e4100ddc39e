"""Nothing that somebody wrote passes unread: beside `config:`, under another namespace, in a base without settings."""

from __future__ import annotations

import pytest

from qhub.config.check import check_settings_file
from tests.unit.config.files import Folder

LAB = "name: lab\nruntime: python\n"


def told(folder: Folder, text: str) -> list[str]:
    return [f"{one.place} {one.key}: {one.message}" for one in check_settings_file(folder.write(text)).mistakes]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        # The indentation is wrong: each key is told, and what it was meant to be is not called missing.
        (
            "config:\n  qhub:domain: a.localhost\nqhub:cluster: {provider: existing}\n",
            "3:1 cluster",
            "indent it below",
        ),
        ("qhub:domain: a.localhost\n", "1:1 domain", "nothing reads it without `config:`"),
        ("config:\ndomain: a.localhost\n", "2:1 domain", "stands beside `config:`"),
        ("config: {domain: a.localhost}\naws:region: eu-west-1\n", "2:1 aws:region", "indent it below"),
        ("config: {domain: a.localhost}\nqhub:\n  cluster: {}\n", "2:1 qhub", "indent it below"),
        ("config: {domain: a.localhost}\nqub:cluster: {}\n", "2:1 qub:cluster", "as `qhub:cluster`"),
        ("conf:\n  qhub:domain: a.localhost\n", "1:1 conf", "write `config:`"),
        # A mistyped namespace, or that of the usual name where the project has another.
        ("config:\n  qhub:domain: a.localhost\n  qub:cluster: {}\n", "3:3 qub:cluster", "write `qhub:cluster`"),
        ("config:\n  QHub:doman: a.localhost\n", "2:3 QHub:doman", "write `qhub:domain`"),
    ],
)
def test_what_nothing_reads_is_told_with_its_place(folder: Folder, text: str, place: str, words: str) -> None:
    (mistake,) = told(folder, text)

    assert mistake.startswith(f"Pulumi.prod.yaml:{place}: ")
    assert words in mistake


def test_what_it_was_meant_to_be_is_looked_at_too(folder: Folder) -> None:
    mistakes = told(folder, "config: {qhub:domain: a.localhost}\nqhub:cluster: {provider: exsting}\n")

    assert [mistake.split()[1] for mistake in mistakes] == ["cluster:", "cluster.provider:"]


def test_where_the_project_has_another_name_the_advice_has_it(folder: Folder) -> None:
    (folder.path / "Pulumi.yaml").write_text(LAB)

    assert told(folder, "config:\n  qhub:domain: a.localhost\n") == [
        "Pulumi.prod.yaml:2:3 qhub:domain: nothing reads it: settings start with the name of the project, here `lab:`; "
        "write `lab:domain`"
    ]
    (missing,) = told(folder, "config: {}\n")
    assert "add a line such as `lab:domain: hub.example.org`" in missing
    assert "pulumi config set lab:domain hub.example.org" in missing


@pytest.mark.parametrize("project", ["qhub", "kubernetes-hub", "aws2", "lab"])
def test_keys_of_providers_and_of_anybody_else_are_left_alone(folder: Folder, project: str) -> None:
    (folder.path / "Pulumi.yaml").write_text(LAB.replace("lab", project))
    check = check_settings_file(
        folder.write(f"""
            encryptionsalt: v1:a
            secretsprovider: passphrase
            encryptedkey: a
            environment: [shared]
            x-node: &node {{min: 1}}
            .more: {{}}
            config:
              {project}:domain: a.localhost
              {project}:config:ingress: {{controller: traefik}}
              aws:region: eu-west-1
              aws:config:profile: x
              gcp:project: x
              kubernetes:namespace: x
              azure-native:location: x
              digitalocean:token: {{secure: "v1:a"}}
              random:x: 1
              pulumi:tags: {{}}
              github:token: x
              labs:token: x
              my-own:domain: x
            """)
    )

    assert check.mistakes == ()
    assert check.settings is not None
    assert check.settings.ingress.controller == "traefik"
    assert not [warning for warning in check.warnings if "nothing reads it" in warning.message]


def test_what_may_be_there_on_purpose_is_a_warning(folder: Folder) -> None:
    check = check_settings_file(folder.write("config: {qhub:domain: a.localhost}\nnotes: {}\n"))

    assert check.valid
    (warning,) = [warning for warning in check.warnings if warning.key == "notes"]
    assert warning.place == "Pulumi.prod.yaml:2:1"


@pytest.mark.parametrize(
    ("base", "place", "words"),
    [
        ("qhub:ingress: {controller: traefik}\n", "base.yaml:1:1 ingress", "nothing reads it without `config:`"),
        ("config:\n  qub:ingress: {controller: traefik}\n", "base.yaml:2:3 qub:ingress", "write `qhub:ingress`"),
        ("config: 3\n", "base.yaml:1:1 config", "should be a map of keys such as qhub:domain"),
        ("config: [3]\n", "base.yaml:1:1 config", "should be a map of keys such as qhub:domain"),
        ("conf: 3\n", "base.yaml:1:1 conf", "write `config:`"),
        ("", "base.yaml config", "is missing"),
    ],
)
def test_a_base_is_read_as_strictly(folder: Folder, base: str, place: str, words: str) -> None:
    (folder.path / "base.yaml").write_text(base)
    (mistake,) = told(folder, "config: {qhub:base: base.yaml, qhub:domain: a.localhost}\n")

    assert mistake.startswith(f"{place}: ")
    assert words in mistake


def test_a_base_with_no_settings_yet_is_right(folder: Folder) -> None:
    (folder.path / "base.yaml").write_text("config:\n")

    assert told(folder, "config: {qhub:base: base.yaml, qhub:domain: a.localhost}\n") == []
