"""The code that runs inside the hub: who people are on disk, and what they may choose."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.clouds.existing import node_pools
from qhub.platform import hub
from qhub.platform.hub import qhub_hub
from qhub.platform.jupyterhub_values import hub_settings
from tests.unit.platform.building import make_settings

SETTINGS: dict[str, Any] = {
    "home": "/home/jovyan",
    "users": {
        "alice": {"uid": 1001, "primary_group": "analyst"},
        "bob": {},
    },
    "groups": {
        "analyst": {"gid": 1100, "members": ["alice", "erin"], "read_only_members": ["erin"]},
        "developer": {"gid": 1101, "members": ["alice", "bob"]},
    },
    "managed_groups": True,
    "profiles": [
        {"slug": "small", "default": True, "kubespawner_override": {}},
        {"slug": "gpu", "groups": ["developer"], "kubespawner_override": {}},
        {"slug": "own", "users": ["carol"], "kubespawner_override": {}},
    ],
}


def make_spawner(name: str, *groups: str) -> SimpleNamespace:
    """Return what the hook sees of a KubeSpawner: the chart's own volumes and init container are there already."""
    return SimpleNamespace(
        user=SimpleNamespace(name=name, groups=[SimpleNamespace(name=group) for group in groups]),
        environment={"HOME": "/home/jovyan"},
        volumes={"home": {"name": "home"}},
        volume_mounts={"home": {"name": "home", "mountPath": "/home/jovyan", "subPath": "home/{username}"}},
        init_containers=[{"name": "block-cloud-metadata"}],
    )


def prepared(name: str, *groups: str) -> SimpleNamespace:
    spawner = make_spawner(name, *groups)
    qhub_hub.prepare_pod(spawner, SETTINGS, "tools:1")
    return spawner


class TestIdentity:
    def test_a_listed_user_has_the_numbers_of_the_settings(self) -> None:
        spawner = prepared("alice")

        assert (spawner.uid, spawner.gid, spawner.fs_gid) == (1001, 1100, None)
        assert spawner.supplemental_gids == [100, 1101]

    def test_a_listed_user_without_a_uid_gets_one_of_their_own(self) -> None:
        assert prepared("bob").uid == qhub_hub.derived_uid("bob")

    def test_someone_who_is_not_listed_has_the_group_of_the_image(self) -> None:
        spawner = prepared("dave")

        assert spawner.gid == 100
        assert spawner.supplemental_gids == []

    def test_groups_that_the_sign_in_brought_count_too(self) -> None:
        assert prepared("dave", "analyst", "a-group-without-a-folder").supplemental_gids == [1100]

    def test_without_such_a_sign_in_the_settings_alone_decide(self) -> None:
        # The hub adds people to groups and never takes them out, so what it knows may be of last year.
        spawner, settings = make_spawner("dave", "analyst"), {**SETTINGS, "managed_groups": False}
        qhub_hub.prepare_pod(spawner, settings, "tools:1")

        assert spawner.supplemental_gids == []
        assert "shared-analyst" not in spawner.volume_mounts

    def test_a_uid_never_changes_for_a_name(self) -> None:
        # Files of every existing user hang on this number.
        assert qhub_hub.derived_uid("dave") == 883211816

    @given(st.text(max_size=40))
    def test_uids_are_apart_from_those_people_give_out_and_accepted_by_kubernetes(self, name: str) -> None:
        assert 1_000_000 <= qhub_hub.derived_uid(name) < 2**31

    @given(st.lists(st.text(max_size=10), unique=True, max_size=50))
    def test_two_names_do_not_share_a_uid(self, names: list[str]) -> None:
        assert len({qhub_hub.derived_uid(name) for name in names}) == len(names)


class TestPasswd:
    def test_the_user_has_a_name_in_the_container(self) -> None:
        who = qhub_hub.identity("alice", [], SETTINGS)

        assert "alice:x:1001:1100::/home/jovyan:/bin/bash\n" in qhub_hub.passwd_file(who, "/home/jovyan")
        assert "developer:x:1101:alice\n" in qhub_hub.group_file(who)

    @given(st.text(max_size=30), st.lists(st.sampled_from(["analyst", "developer"])))
    def test_no_name_can_forge_a_line(self, name: str, groups: list[str]) -> None:
        who = qhub_hub.identity(name, groups, SETTINGS)
        lines = qhub_hub.passwd_file(who, "/home/jovyan").splitlines()

        assert all(line.count(":") == 6 for line in lines)
        assert [line for line in lines if line.split(":")[2] == "0"] == ["root:x:0:0:root:/root:/bin/bash"]
        assert all(line.count(":") == 3 for line in qhub_hub.group_file(who).splitlines())

    def test_a_group_of_the_settings_takes_its_number_from_the_systems_own(self) -> None:
        settings = {
            **SETTINGS,
            "groups": {"team": {"gid": 100, "members": ["alice"]}},
            "users": {"alice": {"primary_group": "team"}},
        }
        lines = qhub_hub.group_file(qhub_hub.identity("alice", [], settings)).splitlines()

        assert [line for line in lines if line.split(":")[2] == "100"] == ["team:x:100:alice"]


def laid_out(folder: Path, groups: dict[str, int]) -> str:
    """Make the folders that the init container mounts; return its script with their places."""
    for name in ("mnt/home", "identity", *(f"mnt/shared/{group}" for group in groups)):
        (folder / name).mkdir(parents=True)
    script = qhub_hub.init_script(groups)
    for path in ("/mnt", "/identity"):
        script = script.replace(path, f"{folder}{path}")
    return script


def run_script(script: str, path: str = "/usr/sbin:/usr/bin:/sbin:/bin") -> subprocess.CompletedProcess[str]:
    """Run it for user 1001 of group 1100."""
    environment = {"QHUB_UID": "1001", "QHUB_GID": "1100", "QHUB_PASSWD": "p", "QHUB_GROUP": "g", "PATH": path}
    return subprocess.run(["/bin/sh", "-ec", script], check=False, capture_output=True, text=True, env=environment)


class TestFolders:
    def test_members_mount_the_folders_of_their_groups_only(self) -> None:
        mounts = prepared("bob").volume_mounts

        assert mounts["shared-developer"] == {
            "name": "home",
            "mountPath": "/shared/developer",
            "subPath": "shared/developer",
            "readOnly": False,
        }
        assert "shared-analyst" not in mounts
        assert mounts["home"]["subPath"] == "home/{username}"

    def test_a_read_only_member_reads_the_folder_and_cannot_write(self) -> None:
        spawner = prepared("erin")

        assert spawner.volume_mounts["shared-analyst"]["readOnly"] is True
        assert spawner.supplemental_gids == [1100]
        assert prepared("alice").volume_mounts["shared-analyst"]["readOnly"] is False

    def test_a_read_only_member_does_not_write_because_the_sign_in_knows_them_as_a_member(self) -> None:
        assert prepared("erin", "analyst").volume_mounts["shared-analyst"]["readOnly"] is True

    def test_the_folder_of_a_read_only_member_is_still_made_ready(self) -> None:
        mounts = prepared("erin").init_containers[-1]["volumeMounts"]

        assert [mount.get("readOnly") for mount in mounts if mount["mountPath"] == "/mnt/shared/analyst"] == [None]

    def test_an_init_container_of_the_chart_stays(self) -> None:
        assert [made["name"] for made in prepared("alice").init_containers] == [
            "block-cloud-metadata",
            qhub_hub.INIT_CONTAINER,
        ]

    def test_a_second_start_changes_nothing(self) -> None:
        spawner = prepared("alice", "developer")
        before = vars(spawner).copy()
        qhub_hub.prepare_pod(spawner, SETTINGS, "tools:1")

        assert vars(spawner) == before

    def test_the_init_container_has_no_more_rights_than_it_needs(self) -> None:
        context = prepared("alice").init_containers[-1]["securityContext"]

        assert context["capabilities"] == {"drop": ["ALL"], "add": ["CHOWN", "FOWNER", "DAC_OVERRIDE", "FSETID"]}
        assert context["allowPrivilegeEscalation"] is False

    def test_what_is_blocked_is_blocked_before_anything_else(self) -> None:
        spawner = make_spawner("alice")
        qhub_hub.prepare_pod(spawner, {**SETTINGS, "blocked": "169.254.169.254"}, "tools:1")
        made = spawner.init_containers[-1]

        assert made["command"][-1].startswith("iptables --append OUTPUT ")
        assert "--destination 169.254.169.254\n" in made["command"][-1]
        assert {"NET_ADMIN", "NET_RAW"} <= set(made["securityContext"]["capabilities"]["add"])
        assert "privileged" not in made["securityContext"]

    @pytest.mark.skipif(sys.platform == "win32", reason="the script is for a Linux container")
    def test_the_script_gives_folders_to_their_owners(self, tmp_path: Path) -> None:
        script = laid_out(tmp_path, {"developer": 1101})
        # Who runs the tests need not be root: chown only writes down what it was asked.
        chown = tmp_path / "bin" / "chown"
        chown.parent.mkdir()
        chown.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
        chown.chmod(0o755)
        for _ in ("first start", "second start"):
            assert run_script(script, path=f"{tmp_path}/bin:/usr/bin:/bin").returncode == 0

        assert (tmp_path / "identity" / "passwd").read_text() == "p"
        assert (tmp_path / "mnt/home").stat().st_mode & 0o7777 == 0o700
        assert (tmp_path / "mnt/shared/developer").stat().st_mode & 0o7777 == 0o2770
        assert (tmp_path / "mnt/home/shared").readlink() == Path("/shared")
        asked = (tmp_path / "asked").read_text()
        assert f"1001:1100 {tmp_path}/mnt/home\n" in asked
        assert f"0:1101 {tmp_path}/mnt/shared/developer\n" in asked

    @pytest.mark.skipif(sys.platform == "win32", reason="the script is for a Linux container")
    def test_storage_that_refuses_to_give_files_away_is_told_in_one_sentence(self, tmp_path: Path) -> None:
        script = laid_out(tmp_path, {})
        chown = tmp_path / "bin" / "chown"
        chown.parent.mkdir()
        chown.write_text("#!/bin/sh\nexit 1\n")
        chown.chmod(0o755)
        done = run_script(script, path=f"{tmp_path}/bin:/usr/bin:/bin")

        assert done.returncode != 0
        assert done.stderr == f"{qhub_hub.NOT_GIVEN}\n"

    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="NOT CHECKED: only root gives files away")
    @pytest.mark.parametrize(("owner", "given"), [(1500, True), (1001, False), (0, False)])
    def test_a_home_of_another_number_is_given_with_what_was_of_that_number_in_it(
        self, owner: int, given: bool, tmp_path: Path
    ) -> None:
        script = laid_out(tmp_path, {"developer": 1101})
        home, outside = tmp_path / "mnt/home", tmp_path / "outside"
        (home / "closed/deep").mkdir(parents=True)
        files = [home / "closed", home / "closed/deep", home / "closed/deep/notes {x}.txt", home / ".profile"]
        of_others = [home / "closed/of-another", outside, tmp_path / "mnt/shared/developer/data"]
        for file in (files[2], files[3], *of_others):
            file.write_text("")
        link = home / "link"
        link.symlink_to(outside)
        for path in (home, *files, outside, tmp_path / "mnt/shared/developer/data"):
            os.chown(path, owner, 1300)
        os.chown(link, owner, 1300, follow_symlinks=False)
        os.chown(of_others[0], 1700, 1300)
        files[0].chmod(0o700)
        for _ in ("first start", "second start"):
            assert run_script(script).returncode == 0

        new = 1001 if given else owner
        assert [path.lstat().st_uid for path in (*files, link)] == [new] * 5
        # The group is what it was: it may be a group's that the file was made for.
        assert {path.lstat().st_gid for path in (*files, link)} == {1300}
        assert [path.stat().st_uid for path in of_others] == [1700, owner, owner]
        assert (home.stat().st_uid, home.stat().st_gid) == (1001, 1100)

    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="NOT CHECKED: only root gives files away")
    def test_a_home_that_was_given_in_part_is_given_to_the_end_at_the_next_start(self, tmp_path: Path) -> None:
        script = laid_out(tmp_path, {})
        files = [tmp_path / "mnt/home" / name for name in ("first", "second")]
        for path in files:
            path.write_text("")
        for path in (tmp_path / "mnt/home", *files):
            os.chown(path, 1500, 100)
        chown = tmp_path / "bin" / "chown"
        chown.parent.mkdir()
        # Gives one file away and is killed.
        chown.write_text(f"#!/bin/sh\n/bin/chown -h 1001 {files[0]}\nexit 137\n")
        chown.chmod(0o755)
        cut_off = run_script(script, path=f"{tmp_path}/bin:/usr/bin:/bin").returncode
        assert (cut_off != 0, (tmp_path / "mnt/home").stat().st_uid) == (True, 1500)

        assert run_script(script).returncode == 0
        assert [path.stat().st_uid for path in (tmp_path / "mnt/home", *files)] == [1001] * 3

    @pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="NOT CHECKED: only root gives files away")
    def test_the_rights_of_the_container_are_enough_for_every_group(self, tmp_path: Path) -> None:
        spawner = prepared("alice")
        container, groups = spawner.init_containers[-1], {"analyst": 1100, "developer": 1101}
        for folder in ("mnt/home", "identity", *(f"mnt/shared/{group}" for group in groups)):
            (tmp_path / folder).mkdir(parents=True)
        script = container["command"][-1]
        for path in ("/mnt", "/identity"):
            script = script.replace(path, f"{tmp_path}{path}")
        rights = ",".join(f"+{right.lower()}" for right in container["securityContext"]["capabilities"]["add"])
        member_of = ",".join(map(str, spawner.supplemental_gids))
        subprocess.run(
            [
                "setpriv",
                f"--bounding-set=-all,{rights}",
                "--inh-caps=-all",
                f"--groups={member_of}",
                "sh",
                "-ec",
                script,
            ],
            check=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **{each["name"]: each["value"] for each in container["env"]}},
        )

        for group, gid in groups.items():
            made = (tmp_path / "mnt/shared" / group).stat()
            assert (made.st_uid, made.st_gid, oct(made.st_mode & 0o7777)) == (0, gid, "0o2770")
        home = (tmp_path / "mnt/home").stat()
        assert (home.st_uid, home.st_gid, oct(home.st_mode & 0o7777)) == (1001, 1100, "0o700")

    def test_kubespawner_finds_no_placeholder_in_the_script(self) -> None:
        container = prepared("alice", "developer").init_containers[-1]

        assert not {"{", "}"} & set("".join(container["command"]))


class TestProfiles:
    @pytest.mark.parametrize(
        ("name", "groups", "slugs"),
        [
            ("dave", [], ["small"]),
            ("alice", [], ["small", "gpu"]),
            ("dave", ["developer"], ["small", "gpu"]),
            ("carol", [], ["small", "own"]),
        ],
    )
    def test_each_sees_what_is_open_to_them(self, name: str, groups: list[str], slugs: list[str]) -> None:
        made = qhub_hub.allowed_profiles(name, groups, SETTINGS)

        assert [profile["slug"] for profile in made] == slugs
        assert all("users" not in profile and "groups" not in profile for profile in made)

    def test_no_server_without_limits_for_somebody_with_no_profile(self) -> None:
        settings = {**SETTINGS, "profiles": SETTINGS["profiles"][1:]}
        with pytest.raises(qhub_hub.NoProfileError) as told:
            qhub_hub.prepare_pod(make_spawner("dave"), settings, "tools:1")

        assert told.value.jupyterhub_message.startswith("No server profile is open to dave.")


class TestInsideTheHub:
    """The text as z2jh runs it: with `exec`, in a namespace that has `c`, and a module `z2jh` to read values from."""

    @pytest.fixture
    def config(self, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
        values = {"custom.qhub": SETTINGS, "singleuser.networkTools.image": {"name": "tools", "tag": "4.4.0"}}
        module = ModuleType("z2jh")
        setattr(module, "get_config", values.__getitem__)  # noqa: B010 - a plain module has no such attribute
        monkeypatch.setitem(sys.modules, "z2jh", module)
        config = SimpleNamespace(KubeSpawner=SimpleNamespace())
        exec(hub.source("qhub_hub"), {"c": config})  # noqa: S102 - our own text, the way the hub does it
        return config

    def test_it_hooks_itself_in(self, config: SimpleNamespace) -> None:
        spawner = make_spawner("alice")
        config.KubeSpawner.pre_spawn_hook(spawner)

        assert spawner.uid == 1001
        assert spawner.init_containers[-1]["image"] == "tools:4.4.0"
        assert [profile["slug"] for profile in config.KubeSpawner.profile_list(spawner)] == ["small", "gpu"]

    def test_what_the_values_builder_sends_is_what_it_reads(self) -> None:
        settings = make_settings(users={"alice": {"uid": 1001}}, groups={"analyst": {"gid": 1100}})
        made = hub_settings(settings, node_pools(settings.cluster.pools))
        spawner = make_spawner("alice")
        qhub_hub.prepare_pod(spawner, made, "tools:1")

        assert spawner.uid == 1001

    def test_importing_it_elsewhere_does_nothing(self) -> None:
        assert not hasattr(qhub_hub, "get_config")
