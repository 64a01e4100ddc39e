"""Starting, stopping, being killed and coming back: each test on clusters of its own."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from qhub.rehearsal.cluster import ClusterError, ClusterStatus, EmbeddedCluster, SimulatedNode, SimulatedNodes, Taint
from qhub.rehearsal.cluster.api import Api
from tests.engine.conftest import administrator
from tests.engine.test_cluster_objects import is_ready, pod
from tests.engine.waiting import eventually

MARKER = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[EmbeddedCluster]:
    """A cluster of the test's own, gone afterwards."""
    made = EmbeddedCluster("own", tmp_path / "own")
    yield made
    made.delete()


def pids(status: ClusterStatus) -> dict[str, int]:
    return {process.name: process.pid for process in status.processes if process.pid}


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def kill(*killed: int) -> None:
    ended = [psutil.Process(pid) for pid in killed]
    for process in ended:
        process.kill()
    psutil.wait_procs(ended, timeout=10)


def command(cluster: EmbeddedCluster, call: str) -> subprocess.Popen[str]:
    """Call a method of the cluster in a process of its own."""
    program = (
        "import sys, pathlib\n"
        "from qhub.rehearsal.cluster import EmbeddedCluster\n"
        "status = EmbeddedCluster(sys.argv[1], pathlib.Path(sys.argv[2])).start()\n"
        "print({process.name: process.pid for process in status.processes})\n"
    ).replace("start()", call)
    return subprocess.Popen(
        [sys.executable, "-c", program, cluster.name, str(cluster.folder)], stdout=subprocess.PIPE, text=True
    )


class TestOneLife:
    """The usual course of things, in one go: each start costs seconds."""

    def test_start_stop_start_delete(self, cluster: EmbeddedCluster) -> None:
        started = cluster.start()
        assert started.ready
        assert (started.nodes_ready, started.nodes_total) == (2, 2)
        assert started.version.startswith("v1.")
        assert stat.S_IMODE(cluster.kubeconfig_path.stat().st_mode) == 0o600
        assert all(os.getsid(pid) == pid for pid in pids(started).values()), "Ctrl-C in a terminal would end it"
        self.check_that_nothing_listens_elsewhere(started)

        assert pids(cluster.start()) == pids(started)

        api = administrator(cluster)
        api.create(MARKER, {"metadata": {"name": "kept"}, "data": {"a": "b"}})
        kubeconfig = cluster.kubeconfig_path.read_bytes()
        cluster.stop()
        assert cluster.status().stopped
        assert all(is_gone(pid) for pid in pids(started).values())
        assert not any(listens(process.port) for process in started.processes if process.port)

        again = cluster.start()
        assert again.ready
        assert cluster.kubeconfig_path.read_bytes() == kubeconfig
        assert administrator(cluster).get(f"{MARKER}/kept")["data"] == {"a": "b"}
        assert (cluster.logs / "kube-apiserver.log.1").stat().st_size > 0

        cluster.delete()
        assert not cluster.folder.exists()
        assert all(is_gone(pid) for pid in pids(again).values())

    def check_that_nothing_listens_elsewhere(self, status: ClusterStatus) -> None:
        for pid in pids(status).values():
            listening = [c for c in psutil.Process(pid).net_connections("tcp") if c.status == psutil.CONN_LISTEN]
            assert {connection.laddr.ip for connection in listening} <= {"127.0.0.1"}

    def test_stopping_what_is_not_there_is_fine(self, cluster: EmbeddedCluster) -> None:
        cluster.stop()
        cluster.delete()
        assert cluster.status().stopped
        assert not cluster.folder.exists()


class TestKilled:
    def test_what_was_killed_comes_back_also_when_a_port_was_lost(self, cluster: EmbeddedCluster) -> None:
        first = cluster.start()
        administrator(cluster).create(MARKER, {"metadata": {"name": "kept"}})

        kill(*(pids(first)[name] for name in ("keeper", "kube-apiserver")))
        broken = cluster.status()
        assert (broken.running, broken.ready, broken.version) == (False, False, "")
        second = cluster.start()
        assert second.ready
        same = pids(first).items() & pids(second).items()
        assert {name for name, _ in same} == pids(first).keys() - {"keeper", "kube-apiserver"}

        addresses = self.run_pods(administrator(cluster), "before")
        self.check_that_our_controllers_are_back(administrator(cluster))
        kill(*(pids(second)[process.name] for process in reversed(second.processes)))  # the keeper first
        port = {process.name: process.port for process in second.processes}["kube-apiserver"] or 0
        with socket.create_server(("127.0.0.1", port)):
            third = cluster.start()
        assert third.ready
        assert f"https://127.0.0.1:{port}\n" not in cluster.kubeconfig_path.read_text(), "the port was taken meanwhile"
        assert not pids(third).items() & pids(second).items()
        api = administrator(cluster)
        assert api.get(f"{MARKER}/kept")
        assert not addresses & self.run_pods(api, "after"), "a new kwok gave addresses a second time"

    def check_that_our_controllers_are_back(self, api: Api) -> None:
        services = "/api/v1/namespaces/default/services"
        api.create(services, {"metadata": {"name": "entry"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}})
        eventually(lambda: api.get(f"{services}/entry")["status"]["loadBalancer"].get("ingress"))

    def run_pods(self, api: Api, name: str) -> set[str]:
        """Run two pods on one node and return their addresses."""
        pods = "/api/v1/namespaces/default/pods"
        for number in range(2):
            api.create(pods, pod(f"{name}-{number}", nodeName="simulated-1"))
        ready = eventually(
            lambda: [api.get(f"{pods}/{name}-{number}") for number in range(2)], lambda seen: all(map(is_ready, seen))
        )
        return {item["status"]["podIP"] for item in ready}

    def test_a_foreign_process_with_our_number_is_left_alone(self, cluster: EmbeddedCluster) -> None:
        foreign = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        try:
            cluster.folder.mkdir()
            state = {"version": 1, "ports": {}, "pids": {"etcd": foreign.pid}, "set_up": False}
            (cluster.folder / "state.json").write_text(json.dumps(state))
            assert cluster.status().stopped
            cluster.stop()
            assert foreign.poll() is None
        finally:
            foreign.kill()
            foreign.wait()

    def test_a_start_that_was_killed_is_taken_up_by_the_next(self, cluster: EmbeddedCluster) -> None:
        begun = command(cluster, "start()")
        while not psutil.Process(begun.pid).children(recursive=True):
            assert begun.poll() is None
        begun.kill()
        begun.communicate()
        # As if it had been killed before it could write down what it had started.
        state = cluster.folder / "state.json"
        state.write_text(json.dumps({**json.loads(state.read_text()), "pids": {}}))
        assert cluster.start().ready
        cluster.stop()
        assert not [
            process for process in psutil.process_iter(["cmdline", "status"])
            if process.info["status"] != psutil.STATUS_ZOMBIE
            and str(cluster.folder) in " ".join(process.info["cmdline"] or [])
        ]  # fmt: skip


class TestSideBySide:
    def test_two_starts_at_once_make_one_cluster(self, cluster: EmbeddedCluster) -> None:
        answers = [started.communicate()[0] for started in [command(cluster, "start()") for _ in range(2)]]
        assert answers[0] == answers[1]
        assert "None" not in answers[0]
        assert cluster.status().ready

    def test_two_clusters_know_nothing_of_each_other(self, embedded_cluster: EmbeddedCluster, tmp_path: Path) -> None:
        gpu = SimulatedNode("gpu", gpu=2, allocatable={"memory": "29Gi"}, taints=[Taint("gpu", "NoSchedule")])
        other = EmbeddedCluster("other", tmp_path / "other", nodes=[SimulatedNodes([gpu])])
        try:
            other.start()
            nodes = administrator(other).items("/api/v1/nodes")
            assert [node["metadata"]["name"] for node in nodes] == ["gpu"]
            assert nodes[0]["status"]["allocatable"]["nvidia.com/gpu"] == "2"
            assert nodes[0]["status"]["allocatable"]["memory"] == "29Gi"
            assert nodes[0]["status"]["capacity"]["memory"] == "32Gi"
        finally:
            other.delete()
        assert embedded_cluster.status().ready


class TestPorts:
    def test_a_port_that_was_asked_for_and_is_in_use_is_named_with_its_holder(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            cluster = EmbeddedCluster("own", tmp_path / "own", port=port)
            with pytest.raises(
                ClusterError, match=rf"port {port} on 127\.0\.0\.1 is in use by .*\(pid {os.getpid()}\)"
            ):
                cluster.start()
        assert cluster.status().stopped
        cluster.delete()

    def test_a_port_taken_between_the_look_and_the_start_is_replaced(
        self, cluster: EmbeddedCluster, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from qhub.rehearsal.cluster import starting

        with socket.create_server(("127.0.0.1", 0)) as server:
            taken = server.getsockname()[1]
            cluster.folder.mkdir()
            state = {"version": 1, "ports": {"etcd": taken}, "pids": {}, "set_up": False}
            (cluster.folder / "state.json").write_text(json.dumps(state))
            look, looks = starting.is_free, []

            def blind_at_first(port: int) -> bool:
                looks.append(port)
                return looks.count(taken) == 1 or look(port)

            monkeypatch.setattr(starting, "is_free", blind_at_first)
            started = cluster.start()
        assert started.ready
        assert looks.count(taken) == 2
        assert taken not in {process.port for process in started.processes}


class TestFailure:
    def test_a_process_that_ends_is_named_with_its_last_words(
        self, cluster: EmbeddedCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = tmp_path / "kube-scheduler"
        broken.write_text("#!/bin/sh\necho 'the disk is made of cheese'\nexit 3\n")
        broken.chmod(0o755)
        from qhub.rehearsal import toolchain

        find = toolchain.tool_path
        monkeypatch.setattr(toolchain, "tool_path", lambda name: broken if name == "kube-scheduler" else find(name))
        with pytest.raises(ClusterError) as raised:
            cluster.start()
        message = str(raised.value)
        assert "kube-scheduler ended" in message
        assert "the disk is made of cheese" in message
        assert str(cluster.logs / "kube-scheduler.log") in message
        assert cluster.status().stopped
