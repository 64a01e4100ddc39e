"""A mistake in a stack's file is told with its file, line and column, in plain words, and without secrets."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.config import SettingsError, load_settings_file
from qhub.config.authentication import GitHubAuthentication
from qhub.config.document import read_document
from qhub.config.model import ENCRYPTED
from qhub.config.storage import NfsServerStorage
from qhub.config.theme import MOST_LOGO_BYTES
from tests.unit.config.files import Folder


def command_in(message: str) -> list[str]:
    """Return the words that a shell makes of the command that a message tells."""
    return shlex.split(message.partition("run `")[2].partition("`")[0])


GOOD = """
    config:
      qhub:domain: qhub.localhost
      aws:region: eu-west-1
      pulumi:autonaming: {mode: verbatim}
      qhub:authentication:
        type: github
        client_id: id
        client_secret:
          secure: v1:abc
        organizations: [my-org]
    """


class TestReading:
    def test_what_is_written_is_what_is_set(self, folder: Folder) -> None:
        settings = folder.load(GOOD)

        assert settings.stack == "prod"
        assert settings.cluster.name == "qhub-prod"
        assert settings.root == folder.path
        assert settings.authentication.model_dump()["organizations"] == ("my-org",)

    def test_an_encrypted_secret_never_looks_like_a_value(self, folder: Folder) -> None:
        authentication = folder.load(GOOD).authentication

        assert isinstance(authentication, GitHubAuthentication)
        assert authentication.client_secret.get_secret_value() == ENCRYPTED

    def test_the_length_of_an_encrypted_secret_is_not_judged(self, folder: Folder) -> None:
        """What stands in its place outside the engine is shorter than 72 characters; the password may not be."""
        settings = folder.load("""
            config:
              qhub:domain: a.localhost
              qhub:authentication:
                type: native
                admin_users: [ada]
                admin_password: {secure: v1:abc}
                minimum_password_length: 72
        """)

        assert settings.authentication.admin_users == ("ada",)

    def test_keys_without_the_projects_name_are_read_as_the_engine_does(self, folder: Folder) -> None:
        assert folder.load("config: {domain: a.localhost}").domain == "a.localhost"

    def test_the_stack_can_be_named(self, folder: Folder) -> None:
        file = folder.write("config: {qhub:domain: a.localhost}")

        assert load_settings_file(file, stack="other").stack == "other"

    def test_anchors_and_merges_are_followed(self, folder: Folder) -> None:
        settings = folder.load("""
            config:
              qhub:domain: a.localhost
              qhub:jupyterhub:
                profiles:
                  - &one {name: one, default: true, cpu: {limit: 3}}
                  - {<<: *one, name: two, default: false}
            """)

        assert settings.jupyterhub.profiles[1].cpu.limit == 3

    def test_relative_paths_start_at_the_project(self, folder: Folder) -> None:
        (folder.path / "charts").mkdir()
        settings = folder.load("config: {qhub:domain: a.localhost, qhub:charts: {mirror: charts}}")

        assert settings.path(str(settings.charts.mirror)) == folder.path / "charts"


class TestDefaultsOfTheProject:
    def test_they_hold_where_the_stack_says_nothing(self, folder: Folder) -> None:
        (folder.path / "Pulumi.yaml").write_text(
            "name: qhub\nconfig:\n  domain: {type: string, default: a.localhost}\n"
        )

        assert folder.load("config: {}").domain == "a.localhost"

    def test_a_stacks_value_replaces_the_whole_default(self, folder: Folder) -> None:
        project = "name: qhub\nconfig:\n  storage: {type: object, default: {size: 5Gi, protect: false}}\n"
        (folder.path / "Pulumi.yaml").write_text(project)
        storage = folder.load("config: {domain: a.localhost, qhub:storage: {size: 7Gi}}").storage

        assert isinstance(storage, NfsServerStorage)
        assert (storage.size, storage.protect) == ("7Gi", True)

    def test_a_mistake_in_one_is_told_with_the_projects_file(self, folder: Folder) -> None:
        (folder.path / "Pulumi.yaml").write_text("name: qhub\nconfig:\n  dask:\n    default: {enabled: 5}\n")
        mistake = folder.one_mistake("config: {domain: a.localhost}")

        assert mistake.place == "Pulumi.yaml:4:24"

    def test_the_projects_name_is_the_namespace(self, folder: Folder) -> None:
        (folder.path / "Pulumi.yaml").write_text("name: lab\n")

        assert folder.load("config: {lab:domain: a.localhost}").domain == "a.localhost"


class TestLogo:
    def test_a_picture_beside_the_file_is_taken(self, folder: Folder) -> None:
        (folder.path / "logo.png").write_bytes(b"x" * MOST_LOGO_BYTES)
        text = "config: {qhub:domain: a.localhost, qhub:jupyterhub: {theme: {logo: logo.png}}}"

        assert folder.load(text).jupyterhub.theme.logo == "logo.png"

    def test_one_that_is_too_large_for_a_secret_is_told_with_its_size(self, folder: Folder) -> None:
        (folder.path / "logo.png").write_bytes(b"x" * (MOST_LOGO_BYTES + 1))
        mistake = folder.one_mistake("config: {qhub:domain: a.localhost, qhub:jupyterhub: {theme: {logo: logo.png}}}")

        assert "logo.png has 101 KiB, and a logo may have 100" in str(mistake)


class TestPlaces:
    def test_an_unknown_key(self, folder: Folder) -> None:
        mistake = folder.one_mistake("""
            config:
              qhub:domain: a.localhost
              qhub:jupyterhub:
                cull:
                  timout: 900
            """)

        assert str(mistake) == (
            'Pulumi.prod.yaml:5:7  jupyterhub.cull.timout: unknown key; did you mean "timeout"?'
            "  (known: enabled, timeout, every, max_age, users, admins)"
        )

    def test_a_wrong_type_points_at_the_value_and_shows_it(self, folder: Folder) -> None:
        mistake = folder.one_mistake("""
            config:
              qhub:domain: a.localhost
              qhub:jupyterhub:
                start_timeout: 30m  # half an hour
            """)

        assert mistake.place == "Pulumi.prod.yaml:4:20"
        assert mistake.message == 'found "30m": write 1800'
        assert mistake.expected == "a whole number of seconds"
        assert mistake.excerpt == "start_timeout: 30m"

    def test_an_unknown_section(self, folder: Folder) -> None:
        mistake = folder.one_mistake("""
            config:
              qhub:domain: a.localhost
              qhub:jupiterhub: {}
            """)

        assert (mistake.line, mistake.column, mistake.nearest) == (3, 3, "jupyterhub")

    def test_a_missing_key_points_at_what_lacks_it(self, folder: Folder) -> None:
        mistake = folder.one_mistake("""
            config:
              qhub:domain: a.localhost
              qhub:groups:
                analyst: {}
            """)

        assert (mistake.key, mistake.line) == ("groups.analyst.gid", 4)
        assert "is missing" in mistake.message
        assert "from 100 to 60000" in mistake.message

    def test_a_missing_domain_names_line_and_command(self, folder: Folder) -> None:
        mistake = folder.one_mistake("config: {}\n")

        assert mistake.key == "domain"
        assert mistake.line is None
        assert "qhub:domain: hub.example.org" in mistake.message
        assert "pulumi config set qhub:domain hub.example.org --stack prod" in mistake.message

    @pytest.mark.parametrize("text", ["", "config:\n", "encryptionsalt: v1:x\n"])
    def test_a_file_without_settings_lacks_the_domain(self, folder: Folder, text: str) -> None:
        assert folder.one_mistake(text).key == "domain"

    @pytest.mark.parametrize("merged", ["*one", "[*one, *two]"])
    def test_what_replaces_something_merged_has_its_own_place(self, folder: Folder, merged: str) -> None:
        error = folder.refused(f"""
            x-one: &one {{cpu: {{limit: 1}}, start_timeout: 600}}
            x-two: &two {{cpu: {{guarantee: none}}, start_timeout: none}}
            config:
              qhub:domain: a.localhost
              qhub:jupyterhub:
                start_timeout: soon
                <<: {merged}
            """)

        assert {(one.key, one.line) for one in error.mistakes} == {
            ("jupyterhub.start_timeout", 6),
            ("jupyterhub.cpu", 1),
        }

    def test_all_mistakes_are_told_by_line(self, folder: Folder) -> None:
        error = folder.refused("""
            config:
              qhub:domain: Hub.localhost
              qhub:ingress: {controller: nginx, replicas: none}
              qhub:dask: {enabeld: true}
              qhub:jupyterhub:
                cull: {timeout: 100, every: 200}
            """)

        assert [(mistake.line, mistake.key) for mistake in error.mistakes] == [
            (2, "domain"),
            (3, "ingress.controller"),
            (3, "ingress.replicas"),
            (4, "dask.enabeld"),
            (6, "jupyterhub.cull.every"),
        ]
        assert error.mistakes[1].nearest == "ingress-nginx"
        assert str(error).startswith("5 mistakes in the settings of stack prod:\n")

    def test_a_rule_does_not_complain_about_what_is_wrong_anyway(self, folder: Folder) -> None:
        error = folder.refused("""
            config:
              qhub:domain: hub..lab.org
              qhub:certificates: {issuer: letsencript, email: ops@lab.org}
              qhub:jupyterhub:
                profiles:
                  - {name: a, default: maybe}
                  - {name: b, node_pool: gpu}
              qhub:cluster:
                node_pools:
                  gpu: {cpu: many}
            """)

        assert [mistake.key for mistake in error.mistakes] == [
            "domain",
            "certificates.issuer",
            "jupyterhub.profiles[0].default",
            "cluster.node_pools.gpu.cpu",
        ]

    @pytest.mark.parametrize(
        ("section", "key", "nearest"),
        [
            ("storage: {kind: nfs}", "storage.kind", "nfs-server"),
            ("authentication: {type: Github}", "authentication.type", "github"),
            ("cluster: {kube_config: x}", "cluster.kube_config", "kubeconfig"),
            ("cluster: {provider: exsting}", "cluster.provider", "existing"),
            ("jupyterhub: {profiles: [{name: a, node_pool: usr}]}", "jupyterhub.profiles[0].node_pool", "user"),
            ("charts: {jupyter_hub: {}}", "charts.jupyter_hub", "jupyterhub"),
        ],
    )
    def test_the_nearest_valid_word_is_told(self, folder: Folder, section: str, key: str, nearest: str) -> None:
        mistake = folder.one_mistake(f"config:\n  qhub:domain: a.localhost\n  qhub:{section}\n")

        assert (mistake.key, mistake.nearest, mistake.line) == (key, nearest, 3)

    @pytest.mark.parametrize(
        ("section", "words"),
        [
            ("jupyterhub: {image: {name: a/b, tag: 2026-05-26}}", "put it in quotes"),
            ("jupyterhub: {image: {name: 'a/b:1', tag: x}}", 'put what follows the name into "tag"'),
            ("charts: {jupyterhub: {version: 4.4}}", "found 4.4; expected a chart version as text"),
            ("charts: {jupyterhub: {version: '>=4'}}", "never a range"),
            ("charts: {mirror: nowhere}", 'no folder "nowhere"'),
            ("storage: {size: 5}", "smallest volume (1Gi)"),
            ("storage: {size: 100GB}", 'write "100Gi"'),
            ("jupyterhub: {profiles: [{name: a, memory: {limit: 2Gi}}]}", 'write "2G"'),
            ("jupyterhub: {profiles: [{name: a, memory: {limit: 2}}]}", 'was a unit forgotten ("2G")?'),
            ("jupyterhub: {profiles: []}", "is an empty list; at least one is needed"),
            ("jupyterhub: {profiles: {name: a}}", "found a section; expected a list"),
            ("jupyterhub: {profiles: [{name: A b}]}", "not a Kubernetes name"),
            ("jupyterhub:", "found nothing; expected a section"),
            ("jupyterhub: yes please", 'found "yes please"; expected a section'),
            ("authentication: github", "found text; expected a section"),
            ("authentication: {admin_users: [Bob]}", "write bob"),
            ("users: {alice: {uid: 0}}", "found 0; expected a whole number from 1000"),
            ("users: {Alice: {}}", "write alice"),
            ("ingress: {service: {source_ranges: [10.0.0.1/8]}}", "write 10.0.0.0/8 for the range"),
            ("cluster: {node_pools: {a: {node_selector: {b: true}}}}", "put numbers and true/false in quotes"),
            ("certificates: {issuer: letsencrypt, email: me}", "an e-mail address"),
            ("domain: https://hub.lab.org/", "write the host name alone: hub.lab.org"),
        ],
    )
    def test_what_was_expected_is_told_in_plain_words(self, folder: Folder, section: str, words: str) -> None:
        domain = "" if section.startswith("domain") else "  qhub:domain: a.localhost\n"
        mistake = folder.one_mistake(f"config:\n{domain}  qhub:{section}\n")

        assert words in str(mistake)
        assert mistake.line == (3 if domain else 2)


class TestFilesThatAreNotYaml:
    @pytest.mark.parametrize(
        ("text", "line", "words"),
        [
            ("config:\n  a: b: c\n", 2, "a `:` where no key can be"),
            ("config:\n\ta: b\n", 2, "a tab in the indentation"),
            ("config: {a: b\n", 2, "not valid YAML"),
            ("- a\n- b\n", 1, "a map of keys"),
            ("config: *nothing\n", 1, "not valid YAML"),
            ("config: &a [*a]\n", None, "inside what it refers to"),
            ("a: &a 5\nconfig: {<<: *a}\n", None, "`<<` in line 2 takes a map"),
        ],
    )
    def test_the_place_is_told(self, folder: Folder, text: str, line: int | None, words: str) -> None:
        mistake = folder.one_mistake(text)

        assert mistake.line == line
        assert words in mistake.message

    def test_a_key_that_is_there_twice(self, folder: Folder) -> None:
        mistake = folder.one_mistake("""
            config:
              qhub:domain: a.localhost
              qhub:dask: {enabled: true}
              qhub:dask: {enabled: false}
            """)

        assert (mistake.key, mistake.line, mistake.column) == ("dask", 4, 3)
        assert "line 3" in mistake.message

    def test_bytes_that_are_no_text(self, folder: Folder) -> None:
        file = folder.path / "Pulumi.prod.yaml"
        file.write_bytes(b"config: \xff\xfe\n")

        with pytest.raises(SettingsError, match="UTF-8"):
            load_settings_file(file)

    def test_a_file_that_is_not_there_names_those_that_are(self, folder: Folder) -> None:
        folder.write("config: {}", stack="staging")

        with pytest.raises(SettingsError, match="no such file; there are settings for: staging"):
            load_settings_file(folder.path / "Pulumi.stagin.yaml")

    @given(st.text(max_size=60))
    def test_any_text_gives_a_document(self, text: str) -> None:
        with tempfile.TemporaryDirectory() as name:
            file = Path(name) / "Pulumi.prod.yaml"
            file.write_text(text, encoding="utf-8", errors="replace")

            assert isinstance(read_document(file).data, dict)


class TestSecrets:
    def test_one_in_plain_text_is_refused_with_the_command(self, folder: Folder) -> None:
        error = folder.refused(GOOD.replace("client_secret:\n          secure: v1:abc", "client_secret: hunter2"))

        assert len(error.mistakes) == 1
        assert error.mistakes[0].line == 8
        assert "pulumi config set --path --secret qhub:authentication.client_secret --stack prod" in str(error)
        assert "hunter2" not in str(error)

    def test_the_command_for_a_key_with_a_dot_is_one_that_a_shell_takes(self, folder: Folder) -> None:
        folder.add_chart("a")
        mistake = folder.one_mistake("""
            config:
              qhub:domain: a.localhost
              qhub:extra_releases: {a: {chart: ./a, secret_values: {auth.password: hunter2}}}
            """)

        assert command_in(mistake.message) == [
            *["pulumi", "config", "set", "--path", "--secret"],
            *['qhub:extra_releases.a.secret_values["auth.password"]', "--stack", "prod"],
        ]

    def test_a_missing_one_names_the_command(self, folder: Folder) -> None:
        mistake = folder.one_mistake(GOOD.replace("client_secret:\n          secure: v1:abc", ""))

        assert mistake.key == "authentication.client_secret"
        assert "pulumi config set --path --secret qhub:authentication.client_secret" in mistake.message

    @pytest.mark.parametrize(
        "written",
        [
            "client_secert: hunter2",
            "client_secret: [hunter2]",
            "client_secret: {secret: hunter2}",
            "client_secret: hunter2, client_id: 5",
            "client_id: 5, client_secret: hunter2",
            "clientSecret: {secure: hunter2}",
            "client_secret: {secure: v1:a}, unknown: hunter2",
        ],
    )
    def test_no_mistake_shows_what_is_or_may_be_one(self, folder: Folder, written: str) -> None:
        error = folder.refused(f"""
            config:
              qhub:domain: a.localhost
              qhub:authentication: {{type: github, {written}}}  # hunter2
            """)

        assert "hunter2" not in str(error) + repr(error) + repr(error.mistakes)

    def test_an_encrypted_value_that_nothing_can_check_is_refused(self, folder: Folder) -> None:
        mistake = folder.one_mistake("config:\n  qhub:domain: {secure: v1:abc}\n")

        assert "write it in plain text" in mistake.message

    @pytest.mark.parametrize(
        ("section", "place", "words"),
        [
            ("charts: {jupyterhub: {overrides: {hub: {db: {password: SEALED}}}}}", "hub.db.password", "existingSecret"),
            ("charts: {jupyterhub: {overrides: {password: SEALED}}}", "password", "existingSecret"),
            ("charts: {traefik: {overrides: {env: [{value: SEALED}]}}}", "env[0].value", "existingSecret"),
            ("extra_releases: {a: {chart: ./a, values: {env: [SEALED]}}}", "env[0]", "under `secret_values`"),
        ],
    )
    def test_an_encrypted_value_in_those_of_a_chart_is_refused(
        self, folder: Folder, section: str, place: str, words: str
    ) -> None:
        folder.add_chart("a")
        text = f"config:\n  qhub:domain: a.localhost\n  qhub:{section.replace('SEALED', '{secure: v1:abc}')}\n"
        mistake = folder.one_mistake(text)

        assert mistake.key.endswith(f".{place}")
        assert mistake.line == 3
        assert "lie in clear in the state" in mistake.message
        assert words in mistake.message
        assert "plain text" not in mistake.message

    def test_one_of_a_release_of_ones_own_is_told_where_to_go(self, folder: Folder) -> None:
        folder.add_chart("a")
        mistake = folder.one_mistake("""
            config:
              qhub:domain: a.localhost
              qhub:extra_releases: {a: {chart: ./a, values: {auth: {password: {secure: v1:abc}}}}}
            """)

        assert command_in(mistake.message)[5] == 'qhub:extra_releases.a.secret_values["auth.password"]'
