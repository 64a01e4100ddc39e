"""`qhub migrate` keeps secrets out, and keeps what names and settings meant; each file is a short one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qhub.migrate.report import report
from qhub.migrate.writing import stack_file
from tests.unit.migrate.texts import LOCAL, of_text, told

#: Groups whose names would be one another's if `_`, spaces and dots were all `-`.
GROUPS = """
project_name: lab
provider: do
security:
  users:
    ada: {primary_group: data_science, secondary_groups: [Research.Group, /Ärzte]}
  groups:
    data_science: {gid: 1100}
    data-science: {gid: 1101}
    Research Group: {gid: 1102}
    Ärzte: {gid: 1103}
    Research.Group: {gid: 1104}
profiles:
  jupyterlab: [{display_name: Small, groups: [data_science, Research Group]}]
"""
PEOPLE = "security: {users: {ada: {uid: 1000}, Ada: {uid: 1001}}}\n"
#: What may stand nowhere.
SEALED = "never-written"
CLONE = ["git", "clone", f"https://bot:{SEALED}@git.reef.science/lab"]


class TestSecrets:
    @pytest.mark.parametrize(
        ("values", "left"),
        [
            ({"proxy": {"https": {"manual": {"key": f"-----BEGIN RSA PRIVATE KEY-----\nMII{SEALED}\n"}}}}, None),
            ({"hub": {"config": {"CryptKeeper": {"keys": [SEALED]}}}}, None),
            (
                {"hub": {"extraEnv": {"JUPYTERHUB_CRYPT_KEY": SEALED, "TZ": "UTC"}}},
                {"hub": {"extraEnv": {"TZ": "UTC"}}},
            ),
            ({"hub": {"extraEnv": [{"name": "SMTP_PASS", "value": SEALED}]}}, None),
            (
                {"hub": {"db": {"type": "postgres", "url": f"postgres+psycopg2://hub:{SEALED}@db.reef/hub"}}},
                {"hub": {"db": {"type": "postgres"}}},
            ),
            ({"hub": {"args": ["--debug", f"--MyService.api_token={SEALED}"]}}, None),
            ({"singleuser": {"cmd": ["sh", "-c", f"export PASSWORD={SEALED}; exec lab"]}}, None),
            ({"singleuser": {"lifecycleHooks": {"postStart": {"exec": {"command": CLONE}}}}}, None),
            ({"singleuser": {"extraFiles": {"netrc": {"stringData": f"machine git\npass: {SEALED}"}}}}, None),
            ({"singleuser": {"extraEnv": {"GIT": f"ghp_{SEALED.replace('-', '')}00"}}}, None),
        ],
        ids=lambda value: next(iter(value)) if value else "",
    )
    def test_a_secret_by_whatever_name_is_left_out_and_told(self, values: dict[str, Any], left: Any) -> None:
        moving = of_text(f"{LOCAL}jupyterhub: {{overrides: {json.dumps(values)}}}\n")

        assert moving.values().get("charts", {}).get("jupyterhub", {}).get("overrides") == left
        assert SEALED not in stack_file(moving) + report(moving)
        assert [note.kind for note in moving.notes if "may be a secret" in note.text] == ["lost"]

    def test_values_that_only_look_like_a_secret_come_over(self) -> None:
        values = {
            "hub": {"extraConfig": {"quiet": "try:\n    import x\nexcept ImportError:\n    pass\n"}},
            "singleuser": {
                "extraTolerations": [{"key": "team", "operator": "Exists"}],
                "cmd": ["start-singleuser.sh", "--port=8888", "https://docs.reef:8443/a"],
            },
        }
        moving = of_text(f"{LOCAL}jupyterhub: {{overrides: {json.dumps(values)}}}\n")

        assert moving.values()["charts"]["jupyterhub"]["overrides"] == values


class TestNames:
    def test_every_group_stays_one_by_its_own_name_where_that_may_be(self) -> None:
        moving = of_text(GROUPS)
        values = moving.values()

        assert values["groups"] == {
            "data_science": {"gid": 1100},
            "data-science": {"gid": 1101},
            "research-group": {"gid": 1102},
            "arzte": {"gid": 1103},
            "research-group-2": {"gid": 1104},
        }
        assert values["users"]["ada"]["primary_group"] == "data_science"
        assert values["users"]["ada"]["secondary_groups"] == ["research-group-2", "arzte"]
        assert values["jupyterhub"]["profiles"][0]["groups"] == ["data_science", "research-group"]
        assert told(moving, "security", "groups", "data_science") == ""
        assert told(moving, "security", "groups", "Research Group").startswith("changed: group Research Group is ")
        assert "asked: group Research.Group would be research-group here, as Research Group is" in told(
            moving, "security", "groups", "Research.Group"
        )

    def test_of_two_that_would_have_one_name_neither_is_lost_without_a_word(self) -> None:
        pools = "{user-a: {instance: n1-standard-8}, user_a: {instance: n1-standard-4}}"
        moving = of_text(f"project_name: a\nprovider: gcp\ngoogle_cloud_platform: {{node_groups: {pools}}}\n{PEOPLE}")

        assert moving.values()["users"] == {"ada": {"uid": 1000}}
        assert told(moving, "security", "users", "Ada").startswith("asked: ")
        assert moving.values()["cluster"]["node_pools"]["user-a"]["instance_type"] == "n1-standard-8"
        assert told(moving, "google_cloud_platform", "node_groups", "user_a").startswith("asked: ")


class TestMeaning:
    @pytest.mark.parametrize(
        ("idle", "overrides", "cull"),
        [
            ("{}", "{}", {"timeout": 1800}),
            ("{kernel_cull_idle_timeout: 20, terminal_cull_inactive_timeout: 60}", "{}", {"timeout": 75 * 60}),
            ("{kernel_cull_idle_timeout: 0}", "{}", {"enabled": False}),
            (
                "{server_shutdown_no_activity_timeout: 0}",
                "{cull: {maxAge: 86400}}",
                {"enabled": False, "max_age": 86400},
            ),
            ("{kernel_cull_idle_timeout: 0}", "{cull: {timeout: 3600}}", {"timeout": 3600}),
        ],
    )
    def test_idle_servers_are_stopped_as_they_were(self, idle: str, overrides: str, cull: dict[str, Any]) -> None:
        lab, hub = f"jupyterlab: {{idle_culler: {idle}}}\n", f"jupyterhub: {{overrides: {overrides}}}\n"
        # Either may stand first.
        for text in (lab + hub, hub + lab):
            moving = of_text(LOCAL + text)

            assert moving.values()["jupyterhub"]["cull"] == cull
            assert told(moving, "jupyterlab", "idle_culler").startswith("changed: ")

    def test_what_our_culler_cannot_do_is_told(self) -> None:
        odd = "{kernel_cull_connected: false, kernel_cull_busy: true, kernel_cull_interval: 5}"
        moving = of_text(f"{LOCAL}jupyterlab: {{idle_culler: {odd}}}\n")

        assert [
            told(moving, "jupyterlab", "idle_culler", f"kernel_cull_{key}").partition(":")[0]
            for key in ("connected", "busy", "interval")
        ] == ["lost", "lost", "needless"]

    @pytest.mark.parametrize(
        ("start", "profile", "users"),
        [
            (LOCAL, "access: yaml", []),
            (LOCAL, "access: yaml, users: [], groups:", []),
            (LOCAL, "access: yaml, users: [], groups: [lab]", None),
            (LOCAL, "access: all", None),
            (LOCAL, "access: some", []),
            ("project_name: a\nprovider: local\n", "users: []", []),
            ("project_name: a\nprovider: local\n", "description: small", None),
        ],
    )
    def test_a_profile_for_nobody_is_not_for_everyone(self, start: str, profile: str, users: Any) -> None:
        moving = of_text(f"{start}profiles: {{jupyterlab: [{{display_name: Small, {profile}}}]}}\n")

        assert moving.values()["jupyterhub"]["profiles"][0].get("users") == users
        assert bool([note for note in moving.notes if note.kind == "asked" and note.path[:1] == ("profiles",)]) == (
            users == []
        )

    @pytest.mark.parametrize(
        ("provider", "storage", "kind"),
        [
            ("aws", "", "managed"),
            ("aws", "storage: {shared_filesystem: 50Gi, type: }\n", "managed"),
            ("aws", "storage: {type: nfs}\n", "nfs-server"),
            ("gcp", "storage: {shared_filesystem: 50Gi}\n", None),
        ],
    )
    def test_homes_on_aws_are_on_efs_unless_the_file_says_otherwise(
        self, provider: str, storage: str, kind: str | None
    ) -> None:
        moving = of_text(LOCAL.replace("provider: local", f"provider: {provider}") + storage)

        assert moving.values().get("storage", {}).get("kind") == kind
        assert ("EFS" in told(moving, "storage")) == (kind == "managed")
