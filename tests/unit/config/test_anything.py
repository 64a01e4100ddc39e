"""Whatever stands in a stack's file, it is accepted or told as a mistake: nobody sees a traceback."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from qhub.commands_validate import annotation, as_document
from qhub.config import Settings, SettingsError, load_settings_file
from qhub.config.check import Check, check_settings_file
from qhub.config.schema import settings_json_schema


def _words() -> list[str]:
    """Return every key and every fixed word of the settings, so that random settings get past the first check."""
    schema = settings_json_schema()
    words = {name.removeprefix("qhub:") for name in schema["properties"]["config"]["properties"]}
    for definition in schema["$defs"].values():
        for key, value in definition["properties"].items():
            words |= {key, str(value.get("const", key)), *map(str, value.get("enum", []))}
    return sorted(words)


WORDS = _words()
SCALARS = st.none() | st.booleans() | st.integers(-5, 70000) | st.floats(allow_nan=False) | st.sampled_from(WORDS)
VALUES = st.recursive(
    SCALARS | st.text(max_size=5) | st.just({"secure": "v1:abc"}),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(WORDS), below, max_size=4),
    max_leaves=12,
)
SECTIONS = st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=5)


def load(config: dict[str, Any]) -> Settings | SettingsError:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "Pulumi.prod.yaml"
        file.write_text(json.dumps({"config": {f"qhub:{key}": value for key, value in config.items()}}, indent=1))
        try:
            return load_settings_file(file)
        except SettingsError as error:
            return error


@given(SECTIONS)
@example({"authentication": {"type": []}})
@example({"authentication": {"type": {}}, "storage": {"kind": None}})
@example({"storage": {"kind": {"secure": "v1:abc"}}})
@example({"jupyterhub": {"profiles": [[]]}, "dask": {"profiles": [{"cores": "x"}]}})
@example({"cluster": [], "users": [{}], "groups": "x"})
def test_it_is_accepted_or_told(config: dict[str, Any]) -> None:
    result = load(config)

    if isinstance(result, SettingsError):
        assert result.mistakes
        for mistake in result.mistakes:
            assert mistake.message
            # A line is told for whatever is there; only what is missing altogether has none.
            assert mistake.line is not None or mistake.key == "domain"


@given(st.lists(st.sampled_from(["dmain", "ingres", "x", "storage"]), unique=True, min_size=1))
def test_every_unknown_key_is_told(keys: list[str]) -> None:
    result = load({"domain": "a.localhost", **{key: {} for key in keys}})

    told = {mistake.key for mistake in result.mistakes} if isinstance(result, SettingsError) else set()
    assert told == set(keys) - {"storage"}


#: What YAML can say that a person or a tool may write by accident, and what only a quarrelsome one would.
TOKENS = st.sampled_from([
    "&a ", "*a", "<<: *a", "!!binary aGk=", "!!python/object:os.system x", "!secret x", "? x", "---", "...",
    "- ", "| ", ">", "2026-05-26", "0x1F", "0o17", "1e400", ".nan", "-.inf", "1_000", "12:30:45", "null",
    "~", "yes", "''", "{", "}", "[", "]", "{a: }", "[,]", ": ", "#", "%YAML 1.1", "\t", "\u2028", "\u0007",
    "\ufeff", "config:", "qhub:base: .",
    "9" * 400,
])  # fmt: skip
LINES = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.one_of(
            st.builds(lambda key, value: f"{key}: {value}", st.sampled_from(WORDS), TOKENS | st.text(max_size=6)),
            st.builds(lambda key: f"qhub:{key}:", st.sampled_from(WORDS)),
            TOKENS,
        ),
    ).map(lambda line: " " * line[0] + line[1]),
    max_size=12,
).map("\n".join)


def check(data: bytes) -> Check:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "Pulumi.prod.yaml"
        file.write_bytes(data)
        return check_settings_file(file, before={"storage.size": "5Gi", "cluster.provider": 5, "domain": []})


@hypothesis_settings(max_examples=300)
@given(st.one_of(LINES, LINES.map(lambda text: f"config:\n  qhub:domain: a.localhost\n{text}"), st.text()))
@example("config: {qhub:base: .}")
@example("config: {qhub:base: Pulumi.prod.yaml, qhub:domain: a.localhost}")
@example("config:\n  qhub:domain: a.localhost\n  qhub:users: {? [a] : {}}")
@example("config:\n  qhub:domain: a.localhost\n  qhub:storage: {size: .nan}")
@example("config:\n  qhub:domain: a.localhost\n  qhub:dask: {max_cores_per_cluster: .inf}")
@example("config:\n  1: 2\n  null: 3\n  true: 4")
def test_any_text_is_accepted_or_told(text: str) -> None:
    found = check(text.encode("utf-8", errors="surrogatepass"))

    assert found.valid != bool(found.mistakes)
    json.dumps(as_document([found]))
    for level, told in (("error", found.mistakes), ("warning", found.warnings)):
        for one in told:
            line = annotation(found, one, level=level, folder=Path.cwd())
            assert "\n" not in line
            assert "\r" not in line


@given(st.binary(max_size=80))
def test_any_bytes_are_accepted_or_told(data: bytes) -> None:
    found = check(data)

    assert found.valid != bool(found.mistakes)


@given(
    st.sampled_from(["client_secret", "password", "client_secert", "clientSecret", "token"]),
    st.sampled_from(
        ["{s}", "[{s}]", "{{secret: {s}}}", "{{secure: {s}}}", "{{a: {{b: {s}}}}}", '"{s}"', "|\n      {s}\n"]
    ),
    st.sampled_from(["github", "dummy", "githup", "5", "[]"]),
    st.lists(st.sampled_from(["client_id: 5", "allow_all: true", "organizations: x", "zzz: 1"]), unique=True),
)
def test_no_secret_is_ever_shown(key: str, form: str, kind: str, others: list[str]) -> None:
    secret = "hunter2-nobody-may-see"
    lines = [f"{key}: {form.format(s=secret)}", f"type: {kind}", *others]
    inside = "".join(f"    {line}\n" for line in lines)
    text = f"config:\n  qhub:domain: a.localhost\n  qhub:authentication:\n{inside}"
    found = check(text.encode())

    shown = json.dumps(as_document([found])) + repr(found) + "".join(map(str, (*found.mistakes, *found.warnings)))
    assert secret not in shown
