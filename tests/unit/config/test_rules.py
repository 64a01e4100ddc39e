"""Values that are each right but do not fit together are refused, with the way out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from qhub.config import Settings

GITHUB = {"type": "github", "client_id": "id", "client_secret": "a-secret"}
OPEN_GITHUB = {**GITHUB, "organizations": ["my-org"]}


def settings_of(written: dict[str, Any]) -> Settings:
    return Settings.model_validate({"domain": "qhub.localhost", **written})


def profile(**given: Any) -> dict[str, Any]:
    return {"jupyterhub": {"profiles": [{"name": "one", **given}]}}


def worker(**given: Any) -> dict[str, Any]:
    return {"dask": {"profiles": [{"name": "one", **given}]}}


# what is written, the key that is named, words of the message
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (
        {"certificates": {"issuer": "letsencrypt"}, "domain": "a.lab.org"},
        "certificates.email",
        "email: ops@example.org",
    ),
    ({"certificates": {"issuer": "letsencrypt", "email": "a@b.org"}}, "certificates.issuer", "localhost"),
    (
        {"certificates": {"issuer": "letsencrypt-staging", "email": "a@b.org"}, "domain": "10.0.0.1"},
        "certificates.issuer",
        "10.0.0.1",
    ),
    (
        {"certificates": {"issuer": "letsencrypt", "email": "a@b.org"}, "domain": "hub.local"},
        "certificates.issuer",
        "issuer: self-signed",
    ),
    ({"certificates": {"issuer": "existing-secret"}}, "certificates.secret_name", "kubernetes.io/tls"),
    ({"certificates": {"secret_name": "tls"}}, "certificates.secret_name", "issuer: existing-secret"),
    ({"authentication": GITHUB}, "authentication", "organizations, allowed_users, admin_users"),
    ({"authentication": {"allow_all": False}}, "authentication", "nobody could sign in"),
    (
        {"authentication": {**OPEN_GITHUB, "allow_all": True}},
        "authentication.organizations",
        "no effect while `allow_all: true`",
    ),
    ({"domain": "hub.lab.org"}, "authentication.password", "anyone on the internet"),
    (
        {"users": {"alice": {"primary_group": "analist"}}, "groups": {"analyst": {"gid": 1100}}},
        "users.alice",
        "analyst",
    ),
    ({"users": {"a": {"secondary_groups": ["x"]}}}, "users.a.secondary_groups[0]", "none is declared"),
    ({"users": {"a": {"uid": 1001}, "b": {"uid": 1001}}}, "users.b.uid", "belongs to a"),
    ({"groups": {"a": {"gid": 1001}, "b": {"gid": 1001}}}, "groups.b.gid", "belongs to a"),
    ({"jupyterhub": {"cull": {"timeout": 300, "every": 400}}}, "jupyterhub.cull.every", "at most 300"),
    ({"jupyterhub": {"cull": {"max_age": 60}}}, "jupyterhub.cull.max_age", "0 for never"),
    ({"jupyterhub": {"profiles": [{"name": "a"}, {"name": "b"}]}}, "jupyterhub.profiles", "default: true"),
    (
        {"jupyterhub": {"profiles": [{"name": "a", "default": True}, {"name": "b", "default": True}]}},
        "jupyterhub.profiles[1].default",
        '"a" is the default already',
    ),
    (
        {"jupyterhub": {"profiles": [{"name": "a", "default": True}, {"name": "a"}]}},
        "jupyterhub.profiles[1].name",
        "each needs its own",
    ),
    (profile(cpu={"limit": 1, "guarantee": 2}), "jupyterhub.profiles[0].cpu.guarantee", "limit of 1"),
    (profile(memory={"limit": "2G", "guarantee": "3000M"}), "jupyterhub.profiles[0].memory.guarantee", "limit of 2G"),
    (profile(node_pool="usr"), "jupyterhub.profiles[0].node_pool", "known: general, user, worker"),
    (profile(gpu={}), "jupyterhub.profiles[0].gpu", "no GPU"),
    (
        {**profile(gpu={"count": 2}, node_pool="gpu"), "cluster": {"node_pools": {"gpu": {"gpu": {}}}}},
        "jupyterhub.profiles[0].gpu.count",
        "2 GPUs do not fit",
    ),
    (
        {**profile(cpu={"limit": 8, "guarantee": 8}), "cluster": {"node_pools": {"user": {"cpu": 4}}}},
        "jupyterhub.profiles[0].cpu.guarantee",
        "do not fit on a node of pool user, which has 4",
    ),
    (
        {**profile(memory={"limit": "8G", "guarantee": "8G"}), "cluster": {"node_pools": {"user": {"memory": "7Gi"}}}},
        "jupyterhub.profiles[0].memory.guarantee",
        "which has 7Gi",
    ),
    (profile(groups=["nobody"]), "jupyterhub.profiles[0].groups[0]", 'no group "nobody"'),
    (worker(node_pool="wroker"), "dask.profiles[0].node_pool", "known: general, user, worker"),
    (worker(gpu={}), "dask.profiles[0].gpu", "no GPU"),
    (worker(cores=64), "dask.profiles[0].cores", "max_cores_per_cluster"),
    ({**worker(cores=4), "cluster": {"node_pools": {"worker": {"cpu": 2}}}}, "dask.profiles[0].cores", "do not fit"),
    (
        {**worker(memory="4G"), "cluster": {"node_pools": {"worker": {"memory": "3Gi"}}}},
        "dask.profiles[0].memory",
        "do not fit",
    ),
    ({"dask": {"profiles": [{"name": "a"}, {"name": "a"}]}}, "dask.profiles[1].name", "each needs its own"),
    (worker(groups=["x"]), "dask.profiles[0].groups[0]", "no group"),
    ({"storage": {"kind": "managed"}}, "storage.server", "as the nodes resolve it"),
    ({"charts": {"cert_manager": {"version": "1.21.1"}}}, "charts.cert_manager.version", "write v1.21.1"),
    ({"charts": {"traefik": {"version": "v41.3.0"}}}, "charts.traefik.version", "write 41.3.0"),
    ({"charts": {"mirror": "https://charts.lab.org"}}, "charts.mirror", "oci://registry/path"),
    (
        {"ingress": {"service": {"type": "NodePort", "source_ranges": ["10.0.0.0/8"]}}},
        "ingress.service.source_ranges",
        "",
    ),
    (
        {"cluster": {"node_pools": {"a": {"tolerations": [{"key": "x", "operator": "Exists", "value": "y"}]}}}},
        "cluster.node_pools.a.tolerations[0].value",
        "takes no value",
    ),
    ({"cluster": {"node_pools": {"a": {"tolerations": [{"value": "y"}]}}}}, "tolerations[0]", "a key is missing"),
]


@pytest.mark.parametrize(
    ("written", "key", "words"), REFUSED, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_does_not_fit_together_is_refused(written: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings_of(written)

    told = str(caught.value)
    assert key in told
    assert words in told


def test_all_broken_rules_are_told_together() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(domain="hub.lab.org", jupyterhub={"cull": {"timeout": 1, "every": 2}}, storage={"kind": "managed"})

    told = str(caught.value)
    assert "authentication.password" in told
    assert "jupyterhub.cull.every" in told
    assert "storage.server" in told


ACCEPTED: list[dict[str, Any]] = [
    {
        "authentication": OPEN_GITHUB,
        "domain": "hub.lab.org",
        "certificates": {"issuer": "letsencrypt", "email": "a@b.org"},
    },
    {"authentication": {**GITHUB, "allow_all": True}},
    {"authentication": {**GITHUB, "admin_users": ["alice"]}},
    {"storage": {"kind": "managed", "server": "10.0.0.5"}, "namespace": {"pod_security": "baseline"}},
    {"storage": {"kind": "existing-claim", "claim_name": "homes"}},
    {"storage": {"kind": "storage-class"}},
    {"storage": {"kind": "storage-class", "storage_class": "cephfs", "size": "1Ti", "protect": False}},
    {**profile(gpu={}, node_pool="gpu"), "cluster": {"node_pools": {"gpu": {"gpu": {}}}}},
    {"jupyterhub": {"cull": {"enabled": False, "timeout": 5, "every": 10}}},
    {"jupyterhub": {"profiles": [{"name": "only"}]}},
    {"users": {"a": {"uid": 1001, "primary_group": "g"}, "b": {}}, "groups": {"g": {"gid": 1100}}},
    {"charts": {"mirror": "oci://registry.lab.org/charts"}},
    {"domain": "10.0.0.1"},
]


@pytest.mark.parametrize("written", ACCEPTED)
def test_what_fits_together_is_accepted(written: dict[str, Any]) -> None:
    settings_of(written)


@given(st.lists(st.booleans(), min_size=2, max_size=6))
def test_several_profiles_need_exactly_one_default(marks: list[bool]) -> None:
    profiles = [{"name": f"p{place}", "default": mark} for place, mark in enumerate(marks)]

    if sum(marks) == 1:
        settings = Settings(domain="localhost", jupyterhub={"profiles": profiles})
        assert settings.jupyterhub.default_profile.name == f"p{marks.index(True)}"
    else:
        with pytest.raises(ValidationError, match="default"):
            Settings(domain="localhost", jupyterhub={"profiles": profiles})


@given(st.integers(128, 4096), st.integers(128, 4096))
def test_a_guarantee_above_the_limit_is_refused_in_any_units(limit: int, guarantee: int) -> None:
    memory = {"limit": f"{limit * 1024}K", "guarantee": f"{guarantee}M"}

    if guarantee <= limit:
        settings_of(profile(memory=memory))
    else:
        with pytest.raises(ValidationError, match="more than the limit"):
            settings_of(profile(memory=memory))


WARNED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "ingress.controller", "controller: traefik"),
    ({}, "authentication.password", "any name"),
    ({"domain": "hub.lab.org", "authentication": {"password": "x"}}, "authentication.type", "type: github"),
    ({"authentication": {**GITHUB, "allow_all": True}}, "authentication.allow_all", "everyone"),
    ({"domain": "hub.lab.org", "authentication": OPEN_GITHUB}, "certificates.issuer", "issuer: letsencrypt"),
    ({"domain": "hub.example.org", "authentication": OPEN_GITHUB}, "domain", "write your own"),
    ({"certificates": {"issuer": "none"}}, "certificates.issuer", "in the clear"),
    (
        {"domain": "hub.lab.org", "authentication": OPEN_GITHUB, "storage": {"protect": False}},
        "storage.protect",
        "protect: true",
    ),
]


@pytest.mark.parametrize(("written", "key", "words"), WARNED)
def test_what_works_but_may_not_be_meant_is_warned_about(written: dict[str, Any], key: str, words: str) -> None:
    warnings = settings_of(written).warnings()

    assert [str(warning) for warning in warnings if warning.key == key and words in warning.message]


def test_a_careful_production_gets_no_warning() -> None:
    settings = Settings(
        domain="hub.lab.org",
        authentication=OPEN_GITHUB,
        certificates={"issuer": "letsencrypt", "email": "ops@lab.org"},
        ingress={"controller": "traefik"},
    )

    assert settings.warnings() == ()
