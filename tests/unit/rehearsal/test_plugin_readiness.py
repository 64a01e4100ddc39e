"""When an object counts as ready, and what a refresh makes of one that somebody changed."""

from __future__ import annotations

from typing import Any

import pytest

from qhub.rehearsal.plugins.kubernetes import checkpoint, drift, kinds
from qhub.rehearsal.plugins.kubernetes.waiting import Look, readiness_of
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret

SEEN = {"metadata": {"generation": 2, "name": "a"}}


class FakeApi:
    """An API server with fixed answers; a path without one is an object that does not exist."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def find(self, path: str) -> Any:
        return self.answers.get(path.rsplit("/", 1)[-1])

    def get(self, path: str, **query: str) -> Any:
        return self.find(path) or {"items": []}


def look(**answers: Any) -> Look:
    return Look(FakeApi(**answers), "hub", "a")  # ty: ignore[invalid-argument-type] - it answers what the rules ask


def verdict(token: str, live: dict[str, Any], **answers: Any) -> str:
    found = readiness_of(kinds.of_token(f"kubernetes:{token}"))(live, look(**answers))
    return "ready" if found.ready else ("failed: " if found.failed else "") + found.message


def status(spec: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**SEEN, "spec": spec, "status": {"observedGeneration": 2, **fields}}


@pytest.mark.parametrize(
    ("live", "words"),
    [
        ({**SEEN, "spec": {}, "status": {"observedGeneration": 1}}, "its controller to see the change"),
        (status({"replicas": 3}, replicas=3, updatedReplicas=1, availableReplicas=3), "1 of 3 replicas made"),
        (status({"replicas": 3}, replicas=3, updatedReplicas=3, availableReplicas=2), "2 of 3 replicas available"),
        (status({"replicas": 1}, replicas=2, updatedReplicas=1, availableReplicas=2), "1 replicas of the old template"),
        (status({"replicas": 0}), "ready"),
        (status({}, replicas=1, updatedReplicas=1, availableReplicas=1), "ready"),
        (
            status({}, conditions=[{"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "stuck"}]),
            "failed: the rollout made no progress: ProgressDeadlineExceeded: stuck",
        ),
    ],
)
def test_deployments(live: dict[str, Any], words: str) -> None:
    assert words in verdict("apps/v1:Deployment", live)


@pytest.mark.parametrize(
    ("live", "words"),
    [
        (status({"replicas": 2}, readyReplicas=1), "1 of 2 replicas ready"),
        (status({"replicas": 2}, readyReplicas=2, updatedReplicas=1), "1 of 2 replicas of the new revision"),
        (status({"replicas": 2, "updateStrategy": {"type": "OnDelete"}}, readyReplicas=2), "ready"),
        (
            status(
                {"replicas": 2, "updateStrategy": {"rollingUpdate": {"partition": 1}}},
                readyReplicas=2,
                updatedReplicas=1,
            ),
            "ready",
        ),
    ],
)
def test_stateful_sets(live: dict[str, Any], words: str) -> None:
    assert verdict("apps/v1:StatefulSet", live).startswith(words)


def test_daemon_sets_without_a_node_are_ready() -> None:
    assert verdict("apps/v1:DaemonSet", status({}, desiredNumberScheduled=0)) == "ready"
    waiting = status({}, desiredNumberScheduled=3, updatedNumberScheduled=3, numberAvailable=2)
    assert "available on 2 of 3 nodes" in verdict("apps/v1:DaemonSet", waiting)


def test_jobs() -> None:
    def with_condition(name: str) -> dict[str, Any]:
        return status({}, conditions=[{"type": name, "status": "True", "reason": "BackoffLimitExceeded"}])

    assert verdict("batch/v1:Job", with_condition("Complete")) == "ready"
    assert verdict("batch/v1:Job", with_condition("Failed")) == "failed: the job failed: BackoffLimitExceeded"
    assert "0 of 1 completions, 1 pods active" in verdict("batch/v1:Job", status({}, active=1))


def test_claims() -> None:
    def claim(phase: str, name: str | None = "standard") -> dict[str, Any]:
        return {**SEEN, "spec": {"storageClassName": name}, "status": {"phase": phase}}

    token = "core/v1:PersistentVolumeClaim"
    assert verdict(token, claim("Bound")) == "ready"
    assert verdict(token, claim("Lost")).startswith("failed")
    first_consumer = {"standard": {"volumeBindingMode": "WaitForFirstConsumer"}}
    assert verdict(token, claim("Pending"), **first_consumer) == "ready"
    assert "waiting for a volume" in verdict(token, claim("Pending"), standard={"volumeBindingMode": "Immediate"})
    classes = {"items": [{"metadata": {"name": "fast"}}]}
    assert "no storage class 'standard' (the cluster has: fast)" in verdict(
        token, claim("Pending"), storageclasses=classes
    )


def test_services() -> None:
    token, ready = "core/v1:Service", {"items": [{"endpoints": [{"conditions": {"ready": True}}]}]}
    unready = {"items": [{"endpoints": [{"conditions": {"ready": False}}]}]}
    selecting = {**SEEN, "spec": {"selector": {"app": "web"}}}
    assert "a ready pod with app=web (none found)" in verdict(token, selecting)
    assert "1 selected, none ready" in verdict(token, selecting, endpointslices=unready)
    assert verdict(token, selecting, endpointslices=ready) == "ready"
    assert verdict(token, {**SEEN, "spec": {"selector": {"app": "web"}, "clusterIP": "None"}}) == "ready"
    assert verdict(token, {**SEEN, "spec": {}}) == "ready"
    balanced = {**selecting, "spec": {**selecting["spec"], "type": "LoadBalancer"}}
    assert "load balancer" in verdict(token, balanced, endpointslices=ready)
    with_address = {**balanced, "status": {"loadBalancer": {"ingress": [{"ip": "127.0.0.9"}]}}}
    assert verdict(token, with_address, endpointslices=ready) == "ready"


def test_definitions_and_what_has_no_rule() -> None:
    established = status({}, conditions=[{"type": "Established", "status": "True"}])
    assert verdict("apiextensions.k8s.io/v1:CustomResourceDefinition", established) == "ready"
    assert "to serve" in verdict("apiextensions.k8s.io/v1:CustomResourceDefinition", status({}))
    assert verdict("networking.k8s.io/v1:Ingress", {**SEEN, "spec": {}}) == "ready"


class TestDrift:
    def test_another_spelling_of_the_same_is_none(self) -> None:
        inputs = {"spec": {"cpu": "0.5", "list": [{"name": "a"}]}}
        live = {"spec": {"cpu": "500m", "list": [{"name": "a", "default": 1}], "more": 1}, "status": {"x": 1}}
        assert drift.drifted_inputs(inputs, live, live) == inputs

    def test_what_somebody_changed_shows_with_its_value(self) -> None:
        inputs = {"spec": {"cpu": "0.5", "image": "a:1", "labels": {"a": "1"}}}
        live = {"spec": {"cpu": "500m", "image": "a:9", "labels": {"a": "1", "b": "2"}}}
        applied = {"spec": {"cpu": "500m", "image": "a:1", "labels": {"a": "1", "b": "2"}}}
        assert drift.drifted_inputs(inputs, live, applied) == {
            "spec": {"cpu": "0.5", "image": "a:9", "labels": {"a": "1"}}
        }

    def test_what_somebody_removed_is_gone(self) -> None:
        applied = {"hard": {"pods": "1", "cpu": "2"}}
        assert drift.drifted_inputs({"hard": {"pods": "1", "cpu": "2"}}, {"hard": {"cpu": "2"}}, applied) == {
            "hard": {"cpu": "2"}
        }

    def test_a_field_that_can_only_be_written_stays(self) -> None:
        inputs = {"stringData": {"a": "x"}, "type": "Opaque"}
        live = {"data": {"a": "eA=="}, "type": "other"}
        applied = {"data": {"a": "eA=="}, "type": "Opaque"}
        assert drift.drifted_inputs(inputs, live, applied) == {"stringData": {"a": "x"}, "type": "other"}

    def test_a_list_of_another_length_is_taken_whole(self) -> None:
        assert drift.drifted_inputs([1, 2], [1, 2, 3], None) == [1, 2, 3]


class TestState:
    SECRET = kinds.of_token("kubernetes:core/v1:Secret")
    SERVICE = kinds.of_token("kubernetes:core/v1:Service")

    def test_secrets_stay_secret_and_managers_are_left_out(self) -> None:
        inputs = {"apiVersion": "v1", "stringData": Secret({"a": "hidden-value"})}
        note = {"kubectl.kubernetes.io/last-applied-configuration": '{"stringData":{"a":"hidden-value"}}'}
        live = {"metadata": {"name": "s", "annotations": note, "managedFields": [1]}, "data": {"a": "eA=="}}
        kept = checkpoint.outputs(live, inputs, self.SECRET, manager="m")
        assert kept["data"] == Secret({"a": "eA=="})
        assert "managedFields" not in kept["metadata"]
        assert all(isinstance(value, Secret) for value in kept["metadata"]["annotations"].values())
        assert kept["__inputs"] == inputs
        assert kept["__fieldManager"] == "m"

    def test_a_preview_knows_only_what_will_be_so(self) -> None:
        inputs = {"spec": {"type": "ClusterIP"}, "metadata": {"name": "s"}}
        dry = {"spec": {"type": "ClusterIP", "clusterIP": "127.96.1.1"}, "metadata": {"name": "s", "uid": "made-up"}}
        shown = checkpoint.previewed(dry, inputs, None, self.SERVICE)
        assert shown["spec"]["clusterIP"] is UNKNOWN
        assert shown["metadata"]["uid"] is UNKNOWN
        old = {
            "spec": {"clusterIP": "127.96.2.2", "clusterIPs": ["127.96.2.2"]},
            "metadata": {"uid": "u"},
            "status": {},
        }
        shown = checkpoint.previewed(dry, inputs, old, self.SERVICE)
        assert shown["spec"]["clusterIP"] == "127.96.2.2"
        assert shown["metadata"]["uid"] == "u"

    def test_schema_words_are_spelt_for_either_side(self) -> None:
        program = {"schema": {"x_kubernetes_preserve_unknown_fields": True, "_ref": "#/a"}}
        cluster = {"schema": {"x-kubernetes-preserve-unknown-fields": True, "$ref": "#/a"}}
        assert checkpoint.manifest(program) == cluster
        assert checkpoint.to_program(cluster) == program
