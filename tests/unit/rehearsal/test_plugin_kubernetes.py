"""The Kubernetes plugin over the engine's own protocol, as far as it goes without a cluster."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import pytest

from qhub.rehearsal.plugins._proto import Message, provider_pb2, provider_pb2_grpc
from qhub.rehearsal.plugins.kubernetes.provider import KubernetesProvider
from qhub.rehearsal.plugins.server import Engine
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret, from_struct, reveal, to_struct

import grpc  # isort: skip

TOKEN = "bearer-token-nobody-may-see"
CONFIGMAP = "kubernetes:core/v1:ConfigMap"


def urn(token: str, name: str = "mine") -> str:
    return f"urn:pulumi:dev::proj::qhub:x:Y${token}::{name}"


def kubeconfig(server: str = "https://127.0.0.1:1", **contexts: str) -> str:
    users = [{"name": "me", "user": {"token": TOKEN}}]
    document = {
        "current-context": "qhub-local",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": users,
        "contexts": [
            {"name": name, "context": {"cluster": cluster, "user": "me"}}
            for name, cluster in {"qhub-local": "c", **contexts}.items()
        ],
    }
    return json.dumps(document)


@pytest.fixture
def plugin() -> Iterator[Any]:
    """A client of a plugin in this process."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    provider = KubernetesProvider(version="4.34.2", engine=Engine(""))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(None)


def refusal(call: Any, request: Message) -> str:
    with pytest.raises(grpc.RpcError) as error:
        call(request)
    assert isinstance(error.value, grpc.Call)
    assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    return error.value.details()


def check(plugin: Any, token: str, news: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
    request = provider_pb2.CheckRequest(urn=urn(token), news=to_struct(news), olds=to_struct(olds or {}))
    return from_struct(plugin.Check(request).inputs)


def diff(plugin: Any, token: str, old: dict[str, Any], new: dict[str, Any], **olds: Any) -> Message:
    old = check(plugin, token, old)
    new = check(plugin, token, new, old)
    request = provider_pb2.DiffRequest(
        urn=urn(token), olds=to_struct(olds), old_inputs=to_struct(old), news=to_struct(new)
    )
    return plugin.Diff(request)


class TestProviderInputs:
    @pytest.mark.parametrize(
        ("inputs", "words"),
        [
            ({"kubeconfg": "x"}, "Did you mean 'kubeconfig'?"),
            ({"enableServerSideApply": "false"}, "applies on the server only"),
            ({"renderYamlToDirectory": "out"}, "renders no YAML files"),
            ({"deleteUnreachable": "maybe"}, "expected true or false"),
            ({"helmReleaseSettings": '{"driver": "configmap"}'}, "keeps releases in Secrets"),
            ({"helmReleaseSettings": '{"drivr": "secret"}'}, "Did you mean 'driver'?"),
            ({"kubeClientSettings": '{"qps": [1]}'}, "expected a number"),
        ],
    )
    def test_what_cannot_be_honoured_is_refused(self, plugin: Any, inputs: dict[str, Any], words: str) -> None:
        request = provider_pb2.CheckRequest(news=to_struct({"kubeconfig": kubeconfig(), **inputs}))
        failures = plugin.CheckConfig(request).failures
        assert len(failures) == 1
        assert words in failures[0].reason

    def test_what_can_be_honoured_passes(self, plugin: Any) -> None:
        inputs = {
            "kubeconfig": Secret(kubeconfig()),
            "context": "qhub-local",
            "namespace": "hub",
            "clusterIdentifier": "local",
            "enableServerSideApply": "true",
            "kubeClientSettings": '{"qps": 50, "burst": 100, "timeout": 30}',
            "helmReleaseSettings": '{"driver": "secret"}',
            "version": "4.34.2",
        }
        request = provider_pb2.CheckRequest(news=to_struct(inputs))
        assert not plugin.CheckConfig(request).failures

    @pytest.mark.parametrize(
        ("inputs", "words"),
        [
            (
                {"context": "qhub-locl"},
                "no context 'qhub-locl'. Did you mean 'qhub-local'? Its contexts: other, qhub-local",
            ),
            ({"cluster": "d"}, "no cluster 'd'"),
            ({"context": "other"}, "no cluster 'missing' (context 'other' names it)"),
            ({"kubeconfig": "/no/such/file"}, "no kubeconfig at /no/such/file"),
            ({"kubeconfig": "a: b\nc: [1"}, "no valid YAML at line 3"),
        ],
    )
    def test_a_wrong_context_is_told_with_those_that_exist(
        self, plugin: Any, inputs: dict[str, Any], words: str
    ) -> None:
        known = {"kubeconfig": Secret(kubeconfig(other="missing"))}
        request = provider_pb2.CheckRequest(news=to_struct({**known, **inputs}))
        (failure,) = plugin.CheckConfig(request).failures
        assert words in failure.reason
        assert TOKEN not in failure.reason

    def test_unknown_inputs_pass(self, plugin: Any) -> None:
        request = provider_pb2.CheckRequest(news=to_struct({"kubeconfig": UNKNOWN, "context": "nobody-knows-yet"}))
        assert not plugin.CheckConfig(request).failures


class TestWhichClusterIsMeant:
    def replaces(self, plugin: Any, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
        return list(plugin.DiffConfig(provider_pb2.DiffRequest(olds=to_struct(old), news=to_struct(new))).replaces)

    def test_with_an_identifier_it_alone_decides(self, plugin: Any) -> None:
        one, other = kubeconfig("https://127.0.0.1:1"), kubeconfig("https://127.0.0.1:2")
        old = {"kubeconfig": one, "clusterIdentifier": "a"}
        assert self.replaces(plugin, old, {"kubeconfig": other, "clusterIdentifier": "a"}) == []
        assert self.replaces(plugin, old, {"kubeconfig": UNKNOWN, "clusterIdentifier": "a"}) == []
        assert self.replaces(plugin, old, {"kubeconfig": one, "clusterIdentifier": "b"}) == ["clusterIdentifier"]

    def test_without_one_the_cluster_entry_does(self, plugin: Any) -> None:
        one, other = kubeconfig("https://127.0.0.1:1"), kubeconfig("https://127.0.0.1:2")
        same_cluster = one.replace(TOKEN, "another-token")
        assert self.replaces(plugin, {"kubeconfig": one}, {"kubeconfig": other}) == ["kubeconfig"]
        assert self.replaces(plugin, {"kubeconfig": one}, {"kubeconfig": same_cluster}) == []
        assert self.replaces(plugin, {"kubeconfig": one}, {"kubeconfig": UNKNOWN}) == ["kubeconfig"]
        assert self.replaces(plugin, {"kubeconfig": one}, {"kubeconfig": one}) == []


class TestCheck:
    def test_a_name_is_made_and_kept(self, plugin: Any) -> None:
        made = check(plugin, CONFIGMAP, {"data": {"a": "1"}})
        assert made["metadata"]["name"].startswith("mine-")
        assert len(made["metadata"]["name"]) == len("mine-") + 8
        assert made["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
        assert made["apiVersion"] == "v1"
        again = check(plugin, CONFIGMAP, {"data": {"a": "2"}}, made)
        assert again["metadata"] == made["metadata"]

    def test_the_data_of_a_secret_is_secret(self, plugin: Any) -> None:
        made = check(plugin, "kubernetes:core/v1:Secret", {"stringData": {"a": "1"}, "data": {"b": Secret("Mg==")}})
        assert made["stringData"] == Secret({"a": "1"})
        assert isinstance(made["data"], Secret)
        assert reveal(made["data"]) == {"b": "Mg=="}

    def test_nulls_mean_nothing(self, plugin: Any) -> None:
        assert "data" not in check(plugin, CONFIGMAP, {"metadata": {"name": "a"}, "data": None})

    @pytest.mark.parametrize(
        ("token", "inputs", "words"),
        [
            ("kubernetes:core/v1:ConfigMapp", {}, "Did you mean 'ConfigMap'?"),
            ("kubernetes:apps/v1beta1:Deployment", {}, "it knows Deployment of apps/v1"),
            ("kubernetes:apps/v1:DeploymentPatch", {}, "metadata.name is missing"),
            ("kubernetes:helm.sh/v4:Chart", {}, "use `helm.v3.Release`"),
            ("kubernetes:yaml/v2:ConfigFile", {}, "use one resource per object"),
            (CONFIGMAP, {"kind": "Secret"}, "kind is 'Secret', but this resource is a 'ConfigMap'"),
            (CONFIGMAP, {"metadata": {"generateName": "a-"}}, "generateName is not possible"),
            (CONFIGMAP, {"metadata": {"annotations": {"pulumi.com/skipawait": "true"}}}, "'pulumi.com/skipAwait'?"),
            (CONFIGMAP, {"metadata": {"annotations": {"pulumi.com/timeoutSeconds": "10m"}}}, "whole number of seconds"),
            (CONFIGMAP, {"metadata": {"annotations": {"a": True}}}, "must be a string"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, plugin: Any, token: str, inputs: dict[str, Any], words: str) -> None:
        request = provider_pb2.CheckRequest(urn=urn(token), news=to_struct(inputs), olds=to_struct({}))
        assert words in refusal(plugin.Check, request)

    def test_unknown_metadata_gets_no_name(self, plugin: Any) -> None:
        made = check(plugin, CONFIGMAP, {"metadata": UNKNOWN})
        assert made["metadata"] is UNKNOWN
        made = check(plugin, CONFIGMAP, {"metadata": {"name": UNKNOWN}})
        assert made["metadata"] == {"name": UNKNOWN}

    def test_a_custom_resource_of_any_group_passes(self, plugin: Any) -> None:
        token = "kubernetes:cert-manager.io/v1:ClusterIssuer"
        made = check(plugin, token, {"metadata": {"name": "selfsigned"}, "spec": {"selfSigned": {}, "gone": None}})
        assert made["apiVersion"] == "cert-manager.io/v1"
        assert made["spec"] == {"selfSigned": {}, "gone": None}


class TestDiff:
    def named(self, **fields: Any) -> dict[str, Any]:
        return {"metadata": {"name": "a", "namespace": "hub"}, **fields}

    def test_no_change_is_none(self, plugin: Any) -> None:
        inputs = self.named(data={"k": "v"})
        assert diff(plugin, CONFIGMAP, inputs, inputs).changes == provider_pb2.DiffResponse.DIFF_NONE
        assert diff(plugin, CONFIGMAP, {"data": {}}, {"data": {}}).changes == provider_pb2.DiffResponse.DIFF_NONE

    def test_the_namespace_default_is_the_same_as_none(self, plugin: Any) -> None:
        answer = diff(
            plugin, CONFIGMAP, {"metadata": {"name": "a", "namespace": "default"}}, {"metadata": {"name": "a"}}
        )
        assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE

    @pytest.mark.parametrize(
        ("token", "old", "new", "replaces"),
        [
            (CONFIGMAP, {"data": {"k": "1"}}, {"data": {"k": "2"}}, ["data.k"]),
            ("apps/v1:Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, []),
            (
                "apps/v1:Deployment",
                {"spec": {"selector": {"matchLabels": {"a": "1"}}}},
                {"spec": {"selector": {"matchLabels": {"a": "2"}}}},
                ["spec.selector.matchLabels.a"],
            ),
            (
                "apps/v1:StatefulSet",
                {"spec": {"serviceName": "a"}},
                {"spec": {"serviceName": "b"}},
                ["spec.serviceName"],
            ),
            (
                "batch/v1:Job",
                {"spec": {"template": {"spec": {"containers": [{"image": "1"}]}}}},
                {"spec": {"template": {"spec": {"containers": [{"image": "2"}]}}}},
                ["spec.template.spec.containers[0].image"],
            ),
            (
                "core/v1:PersistentVolume",
                {"spec": {"nfs": {"server": "a"}}},
                {"spec": {"nfs": {"server": "b"}}},
                ["spec.nfs.server"],
            ),
            (
                "core/v1:PersistentVolumeClaim",
                {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
                {"spec": {"resources": {"requests": {"storage": "2Gi"}}}},
                [],
            ),
            (
                "core/v1:PersistentVolumeClaim",
                {"spec": {"volumeName": "a"}},
                {"spec": {"volumeName": "b"}},
                ["spec.volumeName"],
            ),
            ("storage.k8s.io/v1:StorageClass", {"provisioner": "a"}, {"provisioner": "b"}, ["provisioner"]),
            (
                "rbac.authorization.k8s.io/v1:RoleBinding",
                {"roleRef": {"name": "a"}},
                {"roleRef": {"name": "b"}},
                ["roleRef.name"],
            ),
        ],
    )
    def test_what_cannot_change_in_place_replaces(
        self, plugin: Any, token: str, old: dict[str, Any], new: dict[str, Any], replaces: list[str]
    ) -> None:
        full = token if token.startswith("kubernetes:") else f"kubernetes:{token}"
        answer = diff(plugin, full, self.named(**old), self.named(**new))
        assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
        assert list(answer.replaces) == replaces
        # The name is given, so the old object must go first.
        assert answer.deleteBeforeReplace == bool(replaces)

    def test_another_name_replaces_without_deleting_first(self, plugin: Any) -> None:
        answer = diff(plugin, CONFIGMAP, {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}})
        assert list(answer.replaces) == ["metadata.name"]
        assert not answer.deleteBeforeReplace

    def test_a_claim_cannot_shrink(self, plugin: Any) -> None:
        sizes = [{"spec": {"resources": {"requests": {"storage": size}}}} for size in ("10Gi", "9000Mi")]
        token = "kubernetes:core/v1:PersistentVolumeClaim"
        request = provider_pb2.DiffRequest(
            urn=urn(token), old_inputs=to_struct(self.named(**sizes[0])), news=to_struct(self.named(**sizes[1]))
        )
        assert "a claim cannot shrink" in refusal(plugin.Diff, request)

    def test_what_an_imported_object_has_besides_is_left_alone(self, plugin: Any) -> None:
        old, new = self.named(data={"k": "v"}, immutable=False), self.named(data={"k": "v"})
        assert diff(plugin, CONFIGMAP, old, new).changes == provider_pb2.DiffResponse.DIFF_SOME
        assert diff(plugin, CONFIGMAP, old, new, __imported=True).changes == provider_pb2.DiffResponse.DIFF_NONE


class TestUnreachable:
    def configure(self, plugin: Any, **inputs: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            server = f"https://127.0.0.1:{free.getsockname()[1]}"
            given = {"kubeconfig": Secret(kubeconfig(server)), **inputs}
            plugin.Configure(provider_pb2.ConfigureRequest(args=to_struct(given), acceptSecrets=True))

    def test_it_is_told_at_the_first_resource(self, plugin: Any) -> None:
        self.configure(plugin)
        request = provider_pb2.CheckRequest(urn=urn(CONFIGMAP), news=to_struct({}), olds=to_struct({}))
        told = refusal(plugin.Check, request)
        assert "(context 'qhub-local') cannot be reached: connection refused" in told
        assert TOKEN not in told

    def test_resources_count_as_deleted_where_the_program_says_so(self, plugin: Any) -> None:
        self.configure(plugin, deleteUnreachable="true")
        kept = to_struct({"metadata": {"name": "a"}})
        request = provider_pb2.ReadRequest(id="default/a", urn=urn(CONFIGMAP), properties=kept)
        assert plugin.Read(request).id == ""
        plugin.Delete(provider_pb2.DeleteRequest(id="default/a", urn=urn(CONFIGMAP), properties=kept))

    def test_they_stay_as_they_are_where_the_program_says_that(self, plugin: Any) -> None:
        self.configure(plugin, skipUpdateUnreachable="true")
        kept = to_struct({"metadata": {"name": "a"}})
        request = provider_pb2.CheckRequest(urn=urn(CONFIGMAP), olds=kept, news=to_struct({"data": {"new": "1"}}))
        assert plugin.Check(request).inputs == kept


def test_a_message_hides_the_credentials_and_shows_the_rest(plugin: Any) -> None:
    text = "current-context: nowhere\nclusters:\n- name: c\n  cluster: {server: https://127.0.0.1:1}\nusers:\n"
    text += (
        f"- name: nowhere-to-go\n  user: {{token: {TOKEN}}}\ncontexts:\n- name: {TOKEN}\n  context: {{cluster: c}}\n"
    )
    request = provider_pb2.CheckRequest(news=to_struct({"kubeconfig": Secret(text)}))
    (failure,) = plugin.CheckConfig(request).failures
    assert "no context 'nowhere'" in failure.reason
    assert "[secret]" in failure.reason
    assert TOKEN not in failure.reason


def test_before_the_cluster_is_known_a_preview_shows_the_inputs(plugin: Any) -> None:
    plugin.Configure(provider_pb2.ConfigureRequest(args=to_struct({"kubeconfig": UNKNOWN})))
    inputs = to_struct(check(plugin, CONFIGMAP, {"data": {"k": UNKNOWN}}))
    made = plugin.Create(provider_pb2.CreateRequest(urn=urn(CONFIGMAP), properties=inputs, preview=True))
    assert made.properties == inputs
    request = provider_pb2.CreateRequest(urn=urn(CONFIGMAP), properties=inputs)
    assert "not known yet" in refusal(plugin.Create, request)


def test_nothing_slow_is_imported_before_something_changes(tmp_path: Path) -> None:
    # The official client takes 0.25 s to import, the whole Pulumi SDK 0.1 s: too much for a run without a change.
    script = (
        "import sys\n"
        "import qhub.rehearsal.plugins.kubernetes.provider\n"
        "heavy = {'kubernetes', 'yaml', 'urllib3', 'pulumi.resource', 'rich', 'pydantic', 'pulumi_kubernetes'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.strip() == "[]"
