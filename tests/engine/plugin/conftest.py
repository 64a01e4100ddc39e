"""Fixtures: a Pulumi home with the stand-in plugins, and stacks in folders of their own on the session's cluster."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qhub.rehearsal.cluster import EmbeddedCluster
from qhub.rehearsal.plugins.install import install_stand_ins
from tests.engine.plugin.charts import write_chart
from tests.engine.plugin.stack import Stack
from tests.engine.pulumi_stack import environment_of_engine

PROGRAMS = Path(__file__).parent / "programs"
_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of the real engine with the stand-in plugins and a file backend."""
    root = tmp_path_factory.mktemp("engine")
    uses = install_stand_ins(pulumi_home=root / "home", python=Path(sys.executable), user_home=root / "nobody")
    assert not any(use.official for use in uses), "these tests are about the stand-ins"
    return environment_of_engine(root, without=("KUBECONFIG", "HELM_"))


@pytest.fixture
def make_stack(
    engine: dict[str, str], embedded_cluster: EmbeddedCluster, tmp_path: Path
) -> Iterator[Callable[[str], Stack]]:
    """Make a stack of one of the programs, in a namespace of its own; what is left of it is destroyed at the end."""
    made: list[Stack] = []

    def make(program: str) -> Stack:
        name = f"t{next(_NUMBERS)}"
        stack = Stack(
            name=name,
            folder=tmp_path / name,
            program=PROGRAMS / f"{program}.py",
            engine=engine,
            kubeconfig=embedded_cluster.kubeconfig_path,
            context=embedded_cluster.context,
        )
        made.append(stack)
        return stack

    yield make
    for stack in made:
        stack.clean_up()


@pytest.fixture
def chart(tmp_path: Path) -> Path:
    """A small chart with a Deployment, a Secret and a closed schema."""
    return write_chart(tmp_path / "charts" / "demo", version="0.1.0")
