"""Random valid settings: what a person might write, over all that changes the values of a chart."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
GROUPS = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)
USERS = st.from_regex(r"[a-z][a-z0-9.@+_-]{0,12}", fullmatch=True)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="\x7f"), max_size=20)
CORES = st.sampled_from([0.1, 0.5, 1, 1.5, 4, 16])
SPAWNER_MEMORY = st.sampled_from(["512M", "1G", "1.5G", "2G", "64G"])
IMAGES = st.fixed_dictionaries(
    {"name": st.sampled_from(["quay.io/jupyter/base-notebook", "registry:5000/team/image"]), "tag": NAMES}
)
TOLERATIONS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"key": NAMES, "value": NAMES, "effect": st.just("NoSchedule")}),
        st.fixed_dictionaries(
            {"operator": st.just("Exists"), "effect": st.just("NoExecute"), "toleration_seconds": st.integers(0, 600)}
        ),
    ),
    max_size=2,
)
POOL = st.fixed_dictionaries(
    {},
    optional={
        "node_selector": st.dictionaries(NAMES, NAMES, max_size=2),
        "tolerations": TOLERATIONS,
        "gpu": st.fixed_dictionaries({"count": st.just(8), "resource": st.just("amd.com/gpu")}),
    },
)


@st.composite
def _profile(draw: Any, pools: dict[str, Any], groups: list[str], sizes: dict[str, st.SearchStrategy[Any]]) -> Any:
    """Return a profile on one of the pools, with a GPU only where the pool has some."""
    pool = draw(st.sampled_from(["user", "worker", *pools]))
    written = {key: draw(strategy) for key, strategy in sizes.items()} | {"node_pool": pool}
    if pools.get(pool, {}).get("gpu") and draw(st.booleans()):
        written["gpu"] = {"count": draw(st.integers(1, 8))}
    if groups and draw(st.booleans()):
        written["groups"] = draw(st.lists(st.sampled_from(groups), max_size=2, unique=True))
    if draw(st.booleans()):
        written["users"] = draw(st.lists(USERS, max_size=2))
    return written


@st.composite
def _profiles(draw: Any, pools: dict[str, Any], groups: list[str], sizes: dict[str, st.SearchStrategy[Any]]) -> Any:
    """Return profiles with names of their own."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    return [{"name": name, **draw(_profile(pools, groups, sizes))} for name in names]


#: type -> what it needs besides an application's id and secret, and a way in.
PROVIDERS: dict[str, dict[str, Any]] = {
    "github": {"organizations": ["a", "a:b"]},
    "gitlab": {"url": "https://gitlab.team.org", "allowed_groups": ["a/b"]},
    "google": {"hosted_domains": ["team.org"]},
    "azuread": {"tenant": "team.org", "allowed_groups": ["1"]},
    "auth0": {"domain": "team.eu.auth0.com", "groups_claim": "https://team.org/groups", "allowed_groups": ["1"]},
    "oidc": {"issuer": "https://login.team.org", "admin_groups": ["ops"]},
    "cilogon": {"identity_providers": [{"entity_id": "urn:a", "prefix": "a", "allow_all": True}]},
}
WITH_GROUPS = ("github", "gitlab", "azuread", "auth0", "oidc")


@st.composite
def authentications(draw: Any, groups: list[str]) -> Any:
    """Return a section `authentication`."""
    kind = draw(st.sampled_from(["dummy", "native", *PROVIDERS]))
    if kind == "dummy":
        return {"type": "dummy", "password": "a-password"}
    if kind == "native":
        return {"type": "native", "admin_users": ["root"], "admin_password": "a-password-of-some-length"}
    written: dict[str, Any] = {"type": kind, "client_id": "id", "client_secret": "s", **PROVIDERS[kind]}
    written["admin_users"] = draw(st.lists(USERS, max_size=2))
    if groups and kind in WITH_GROUPS and draw(st.booleans()):
        written["group_mapping"] = {"a:b" if kind == "github" else "a/b": draw(st.sampled_from(groups))}
    return written


@st.composite
def written_settings(draw: Any) -> dict[str, Any]:
    """Return the sections of a stack file."""
    groups = draw(st.lists(GROUPS, max_size=3, unique=True))
    people = draw(st.lists(USERS, max_size=3, unique=True))
    pools = draw(st.dictionaries(st.sampled_from(["general", "user", "gpu"]), POOL, max_size=3))
    profiles = draw(_profiles(pools, groups, {"description": TEXTS, "image": st.none() | IMAGES}))
    profiles[draw(st.integers(0, len(profiles) - 1))]["default"] = True
    for profile in profiles:
        profile["cpu"] = {"limit": draw(CORES), "guarantee": draw(st.none() | st.just(0.1))}
        profile["memory"] = {"limit": draw(SPAWNER_MEMORY), "guarantee": draw(st.none() | st.just("256M"))}
    workers = draw(_profiles(pools, groups, {"cores": CORES, "memory": SPAWNER_MEMORY}))
    return {
        "domain": draw(st.sampled_from(["hub.team.org", "qhub.localhost"])),
        "namespace": {"name": draw(NAMES)},
        "cluster": {"node_pools": pools},
        "certificates": draw(
            st.sampled_from(
                [{"issuer": "none"}, {"issuer": "self-signed"}, {"issuer": "existing-secret", "secret_name": "tls"}]
            )
        ),
        "ingress": {
            "class_name": draw(NAMES),
            "controller": draw(st.sampled_from(["ingress-nginx", "traefik"])),
            "replicas": draw(st.integers(1, 5)),
        },
        "storage": {"size": "5Gi", "protect": draw(st.booleans())},
        "authentication": draw(authentications(groups)),
        "groups": {
            name: {"gid": 1100 + place, "read_only_members": draw(st.sampled_from([[], ["a-reader"]]))}
            for place, name in enumerate(groups)
        },
        "users": {
            name: {
                "uid": draw(st.none() | st.just(2000 + place)),
                "secondary_groups": draw(st.lists(st.sampled_from(groups), unique=True)) if groups else [],
            }
            for place, name in enumerate(people)
        },
        "jupyterhub": {"profiles": profiles, "cull": {"enabled": draw(st.booleans())}},
        "dask": {
            "profiles": workers,
            "enabled": draw(st.booleans()),
            "limits": [{"users": [name], "max_workers_per_cluster": 5} for name in people],
        },
    }
