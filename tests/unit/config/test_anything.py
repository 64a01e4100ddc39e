"""Whatever stands in a stack's file, it is accepted or told as a mistake: nobody sees a traceback."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from qhub.config import Settings, SettingsError, load_settings_file
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
