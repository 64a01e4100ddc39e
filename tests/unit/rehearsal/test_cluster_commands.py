"""`qhub cluster`, as far as it needs no running cluster."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from qhub.commands_cluster import cluster_commands
from qhub.rehearsal.cluster import ClusterStatus, NodeStatus, ProcessStatus
from qhub.rehearsal.cluster.status import status_table


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: qhub\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status_of(*processes: ProcessStatus, version: str = "v1.34.4", ready: int = 2) -> ClusterStatus:
    return ClusterStatus(
        name="own",
        folder=Path("/own"),
        kubeconfig_path=Path("/own/kubeconfig"),
        context="qhub-own",
        version=version,
        nodes_ready=ready,
        nodes_total=2,
        processes=processes,
    )


def process(*, pid: int | None = 7, ready: bool = True) -> ProcessStatus:
    return ProcessStatus(name="etcd", pid=pid, ready=ready, port=20001, log=Path("/own/logs/etcd.log"))


@pytest.mark.parametrize("command", ["status", "kubeconfig"])
def test_a_cluster_that_is_not_there_is_said_and_none_is_made(checkout: Path, command: str) -> None:
    answer = CliRunner().invoke(cluster_commands, [command, "--name", "mine"])
    assert answer.exit_code == 1
    assert "`qhub cluster start --name mine` makes one" in answer.output
    assert not (checkout / ".qhub").exists()


@pytest.mark.parametrize("command", ["stop", "delete"])
def test_stopping_what_is_not_there_is_no_error(checkout: Path, command: str) -> None:
    answer = CliRunner().invoke(cluster_commands, [command])
    assert answer.exit_code == 0
    assert "there is no cluster local" in answer.output
    assert not (checkout / ".qhub").exists()


def test_the_kubeconfig_is_a_path_alone(checkout: Path) -> None:
    path = checkout / ".qhub" / "clusters" / "local" / "kubeconfig"
    path.parent.mkdir(parents=True)
    path.touch()
    assert CliRunner().invoke(cluster_commands, ["kubeconfig"]).output == f"{path}\n"


@pytest.mark.parametrize(
    ("seen", "line"),
    [
        (status_of(process()), "cluster own: ready, Kubernetes v1.34.4, nodes ready 2/2"),
        (status_of(process(), ready=1), "cluster own: not ready, Kubernetes v1.34.4, nodes ready 1/2"),
        (status_of(process(ready=False), version=""), "the API server does not answer"),
        (status_of(process(pid=None, ready=False)), "cluster own: stopped"),
    ],
)
def test_the_summary_says_how_it_is(seen: ClusterStatus, line: str) -> None:
    assert line in seen.summary


def test_the_table_has_a_line_for_each_process_that_fits_a_terminal() -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(status_table(status_of(process(), process(ready=False), process(pid=None, ready=False))))
    lines = console.export_text().splitlines()
    assert [line.split()[1:3] for line in lines[1:]] == [["ready", "7"], ["not", "ready"], ["stopped", "20001"]]


def test_nodes_are_told_by_kind() -> None:
    nodes = (NodeStatus("real-1", "real", ready=True), NodeStatus("simulated-1", "simulated", ready=True))
    assert replace(status_of(process()), nodes=nodes).summary.endswith("nodes ready 2/2 (1 real, 1 simulated)")


@pytest.mark.usefixtures("checkout")
def test_an_unknown_kind_of_nodes_is_refused_with_the_known_ones() -> None:
    answer = CliRunner().invoke(cluster_commands, ["start", "--nodes", "imagined"])
    assert answer.exit_code == 2
    assert all(f"'{kind}'" in answer.output for kind in ("simulated", "real", "both"))


def test_importing_into_a_cluster_that_is_not_there_makes_none(checkout: Path) -> None:
    archive = checkout / "image.tar"
    archive.touch()
    answer = CliRunner().invoke(cluster_commands, ["import-image", str(archive)])
    assert answer.exit_code == 1
    assert "`qhub cluster start --name local` makes one" in answer.output
    assert not (checkout / ".qhub").exists()
