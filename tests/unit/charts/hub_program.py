"""Runs the Python that the charts put into containers, with stand-ins for the packages of those containers."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.unit.charts.rendering import Objects, changed

#: What the kubelet adds to a pod for the Services of its namespace, and what the Deployment asks for.
ENVIRONMENT = {"HUB_SERVICE_PORT": "8081", "PROXY_API_SERVICE_PORT": "8001", "POD_NAMESPACE": "team"}

#: The smallest values that the chart takes.
LEAST: dict[str, Any] = {
    "scheduling": {"userScheduler": {"enabled": False}},
    "prePuller": {"hook": {"enabled": False}, "continuous": {"enabled": False}},
    "singleuser": {"cloudMetadata": {"blockWithIptables": False}},
    "hub": {
        "cookieSecret": "c0" * 32,
        "config": {"CryptKeeper": {"keys": ["c1" * 32]}, "ConfigurableHTTPProxy": {"auth_token": "c2" * 32}},
    },
}


class Configuration(dict[str, Any]):
    """Stands for traitlets' configuration object: sections come up when they are first named."""

    def __getattr__(self, name: str) -> Any:
        if name not in self and name[:1].isupper():
            self[name] = Configuration()
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    def __missing__(self, name: str) -> Any:
        if name[:1].isupper():
            return getattr(self, name)
        raise KeyError(name)


class Model(SimpleNamespace):
    """Stands for an object of the Kubernetes client: it has attributes and cannot be indexed."""


def kubernetes_client() -> dict[str, ModuleType]:
    """Return what the hub's code imports of the Kubernetes client."""
    package, client = ModuleType("kubernetes_asyncio"), ModuleType("kubernetes_asyncio.client")
    for name in ("V1Container", "V1SecurityContext", "V1Capabilities"):
        setattr(client, name, Model)
    setattr(package, "client", client)  # noqa: B010 - a module's type knows no such attribute
    return {"kubernetes_asyncio": package, "kubernetes_asyncio.client": client}


def unpack_hub(objects: Objects, folder: Path) -> None:
    """Lay out ConfigMap and Secret `hub` as the hub's pod mounts them."""
    (folder / "config").mkdir()
    (folder / "secret").mkdir()
    for name, text in objects["ConfigMap", "hub"]["data"].items():
        (folder / "config" / name).write_text(text, encoding="utf-8")
    for name, encoded in objects["Secret", "hub"]["data"].items():
        (folder / "secret" / name).write_bytes(base64.b64decode(encoded))
    for mount in objects["Deployment", "hub"]["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]:
        if mount.get("subPath", "").endswith(".py"):
            text = objects["ConfigMap", "hub"]["data"][mount["subPath"]]
            (folder / Path(mount["mountPath"]).name).write_text(text, encoding="utf-8")


@contextmanager
def as_the_only_program(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """Forget afterwards which modules and folders a configuration imported, so that the next one has its own."""
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", list(sys.path))
        before = set(sys.modules)
        try:
            yield
        finally:
            for name in set(sys.modules) - before:
                del sys.modules[name]


def run(file: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """Run a configuration file as JupyterHub and dask-gateway-server do, and return what it set.

    Args:
        file: the configuration file; what it imports lies beside it.
        environment: all its environment variables. What it adds is in there afterwards.
        monkeypatch: undoes everything else.
    """
    c = Configuration()
    with as_the_only_program(monkeypatch), monkeypatch.context() as patch:
        for name, module in kubernetes_client().items():
            patch.setitem(sys.modules, name, module)
        patch.setattr(os, "environ", environment)
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), {"c": c, "__file__": str(file)})  # noqa: S102
    return c


def with_least(path: str, value: object) -> dict[str, Any]:
    """Return the smallest values with one more at a dotted path."""
    return changed(LEAST, path, value)
