"""Pulumi.yaml declares what the models have, and the stack files of the repository are what they say."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qhub.config import SettingsError, load_settings_file
from qhub.config.document import read_document
from qhub.config.schema import pulumi_project_config, settings_json_schema

ROOT = Path(__file__).parents[3]


def test_the_project_declares_every_key_with_its_type_and_description() -> None:
    assert read_document(ROOT / "Pulumi.yaml").data["config"] == pulumi_project_config()


def test_a_resource_without_a_provider_is_refused() -> None:
    assert pulumi_project_config()["pulumi:disable-default-providers"] == {"value": ["*"]}


def test_the_file_for_a_cluster_of_ones_own_fits_one(tmp_path: Path) -> None:
    """kind and k3s share no volumes and give no load balancer: the README's file asks for neither."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"(?<=`Pulumi\.own\.yaml`:\n\n```yaml\n).*?(?=```)", readme, re.DOTALL)
    file = tmp_path / "Pulumi.own.yaml"
    file.write_text(text)
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)

    settings = load_settings_file(file)

    assert settings.cluster.provider == "existing"
    assert settings.storage.kind == "nfs-server"
    assert settings.storage.storage_class is None
    assert settings.ingress.service.type == "ClusterIP"
    assert "pulumi stack init own && pulumi up --stack own" in readme


def test_local_is_ready_to_use() -> None:
    settings = load_settings_file(ROOT / "Pulumi.local.yaml")

    assert settings.domain == "qhub.localhost"
    assert settings.cluster.provider == "existing"
    assert settings.path(str(settings.cluster.kubeconfig)) == ROOT / ".qhub/clusters/local/kubeconfig"
    assert settings.cluster.context == "qhub-local"
    assert settings.authentication.type == "dummy"
    assert settings.authentication.allow_all


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_an_environment_lacks_only_what_is_the_users_own(stack: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings_file(ROOT / f"Pulumi.{stack}.yaml")

    lacking = {mistake.key for mistake in caught.value.mistakes}
    assert lacking == {"authentication.client_id", "authentication.client_secret"}


@pytest.mark.parametrize("stack", ["staging", "prod"])
def test_an_environment_is_ready_once_that_is_filled_in(stack: str, tmp_path: Path) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()
    own = "{client_id: id, client_secret: {secure: 'v1:abc'}, organizations: [my-org]}"
    text = text.replace("qhub:authentication: {}", f"qhub:authentication: {own}")
    file = tmp_path / f"Pulumi.{stack}.yaml"
    file.write_text(text.replace("example.org", "lab.org"))
    shutil.copy(ROOT / "Pulumi.yaml", tmp_path)
    (tmp_path / "stacks").mkdir()
    base = (ROOT / "stacks" / "base.yaml").read_text()
    (tmp_path / "stacks" / "base.yaml").write_text(base.replace("example.org", "lab.org"))

    settings = load_settings_file(file)

    assert settings.ingress.controller == "traefik"
    assert settings.storage.kind == ("managed" if stack == "prod" else "nfs-server")
    assert settings.storage.protect is (stack == "prod")
    assert [warning.key for warning in settings.warnings() if stack == "prod"] == []


class TestEditorSchema:
    def errors(self, config: dict[str, Any]) -> list[str]:
        validator = jsonschema.Draft202012Validator(settings_json_schema())
        return [error.message for error in validator.iter_errors({"config": config})]

    def test_it_is_a_valid_schema(self) -> None:
        jsonschema.Draft202012Validator.check_schema(settings_json_schema())

    def test_it_accepts_the_local_stack(self) -> None:
        assert self.errors(read_document(ROOT / "Pulumi.local.yaml").data["config"]) == []

    def test_it_wants_secrets_encrypted(self) -> None:
        section = {"type": "github", "client_id": "id", "client_secret": {"secure": "v1:abc"}, "organizations": ["o"]}
        plain = {**section, "client_secret": "hunter2"}

        assert self.errors({"qhub:domain": "a.b", "qhub:authentication": section, "aws:region": "x"}) == []
        assert self.errors({"qhub:domain": "a.b", "qhub:authentication": plain})

    def test_it_refuses_unknown_keys(self) -> None:
        assert self.errors({"qhub:domain": "a.b", "qhub:jupyterhub": {"cul": {}}})
        assert self.errors({"qhub:domain": "a.b", "qhub:jupiterhub": {}})

    def test_everything_in_it_is_described(self) -> None:
        schema = settings_json_schema()
        sections = {**schema["properties"]["config"]["properties"]}
        for name, definition in schema["$defs"].items():
            sections |= {f"{name}.{key}": value for key, value in definition["properties"].items()}

        assert [key for key, value in sections.items() if not value.get("description")] == []
