"""What a person reads when something is wrong."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML

from tests.engine.plugin.stack import Stack

MakeStack = Callable[[str], Stack]


def test_what_is_not_ready_is_named_with_its_reason_and_kept(make_stack: MakeStack) -> None:
    stack = make_stack("one")
    stack.kubectl("create", "namespace", stack.name)
    meta = {"name": "web", "namespace": stack.name, "annotations": {"pulumi.com/timeoutSeconds": "3"}}
    labels = {"app": "web"}
    pod = {"containers": [{"name": "main", "image": "x", "resources": {"requests": {"cpu": "900"}}}]}
    template = {"metadata": {"labels": labels}, "spec": pod}
    deployment = {"metadata": meta, "spec": {"selector": {"matchLabels": labels}, "template": template}}
    stack.config(resources={"web": ["kubernetes:apps/v1:Deployment", deployment]})
    said = stack.up(fails=True)
    assert f"Deployment {stack.name}/web was applied but is not ready" in said
    assert "pod web-" in said
    assert "Insufficient cpu" in said
    assert stack.resource("web")["initErrors"]
    # The next run goes on with it: an update, not a second creation.
    pod["containers"][0]["resources"]["requests"]["cpu"] = "0.1"
    stack.config(resources={"web": ["kubernetes:apps/v1:Deployment", deployment]})
    assert stack.steps() == {"web": "update"}
    stack.up()
    assert "initErrors" not in stack.resource("web")

    # A quota keeps pods from being made at all: that is said by the ReplicaSet's event.
    stack.kubectl("create", "quota", "none", "--hard=pods=1")
    more = {**deployment, "spec": {**deployment["spec"], "replicas": 3}}
    stack.config(resources={"web": ["kubernetes:apps/v1:Deployment", more]})
    said = stack.up(fails=True)
    assert "exceeded quota: none" in said


def test_an_object_of_somebody_else_is_not_overwritten(make_stack: MakeStack) -> None:
    stack = make_stack("one")
    stack.kubectl("create", "namespace", stack.name)
    stack.kubectl("create", "configmap", "taken", "--from-literal=key=theirs")
    inputs = {"metadata": {"name": "taken", "namespace": stack.name}, "data": {"key": "ours"}}
    stack.config(resources={"mine": ["kubernetes:core/v1:ConfigMap", inputs]})
    for said in (stack.preview(fails=True), stack.up(fails=True)):
        assert f"ConfigMap {stack.name}/taken already exists and this stack did not make it" in said
        assert "PULUMI_K8S_UPSERT_EXISTING_OBJECTS" in said
        assert "--parent and --provider" in said
    assert stack.get("configmap", "taken")["data"] == {"key": "theirs"}


def test_a_misspelt_field_is_refused_in_the_preview(make_stack: MakeStack) -> None:
    stack = make_stack("one")
    inputs = {"metadata": {"name": "c", "namespace": "default"}, "data": {"key": "v"}, "immutible": True}
    stack.config(resources={"mine": ["kubernetes:core/v1:ConfigMap", inputs]})
    assert ".immutible" in stack.preview(fails=True)
    stack.config(resources={"mine": ["kubernetes:core/v1:ConfigMapp", inputs]})
    assert "Did you mean 'ConfigMap'?" in stack.preview(fails=True)


def test_a_wrong_context_and_a_dead_server_are_told_at_once(make_stack: MakeStack, tmp_path: Path) -> None:
    stack = make_stack("one")
    inputs = {"metadata": {"name": "c", "namespace": "default"}, "data": {"key": "v"}}
    resources = {"mine": ["kubernetes:core/v1:ConfigMap", inputs]}
    stack.config(resources=resources, context="qhub-test")
    said = stack.preview(fails=True)
    assert "the kubeconfig has no context 'qhub-test'" in said
    assert f"Did you mean '{stack.context}'?" in said

    yaml = YAML(typ="safe")
    dead = yaml.load(stack.kubeconfig.read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"https://127.0.0.1:{free.getsockname()[1]}"
        dead["clusters"][0]["cluster"]["server"] = address
        path = tmp_path / "dead.yaml"
        with path.open("w") as stream:
            yaml.dump(dead, stream)
        stack.config(context=stack.context, kubeconfig=str(path))
        for said in (stack.preview(fails=True), stack.up(fails=True)):
            assert f"{address} (context '{stack.context}') cannot be reached: connection refused" in said
            assert "Check that the cluster runs" in said
            assert "PRIVATE KEY" not in said


def test_credentials_that_are_not_accepted(make_stack: MakeStack, tmp_path: Path) -> None:
    stack = make_stack("one")
    yaml = YAML(typ="safe")
    strange = yaml.load(stack.kubeconfig.read_text())
    strange["users"][0]["user"] = {"token": "a-token-that-nobody-knows"}
    path = tmp_path / "strange.yaml"
    with path.open("w") as stream:
        yaml.dump(strange, stream)
    inputs = {"metadata": {"name": "c", "namespace": "default"}, "data": {"key": "v"}}
    stack.config(kubeconfig=str(path), resources={"mine": ["kubernetes:core/v1:ConfigMap", inputs]})
    said = stack.preview(fails=True)
    assert "does not accept the credentials" in said
    assert "a-token-that-nobody-knows" not in said
