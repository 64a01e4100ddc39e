"""The version of the settings' form: upgrades are pure and keep comments, and another version is told plainly."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from click.testing import CliRunner

from qhub.commands_migrate import migrate_command
from qhub.config import versions
from qhub.config.check import check_settings_file
from qhub.config.document import read_document
from qhub.config.versions import CURRENT, UPGRADES, Removed, Renamed, upgraded
from qhub.migrate.upgrading import upgraded_text
from tests.unit.config.files import Folder

#: What is to be done where the settings are newer than the QHub that reads them.
NEWER = "line of requirements.txt that has qhub, and `pip install --force-reinstall -r requirements.txt`"
#: Three versions as there could be. The first change is one that really was made before there was a version: subnets
#: by zone, where they had been a list.
CHANGES: versions.Upgrades = {
    2: [
        Renamed(
            key="cluster.network.private_subnet_ids",
            to="private_subnets",
            convert=lambda ids: {f"eu-west-1{letter}": one for letter, one in zip("abc", ids, strict=False)},
        ),
        Renamed(key="jupyterhub.profiles.*.mem", to="memory", convert=lambda text: {"limit": text}),
    ],
    3: [
        Renamed(key="jupyterhub.profiles.*.memory", convert=lambda memory: {**memory, "guarantee": "1G"}),
        Removed(key="dask.enabled", instead="leave the section out"),
    ],
}

OLD: dict[str, Any] = {
    "cluster": {"provider": "aws", "network": {"private_subnet_ids": ["subnet-0a", "subnet-0b"], "nat": "single"}},
    "jupyterhub": {"profiles": [{"name": "a", "mem": "2G"}, {"name": "b"}]},
    "dask": {"enabled": True},
}

TEXT = """\
# Ours.
config:
  aws:region: eu-west-1  # another program's
  qhub:cluster:
    provider: aws
    network:
      # One in each zone.
      private_subnet_ids: [subnet-0a, subnet-0b]  # both private
      nat: single  # cheap
  qhub:dask:
    # Not any more.
    enabled: true
    idle_timeout: 600
  qhub:jupyterhub:
    profiles:
      - {name: a, mem: "2G"}
"""

#: The same of version 3.
NEW_TEXT = """\
# Ours.
config:
  aws:region: eu-west-1  # another program's
  qhub:cluster:
    provider: aws
    network:
      # One in each zone.
      private_subnets:                            # both private
        eu-west-1a: subnet-0a
        eu-west-1b: subnet-0b
      nat: single  # cheap
  qhub:dask:
    # Not any more.
    idle_timeout: 600
  qhub:jupyterhub:
    profiles:
      - {name: a, memory: {limit: "2G", guarantee: 1G}}
  qhub:version: 3
"""


class TestUpgrades:
    def test_go_through_every_version_between(self) -> None:
        new, told = upgraded(OLD, upgrades=CHANGES, current=3)

        assert new["cluster"]["network"] == {
            "private_subnets": {"eu-west-1a": "subnet-0a", "eu-west-1b": "subnet-0b"},
            "nat": "single",
        }
        assert list(new["cluster"]["network"]) == ["private_subnets", "nat"], "a renamed key keeps its place"
        assert new["jupyterhub"]["profiles"] == [
            {"name": "a", "memory": {"limit": "2G", "guarantee": "1G"}},
            {"name": "b"},
        ]
        assert new["version"] == 3
        assert told[0] == "cluster.network.private_subnet_ids is private_subnets now"
        assert "dask.enabled is gone: leave the section out" in told

    def test_begin_where_the_settings_are(self) -> None:
        new, told = upgraded({**OLD, "version": 2}, upgrades=CHANGES, current=3)

        assert "private_subnet_ids" in new["cluster"]["network"]
        assert told == ["dask.enabled is gone: leave the section out"]

    def test_leave_alone_what_they_are_given(self) -> None:
        before = deepcopy(OLD)
        upgraded(OLD, upgrades=CHANGES, current=3)

        assert before == OLD

    def test_change_nothing_the_second_time(self) -> None:
        once, _ = upgraded(OLD, upgrades=CHANGES, current=3)

        assert upgraded(once, upgrades=CHANGES, current=3) == (once, [])

    @pytest.mark.parametrize("version", [4, 0, "two", True, None])
    def test_refuse_what_is_no_version_of_theirs(self, version: Any) -> None:
        with pytest.raises(ValueError, match="is none of 1 to 3"):
            upgraded({"version": version}, upgrades=CHANGES, current=3)

    def test_there_is_one_for_every_version(self) -> None:
        assert list(UPGRADES) == list(range(2, CURRENT + 1))


class TestAFile:
    def test_keeps_its_comments_order_and_the_keys_of_others(self) -> None:
        text, told = upgraded_text(TEXT, upgrades=CHANGES, current=3)

        assert len(told) == 4
        assert text == NEW_TEXT

    def test_of_this_version_stays_as_it_is(self) -> None:
        assert upgraded_text(TEXT) == (TEXT, [])


class TestAnotherVersion:
    def test_a_newer_one_is_told_and_nothing_else_of_the_file(self, folder: Folder) -> None:
        file = folder.write("config: {qhub:version: 7, qhub:what: {ever: 1}}")
        (mistake,) = check_settings_file(file).mistakes

        assert mistake.key == "version"
        assert "of version 7" in mistake.message
        assert NEWER in mistake.message
        assert mistake.line == 1

    def test_migrating_a_newer_one_is_told_alike(self, folder: Folder) -> None:
        done = CliRunner().invoke(migrate_command, [str(folder.write("config: {qhub:version: 7}")), "--in-place"])

        assert done.exit_code == 1
        assert NEWER in done.output

    def test_an_older_one_is_told_with_the_command(self, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(versions, "CURRENT", 2)
        (mistake,) = check_settings_file(folder.write("config: {qhub:domain: a.localhost}")).mistakes

        assert "`qhub migrate Pulumi.prod.yaml` writes them anew" in mistake.message

    def test_that_of_a_base_is_its_own(self, folder: Folder) -> None:
        (folder.path / "base.yaml").write_text("config: {qhub:version: 2}")
        file = folder.write("config: {qhub:base: base.yaml, qhub:version: 1, qhub:domain: a.localhost}")
        (mistake,) = check_settings_file(file).mistakes

        assert (mistake.key, mistake.file) == ("base", "Pulumi.prod.yaml")
        assert "base.yaml: the settings are of version 2" in mistake.message

    def test_the_first_one_may_be_written(self, folder: Folder) -> None:
        file = folder.write("config: {qhub:version: 1, qhub:domain: a.localhost}")

        assert check_settings_file(file).valid
        assert read_document(file).data["config"]["qhub:version"] == 1
