"""The code that runs inside the Dask gateway: what people may choose for a cluster."""

from __future__ import annotations

import json
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from qhub.platform import hub
from qhub.platform.hub import qhub_dask
from tests.unit.platform.building import dask_values, make_settings

PROFILES = [
    {"name": "small", "users": None, "groups": None, "config": {"worker_cores": 1}},
    {"name": "gpu", "users": None, "groups": ["developer"], "config": {"worker_cores": 4}},
    {"name": "own", "users": ["carol"], "groups": None, "config": {"worker_cores": 2}},
]
SETTINGS = {
    "profiles": PROFILES,
    "members": {"developer": ["bob"]},
    "managed_groups": True,
    "max_workers": 20,
    "max_cores": 40,
    "limits": [
        {"users": [], "groups": ["developer"], "max_workers": 50, "max_cores": None},
        {"users": ["carol"], "groups": [], "max_workers": 2, "max_cores": 8},
    ],
}


def user(name: str, *groups: str, admin: bool = False) -> SimpleNamespace:
    return SimpleNamespace(name=name, groups=list(groups), admin=admin)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for the gateway's own module of option types, which is only in its image."""

    class Field:
        def __init__(self, field: str, *arguments: Any, **named: Any) -> None:
            self.field, self.arguments, self.named = field, arguments, named

    class Options:
        def __init__(self, *fields: Field, handler: Any) -> None:
            self.fields, self.handler = {field.field: field for field in fields}, handler

    module = ModuleType("dask_gateway_server.options")
    for name in ("Select", "String", "Mapping"):
        setattr(module, name, Field)
    setattr(module, "Options", Options)  # noqa: B010 - a plain module has no such attribute
    monkeypatch.setitem(sys.modules, "dask_gateway_server", ModuleType("dask_gateway_server"))
    monkeypatch.setitem(sys.modules, "dask_gateway_server.options", module)


@pytest.mark.parametrize(
    ("who", "names"),
    [
        (user("dave"), ["small"]),
        (user("dave", "developer"), ["small", "gpu"]),
        (user("bob"), ["small", "gpu"]),
        (user("carol"), ["small", "own"]),
        (user("root", admin=True), ["small", "gpu", "own"]),
    ],
)
def test_each_is_offered_what_is_open_to_them(who: SimpleNamespace, names: list[str]) -> None:
    assert list(qhub_dask.allowed_profiles(who, SETTINGS)) == names


def test_somebody_with_no_profile_is_told_so() -> None:
    with pytest.raises(PermissionError, match="no Dask profile is open to dave: ask an administrator"):
        qhub_dask.allowed_profiles(user("dave"), {**SETTINGS, "profiles": PROFILES[1:]})


def test_the_settings_alone_say_who_is_in_a_group_unless_the_sign_in_does() -> None:
    # The hub adds people to groups and never takes them out, so what it knows may be of last year.
    settings = {**SETTINGS, "managed_groups": False}

    assert list(qhub_dask.allowed_profiles(user("dave", "developer"), settings)) == ["small"]
    assert list(qhub_dask.allowed_profiles(user("bob"), settings)) == ["small", "gpu"]


@pytest.mark.parametrize(
    ("who", "limits"),
    [
        (user("dave"), (20, 40)),
        (user("bob"), (50, 40)),
        (user("carol"), (2, 8)),
        (user("carol", "developer"), (50, 8)),
    ],
)
def test_the_largest_of_ones_limits_holds(who: SimpleNamespace, limits: tuple[int, float]) -> None:
    assert qhub_dask.limits_of(who, SETTINGS) == limits


@pytest.mark.usefixtures("gateway")
class TestOptions:
    def options(self, *groups: str) -> Any:
        return qhub_dask.options_for(user("dave", *groups), SETTINGS, "image:1")

    def test_only_open_profiles_can_be_selected(self) -> None:
        select = self.options().fields["profile"]

        assert (select.arguments, select.named["default"]) == ((["small"],), "small")

    def test_a_choice_becomes_a_configuration(self) -> None:
        chosen = SimpleNamespace(profile="gpu", image="other:2", environment={"A": 1})

        assert self.options("developer").handler(chosen) == {
            "worker_cores": 4,
            "image": "other:2",
            "environment": {"A": "1"},
            "cluster_max_workers": 10,
        }

    def test_the_gateway_reads_what_the_values_builder_sends(self) -> None:
        values = dask_values(make_settings(dask={"idle_timeout": 60}))["gateway"]
        config = SimpleNamespace(KubeClusterConfig=SimpleNamespace(image="image:1"), Backend=SimpleNamespace())
        # The chart appends the text to a file that has begun already, hence no `from __future__` is allowed in it.
        text = "import os\n" + "\n".join(values["extraConfig"][key] for key in sorted(values["extraConfig"]))
        exec(compile(text, "dask_gateway_config.py", "exec"), {"c": config})  # noqa: S102 - our own text

        assert config.KubeClusterConfig.idle_timeout == 60
        offered = config.Backend.cluster_options(user("dave")).fields
        assert list(offered) == ["profile", "image", "environment"]
        assert offered["image"].named["default"] == "image:1"


@pytest.mark.parametrize("name", ["ada", "o'hara", 'a"b', "back\\slash", "Ärzte", "line\u2028break"])
def test_whatever_somebody_is_called_arrives(name: str) -> None:
    text = hub.constant("QHUB_DASK", {"members": {"all": [name]}})
    module: dict[str, Any] = {}
    exec(text, module)  # noqa: S102 - our own text

    assert json.loads(module["QHUB_DASK"]) == hub.data_of(text) == {"members": {"all": [name]}}
    assert text.isascii(), "no line of a ConfigMap ends where it should not"
