"""Random stack files out of the models: each key with any value that its type takes, whatever stands beside it.

What then breaks a rule between keys is taken out again, so that what is left is valid and still unlike anything that a
person would have thought of. A type without a strategy here is an error: a new kind of value has to be added.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from hypothesis import strategies as st

from qhub.config import Settings, instances
from qhub.config.extra_releases import ExtraRelease
from qhub.config.judge import judge
from qhub.config.model import Section
from qhub.config.regions import regions
from qhub.config.shape import bare_type, choice_key, expected, is_choice, is_section, keys_of, variants

Strategy = st.SearchStrategy[Any]

#: Rounds of taking out what breaks a rule; a repair can uncover another one.
ROUNDS = 12

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z0-9]", fullmatch=True)
#: Names that a map of pools, groups or users is likely to share with what refers to them.
COMMON = st.sampled_from(["general", "user", "worker", "gpu", "analyst", "alice"])
RANGES = st.sampled_from(["10.0.0.0/16", "10.20.0.0/20", "10.64.0.0/12", "172.20.0.0/16", "192.168.0.0/18"])
GUID = "11111111-2222-3333-4444-555555555555"
SUBNET = f"/subscriptions/{GUID}/resourceGroups/a/providers/Microsoft.Network/virtualNetworks/b/subnets/c"

TEXT = st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_characters="\x7f")

#: How a value is described (`Expected`) -> values of that kind. The start of a description is enough.
BY_WORDS: dict[str, Strategy] = {
    "a host name, for": st.sampled_from(["hub.team.org", "qhub.localhost", "10.0.0.1"]),
    "a host name or address": st.sampled_from(["10.0.0.5", "files.team.org"]),
    "a name of a-z, 0-9": NAMES | COMMON,
    "a name of a-z and 0-9": NAMES,
    "an amount of CPU": st.sampled_from(["0.5", "500m", 2, 0.25]),
    "an amount of memory with one": st.sampled_from(["512M", "1G", "1.5G", "2G", "8G"]),
    "an amount of memory, for": st.sampled_from(["512Mi", "2Gi", "14Gi"]),
    "a size, for": st.sampled_from(["1Gi", "100Gi", "1Ti", "12800Gi"]),
    "a whole number": st.nothing(),  # by its bounds
    "a number of CPU cores": st.sampled_from([0.1, 0.5, 1, 2, 4]),
    "a number, at least 1": st.sampled_from([1, 1.5, 3, 100]),
    "a regular expression": st.sampled_from([r"quay\.io/team/.+:.+", ".*"]),
    "a colour as": st.from_regex(r"#[0-9a-fA-F]{6}", fullmatch=True),
    "the path of a picture": st.just("https://team.org/logo.png"),  # a file would have to be there
    "the path of a kubeconfig": st.just("kubeconfig"),
    "the name of a Kubernetes object": NAMES,
    "the name of an extended": st.sampled_from(["nvidia.com/gpu", "amd.com/gpu"]),
    "the name of a resource group": st.just("data-science"),
    "the name of a managed zone": st.just("team-org"),
    "the name of a group": COMMON | st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True),
    "a Kubernetes key": st.sampled_from(["example.org/purpose", "team", "a.b/c"]),
    "text; put numbers": st.sampled_from(["", "true", "data", "a-b_c.d"]),
    "a region, for": st.sampled_from(["eu-west-1", "us-east-1", *regions("gcp"), *regions("azure"), "fra1", "nyc1"]),
    "a minor version": st.sampled_from(["1.34", "1.35"]),
    "an address range": RANGES,
    "an IP address": st.sampled_from(["10.0.0.7", "203.0.113.7"]),
    "the id of a VPC": st.just("vpc-0a1b2c"),
    "the id of a subnet, for": st.sampled_from(["subnet-0a", "subnet-0b"]),
    "the id of a subnet: ": st.just(SUBNET),
    "the id of a project": st.just("my-team-1234"),
    "an id, for": st.just(GUID),
    "a time of day": st.sampled_from(["04:00", "23:30"]),
    "3 to 63 of a-z": NAMES.map(lambda name: f"reg-{name}"),
    "an e-mail address": st.just("ops@team.org"),
    "an image name": st.sampled_from(["quay.io/jupyter/base-notebook", "registry:5000/team/image"]),
    "an image tag": st.sampled_from(["2026-05-26", "1.0", "v1"]),
    "a requirement as pip": st.sampled_from(["geopandas==1.0.1", "numpy", "torch[opt]>=2,<3"]),
    "a path that starts": st.sampled_from(["/", "/homes"]),
    "a user name": COMMON | st.from_regex(r"[a-z][a-z0-9.@+_:-]{0,12}", fullmatch=True),
    "an encrypted value": st.sampled_from(["a-secret-nobody-may-see", "a-secret-nobody-may-see-".ljust(72, "x")]),
    "organization or": st.sampled_from(["team", "team:data"]),
    "organization:team": st.sampled_from(["team:data", "team:ops"]),
    "the ID or the domain of a tenant": st.sampled_from([GUID, "team.org"]),
    "an EntityID from": st.sampled_from(["http://google.com/accounts/o8/id", "https://login.team.org/idp"]),
    "a short word in lower": st.sampled_from(["github", "uni-1"]),
    "a domain, for": st.sampled_from(["team.org", "*.team.org"]),
    "the name of a chart, a folder": st.just("oci://registry.team.org/mine"),
    "a registry with or without": st.sampled_from(["registry.team.org/copies", "registry.team.org:5000"]),
    "the host name of a registry": st.sampled_from(["ghcr.io", "quay.io"]),
    "a folder, or oci": st.just("oci://registry.team.org/charts"),
    "a chart version": st.sampled_from(["4.4.0", "v1.21.1"]),
    "an address that starts with https:// or": st.sampled_from(["https://charts.team.org", "oci://team.org/charts"]),
    "an address that starts with https://": st.sampled_from(["https://login.team.org", "http://localhost:8080/a"]),
    "true or false": st.booleans(),
    "text": st.text(TEXT, min_size=1, max_size=12).filter(str.strip),
}
#: Keys whose text has to be something that is there: key -> values.
BY_KEY: dict[str, Strategy] = {
    "instance_type": st.sampled_from([name for cloud in instances.CLOUDS for name in instances.names(cloud)]),
    "system_instance_type": st.sampled_from(["Standard_D2s_v5", "Standard_D4s_v5"]),
    "overrides": st.just({}),  # whatever a person writes there goes into the chart unseen
    "values": st.just({}),
    "base": st.just(""),
    "context": st.none(),
    "version": st.nothing(),  # a chart's version is data of the release and changes no value
}

#: Keys of one section without which nothing of it would be left.
BY_PLACE: dict[tuple[type[Section], str], Strategy] = {
    (ExtraRelease, "version"): st.just("1.2.3"),
    (ExtraRelease, "repository"): st.none(),
}

#: What a way of signing in may lack: it is put there, or nothing of the section would be left. Admins are tried first.
NEEDED: dict[str, Any] = {
    "admin_users": ["alice"],
    "issuer": "https://login.team.org",
    "groups_claim": "groups",
    "password": "a-secret-nobody-may-see",
}


def written_settings(provider: str) -> Strategy:
    """Return a strategy for valid settings on one kind of cluster, as a person would write them."""
    return _raw(provider).map(_mended).filter(lambda written: written is not None)


@st.composite
def _raw(draw: st.DrawFn, provider: str) -> dict[str, Any]:
    written = draw(_section(Settings, leave_out=("base", "cluster", "charts")))
    cluster = variants(Settings.model_fields["cluster"].rebuild_annotation())[provider]
    return {**written, "cluster": {**draw(_section(cluster)), "provider": provider, **PLACES[provider]}}


#: What of a cluster has to fit together from the start, or nothing else of it would be left.
PLACES: dict[str, dict[str, Any]] = {
    "existing": {"kubeconfig": "kubeconfig", "context": None},
    "aws": {"region": "eu-west-1", "name": "qhub-test"},
    "gcp": {"region": "europe-west4", "project": "my-team-1234", "name": "qhub-test"},
    "digitalocean": {"region": "fra1", "name": "qhub-test"},
    "azure": {"region": "westeurope", "name": "qhub-test", "subscription_id": GUID},
}


def _section(section: type[Section], *, leave_out: tuple[str, ...] = ()) -> Strategy:
    required, optional = {}, {}
    for name in keys_of(section):
        field = section.model_fields[name]
        if name in leave_out:
            continue
        values = BY_PLACE.get((section, name), BY_KEY.get(name))
        values = _values(field.rebuild_annotation()) if values is None else values
        if not values.is_empty:
            needed = field.is_required() or (section, name) in BY_PLACE
            (required if needed else optional)[name] = values
    return st.fixed_dictionaries(required, optional=optional)


def _values(kind: Any) -> Strategy:
    if is_choice(kind):
        key = choice_key(kind)
        arms = [
            _section(section).map(lambda written, word=word: {**written, key: word})
            for word, section in variants(kind).items()
        ]
        return st.one_of(arms)
    none = st.none() if type(None) in get_args(kind) else st.nothing()
    return none | _plain_values(kind)


def _plain_values(kind: Any) -> Strategy:
    plain = bare_type(kind)
    origin, arguments = get_origin(plain), get_args(plain)
    if is_section(plain):
        return st.deferred(lambda: _section(plain))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(_values(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(_values(arguments[0]), _values(arguments[1]), max_size=3)
    if plain is int:
        return _numbers(kind)
    words = expected(kind)
    for start, values in BY_WORDS.items():
        if words.startswith(start):
            return values
    raise LookupError(f'no strategy for "{words}": add one to BY_WORDS')


def _numbers(kind: Any) -> Strategy:
    words = expected(kind)
    least, most = (int(word) if word.isdigit() else None for word in (words.split()[-3], words.split()[-1]))
    if least is not None and most is not None and " to " in words:
        return st.integers(least, most)
    return st.integers(1, 9) if "at least 1" in words else st.integers(1, 7200)


def _mended(written: dict[str, Any]) -> dict[str, Any] | None:
    """Return what is left when everything that breaks a rule is taken out; None where that does not end."""
    for _ in range(ROUNDS):
        settings, findings = judge(written, stack="test", root=Path.cwd())
        if settings is not None:
            return written
        for finding in findings:
            if not _put_in(written, finding.path):
                _take_out(written, finding.path)
    return None


def _put_in(written: dict[str, Any], path: tuple[str | int, ...]) -> bool:
    """Add what a way of signing in lacks; return whether that was what is wrong at the place."""
    inside = written.get("authentication")
    if path[:1] != ("authentication",) or not isinstance(inside, dict) or len(path) > 2:
        return False
    kinds = variants(Settings.model_fields["authentication"].rebuild_annotation())
    known = keys_of(kinds[inside.get("type", "dummy")])
    for key in NEEDED if len(path) == 1 else path[1:]:
        if key in NEEDED and key in known and not inside.get(key):
            inside[key] = NEEDED[key]
            return True
    return False


def _take_out(written: dict[str, Any], path: tuple[str | int, ...]) -> None:
    """Remove what stands at a place, or as much around it as is there; what holds it goes when it is required."""
    inside: Any = written
    places = []
    for part in path:
        places.append((inside, part))
        try:
            inside = inside[part]
        except (KeyError, IndexError, TypeError):
            break
    # An item of a list goes with the whole list: positions in other findings stay what they were.
    for holder, part in reversed(places):
        if isinstance(holder, dict) and part in holder and part != "domain":
            if part == "cluster":
                holder[part] = {"provider": holder[part]["provider"], **PLACES[holder[part]["provider"]]}
            else:
                del holder[part]
            return
    written["domain"] = "qhub.localhost"  # wrong itself, or a public name that wants what is not there
