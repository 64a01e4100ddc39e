"""A real node's parts are killed, stopped and deleted: what runs on, what comes back, and that nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from qhub.rehearsal.cluster import EmbeddedCluster, processes
from qhub.rehearsal.node.groups import group_name, hierarchies
from tests.engine.node.pods import WAITS, Pods, until

#: Every process of a cluster with a real node but the keeper, which starts them again.
PARTS = (
    "namespaces", "relay", "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "controllers",
    "containerd", "kubelet", "kube-proxy", "coredns",
)  # fmt: skip


def pid_of(cluster: EmbeddedCluster, name: str) -> int:
    [found] = [process for process in cluster.status().processes if process.name == name]
    assert found.pid is not None
    return found.pid


def is_back(cluster: EmbeddedCluster, part: str, *, killed: int) -> bool:
    status = cluster.status()
    return status.ready and all(process.pid != killed for process in status.processes if process.name == part)


def ask(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return answer.read().decode()


@pytest.fixture(scope="module")
def served(cluster: EmbeddedCluster) -> Iterator[tuple[Pods, int]]:
    """A web server that runs through all that is done to the cluster, and its port on this machine."""
    pods = Pods(cluster, "through-it-all")
    pods.begin()
    pods.serve("web", "still here")
    pods.service("front", type="LoadBalancer", selector={"app": "web"})
    path = pods.path("services", "front")
    until(lambda: pods.api.get(path)["status"]["loadBalancer"].get("ingress"), "the service has an address")
    port = cluster.expose_service(pods.namespace, "front", 80)
    until(lambda: ask(port), "the load balancer answers")
    yield pods, port
    pods.end()


def container_of(pods: Pods, name: str) -> tuple[str, int]:
    [status] = pods.get(name)["status"]["containerStatuses"]
    return status["containerID"], status["restartCount"]


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_comes_back_by_itself_and_pods_run_on(
    cluster: EmbeddedCluster, served: tuple[Pods, int], part: str
) -> None:
    pods, port = served
    before, ready = container_of(pods, "web"), pods.ready_since("web")
    others = {name: pid_of(cluster, name) for name in (*PARTS, "keeper") if name != part}

    killed = pid_of(cluster, part)
    os.kill(killed, signal.SIGKILL)
    if part != "relay":
        assert ask(port) == "still here\n"
    until(lambda: is_back(cluster, part, killed=killed), f"another {part} is ready")

    assert {name: pid_of(cluster, name) for name in others} == others, "more was started again than was killed"
    assert until(lambda: ask(port), "the load balancer answers") == "still here\n"
    assert container_of(pods, "web") == before
    # A kubelet that was started again is well before it has found all of its pods.
    read = ("exec", "web", "--", "busybox", "cat", "/www/index.html")
    assert until(lambda: pods.asked(*read), "a command runs in the pod") == "still here\n"
    assert pods.run("busybox wget -qO- http://web/") == "still here\n"
    assert pods.ready_since("web") == ready, "the pod was out of its Services for some time"


def test_a_killed_keeper_is_started_again_by_the_next_start(cluster: EmbeddedCluster) -> None:
    before = {name: pid_of(cluster, name) for name in PARTS}
    killed = pid_of(cluster, "keeper")
    os.kill(killed, signal.SIGKILL)
    until(lambda: all(process.pid != killed for process in cluster.status().processes), "the keeper is gone")
    cluster.start()
    until(lambda: is_back(cluster, "keeper", killed=killed), "another keeper is ready")
    assert {name: pid_of(cluster, name) for name in PARTS} == before


def test_a_killed_shim_costs_its_pod_a_restart(cluster: EmbeddedCluster, served: tuple[Pods, int]) -> None:
    pods, _ = served
    pods.make("restarted", restartPolicy="Always")
    pods.ready("restarted")
    before, _ = container_of(pods, "restarted")
    [shim] = [
        process
        for process in processes.find_children(folder=cluster.folder)
        if any(_id(before) in " ".join(child.cmdline()) or _in_container(child, before) for child in process.children())
    ]
    shim.kill()
    until(
        lambda: container_of(pods, "restarted")[0] not in ("", before) and pods.ready("restarted"),
        "the pod has a new container",
    )
    assert container_of(pods, "web")[1] == 0


def _id(container: str) -> str:
    return container.rpartition("/")[2]


def _in_container(process: psutil.Process, container: str) -> bool:
    return _id(container) in Path(f"/proc/{process.pid}/cgroup").read_text()


def test_a_stop_keeps_images_claims_and_ports(cluster: EmbeddedCluster, served: tuple[Pods, int], image: Path) -> None:
    pods, port = served
    pods.claim("kept", mode="ReadWriteOnce")
    container, spec = pods.mounted("kept")
    pods.run("echo kept > /data/file", container=container, **spec)
    kubeconfig = cluster.kubeconfig_path.read_bytes()

    cluster.stop()
    assert left_of(cluster) == []
    cluster.start()

    said: list[str] = []
    cluster.import_images([image], report=said.append)
    assert said == [], "the image was imported again"
    assert cluster.kubeconfig_path.read_bytes() == kubeconfig
    assert pods.run("busybox cat /data/file", container=container, **spec) == "kept\n"
    pods.make("again", f"busybox mkdir -p /www; echo again > /www/index.html; busybox httpd -p 8080 -h /www; {WAITS}")
    pods.api.merge(pods.path("services", "front"), {"spec": {"selector": {"app": "again"}}})
    assert until(lambda: ask(port) == "again\n", "the same port leads to the same service")


def test_all_of_it_killed_at_once_comes_back_by_itself(cluster: EmbeddedCluster, served: tuple[Pods, int]) -> None:
    pods, _ = served
    keeper = pid_of(cluster, "keeper")
    container, spec = pods.mounted("kept")  # by the test before
    for name, process in processes.find_all(folder=cluster.folder):
        if name != "keeper":
            process.kill()
    until(lambda: cluster.status().ready, "the cluster is ready again")
    assert pid_of(cluster, "keeper") == keeper
    assert pods.run("busybox cat /data/file", container=container, **spec) == "kept\n"


def test_two_side_by_side_one_killed_while_starting_and_deleted_without_a_trace(
    cluster: EmbeddedCluster, tmp_path: Path, image: Path
) -> None:
    other = EmbeddedCluster("other", tmp_path / "other", kind="real")
    before = traces(other)
    try:
        _start_and_kill(other, when="kubelet")
        other.start()
        other.import_images([image])
        pods = Pods(other, "apart")
        pods.begin()
        pods.serve("web", "the other one")
        assert pods.run("busybox wget -qO- http://web/") == "the other one\n"
        assert [node.kind for node in other.status().nodes] == ["real"]
        assert cluster.start().ready
    finally:
        other.delete()
    assert not other.folder.exists()
    assert left_of(other) == []
    assert until(lambda: traces(other) == before, f"nothing is left of it: {before} and {traces(other)}")


def test_one_killed_while_starting_is_deleted_without_a_trace(tmp_path: Path) -> None:
    other = EmbeddedCluster("cut", tmp_path / "cut", kind="real")
    before = traces(other)
    _start_and_kill(other, when="namespaces")
    other.delete()
    assert not other.folder.exists()
    assert left_of(other) == []
    assert until(lambda: traces(other) == before, f"nothing is left of it: {before} and {traces(other)}")


def _start_and_kill(cluster: EmbeddedCluster, *, when: str) -> None:
    """Start a cluster by a process of its own, and kill that once the part `when` was started."""
    program = (
        "import sys, pathlib; from qhub.rehearsal.cluster import EmbeddedCluster\n"
        "EmbeddedCluster(sys.argv[1], pathlib.Path(sys.argv[2]), kind='real').start()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, cluster.name, str(cluster.folder)]) as starting:
        state = cluster.folder / "state.json"
        until(
            lambda: starting.poll() is not None or (state.exists() and when in json.loads(state.read_text())["pids"]),
            f"{when} was started",
        )
        starting.kill()
    assert starting.returncode == -signal.SIGKILL, "it was ready before it was killed"


def traces(cluster: EmbeddedCluster) -> dict[str, Any]:
    """Return what a node could leave on this machine: mounts, networks, network devices, and control groups of its own.

    Those of other clusters are not looked at: they may come and go meanwhile.
    """
    said = {name: _said(command) for name, command in {"networks": "ip netns", "links": "ip -brief link"}.items()}
    # Not below these: groups of other clusters go while one looks.
    groups = [str(top) for top in hierarchies() if (top / group_name(cluster.folder)).exists()]
    return {**said, "mounts": Path("/proc/self/mountinfo").read_text(), "groups": groups}


def _said(command: str) -> str:
    return subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout


def left_of(cluster: EmbeddedCluster) -> list[str]:
    """Return what of a cluster still runs: its own processes, what they started, and what is in its control groups."""
    folder = str(cluster.folder)
    found = [name for name, _ in processes.find_all(folder=cluster.folder)]
    found += [process.name() for process in processes.find_children(folder=cluster.folder)]
    for process in psutil.process_iter(["cmdline"]):
        if folder in " ".join(process.info["cmdline"] or []) and process.pid != os.getpid():
            found.append(" ".join(process.info["cmdline"]))
    name = group_name(cluster.folder)
    return found + [str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{name}")]
