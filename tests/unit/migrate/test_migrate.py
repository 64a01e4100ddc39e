"""`qhub migrate`: what comes over is valid, what does not is told with its line, and no secret is read.

The files are our own, written after Nebari's and QHub's documentation and schemas: each cloud, each way of signing in,
every section.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from qhub.config.check import check_settings_file
from qhub.config.document import Document, read_document
from qhub.migrate.clusters import _BY_PROVIDER, _EVERYWHERE, POOL
from qhub.migrate.migration import migrate
from qhub.migrate.moving import Moving
from qhub.migrate.table import TABLE
from tests.unit.migrate.texts import run, told

FILES = sorted((Path(__file__).parent / "files").glob("*.yaml"))
#: Name of a file -> what only a person knows, as it would be added to the new file.
ANSWERS: dict[str, dict[str, Any]] = {
    "nebari-aws": {"authentication": {"organizations": ["reef"]}},
    "nebari-azure": {"authentication": {"admin_users": ["ada@coast.science"]}},
    "nebari-existing": {"authentication": {"admin_users": ["ada"]}},
    "nebari-gcp": {"authentication": {"admin_users": ["ada"]}},
    "nebari-local": {"authentication": {"admin_users": ["ada"]}},
    "qhub-azure": {"authentication": {"organizations": ["moor"]}},
}
#: What could stand where something else belongs.
ODD: list[Any] = [None, "odd", 7, ["odd"], {"odd": {"odder": 1}}]
#: Keys that are used for others, or have the one value that everybody has.
SAID_ALREADY = (
    "provider",
    "project_name",
    "oauth_callback_url",
    "scope",
    "client_secret",
    "certificate.type",
    "acme_server",
    "node_selectors.general",
    "zone",
    "default",
)
NEVER = re.compile(r"never-(in|any)\S*")


def moved(name: str) -> Moving:
    return migrate(read_document(Path(__file__).parent / "files" / f"{name}.yaml"))


def leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield every value of a file that has none below it."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in entries:
        yield from leaves(below, (*path, key))
    if not entries or not value:
        yield path, value


def answer(file: Path, answers: dict[str, Any], secrets: list[str]) -> None:
    """Write into a new file what only a person knows, as `pulumi config set` would."""
    yaml = YAML()
    document = yaml.load(file)
    for section, values in answers.items():
        document["config"].setdefault(f"qhub:{section}", {}).update(values)
    for key in secrets:
        section, _, name = key.partition(".")
        document["config"].setdefault(f"qhub:{section}", {})[name] = {"secure": "v1:abc"}
    yaml.dump(document, file)


class TestEveryFile:
    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_is_valid_once_the_questions_are_answered(self, file: Path, tmp_path: Path) -> None:
        done = run(file, "--output", tmp_path)
        new = tmp_path / "Pulumi.prod.yaml"

        assert done.exit_code == 0, done.output
        asked = done.output.partition("To be answered")[2].partition("\n\n")[0]
        # What `qhub validate` finds in it has been asked.
        for mistake in check_settings_file(new).mistakes:
            assert f"qhub:{mistake.key} --stack prod" in asked
        answer(new, ANSWERS.get(file.stem, {}), moved(file.stem).secrets)
        assert [str(mistake) for mistake in check_settings_file(new).mistakes] == []

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_gives_away_no_secret(self, file: Path, tmp_path: Path) -> None:
        done = run(file, "--output", tmp_path)

        assert NEVER.findall(done.output + (tmp_path / "Pulumi.prod.yaml").read_text()) == []

    @pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
    def test_loses_no_key_without_a_word(self, file: Path) -> None:
        moving = migrate(read_document(file))
        accounted = {note.path for note in moving.notes} | set(moving.origins.values())
        accounted -= {(), ("security",)}  # said of many keys together
        lost = [
            path
            for path, value in leaves(moving.document.data, ())
            if value not in (None, False, "", [], {})
            and not any(path[: len(one)] == one for one in accounted)
            and not any(set(words.split(".")) <= set(map(str, path)) for words in SAID_ALREADY)
        ]

        assert lost == []
        assert [note for note in moving.notes if "no key that is known" in note.text] == []

    def test_is_survived_whatever_stands_in_it(self) -> None:
        document = moved("nebari-aws").document
        for place, path in enumerate(path for path in document.marks if len(path) < 5):
            odd = ODD[place % len(ODD)]
            data = deepcopy(document.data)
            here: Any = data
            for step in path[:-1]:
                here = here[step]
            here[path[-1]] = odd
            if path != ("provider",):
                migrate(Document(document.file, data=data, marks=document.marks))


class TestNebari:
    def test_a_cluster_comes_over_with_its_pools(self) -> None:
        cluster = moved("nebari-aws").values()["cluster"]

        assert (cluster["name"], cluster["region"]) == ("reef-lab", "eu-central-1")
        assert cluster["network"] == {"zones": ["eu-central-1a", "eu-central-1b"], "cidr": "10.30.0.0/16"}
        assert cluster["node_pools"]["worker"] == {"instance_type": "m5.xlarge", "max": 8, "spot": True}
        assert cluster["node_pools"]["gpu"]["gpu"] == {"count": 1}, "as the instance type has them"
        assert cluster["node_pools"]["gpu"]["taints"] == [
            {"key": "example.org/purpose", "value": "training", "effect": "NoSchedule"}
        ], "the taint that Nebari gives every group is one that every pool of ours has"

    def test_profiles_keep_who_and_where(self) -> None:
        small, medium, gpu, chosen = moved("nebari-aws").values()["jupyterhub"]["profiles"]

        assert small["cpu"] == {"limit": 2, "guarantee": 1.5}
        assert (small["default"], "default" in medium) == (True, False)
        assert (gpu["users"], gpu["groups"], gpu["node_pool"], gpu["gpu"]) == (
            ["ada"],
            ["gpu-access"],
            "gpu",
            {"count": 1},
        )
        assert gpu["image"] == {"name": "registry.reef.science/lab-gpu", "tag": "7"}
        assert chosen["users"] == [], "what Keycloak gave to some is not given to all"

    def test_what_no_node_has_room_for_is_lowered_and_told(self) -> None:
        moving = moved("nebari-aws")
        medium = moving.values()["jupyterhub"]["profiles"][1]

        assert medium["memory"] == {"limit": "14.2G", "guarantee": "10G"}
        assert "changed: 16G is more than" in told(
            moving, "profiles", "jupyterlab", 1, "kubespawner_override", "mem_limit"
        )

    def test_a_kubernetes_that_is_newer_than_ours_is_kept(self) -> None:
        assert moved("nebari-gcp").values()["cluster"]["version"] == "1.36"
        assert "version" not in moved("nebari-aws").values()["cluster"]

    def test_a_network_that_was_there_is_used(self) -> None:
        assert moved("nebari-gcp").values()["cluster"]["network"] == {
            "network": "field",
            "subnetwork": "field-eu",
            "pods_range": "pods",
            "services_range": "services",
        }

    def test_old_machines_of_azure_have_successors(self) -> None:
        pools = moved("nebari-azure").values()["cluster"]["node_pools"]

        assert {pool["instance_type"] for pool in pools.values()} == {"Standard_D8s_v5", "Standard_D4s_v5"}

    def test_on_a_cluster_that_is_there_it_keeps_out_of_theirs(self) -> None:
        moving = moved("nebari-existing")

        assert "namespace" not in moving.values()
        assert "theirs is in it" in told(moving, "namespace")
        assert moving.values()["cluster"]["node_pools"] == {
            "user": {"node_selector": {"forest.science/pool": "people"}},
            "worker": {"node_selector": {"forest.science/pool": "batch"}},
        }

    def test_values_of_the_chart_come_over_but_for_what_may_be_secret(self) -> None:
        values = moved("nebari-aws").values()

        assert values["charts"]["jupyterhub"]["overrides"] == {"singleuser": {"extraEnv": {"TZ": "Europe/Berlin"}}}
        assert values["jupyterhub"]["cull"] == {"users": True, "max_age": 86400, "timeout": 2700}


class TestTheQHubBefore:
    def test_people_and_groups_come_over(self) -> None:
        values = moved("qhub-do").values()

        assert values["users"]["wren"] == {"uid": 1000, "primary_group": "users", "secondary_groups": ["billing"]}
        assert values["groups"] == {"users": {"gid": 100}, "admin": {"gid": 101}, "billing": {"gid": 102}}
        assert (values["authentication"]["allowed_users"], values["authentication"]["admin_users"]) == (
            ["wren"],
            ["robin"],
        )

    def test_the_hub_stays_where_people_found_it(self) -> None:
        assert moved("qhub-do").values()["domain"] == "jupyter.orchard.science"
        assert moved("qhub-aws").values()["domain"] == "hub.meadow.science"

    def test_a_number_that_is_none_of_ours_is_left_out_and_told(self) -> None:
        moving = moved("qhub-aws")

        assert "uid" not in moving.values()["users"]["bee"]
        assert "`chown` files that come over" in told(moving, "security", "users", "Bee", "uid")

    def test_their_documents_slip_of_the_pen_is_told(self) -> None:
        path = ("profiles", "jupyterlab", 1, "kubespawner_override", "cpu_guarentee")

        assert 'did you mean "cpu_guarantee"?' in told(moved("qhub-do"), *path)


class TestTheCommand:
    def test_tells_each_key_with_file_and_line(self, tmp_path: Path) -> None:
        file = FILES[0].with_stem("nebari-aws")
        done = run(file, "--output", tmp_path)
        line = next(number for number, text in enumerate(file.read_text().splitlines(), 1) if "welcome:" in text)

        lost = done.output.partition("Has no counterpart:")[2]
        assert f"  nebari-aws.yaml:{line}:5  theme.jupyterhub.welcome: " in lost
        assert "qhub init aws" in done.output

    def test_the_new_file_says_what_is_to_be_answered(self, tmp_path: Path) -> None:
        run(FILES[0].with_stem("qhub-do"), "--output", tmp_path / "Pulumi.lab.yaml")
        text = (tmp_path / "Pulumi.lab.yaml").read_text()

        assert text.count("pulumi config set --path --secret qhub:authentication.client_secret --stack lab") == 2
        # Each section says what it is.
        assert all(f"\n  # {words}" in text for words in ("A new cluster", "Home folders", "Owners of files"))

    @pytest.mark.parametrize("folder", ["new/", "new/er/"])
    def test_a_folder_that_is_not_there_is_made(self, folder: str, tmp_path: Path) -> None:
        done = run(FILES[0], "--output", f"{tmp_path}/{folder}")

        assert done.exit_code == 0, done.output
        assert (tmp_path / folder / "Pulumi.prod.yaml").is_file()

    def test_a_key_that_nobody_knows_is_told(self, tmp_path: Path) -> None:
        file = tmp_path / "nebari-config.yaml"
        file.write_text("project_name: lab\nprovider: local\ndomain: a.localhost\nweather: {sunny: true}\n")

        assert "nebari-config.yaml:4:1  weather: is no key that is known here" in run(file, "--output", "-").output

    def test_nothing_is_written_over(self, tmp_path: Path) -> None:
        (tmp_path / "Pulumi.prod.yaml").write_text("ours")
        done = run(FILES[0], "--output", tmp_path)

        assert done.exit_code == 1
        assert "is there already" in done.output
        assert (tmp_path / "Pulumi.prod.yaml").read_text() == "ours"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a: 1\n", "has no project_name, as nebari-config.yaml has it"),
            ("project_name: a\nazure: {}\ndigital_ocean: {}\n", "names no provider and has azure and digital_ocean"),
            ("project_name: a\nprovider: azur\n", 'did you mean "azure"?'),
            ("project_name: [\n", "is not valid YAML"),
        ],
    )
    def test_what_is_no_configuration_is_told(self, text: str, words: str, tmp_path: Path) -> None:
        file = tmp_path / "some.yaml"
        file.write_text(text)
        done = run(file, "--output", tmp_path)

        assert done.exit_code == 1
        assert words in done.output

    def test_of_ours_a_current_file_has_nothing_to_do(self, tmp_path: Path) -> None:
        file = tmp_path / "Pulumi.prod.yaml"
        file.write_text("config: {qhub:domain: a.localhost}\n")

        assert "nothing to do" in run(file).output
        assert file.read_text() == "config: {qhub:domain: a.localhost}\n"


def test_every_key_of_the_table_is_read_once() -> None:
    """Two rules for one key would leave one of them dead."""
    for table in (TABLE, _EVERYWHERE, POOL, *_BY_PROVIDER.values()):
        assert len({key.replace("*", "x") for key in table}) == len(table)
