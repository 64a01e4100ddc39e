"""A simulated cloud as the engine sees it, one call at a time: names, previews, replacements, secrets, failures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from qhub.rehearsal.clouds.clock import SPEED_VARIABLE
from qhub.rehearsal.clouds.faults import FAULTS_VARIABLE
from qhub.rehearsal.clouds.provider import CloudProvider
from qhub.rehearsal.clouds.resource import AutoName, Call, CloudDefinition, ResourceType
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import WORLD_VARIABLE, World
from qhub.rehearsal.plugins._proto import Message, provider_pb2, status_pb2
from qhub.rehearsal.plugins.server import Engine
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret, from_struct, to_struct

VPC = "digitalocean:index/vpc:Vpc"
CLUSTER = "digitalocean:index/kubernetesCluster:KubernetesCluster"
REGISTRY = "digitalocean:index/containerRegistry:ContainerRegistry"
KINDS = provider_pb2.PropertyDiff


class Aborted(Exception):
    """What the engine would be told."""


class Context:
    """The call's side of the protocol: an abort ends it."""

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise Aborted(details)

    def abort_with_status(self, status: Any) -> None:
        told = status_pb2.Status.FromString(dict(status.trailing_metadata)["grpc-status-details-bin"])
        inner = provider_pb2.ErrorResourceInitFailed()
        told.details[0].Unpack(inner)
        raise Aborted(status.details, inner.id, from_struct(inner.properties))


def urn(token: str, name: str = "net") -> str:
    return f"urn:pulumi:test::qhub::qhub:digitalocean:Network${token}::{name}"


def outputs(subject: Subject) -> dict[str, Any]:
    if subject.get("description") == "a mistake of ours":
        return {"vpcUrm": "x"}
    return {"vpcUrn": f"do:vpc:{subject.id}", "ipRange": subject.get("ipRange", "10.9.0.0/20")}


def refuse_to_finish(subject: Subject) -> None:
    if subject.get("description") == "too slow":
        raise subject.refuse("description", "it took too long")


DEFINITION = CloudDefinition(
    package="digitalocean",
    sdk="pulumi_digitalocean",
    resources=(
        ResourceType(
            token=VPC,
            autoname=AutoName(),
            unique=("name",),
            replaced_by=("ipRange",),
            replaces=lambda subject: ["region"] if subject.get("region") == "nyc1" else [],
            defaults={"description": "made by a default"},
            outputs=outputs,
            changing=("createdAt",),
            after_create=refuse_to_finish,
        ),
        ResourceType(
            token=CLUSTER,
            autoname=AutoName(),
            compared_to_state=("version",),
            replaced_by=("version", "nodePool.size"),
            computed=("nodePool.id",),
            secrets=("kubeConfigs",),
            outputs=lambda subject: {
                "version": subject.inputs["version"] + ".1",
                "kubeConfigs": [{"token": "token-1234"}],
                "nodePool": {**subject.inputs["nodePool"], "id": "pool-1"},
            },
        ),
    ),
    functions={"digitalocean:index/getAccount:getAccount": lambda call: {"email": call.arguments["email"]}},
)


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CloudProvider]:
    """Make a provider on the world of the test; it may be made again, as after a kill."""
    monkeypatch.setenv(WORLD_VARIABLE, str(tmp_path / "world"))
    monkeypatch.setenv(SPEED_VARIABLE, "100000")

    def make(faults: str = "") -> CloudProvider:
        monkeypatch.setenv(FAULTS_VARIABLE, faults)
        return CloudProvider(definition=DEFINITION, version="4.0.0", engine=Engine(""))

    return make


def check(
    provider: CloudProvider, news: dict[str, Any], olds: dict[str, Any] | None = None, token: str = VPC
) -> Message:
    request = provider_pb2.CheckRequest(
        urn=urn(token), news=to_struct(news), olds=to_struct(olds or {}), randomSeed=bytes(range(32))
    )
    return provider.Check(request, Context())


def diff(provider: CloudProvider, old: dict[str, Any], new: dict[str, Any], token: str = VPC, **more: Any) -> Message:
    state = to_struct(more.pop("state", old))
    return provider.Diff(
        provider_pb2.DiffRequest(
            id="x", urn=urn(token), olds=state, old_inputs=to_struct(old), news=to_struct(new), **more
        ),
        Context(),
    )


def create(provider: CloudProvider, inputs: dict[str, Any], token: str = VPC, **more: Any) -> Message:
    request = provider_pb2.CreateRequest(urn=urn(token, more.pop("name", "net")), properties=to_struct(inputs), **more)
    return provider.Create(request, Context())


class TestCheck:
    def test_a_name_is_made_up_and_kept(self, make: Callable[..., CloudProvider]) -> None:
        provider = make()
        first = from_struct(check(provider, {"region": "fra1"}).inputs)
        assert first["name"] == "net-0001020"
        assert first["description"] == "made by a default"
        kept = from_struct(check(provider, {"region": "fra1"}, {**first, "name": "net-abcdef0"}).inputs)
        assert kept["name"] == "net-abcdef0"
        # One that was given before and is not any more does not stay.
        renamed = from_struct(check(provider, {"region": "fra1"}, {**first, "name": "team"}).inputs)
        assert renamed["name"] == "net-0001020"

    def test_what_is_wrong_comes_with_its_path(self, make: Callable[..., CloudProvider]) -> None:
        failures = check(make(), {"nodePool": {"size": 1}, "region": "fra1", "version": "1"}, token=CLUSTER).failures
        assert {one.property: one.reason for one in failures} == {
            "nodePool.name": "is required and missing",
            "nodePool.size": "must be a string, not a number",
        }

    def test_an_unknown_type_is_told_with_what_there_is(self, make: Callable[..., CloudProvider]) -> None:
        with pytest.raises(Aborted, match="does not simulate digitalocean:index/vpx:Vpx") as told:
            check(make(), {}, token="digitalocean:index/vpx:Vpx")
        assert "Did you mean 'digitalocean:index/vpc:Vpc'?" in str(told.value)

    def test_the_provider_decodes_what_travels_as_text(self, make: Callable[..., CloudProvider]) -> None:
        def reasons(**news: Any) -> list[str]:
            request = provider_pb2.CheckRequest(
                urn="urn:pulumi:t::q::pulumi:providers:digitalocean::do", news=to_struct(news)
            )
            return [one.reason for one in make().CheckConfig(request, Context()).failures]

        assert reasons(httpRetryMax="7", requestsPerSecond="1.5", version="4.0.0") == []
        assert reasons(httpRetryMax="seven") == ["must be a whole number, not a string"]
        assert reasons(tokn="x") == ["there is no such property. Did you mean 'token'?"]


class TestDiff:
    def test_no_difference(self, make: Callable[..., CloudProvider]) -> None:
        same = {"name": "a", "region": "fra1"}
        assert diff(make(), same, {**same, "region": Secret("fra1")}).changes == provider_pb2.DiffResponse.DIFF_NONE

    def test_what_the_type_says_replaces(self, make: Callable[..., CloudProvider]) -> None:
        old = {"name": "net-abcdef0", "ipRange": "10.0.0.0/16", "region": "fra1"}
        answer = diff(make(), old, {**old, "ipRange": "10.1.0.0/16", "description": "x"})
        assert answer.detailedDiff["ipRange"].kind == KINDS.UPDATE_REPLACE
        assert answer.detailedDiff["description"].kind == KINDS.ADD
        assert list(answer.replaces) == ["ipRange"]
        assert not answer.deleteBeforeReplace, "the name was made up, so both can be there at once"

    def test_a_given_name_goes_before_it_comes_again(self, make: Callable[..., CloudProvider]) -> None:
        old = {"name": "team", "ipRange": "10.0.0.0/16"}
        assert diff(make(), old, {**old, "ipRange": "10.1.0.0/16"}).deleteBeforeReplace
        assert not diff(make(), old, {"name": "other", "ipRange": "10.1.0.0/16"}).deleteBeforeReplace

    def test_a_rule_on_the_values_may_replace(self, make: Callable[..., CloudProvider]) -> None:
        assert list(diff(make(), {"region": "fra1"}, {"region": "nyc1"}).replaces) == ["region"]
        assert list(diff(make(), {"region": "nyc1"}, {"region": "fra1"}).replaces) == []

    def test_what_is_not_known_yet_may_replace(self, make: Callable[..., CloudProvider]) -> None:
        assert list(diff(make(), {"ipRange": "10.0.0.0/16"}, {"ipRange": UNKNOWN}).replaces) == ["ipRange"]

    def test_ignored_changes_are_none(self, make: Callable[..., CloudProvider]) -> None:
        pool = {"name": "a", "size": "x", "nodeCount": 1}
        old, new = {"version": "1", "nodePool": pool}, {"version": "1", "nodePool": {**pool, "nodeCount": 3}}
        state = {**old, "version": "1.1"}
        ignored = ["nodePool.nodeCount", "version"]
        answer = diff(make(), old, new, token=CLUSTER, state=state, ignoreChanges=ignored)
        assert answer.changes == provider_pb2.DiffResponse.DIFF_NONE
        # The cloud says another version than was asked for; without ignoreChanges that is a difference in every run.
        assert list(diff(make(), old, old, token=CLUSTER, state=state).replaces) == ["version"]


class TestPreview:
    def test_what_only_the_cloud_knows_is_unknown(self, make: Callable[..., CloudProvider]) -> None:
        inputs = {"version": "1", "nodePool": {"name": "a"}}
        foreseen = from_struct(create(make(), inputs, token=CLUSTER, preview=True).properties)
        assert foreseen["nodePool"] == {"name": "a", "id": UNKNOWN}
        assert "kubeConfigs" not in foreseen

    def test_an_update_keeps_what_the_cloud_said(self, make: Callable[..., CloudProvider]) -> None:
        state = {"version": "1.1", "nodePool": {"name": "a", "id": "pool-1"}, "kubeConfigs": Secret([{"token": "t"}])}
        request = provider_pb2.UpdateRequest(
            id="x", urn=urn(CLUSTER), preview=True, olds=to_struct(state),
            news=to_struct({"version": "1", "nodePool": {"name": "b"}}),
        )  # fmt: skip
        foreseen = from_struct(make().Update(request, Context()).properties)
        assert foreseen["nodePool"] == {"name": "b", "id": "pool-1"}
        assert isinstance(foreseen["kubeConfigs"], Secret)

    def test_what_an_update_changes_is_unknown(self, make: Callable[..., CloudProvider]) -> None:
        request = provider_pb2.UpdateRequest(
            id="x", urn=urn(VPC), preview=True, news=to_struct({"name": "a"}), olds=to_struct({"createdAt": "then"})
        )
        assert from_struct(make().Update(request, Context()).properties)["createdAt"] is UNKNOWN

    def test_nothing_is_made(self, make: Callable[..., CloudProvider], tmp_path: Path) -> None:
        create(make(), {"name": "a", "region": "fra1"}, preview=True)
        assert World(tmp_path / "world").records() == []


class TestLife:
    def test_it_is_made_read_and_deleted(self, make: Callable[..., CloudProvider], tmp_path: Path) -> None:
        provider, world = make(), World(tmp_path / "world")
        made = create(provider, {"name": "a", "region": "fra1"})
        assert from_struct(made.properties) == {
            "name": "a", "region": "fra1", "vpcUrn": f"do:vpc:{made.id}", "ipRange": "10.9.0.0/20",
        }  # fmt: skip
        # Another process, and an import: nothing is known but the id.
        read = make().Read(provider_pb2.ReadRequest(id=made.id, urn=urn(VPC)), Context())
        assert from_struct(read.inputs) == {"name": "a", "region": "fra1"}
        gone = provider_pb2.DeleteRequest(id=made.id, urn=urn(VPC), properties=made.properties)
        provider.Delete(gone, Context())
        provider.Delete(gone, Context())
        assert world.left() == []
        assert make().Read(provider_pb2.ReadRequest(id=made.id, urn=urn(VPC)), Context()).id == ""
        assert [(event.operation, event.result) for event in world.events()] == [("create", "done"), ("delete", "done")]

    def test_secrets_stay_secret(self, make: Callable[..., CloudProvider]) -> None:
        pool = {"name": "a", "tags": Secret(["hidden-1234"])}
        made = from_struct(create(make(), {"name": "a", "version": "1", "nodePool": pool}, token=CLUSTER).properties)
        assert made["nodePool"]["tags"] == Secret(["hidden-1234"])
        assert made["kubeConfigs"] == Secret([{"token": "token-1234"}])

    def test_a_unique_name_is_taken_once(self, make: Callable[..., CloudProvider]) -> None:
        provider = make()
        create(provider, {"name": "a", "region": "fra1"})
        with pytest.raises(Aborted, match=r'Vpc "other": name: Vpc "net" .* has name \'a\' already'):
            create(provider, {"name": "a", "region": "fra1"}, name="other")

    def test_a_failure_half_way_is_partial_and_the_next_run_goes_on(
        self, make: Callable[..., CloudProvider], tmp_path: Path
    ) -> None:
        provider, world = make(), World(tmp_path / "world")
        inputs = {"name": "a", "region": "fra1", "description": "too slow"}
        with pytest.raises(Aborted, match='Vpc "net": description: it took too long') as told:
            create(provider, inputs)
        _, made, properties = told.value.args
        assert properties == inputs
        assert [(one.id, one.ready) for one in world.left()] == [(made, False)]
        better = to_struct({**inputs, "description": "quick"})
        request = provider_pb2.UpdateRequest(id=made, urn=urn(VPC), olds=to_struct(properties), news=better)
        answer = make().Update(request, Context())
        assert from_struct(answer.properties)["vpcUrn"] == f"do:vpc:{made}"
        assert world.left()[0].ready

    def test_what_was_being_made_when_the_plugin_was_killed_is_there_when_it_is_read(
        self, make: Callable[..., CloudProvider], tmp_path: Path
    ) -> None:
        provider, world = make(), World(tmp_path / "world")
        provider.cancelled.set()
        with pytest.raises(Aborted, match="cancelled") as told:
            create(provider, {"name": "a", "region": "fra1"})
        assert world.events()[-1].result == "cancelled"
        read = make().Read(provider_pb2.ReadRequest(id=told.value.args[1], urn=urn(VPC)), Context())
        assert from_struct(read.properties)["ipRange"] == "10.9.0.0/20"
        assert world.left()[0].ready

    def test_a_fault_at_once_makes_nothing(self, make: Callable[..., CloudProvider], tmp_path: Path) -> None:
        with pytest.raises(Aborted, match='Vpc "net": the rehearsal was asked to let this create fail'):
            create(make('[{"operation": "create"}]'), {"name": "a", "region": "fra1"})
        assert World(tmp_path / "world").records() == []
        assert World(tmp_path / "world").events()[-1].result == "failed"

    def test_an_update_of_what_is_gone(self, make: Callable[..., CloudProvider]) -> None:
        request = provider_pb2.UpdateRequest(id="gone", urn=urn(VPC), news=to_struct({"name": "a"}))
        with pytest.raises(Aborted, match="is gone from the simulated cloud: run `pulumi refresh`"):
            make().Update(request, Context())

    def test_an_output_that_the_sdk_does_not_have_is_our_mistake(self, make: Callable[..., CloudProvider]) -> None:
        with pytest.raises(Aborted, match="Did you mean 'vpcUrn'"):
            create(make(), {"name": "a", "region": "fra1", "description": "a mistake of ours"})


def test_functions(make: Callable[..., CloudProvider]) -> None:
    token = "digitalocean:index/getAccount:getAccount"
    request = provider_pb2.InvokeRequest(tok=token, args=to_struct({"email": "a@example.org"}))
    assert from_struct(getattr(make().Invoke(request, Context()), "return")) == {"email": "a@example.org"}
    with pytest.raises(Aborted, match=r"has no function `digitalocean:index/getAcount:getAcount`\. Did you mean"):
        make().Invoke(provider_pb2.InvokeRequest(tok="digitalocean:index/getAcount:getAcount"), Context())


def test_a_call_carries_the_configuration(make: Callable[..., CloudProvider]) -> None:
    make()  # sets up the world
    seen: list[Call] = []

    def function(call: Call) -> dict[str, Any]:
        seen.append(call)
        return {}

    definition = CloudDefinition(
        package="digitalocean", sdk="pulumi_digitalocean", resources=(), functions={"f": function}
    )
    provider = CloudProvider(definition=definition, version="4.0.0", engine=Engine(""))
    provider.Configure(provider_pb2.ConfigureRequest(args=to_struct({"httpRetryMax": "7"})), Context())
    provider.Invoke(provider_pb2.InvokeRequest(tok="f"), Context())
    assert seen[0].configuration == {"httpRetryMax": 7}
