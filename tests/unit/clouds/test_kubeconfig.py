"""Kubeconfig files as people have them, and the mistakes that they make with them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from qhub.clouds.kubeconfig import KubeconfigError, find_kubeconfigs, load_kubeconfig, minify


def entry(name: str, **cluster: Any) -> dict[str, Any]:
    """Return a kubeconfig with one context."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "clusters": [{"name": f"{name}-c", "cluster": {"server": f"https://{name}.example.org", **cluster}}],
        "users": [{"name": f"{name}-u", "user": {"token": "a-token"}}],
        "contexts": [{"name": name, "context": {"cluster": f"{name}-c", "user": f"{name}-u", "namespace": "x"}}],
    }


def write(path: Path, *configs: dict[str, Any]) -> Path:
    """Write one kubeconfig made of several."""
    merged = dict(configs[0])
    for section in ("clusters", "users", "contexts"):
        merged[section] = [item for config in configs for item in config[section]]
    path.write_text(yaml.safe_dump(merged), encoding="utf-8")
    return path


class TestFind:
    def test_the_file_that_the_settings_name(self, tmp_path: Path) -> None:
        path = write(tmp_path / "config", entry("a"))

        assert find_kubeconfigs(path, environment={"KUBECONFIG": "/elsewhere"}) == (path,)

    def test_the_files_of_the_environment_those_that_are_there(self, tmp_path: Path) -> None:
        path = write(tmp_path / "b", entry("b"))

        assert find_kubeconfigs(None, environment={"KUBECONFIG": f"{tmp_path}/a:{path}"}) == (path,)

    def test_the_home_folder_in_the_end(self, tmp_path: Path) -> None:
        (tmp_path / ".kube").mkdir()
        path = write(tmp_path / ".kube" / "config", entry("a"))

        assert find_kubeconfigs(None, environment={"HOME": str(tmp_path)}) == (path,)

    def test_a_missing_file_is_told_with_its_neighbour(self, tmp_path: Path) -> None:
        write(tmp_path / "kubeconfig", entry("a"))
        with pytest.raises(KubeconfigError, match=r"no file .*kubeconfg\. Did you mean .*kubeconfig\?.*cluster start"):
            find_kubeconfigs(tmp_path / "kubeconfg")

    def test_a_missing_folder_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(KubeconfigError, match=r"The folder .*clusters/qhub does not exist either"):
            find_kubeconfigs(tmp_path / "clusters" / "qhub" / "kubeconfig")

    def test_nothing_anywhere(self, tmp_path: Path) -> None:
        with pytest.raises(KubeconfigError, match=r"no kubeconfig: \$KUBECONFIG is not set.*Set cluster\.kubeconfig"):
            find_kubeconfigs(None, environment={"HOME": str(tmp_path)})


class TestMinify:
    def test_only_the_one_context_is_left(self, tmp_path: Path) -> None:
        path = write(tmp_path / "config", entry("a"), entry("b"))
        made = json.loads(minify(load_kubeconfig([path]), "b"))

        assert made["current-context"] == "b"
        assert [item["name"] for item in made["clusters"]] == ["b-c"]
        assert [item["name"] for item in made["users"]] == ["b-u"]
        assert made["contexts"][0]["context"]["namespace"] == "x"

    def test_the_current_context_where_none_is_named(self, tmp_path: Path) -> None:
        path = write(tmp_path / "config", entry("a"), entry("b"))

        assert json.loads(minify(load_kubeconfig([path]), None))["current-context"] == "a"

    def test_the_same_cluster_gives_the_same_text_however_the_file_is_sorted(self, tmp_path: Path) -> None:
        one, two = entry("a"), entry("a")
        two["clusters"][0]["cluster"] = dict(reversed({"z": 1, **two["clusters"][0]["cluster"]}.items()))
        one["clusters"][0]["cluster"]["z"] = 1
        first = write(tmp_path / "1", one)
        second = tmp_path / "2"
        second.write_text(yaml.safe_dump(dict(reversed(two.items())), sort_keys=False), encoding="utf-8")

        assert minify(load_kubeconfig([first]), "a") == minify(load_kubeconfig([second]), "a")

    def test_an_unknown_context_is_told_with_those_there_are(self, tmp_path: Path) -> None:
        path = write(tmp_path / "config", entry("kind-dev"), entry("qhub-local"))
        with pytest.raises(KubeconfigError) as told:
            minify(load_kubeconfig([path]), "qhub-locale")

        assert str(told.value) == (
            'cluster.context: there is no context "qhub-locale". It has: kind-dev, qhub-local. Did you mean qhub-local?'
        )

    def test_no_current_context(self, tmp_path: Path) -> None:
        path = write(tmp_path / "config", {**entry("a"), "current-context": ""})
        with pytest.raises(KubeconfigError, match=r"cluster\.context is not set.*It has: a\."):
            minify(load_kubeconfig([path]), None)

    def test_a_context_that_leads_nowhere(self, tmp_path: Path) -> None:
        config = entry("a")
        config["users"] = []
        path = write(tmp_path / "config", config)
        with pytest.raises(
            KubeconfigError, match='the context "a" names the user "a-u", which the kubeconfig does not'
        ):
            minify(load_kubeconfig([path]), "a")


class TestLoad:
    def test_the_first_of_two_entries_with_one_name_counts(self, tmp_path: Path) -> None:
        first = write(tmp_path / "1", entry("a"))
        second = write(tmp_path / "2", entry("a", server="https://other.example.org"), entry("b"))
        made = load_kubeconfig([first, second])

        assert made["clusters"]["a-c"]["server"] == "https://a.example.org"
        assert set(made["contexts"]) == {"a", "b"}

    def test_files_that_it_points_at_are_put_in(self, tmp_path: Path) -> None:
        (tmp_path / "ca.crt").write_bytes(b"a certificate")
        path = write(tmp_path / "config", entry("a", **{"certificate-authority": "ca.crt"}))
        cluster = load_kubeconfig([path])["clusters"]["a-c"]

        assert base64.b64decode(cluster["certificate-authority-data"]) == b"a certificate"
        assert "certificate-authority" not in cluster

    def test_a_file_that_it_points_at_is_missing(self, tmp_path: Path) -> None:
        path = write(tmp_path / "config", entry("a", **{"certificate-authority": "gone.crt"}))
        with pytest.raises(KubeconfigError, match=r"points at .*gone\.crt \(certificate-authority\), which cannot be"):
            load_kubeconfig([path])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("users:\n- {token: [s3cret\n", "is not YAML"),
            ("just a word", "is not a kubeconfig"),
            ("contexts: s3cret", "is not a kubeconfig"),
            (b"\xff\xfe\x00", "cannot read"),
        ],
    )
    def test_something_else_is_refused_without_showing_what_is_in_it(
        self, tmp_path: Path, text: str | bytes, message: str
    ) -> None:
        path = tmp_path / "config"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(KubeconfigError, match=message) as told:
            load_kubeconfig([path])

        assert "s3cret" not in str(told.value)
