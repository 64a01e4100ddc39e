"""Values that are each right but do not fit together are refused, with the way out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from qhub.config import Settings

GITHUB = {"type": "github", "client_id": "id", "client_secret": "a-secret"}
OAUTH = {"client_id": "id", "client_secret": "a-secret"}
GITLAB = {"type": "gitlab", **OAUTH, "allowed_groups": ["lab/data"]}
AZURE = {"type": "azuread", **OAUTH, "tenant": "lab.org"}
AUTH0 = {"type": "auth0", **OAUTH, "domain": "lab.eu.auth0.com"}
OIDC = {"type": "oidc", **OAUTH, "allow_all": True}
CILOGON = {"type": "cilogon", **OAUTH}
NATIVE = {"type": "native", "admin_password": "correct-horse-battery"}
UNI = {"entity_id": "https://idp.uni.edu/shibboleth"}
GOOGLE = {"entity_id": "http://google.com/accounts/o8/id"}
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
        {"certificates": {"issuer": "letsencrypt-staging", "email": "a@b.org"}, "domain": "hub.lan"},
        "certificates.issuer",
        "hub.lan",
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
    ({"authentication": AZURE}, "authentication", "allowed_users, allowed_groups, admin_users, admin_groups"),
    ({"authentication": {**GITLAB, "allow_all": True}}, "authentication.allowed_groups", "no effect while"),
    (
        {"authentication": {**GITLAB, "group_mapping": {"lab/data": "analist"}}, "groups": {"analyst": {"gid": 1100}}},
        "authentication.group_mapping.lab/data",
        'there is no group "analist"',
    ),
    (
        {"authentication": {**AUTH0, "allowed_groups": ["data"]}},
        "authentication.allowed_groups",
        "say in `groups_claim`",
    ),
    ({"authentication": OIDC}, "authentication", "add `issuer: https://...`"),
    (
        {"authentication": {**OIDC, "token_url": "https://a.lab.org/token", "userinfo_url": "https://a.lab.org/me"}},
        "authentication",
        "authorize_url is missing",
    ),
    (
        {"authentication": {"type": "google", **OAUTH, "hosted_domains": ["a.org", "b.org"], "strip_domain": True}},
        "authentication.strip_domain",
        "two people of the same name",
    ),
    (
        {"authentication": {"type": "google", **OAUTH, "allow_all": True, "strip_domain": True}},
        "authentication.strip_domain",
        "exactly one of hosted_domains, here are 0",
    ),
    ({"authentication": {**CILOGON, "identity_providers": [UNI]}}, "authentication", "nobody could sign in"),
    (
        {"authentication": {**CILOGON, "allow_all": True, "identity_providers": [UNI, UNI]}},
        "authentication.identity_providers[1].entity_id",
        "is there twice",
    ),
    (
        {
            "authentication": {
                **CILOGON,
                "allow_all": True,
                "identity_providers": [{**UNI, "default": True}, {**GOOGLE, "default": True}],
            }
        },
        "authentication.identity_providers[1].default",
        "exactly one can be",
    ),
    (
        {
            "authentication": {
                **CILOGON,
                "allow_all": True,
                "identity_providers": [{**UNI, "strip_domain": "uni.edu"}, {**GOOGLE, "strip_domain": "gmail.com"}],
            }
        },
        "authentication.identity_providers[1].strip_domain",
        "would share one home",
    ),
    (
        {
            "authentication": {
                **CILOGON,
                "allow_all": True,
                "identity_providers": [{**UNI, "strip_domain": "uni.edu", "prefix": "uni"}],
            }
        },
        "authentication.identity_providers[0].prefix",
        "remove one of the two",
    ),
    (
        {"authentication": {**CILOGON, "allow_all": True, "identity_providers": [{**UNI, "allow_all": True}]}},
        "authentication.identity_providers[0].allow_all",
        "no effect while",
    ),
    ({"authentication": NATIVE}, "authentication", "nobody could sign in"),
    ({"authentication": {**NATIVE, "allow_all": True}}, "authentication.admin_users", "name at least one"),
    (
        {"authentication": {**NATIVE, "admin_users": ["ada"], "allow_all": True}, "users": {"ada": {}, "bob": {}}},
        "authentication.allow_all",
        "first to sign up as bob would",
    ),
    (
        {
            "authentication": {**NATIVE, "admin_users": ["ada"], "allow_all": True},
            "groups": {"staff": {"gid": 1100, "read_only_members": ["bob", "eve"]}},
        },
        "authentication.allow_all",
        "first to sign up as bob (and 1 more)",
    ),
    (
        {"authentication": {**NATIVE, "admin_users": ["ada"], "admin_password": "short"}},
        "authentication.admin_password",
        "is shorter than minimum_password_length (12)",
    ),
    (
        {"authentication": {**NATIVE, "admin_users": ["ada"], "allow_all": True, "sign_up": False}},
        "authentication.allow_all",
        "keeps people from making accounts",
    ),
    (
        {
            "users": {"ada": {"secondary_groups": ["analyst"]}},
            "groups": {"analyst": {"gid": 1100, "read_only_members": ["ada"]}},
        },
        "groups.analyst.read_only_members[0]",
        "a member who may write",
    ),
    (
        {"groups": {"analyst": {"gid": 1100, "read_only_members": ["ada", "ada"]}}},
        "groups.analyst.read_only_members[1]",
        "ada is there twice",
    ),
    ({"dask": {"limits": [{"max_workers_per_cluster": 5}]}}, "dask.limits[0]", "holds for nobody"),
    ({"dask": {"limits": [{"users": ["ada"]}]}}, "dask.limits[0]", "limits nothing"),
    (
        {"dask": {"limits": [{"groups": ["analyst"], "max_workers_per_cluster": 5}]}},
        "dask.limits[0].groups[0]",
        'there is no group "analyst"',
    ),
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
    {"authentication": {**GITHUB, "admin_groups": ["lab:ops"]}},
    {"authentication": GITLAB},
    {"authentication": {**AZURE, "allow_all": True}},
    {"authentication": {**AUTH0, "allowed_groups": ["data"], "groups_claim": "https://lab.org/groups"}},
    {"authentication": {**OIDC, "issuer": "https://login.lab.org"}},
    {"authentication": {"type": "google", **OAUTH, "hosted_domains": ["lab.org"], "strip_domain": True}},
    {"authentication": {**CILOGON, "identity_providers": [{**UNI, "allow_all": True}, {**GOOGLE, "prefix": "g"}]}},
    {"authentication": {**NATIVE, "admin_users": ["ada"]}, "users": {"bob": {}}},
    {"authentication": {**NATIVE, "admin_users": ["ada"], "allow_all": True}, "users": {"ada": {}}},
    {"storage": {"kind": "managed", "server": "10.0.0.5"}, "namespace": {"pod_security": "baseline"}},
    {"storage": {"kind": "existing-claim", "claim_name": "homes"}},
    {"storage": {"kind": "storage-class"}},
    {"storage": {"kind": "storage-class", "storage_class": "cephfs", "size": "1Ti", "protect": False}},
    {**profile(gpu={}, node_pool="gpu"), "cluster": {"node_pools": {"gpu": {"gpu": {}}}}},
    {"jupyterhub": {"cull": {"enabled": False, "timeout": 5, "every": 10}}},
    {"jupyterhub": {"profiles": [{"name": "only"}]}},
    {"users": {"a": {"uid": 1001, "primary_group": "g"}, "b": {}}, "groups": {"g": {"gid": 1100}}},
    {"charts": {"mirror": "oci://registry.lab.org/charts"}},
    {"domain": "lab.local", "dns": {"provider": "cloudflare", "zone": "lab.local", "token": "t"}},
    {
        "domain": "hub.lab.local",
        "dns": {"provider": "cloudflare", "zone": "local", "token": "t", "record": False},
        "ingress": {"service": {"type": "NodePort"}},
    },
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
        {
            "domain": "hub.lab.org",
            "authentication": OPEN_GITHUB,
            "certificates": {"issuer": "letsencrypt", "email": "ops@lab.org"},
            "ingress": {"service": {"source_ranges": ["203.0.113.0/24"]}},
        },
        "ingress.service.source_ranges",
        "challenge: dns01",
    ),
    (
        {"domain": "hub.lab.org", "authentication": OPEN_GITHUB, "storage": {"protect": False}},
        "storage.protect",
        "protect: true",
    ),
    # Nothing keeps the hub and Dask schedulers off nodes that have no taint.
    ({"cluster": {"node_pools": {"worker": {"spot": True}}}}, "cluster.node_pools.worker.spot", "node_selector"),
    (
        {
            "cluster": {"node_pools": {"arm": {"architecture": "arm64"}}},
            "jupyterhub": {
                "profiles": [
                    {"name": "lab", "node_pool": "arm", "images": [{"name": "a", "image": {"name": "a", "tag": "1"}}]}
                ]
            },
        },
        "jupyterhub.profiles[0].images[0].image",
        "architectures: [amd64, arm64]",
    ),
    (
        {
            "cluster": {"node_pools": {"user": {"cpu": 2}}},
            "jupyterhub": {
                "profiles": [{"name": "lab", "sizes": [{"name": "s", "cpu": {"limit": 3, "guarantee": 1}}]}]
            },
        },
        "jupyterhub.profiles[0].sizes[0].cpu.limit",
        "never to be had",
    ),
    (
        {"charts": {"jupyterhub": {"overrides": {"singleuser": {"networkPolicy": {"egress": [{}]}}}}}},
        "charts.jupyterhub.overrides",
        "out to the internet",
    ),
    (
        {"domain": "hub.lab.org", "authentication": OPEN_GITHUB},
        "cluster.enforces_network_policies",
        "network plug-in",
    ),
    *(
        ({"environments": {"index_url": f"https://{who}@pip.lab.org/simple"}}, "environments.index_url", "in clear")
        for who in ("ada:hunter2", "a-token")
    ),
    *(
        (
            {
                "cluster": {"node_pools": {"gpu": {"gpu": {"count": 1}}}},
                section: {"profiles": [{"name": "lab", "node_pool": "gpu"}]},
            },
            f"{section}.profiles[0].node_pool",
            "gpu: {count: 1}",
        )
        for section in ("jupyterhub", "dask")
    ),
]


#: Each of the two keeps the hub and Dask schedulers off spot nodes.
STABLE: list[dict[str, dict[str, Any]]] = [
    {"general": {"node_selector": {"pool": "general"}}, "worker": {"spot": True}},
    {"worker": {"spot": True, "tolerations": [{"key": "spot", "operator": "Exists"}]}},
]


@pytest.mark.parametrize("pools", STABLE)
def test_workers_on_spot_nodes_where_nothing_else_gets_are_right(pools: dict[str, Any]) -> None:
    warnings = settings_of({"cluster": {"node_pools": pools}}).warnings()

    assert not [warning for warning in warnings if "spot" in warning.key]


@pytest.mark.parametrize(("written", "key", "words"), WARNED)
def test_what_works_but_may_not_be_meant_is_warned_about(written: dict[str, Any], key: str, words: str) -> None:
    warnings = settings_of(written).warnings()

    assert [str(warning) for warning in warnings if warning.key == key and words in warning.message]
    assert "hunter2" not in str(warnings)


def test_a_profile_that_asks_for_a_gpu_of_its_pool_is_right() -> None:
    asking = {"profiles": [{"name": "lab", "node_pool": "gpu", "gpu": {"count": 1}}]}
    pools = {"node_pools": {"gpu": {"gpu": {"count": 1}}}}

    warnings = settings_of({"cluster": pools, "jupyterhub": asking, "dask": asking}).warnings()

    assert not [warning for warning in warnings if "profiles" in warning.key]


def test_a_careful_production_gets_no_warning() -> None:
    settings = Settings(
        domain="hub.lab.org",
        authentication=OPEN_GITHUB,
        certificates={"issuer": "letsencrypt", "email": "ops@lab.org"},
        ingress={"controller": "traefik"},
        cluster={"enforces_network_policies": True},
    )

    assert settings.warnings() == ()


def test_nobody_is_asked_about_policies_where_no_file_server_is_known() -> None:
    storage = {"kind": "storage-class"}
    settings = settings_of({"domain": "hub.lab.org", "authentication": OPEN_GITHUB, "storage": storage})

    assert not [warning for warning in settings.warnings() if "policies" in warning.key]
