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
from qhub.rehearsal.plugins.install import install_cloud_stand_ins, install_stand_ins
from tests.engine.clouds.eks import EksStack
from tests.engine.clouds.stack import CloudStack
from tests.engine.pulumi_stack import environment_of_engine

PROGRAMS = Path(__file__).parent / "programs"
#: First letters of variables with which a person's account, or cluster, would be met.
FOREIGN = ("QHUB_REHEARSAL_", "DIGITALOCEAN_", "GOOGLE_", "CLOUDSDK_", "ARM_", "AZURE_", "AWS_", "KUBECONFIG")
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def cloud_engine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the real engine with the stand-ins of clouds and a file backend."""
    root = tmp_path_factory.mktemp("cloud-engine")
    # An official plugin on PATH would look for a real account; this one tells on itself.
    (root / "bin").mkdir()
    official = root / "bin" / "pulumi-resource-digitalocean"
    official.write_text("#!/bin/sh\necho the official plugin was started >&2\nexit 1\n")
    official.chmod(0o755)
    install_cloud_stand_ins(pulumi_home=root / "home", python=Path(sys.executable))
    install_stand_ins(pulumi_home=root / "home", python=Path(sys.executable), user_home=root / "nobody", ambient=False)
    return environment_of_engine(root, without=FOREIGN, path=[root / "bin"])


@pytest.fixture
def make_cloud_stack(cloud_engine: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., CloudStack]]:
    """Make a stack on a simulated cloud; what is left of its clusters is stopped at the end.

    It takes the name of a program; keyword arguments are more environment variables of the engine.
    """
    made: list[CloudStack] = []

    def make(program: str = "anything", /, **environment: str) -> CloudStack:
        name = f"c{next(_NUMBERS)}"
        world = World(tmp_path / f"{name}-world")
        # A thousand simulated seconds in one: what a cloud takes minutes for is over before the engine has noticed.
        engine = {**cloud_engine, WORLD_VARIABLE: str(world.folder), SPEED_VARIABLE: "1000", **environment}
        stack = CloudStack(
            name=name, folder=tmp_path / name, program=PROGRAMS / f"{program}.py", engine=engine, world=world
        )
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.clean_up()


@pytest.fixture(scope="class")
def eks(cloud_engine: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EksStack]:
    """A stack with an EKS cluster that is up, for the tests of one class in their order."""
    root = tmp_path_factory.mktemp("eks")
    name, world = f"c{next(_NUMBERS)}", World(root / "world")
    # What a kubeconfig of EKS runs for its credentials: the real one would look for an account.
    path = os.pathsep.join([str(commands.install(root / "commands")), cloud_engine["PATH"]])
    engine = {**cloud_engine, "PATH": path, WORLD_VARIABLE: str(world.folder), SPEED_VARIABLE: "1000"}
    stack = EksStack(name=name, folder=root / name, program=PROGRAMS / "eks.py", engine=engine, world=world)
    try:
        stack.up()
        yield stack
    finally:
        stack.clean_up()
