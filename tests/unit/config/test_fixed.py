"""A change to what cannot be changed is told before the engine runs, with the way out."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from qhub.config import Settings
from qhub.config.check import Check, check_settings_file
from qhub.config.describe import all_keys
from qhub.config.fixed import costly_changes, fixed_settings, forbidden_changes
from qhub.config.model import dotted, parse_key
from tests.unit.config.files import Folder

AWS: dict[str, Any] = {"provider": "aws", "region": "eu-west-1", "name": "qhub-prod"}
DO: dict[str, Any] = {"provider": "digitalocean", "region": "fra1", "name": "qhub-prod"}
SUBNETS = {"eu-west-1a": "subnet-0a", "eu-west-1b": "subnet-0b"}
GCP: dict[str, Any] = {"provider": "gcp", "region": "europe-west4", "project": "my-team-1234", "name": "qhub-prod"}


def settings_of(**written: Any) -> Settings:
    return Settings.model_validate({"domain": "a.localhost", **written})


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what is forbidden and what is only costly, by key."""
    record, now = fixed_settings(settings_of(**before)), settings_of(**after)
    forbidden, costly = forbidden_changes(record, now), costly_changes(record, now)
    return {dotted(one.path): one.message for one in forbidden}, {dotted(one.path): one.message for one in costly}


#: What is up, what is written now, the key that is told.
FORBIDDEN: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"cluster": AWS}, {"cluster": {**AWS, "region": "eu-west-2"}}, "cluster.region"),
    ({"cluster": AWS}, {"cluster": {**AWS, "name": "other"}}, "cluster.name"),
    ({"cluster": AWS}, {"cluster": GCP}, "cluster.provider"),
    ({"cluster": AWS}, {"cluster": {**AWS, "network": {"cidr": "10.1.0.0/16"}}}, "cluster.network.cidr"),
    (
        {"cluster": AWS},
        {"cluster": {**AWS, "network": {"vpc_id": "vpc-0a", "private_subnets": SUBNETS}}},
        "cluster.network.vpc_id",
    ),
    ({"cluster": GCP}, {"cluster": {**GCP, "project": "my-team-5678"}}, "cluster.project"),
    ({"cluster": GCP}, {"cluster": {**GCP, "network": {"cidr": "10.1.0.0/20"}}}, "cluster.network.cidr"),
    ({"cluster": GCP}, {"cluster": {**GCP, "network": {"cidr": "10.0.0.0/21"}}}, "cluster.network.cidr"),
    ({"cluster": {**DO, "ha": True}}, {"cluster": DO}, "cluster.ha"),
    ({"cluster": {**DO, "nfs_tier": "high"}}, {"cluster": DO}, "cluster.nfs_tier"),
    ({"storage": {"size": "100Gi"}}, {"storage": {"size": "99Gi"}}, "storage.size"),
    ({"storage": {"size": "1Ti"}}, {"storage": {"size": "1000Gi"}}, "storage.size"),
    ({}, {"storage": {"kind": "existing-claim", "claim_name": "homes"}}, "storage.kind"),
    ({}, {"storage": {"kind": "storage-class"}}, "storage.kind"),
    (
        {"storage": {"kind": "storage-class", "storage_class": "cephfs"}},
        {"storage": {"kind": "storage-class", "storage_class": "longhorn"}},
        "storage.storage_class",
    ),
    ({}, {"namespace": {"name": "hub"}}, "namespace.name"),
    ({}, {"jupyterhub": {"hub": {"db_storage": "1024Mi"}}, "storage": {"size": "1Gi"}}, "storage.size"),
]


@pytest.mark.parametrize(("before", "after", "key"), FORBIDDEN)
def test_it_is_told_with_what_it_was(before: dict[str, Any], after: dict[str, Any], key: str) -> None:
    forbidden, costly = changes(before, after)

    assert list(forbidden) == [key]
    assert costly == {}
    assert str(fixed_settings(settings_of(**before))[key]).lower() in forbidden[key].lower()


ALLOWED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"storage": {"size": "100Gi"}}, {"storage": {"size": "200Gi"}}),
    ({"storage": {"size": "1Ti"}}, {"storage": {"size": "1024Gi"}}),
    ({"cluster": DO}, {"cluster": {**DO, "ha": True, "nfs_tier": "high"}}),
    ({"cluster": GCP}, {"cluster": {**GCP, "network": {"cidr": "10.0.0.0/16"}}}),
    ({"cluster": DO}, {"cluster": {**DO, "network": {"cidr": "10.20.0.0/20"}}}),
    ({"cluster": AWS}, {"cluster": {**AWS, "version": "1.35", "node_pools": {"more": {"instance_type": "m6i.large"}}}}),
    ({}, {"storage": {"storage_class": "standard"}}),
]


@pytest.mark.parametrize(("before", "after"), ALLOWED)
def test_what_can_be_changed_is_not_told(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert changes(before, after) == ({}, {})


class TestProtection:
    def test_lifted_at_the_last_run_makes_it_a_warning(self) -> None:
        forbidden, costly = changes({"cluster": {**AWS, "protect": False}}, {"cluster": {**AWS, "region": "eu-west-2"}})

        assert forbidden == {}
        assert "the cluster would be deleted" in costly["cluster.region"]

    def test_lifted_only_now_is_too_late(self) -> None:
        forbidden, _ = changes({"cluster": AWS}, {"cluster": {**AWS, "region": "eu-west-2", "protect": False}})

        assert "write `protect: false` in cluster, run `pulumi up`" in forbidden["cluster.region"]

    def test_never_lets_storage_shrink(self) -> None:
        lifted = {"storage": {"size": "10Gi", "protect": False}}
        forbidden, _ = changes(lifted, {"storage": {"size": "5Gi", "protect": False}})

        assert forbidden == {"storage.size": "5Gi after 10Gi: storage can grow, never shrink; write 10Gi or more"}


def test_a_stack_without_a_record_may_be_anything() -> None:
    assert forbidden_changes({}, settings_of()) == []


def test_no_secret_is_in_the_record() -> None:
    settings = settings_of(authentication={"password": "nobody-may-see"})

    assert "nobody-may-see" not in str(fixed_settings(settings))


def test_every_marked_key_is_in_the_record_of_some_settings() -> None:
    """A mark that the walk does not find would be a promise of the reference that nobody keeps."""
    azure = {"provider": "azure", "region": "westeurope"}
    kinds = ({"kind": "managed", "server": "10.0.0.5"}, {"kind": "existing-claim", "claim_name": "a"}, {})
    written = [{"cluster": cluster} for cluster in (AWS, DO, GCP, azure)] + [{"storage": kind} for kind in kinds]
    recorded = {key for one in written for key in fixed_settings(settings_of(**one))}

    assert {key.name for key in all_keys() if key.fixed} <= recorded


class TestInAFile:
    TEXT = "config:\n  qhub:domain: a.localhost\n  qhub:storage:\n    size: 50Gi\n"

    def check(self, folder: Folder, before: dict[str, Any]) -> Check:
        return check_settings_file(folder.write(self.TEXT), before=before)

    def test_it_is_a_mistake_with_its_line(self, folder: Folder) -> None:
        (mistake,) = self.check(folder, {"storage.size": "100Gi"}).mistakes

        assert mistake.place == "Pulumi.prod.yaml:4:11"
        assert mistake.excerpt == "size: 50Gi"

    def test_a_costly_one_is_a_warning(self, folder: Folder) -> None:
        check = self.check(folder, {"namespace.name": "hub", "storage.protect": False})

        assert check.valid
        assert any(one.key == "namespace.name" for one in check.warnings)


@pytest.mark.parametrize("key", ["a", "a.b[0].c", 'a["x.y/z"].b', "a[3]"])
def test_a_key_and_its_path_are_the_same(key: str) -> None:
    assert dotted(parse_key(key)) == key


def test_a_namespace_leaves_room_for_those_beside_it() -> None:
    assert settings_of(namespace={"name": "n" * 55}).namespace.name == "n" * 55
    with pytest.raises(ValidationError, match="at most 55"):
        settings_of(namespace={"name": "n" * 56})
