"""The life of objects: made, left alone, changed, replaced, refreshed, imported, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.engine.plugin.stack import Stack

MakeStack = Callable[[str], Stack]


def test_life_of_every_common_kind(make_stack: MakeStack) -> None:
    stack = make_stack("objects")

    said = stack.preview()
    assert "20 to create" in said
    assert "never-shown-anywhere" not in said

    said = stack.up()
    assert "20 created" in said
    assert stack.get("deployment", "web")["status"]["availableReplicas"] == 1
    assert stack.get("job", "job")["status"]["succeeded"] == 1
    outputs = json.loads(stack.pulumi("stack", "output", "--json"))
    assert outputs["address"] == stack.get("service", "web")["spec"]["clusterIP"]
    assert stack.get("configmap", outputs["unnamed"])["data"] == {"key": "one"}
    assert outputs["unnamed"].startswith("unnamed-")
    assert len(outputs["unnamed"]) == len("unnamed-") + 8

    # The secret is in the cluster and nowhere else in clear.
    assert "never-shown-anywhere" not in said + stack.state_text()
    assert stack.resource("secret")["outputs"]["data"]

    assert stack.steps() == {}
    assert "20 unchanged" in stack.refresh()

    # In place: image and replicas. Made anew: a ConfigMap whose data changes, the named one deleted first.
    stack.config(image="example.invalid/web:2", replicas=2, data="two")
    said = stack.preview()
    assert 'image: "example.invalid/web:1" => "example.invalid/web:2"' in said
    assert "replicas: 1 => 2" in said
    stack.up()
    assert stack.get("configmap", "named")["data"] == {"key": "two"}
    assert stack.get("deployment", "web")["status"]["updatedReplicas"] == 2
    renamed = json.loads(stack.pulumi("stack", "output", "--json"))["unnamed"]
    assert renamed != outputs["unnamed"]
    assert "NotFound" in stack.kubectl("get", "configmap", outputs["unnamed"], fails=True)
    assert stack.steps() == {}

    # A Deployment's selector cannot change in place.
    stack.config(selector={"tier": "front"})
    uid = stack.get("deployment", "web")["metadata"]["uid"]
    assert "replace" in stack.steps()["deployment"]
    stack.up()
    assert stack.get("deployment", "web")["metadata"]["uid"] != uid

    stack.destroy()
    assert "NotFound" in stack.kubectl("get", "namespace", stack.name, fails=True)


def test_what_others_change_is_seen_by_refresh_and_put_back(make_stack: MakeStack) -> None:
    stack = make_stack("objects")
    stack.up()
    stack.kubectl(
        "patch", "resourcequota", "quota", "--type=json", '--patch=[{"op":"remove","path":"/spec/hard/pods"}]'
    )
    stack.kubectl("delete", "configmap", "named")
    stack.kubectl("label", "serviceaccount", "account", "somebody=else")  # not ours: no drift
    said = stack.refresh()
    assert f"ResourceQuota {stack.name}/quota differs from what this stack applied" in said
    assert "ServiceAccount" not in said
    assert stack.steps() == {"quota": "update", "named": "create"}
    stack.up()
    assert stack.get("resourcequota", "quota")["spec"]["hard"] == {"pods": "20", "requests.cpu": "4"}
    assert stack.steps() == {}


def test_a_field_of_another_manager_is_a_conflict_unless_ignored(make_stack: MakeStack) -> None:
    stack = make_stack("objects")
    stack.up()
    stack.kubectl("scale", "deployment", "web", "--replicas=3")
    stack.config(replicas=2)
    said = stack.up(fails=True)
    assert ".spec.replicas" in said
    assert "pulumi.com/patchForce" in said
    stack.config(ignored=["spec.replicas"], image="example.invalid/web:3")
    stack.up()
    live = stack.get("deployment", "web")["spec"]
    assert live["replicas"] == 3
    assert live["template"]["spec"]["containers"][0]["image"] == "example.invalid/web:3"


def test_import_takes_an_object_over_as_it_is(make_stack: MakeStack) -> None:
    stack = make_stack("one")
    stack.kubectl("create", "namespace", stack.name)
    stack.kubectl("create", "configmap", "found", "--from-literal=key=value")
    stack.kubectl("label", "configmap", "found", "team=ours")
    meta = {"name": "found", "namespace": stack.name}
    inputs = {"metadata": meta, "data": {"key": "value"}}
    stack.config(resources={"found": ["kubernetes:core/v1:ConfigMap", inputs]}, **{"import": f"{stack.name}/found"})
    stack.up()
    assert stack.get("configmap", "found")["metadata"]["labels"] == {"team": "ours"}
    stack.config(**{"import": None})
    assert stack.steps() == {}
    stack.destroy()
    assert "NotFound" in stack.kubectl("get", "configmap", "found", fails=True)


def test_a_new_kind_and_an_object_of_it_in_one_update(make_stack: MakeStack) -> None:
    stack = make_stack("definitions")
    assert "4 to create" in stack.preview()
    stack.up()
    assert stack.steps() == {}
    stack.config(colour="black")
    said = stack.up()
    assert 'colour: "white" => "black"' in said
    stack.config(field="color")
    assert "color" in stack.up(fails=True)
    stack.destroy()


def test_a_patch_sets_fields_of_an_object_that_is_somebody_elses(make_stack: MakeStack) -> None:
    stack = make_stack("one")
    meta = {"name": stack.name, "labels": {"team": "ours"}}
    stack.config(resources={"patch": ["kubernetes:core/v1:NamespacePatch", {"metadata": meta}]})
    assert "it does not exist" in stack.up(fails=True)
    stack.kubectl("create", "namespace", stack.name)
    stack.kubectl("label", "namespace", stack.name, "colour=blue")

    stack.up()
    labels = stack.get("namespace", stack.name)["metadata"]["labels"]
    assert labels["team"] == "ours"
    assert labels["colour"] == "blue"
    assert stack.steps() == {}
    assert "unchanged" in stack.refresh()

    changed = {"name": stack.name, "labels": {"team": "theirs"}}
    stack.config(resources={"patch": ["kubernetes:core/v1:NamespacePatch", {"metadata": changed}]})
    assert stack.steps() == {"patch": "update"}
    stack.up()
    assert stack.get("namespace", stack.name)["metadata"]["labels"]["team"] == "theirs"

    # What somebody else has set is theirs.
    contested = {"name": stack.name, "labels": {"colour": "red"}}
    stack.config(resources={"patch": ["kubernetes:core/v1:NamespacePatch", {"metadata": contested}]})
    assert "another field manager owns fields" in stack.up(fails=True)

    stack.destroy()
    labels = stack.get("namespace", stack.name)["metadata"]["labels"]
    assert labels["colour"] == "blue"
    assert "team" not in labels
