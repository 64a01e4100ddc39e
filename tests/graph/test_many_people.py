"""Thousands of people in the settings: what has to stay below the limits of Linux and Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.graph.configurations import record_configuration
from tests.graph.recorder import Recording, Registered
from tests.graph.test_add_ons import rendered
from tests.graph.test_any_settings import in_clear
from tests.graph.test_invariants import RELEASE

#: Of one environment variable with its name: MAX_ARG_STRLEN in Linux' include/uapi/linux/binfmts.h. A container with a
#: longer one does not start.
LONGEST = 128 * 1024
GROUPS = ("course-a", "course-b")
PEOPLE = [f"student.number{number:04d}@uni.example.edu" for number in range(5000)]
SECTIONS: dict[str, Any] = {
    "users": {name: {"primary_group": GROUPS[0], "secondary_groups": [GROUPS[1]]} for name in PEOPLE},
    "groups": {name: {"gid": 1100 + place} for place, name in enumerate(GROUPS)},
    "jupyterhub": {"profiles": [{"name": "small", "groups": [GROUPS[0]], "users": PEOPLE}]},
    "dask": {
        "profiles": [{"name": "small", "users": PEOPLE}],
        "limits": [{"groups": [GROUPS[1]], "users": PEOPLE, "max_workers_per_cluster": 50}],
    },
    "environments": {"named": {"geo": {"packages": ["geo==1.0"]}}},
    "monitoring": {"enabled": True},
    "ssh": {"enabled": True, "image": {"name": "registry.example.org/ssh", "tag": "1"}},
}


@pytest.fixture(scope="module")
def recording() -> Recording:
    return record_configuration("local", **SECTIONS)


def objects(made: Registered) -> list[Any]:
    return list(rendered(made).values()) if made.type == RELEASE else [in_clear(made.inputs)]


def variables(value: Any) -> Iterator[tuple[str, str]]:
    """Yield every environment variable of a container anywhere in an object."""
    if isinstance(value, dict):
        for item in value.get("env") or () if isinstance(value.get("env"), list) else ():
            yield item["name"], str(item.get("value", ""))
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from variables(below)


def test_no_environment_variable_is_longer_than_linux_takes(recording: Recording) -> None:
    found = {
        name: len(f"{name}={value}".encode()) + 1
        for made in recording.resources.values()
        if made.type.startswith("kubernetes:")
        for one in objects(made)
        for name, value in variables(one)
    }

    assert {"JUPYTERHUB_API_TOKEN", "QHUB_SSH_HUB", "QHUB_ENVIRONMENT"} <= found.keys()
    assert {name: size for name, size in found.items() if size > LONGEST} == {}
