"""Fixtures: a rehearsal's Pulumi home with the stand-ins of clouds, and stacks with a world of their own."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qhub.rehearsal import commands
from qhub.rehearsal.clouds.clock import SPEED_VARIABLE
from qhub.rehearsal.clouds.world import WORLD_VARIABLE, World
from qhub.rehearsal.plugins.install import engine_environment, install_cloud_stand_ins, install_stand_ins
from qhub.rehearsal.simulated import SimulatedKubernetes, all_kubernetes
from qhub.rehearsal.toolchain import tool_path
from tests.engine.clouds.eks import EksStack
from tests.engine.clouds.stack import CloudStack

PROGRAMS = Path(__file__).parent / "programs"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def cloud_engine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the real engine with the stand-in of DigitalOcean and a file backend."""
    return _engine(tmp_path_factory.mktemp("cloud-engine"), package="digitalocean")


def _engine(root: Path, *, package: str) -> dict[str, str]:
    """Return the environment of the real engine with the stand-in of a cloud, and a file backend in `root`."""
    (root / "state").mkdir()
    # An official plugin on PATH would look for a real account; this one tells on itself.
    (root / "bin").mkdir()
    official = root / "bin" / f"pulumi-resource-{package}"
    official.write_text("#!/bin/sh\necho the official plugin was started >&2\nexit 1\n")
    official.chmod(0o755)
    install_cloud_stand_ins(pulumi_home=root / "home", python=Path(sys.executable), packages=[package])
    folders = [Path(sys.executable).parent, *(tool_path(name).parent for name in ("pulumi", "pulumi-language-python"))]
    foreign = ("PULUMI_", "QHUB_REHEARSAL_", "DIGITALOCEAN_", "AWS_", "KUBECONFIG", "HELM_")
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith(foreign)},
        **engine_environment(pulumi_home=root / "home"),
        "PATH": os.pathsep.join([*map(str, folders), str(root / "bin"), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": f"file://{root / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "a test's passphrase",
    }


@pytest.fixture
def make_cloud_stack(cloud_engine: dict[str, str], tmp_path: Path) -> Callable[..., CloudStack]:
    """Make a stack on a simulated cloud; keyword arguments are more environment variables of the engine."""

    def make(**environment: str) -> CloudStack:
        name = f"c{next(_NUMBERS)}"
        world = World(tmp_path / f"{name}-world")
        # A thousand simulated seconds in one: what a cloud takes minutes for is over before the engine has noticed.
        engine = {**cloud_engine, WORLD_VARIABLE: str(world.folder), SPEED_VARIABLE: "1000", **environment}
        return CloudStack(
            name=name, folder=tmp_path / name, program=PROGRAMS / "anything.py", engine=engine, world=world
        )

    return make


@pytest.fixture(scope="class")
def eks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EksStack]:
    """A stack with an EKS cluster that is up, for the tests of one class in their order."""
    root = tmp_path_factory.mktemp("eks")
    engine = _engine(root, package="aws")
    install_stand_ins(pulumi_home=root / "home", python=Path(sys.executable), ambient=False)
    name, world = f"c{next(_NUMBERS)}", World(root / "world")
    # What a kubeconfig of EKS runs for its credentials: the real one would look for an account.
    path = os.pathsep.join([str(commands.install(root / "commands")), engine["PATH"]])
    engine |= {"PATH": path, WORLD_VARIABLE: str(world.folder), SPEED_VARIABLE: "1000"}
    stack = EksStack(name=name, folder=root / name, program=PROGRAMS / "eks.py", engine=engine, world=world)
    try:
        stack.up()
        yield stack
    finally:
        for _, folder in all_kubernetes(world.folder):
            SimulatedKubernetes(folder, speed=1.0).delete()
