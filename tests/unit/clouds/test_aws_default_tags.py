"""Tags of the provider itself: on everything that takes tags, and an update of it when they alone change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qhub.rehearsal.clouds.aws import CLOUD
from qhub.rehearsal.clouds.aws import tokens as aws
from qhub.rehearsal.clouds.clock import SPEED_VARIABLE
from qhub.rehearsal.clouds.provider import CloudProvider
from qhub.rehearsal.clouds.world import WORLD_VARIABLE
from qhub.rehearsal.plugins._proto import Message, provider_pb2
from qhub.rehearsal.plugins.server import Engine
from qhub.rehearsal.plugins.wire import UNKNOWN, Secret, from_struct, to_struct

MakeProvider = Callable[[dict[str, str] | None], CloudProvider]
VPC = {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "net"}}
ATTACHMENT = {"role": "r", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeProvider:
    """Make a provider with some default tags, always on the same world."""
    monkeypatch.setenv(WORLD_VARIABLE, str(tmp_path / "world"))
    monkeypatch.setenv(SPEED_VARIABLE, "100000")

    def make(tags: dict[str, str] | None) -> CloudProvider:
        made = CloudProvider(definition=CLOUD, version="7.0.0", engine=Engine(""))
        given = {} if tags is None else {"defaultTags": json.dumps({"tags": tags})}
        made.Configure(provider_pb2.ConfigureRequest(args=to_struct({"region": "eu-west-1", **given})), None)
        return made

    return make


def urn(token: str) -> str:
    return f"urn:pulumi:test::qhub::{token}::it"


def check(provider: CloudProvider, token: str, inputs: dict[str, Any]) -> dict[str, Any]:
    answer = provider.Check(provider_pb2.CheckRequest(urn=urn(token), news=to_struct(inputs)), None)
    assert list(answer.failures) == []
    return from_struct(answer.inputs)


def diff(provider: CloudProvider, token: str, old: dict[str, Any], new: dict[str, Any]) -> Message:
    request = provider_pb2.DiffRequest(
        id="x", urn=urn(token), olds=to_struct(old), old_inputs=to_struct(old), news=to_struct(new)
    )
    return provider.Diff(request, None)


def test_they_lie_under_the_resources_own(make: MakeProvider) -> None:
    checked = check(make({"team": "data", "Name": "any"}), aws.VPC, VPC)

    assert checked["tags"] == {"Name": "net"}
    assert checked["tagsAll"] == {"team": "data", "Name": "net"}


def test_a_change_of_them_alone_updates_what_is_tagged_and_replaces_nothing(make: MakeProvider) -> None:
    before, after = make({"team": "data", "old": "1"}), make({"team": "people"})
    for token, inputs in ((aws.VPC, VPC), (aws.EIP, {"domain": "vpc"}), (aws.KEY, {})):
        told = diff(after, token, check(before, token, inputs), check(after, token, inputs))

        assert told.changes == provider_pb2.DiffResponse.DIFF_SOME, token
        assert set(told.detailedDiff) == {"tagsAll.team", "tagsAll.old"}
        assert list(told.replaces) == []


def test_what_takes_no_tags_stays_the_same(make: MakeProvider) -> None:
    before, after = make({"team": "data"}), make({"team": "people"})
    old, new = (check(one, aws.ROLE_POLICY_ATTACHMENT, ATTACHMENT) for one in (before, after))

    assert "tagsAll" not in new
    assert diff(after, aws.ROLE_POLICY_ATTACHMENT, old, new).changes == provider_pb2.DiffResponse.DIFF_NONE


def test_the_cloud_has_them_once_the_update_is_made(make: MakeProvider) -> None:
    before, after = make({"team": "data"}), make(None)
    old, new = (check(one, aws.VPC, VPC) for one in (before, after))
    made = before.Create(provider_pb2.CreateRequest(urn=urn(aws.VPC), properties=to_struct(old)), None)
    assert from_struct(made.properties)["tagsAll"] == {"team": "data", "Name": "net"}

    request = provider_pb2.UpdateRequest(
        id=made.id, urn=urn(aws.VPC), olds=made.properties, old_inputs=to_struct(old), news=to_struct(new)
    )
    assert from_struct(after.Update(request, None).properties)["tagsAll"] == {"Name": "net"}
    read = after.Read(provider_pb2.ReadRequest(id=made.id, urn=urn(aws.VPC)), None)
    assert from_struct(read.properties)["tagsAll"] == {"Name": "net"}


def test_a_secret_tag_stays_one(make: MakeProvider) -> None:
    checked = check(make({"team": "data"}), aws.VPC, {**VPC, "tags": {"Name": Secret("the-secret-name")}})

    assert checked["tagsAll"]["team"] == "data"
    assert isinstance(checked["tagsAll"]["Name"], Secret)


def test_a_tag_that_is_not_known_yet_leaves_them_unknown(make: MakeProvider) -> None:
    checked = check(make({"team": "data"}), aws.VPC, {**VPC, "tags": {"Name": UNKNOWN}})

    assert checked["tagsAll"] is UNKNOWN
