"""State, lock, ports, keys, command lines, nodes and the watch of an embedded cluster, each without a cluster."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from qhub.rehearsal.cluster import ClusterError, EmbeddedCluster, SimulatedNode, SimulatedNodes, Taint, processes
from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster.api import Api, ApiError
from qhub.rehearsal.cluster.controllers.actions import Create, Patch
from qhub.rehearsal.cluster.controllers.loop import Controller, Loop, Store
from qhub.rehearsal.cluster.kubeconfig import write_kubeconfig
from qhub.rehearsal.cluster.layout import Layout, locked, remove_folder, write_private
from qhub.rehearsal.cluster.network import LOOPBACK
from qhub.rehearsal.cluster.nodes import MAX_NODES, create_node, node_object
from qhub.rehearsal.cluster.pki import IDENTITIES, Pki
from qhub.rehearsal.cluster.ports import PORT_RANGE, free_port, holder, is_free
from qhub.rehearsal.cluster.state import State, load_state, save_state

Json = dict[str, Any]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "cluster")
    made.make_folders()
    return made


class TestName:
    @pytest.mark.parametrize("name", ["", "Local", "-a", "a-", "a/b", "a" * 41, "a b"])
    def test_a_bad_name_is_refused_before_anything_is_made(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(ClusterError, match="is not a name for a cluster"):
            EmbeddedCluster(name, tmp_path / "x")
        assert not (tmp_path / "x").exists()

    def test_a_good_one_gives_the_context(self, tmp_path: Path) -> None:
        assert EmbeddedCluster("local-2", tmp_path).context == "qhub-local-2"


class TestState:
    def test_what_was_written_is_read(self, layout: Layout) -> None:
        state = State(ports={"etcd": 20001}, pids={"etcd": 7}, set_up=True)
        save_state(layout.state, state)
        assert load_state(layout.state) == state
        assert stat.S_IMODE(layout.state.stat().st_mode) == 0o600

    @pytest.mark.parametrize("content", ["{", "[]", '{"version": 99}', '{"version": 1, "colour": "red"}'])
    def test_an_unreadable_one_says_what_to_do_and_can_be_deleted(self, layout: Layout, content: str) -> None:
        layout.state.write_text(content)
        cluster = EmbeddedCluster("own", layout.folder)
        with pytest.raises(ClusterError, match="qhub cluster delete"):
            cluster.status()
        cluster.delete()
        assert not layout.folder.exists()

    def test_a_failed_write_leaves_the_old_file_and_nothing_else(self, layout: Layout) -> None:
        target = layout.folder / "folder-in-the-way"
        (target / "full").mkdir(parents=True)
        before = sorted(layout.folder.iterdir())
        with pytest.raises(OSError, match=r"directory|not empty"):
            write_private(target, "new")
        assert sorted(layout.folder.iterdir()) == before


class TestLock:
    def test_the_second_waits_and_says_so_in_the_end(self, layout: Layout) -> None:
        with (
            locked(layout.lock),
            pytest.raises(ClusterError, match="another command has been starting or stopping"),
            locked(layout.lock, timeout=0.1),
        ):
            pass
        with locked(layout.lock, timeout=0):
            pass

    def test_a_lock_that_was_deleted_with_its_folder_is_made_anew(self, layout: Layout) -> None:
        held, done = threading.Event(), threading.Event()

        def second() -> None:
            held.wait()
            with locked(layout.lock):
                assert layout.lock.exists()
                done.set()

        thread = threading.Thread(target=second)
        thread.start()
        with locked(layout.lock):
            held.set()
            remove_folder(layout.folder)
        thread.join(timeout=30)
        assert done.is_set()


class TestPorts:
    def test_a_free_one_is_in_range_and_not_one_of_the_taken(self) -> None:
        first = free_port()
        assert first in PORT_RANGE
        assert free_port(set(PORT_RANGE) - {first}) == first
        with pytest.raises(ClusterError, match="no free port"):
            free_port(PORT_RANGE)

    def test_a_port_in_use_is_not_free_and_has_a_holder(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            assert not is_free(port)
            assert f"(pid {os.getpid()})" in holder(port)
        assert is_free(port)


class TestProcesses:
    def spec(self, layout: Layout, name: str, program: str) -> processes.ProcessSpec:
        return processes.ProcessSpec(name, [sys.executable, "-c", program], layout.log(name))

    def test_ours_is_found_by_its_mark_stopped_and_reaped(self, layout: Layout) -> None:
        spec = self.spec(layout, "sleeper", "import time; time.sleep(600)")
        pid = processes.spawn(spec, folder=layout.folder)
        other = Layout(layout.folder / "other")
        found = processes.find(pid, folder=layout.folder, name="sleeper")
        assert found is not None
        assert processes.find(pid, folder=other.folder, name="sleeper") is None
        assert processes.find(pid, folder=layout.folder, name="other") is None
        assert [(name, process.pid) for name, process in processes.find_all(folder=layout.folder)] == [("sleeper", pid)]
        processes.stop([found], patience=5)
        assert not Path(f"/proc/{pid}").exists(), "a zombie is left"

    def test_one_that_does_not_listen_is_killed(self, layout: Layout) -> None:
        program = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            "print('deaf', flush=True); time.sleep(600)"
        )
        pid = processes.spawn(self.spec(layout, "deaf", program), folder=layout.folder)
        while "deaf" not in layout.log("deaf").read_text():
            pass
        found = processes.find(pid, folder=layout.folder, name="deaf")
        assert found is not None
        processes.stop([found], patience=0.05)
        assert processes.find(pid, folder=layout.folder, name="deaf") is None

    def test_settings_of_the_user_do_not_reach_it_and_the_last_log_is_kept(
        self, layout: Layout, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ETCD_NAME", "surprise")
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
        for word in ("first", "second"):
            spec = self.spec(layout, "echo", f"import os; print('{word}', sorted(os.environ))")
            pid = processes.spawn(spec, folder=layout.folder)
            while processes.find(pid, folder=layout.folder, name="echo"):
                pass
        log = processes.tail(layout.log("echo"))
        assert log.startswith("second")
        assert "ETCD_NAME" not in log
        assert "HTTPS_PROXY" not in log
        assert layout.log("echo").with_name("echo.log.1").read_text().startswith("first")


class TestKeys:
    def test_they_are_private_made_once_and_etcd_has_its_own_authority(self, layout: Layout) -> None:
        pki = Pki(layout.pki)
        pki.ensure(IDENTITIES)
        files = {path: path.read_bytes() for path in layout.pki.iterdir()}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert self.issuer(pki, "etcd") == self.issuer(pki, "etcd-client") != self.issuer(pki, "admin")
        pki.ensure(IDENTITIES)
        assert {path: path.read_bytes() for path in layout.pki.iterdir()} == files

    def test_a_lost_authority_takes_its_certificates_along(self, layout: Layout) -> None:
        pki = Pki(layout.pki)
        pki.ensure(IDENTITIES)
        tokens = pki.key("service-account").read_bytes()
        pki.key("ca").unlink()
        pki.ensure(IDENTITIES)
        assert self.issuer(pki, "admin") == self.subject(pki, "ca")
        assert pki.key("service-account").read_bytes() == tokens

    def test_only_the_administrator_is_a_master(self, layout: Layout) -> None:
        pki = Pki(layout.pki)
        pki.ensure(IDENTITIES)
        masters = {name for name in IDENTITIES if "system:masters" in self.subject(pki, name)}
        assert masters == {"admin"}

    def test_the_kubeconfig_is_private_and_left_alone_when_right(self, layout: Layout) -> None:
        pki = Pki(layout.pki)
        pki.ensure(IDENTITIES)
        write_kubeconfig(layout.kubeconfig, context="qhub-own", port=20001, pki=pki, identity="admin")
        first = layout.kubeconfig.stat()
        assert stat.S_IMODE(first.st_mode) == 0o600
        write_kubeconfig(layout.kubeconfig, context="qhub-own", port=20001, pki=pki, identity="admin")
        assert layout.kubeconfig.stat().st_ino == first.st_ino
        assert str(layout.folder) not in layout.kubeconfig.read_text()

    def subject(self, pki: Pki, name: str) -> str:
        return self.certificate(pki, name).subject.rfc4514_string()

    def issuer(self, pki: Pki, name: str) -> str:
        return self.certificate(pki, name).issuer.rfc4514_string()

    def certificate(self, pki: Pki, name: str) -> Any:
        from cryptography import x509

        return x509.load_pem_x509_certificate(pki.certificate(name).read_bytes())


class TestCommandLines:
    @pytest.fixture
    def host(self, layout: Layout) -> plane.Host:
        ports = {name: 20000 + number for number, name in enumerate((*plane.PORTS, "kwok"))}
        return plane.Host(layout=layout, ports=ports, tool=lambda name: Path("/tools") / name)

    def test_every_address_is_loopback_or_only_written_down(self, host: plane.Host) -> None:
        specs = [plane.etcd(host), plane.api_server(host), plane.controller_manager(host), plane.scheduler(host)]
        specs += [plane.controllers(host), *SimulatedNodes().processes(host)]
        for spec in specs:
            addresses = set(re.findall(r"\d+\.\d+\.\d+\.\d+", " ".join(spec.command))) - {LOOPBACK.advertised}
            assert all(address.startswith("127.") for address in addresses), spec.name

    def test_etcd_and_the_api_server_let_nobody_in_without_a_certificate(self, host: plane.Host) -> None:
        database, server = plane.etcd(host).command, plane.api_server(host).command
        assert {"--client-cert-auth=true", "--peer-client-cert-auth=true"} <= set(database)
        assert not [flag for flag in database if "http://" in flag]
        assert {"--anonymous-auth=false", "--authorization-mode=Node,RBAC"} <= set(server)

    def test_kwok_gets_every_stage_and_nodes_of_its_own_only(self, host: plane.Host) -> None:
        [kwok] = SimulatedNodes().processes(host)
        assert "--manage-nodes-with-label-selector=rehearsal.qhub.dev/node=simulated" in kwok.command
        assert "--manage-all-nodes=false" in kwok.command
        from ruamel.yaml import YAML

        parts = list(YAML(typ="safe").load_all(host.layout.run / "kwok.yaml"))
        assert {"node-initialize", "pod-ready", "pod-delete", "fault-crash", "simulated"} <= {
            part["metadata"]["name"] for part in parts
        }


class TestNodes:
    def test_capacity_labels_and_taints_are_what_was_said(self) -> None:
        node = SimulatedNode(
            "big", cpu="16", memory="64Gi", gpu=2, pods=30, architecture="arm64",
            labels={"pool": "gpu"}, taints=[Taint("gpu", "NoSchedule", "yes")], allocatable={"memory": "60Gi"},
        )  # fmt: skip
        made = node_object(node, index=7, port=20005, version="v1.34.4")
        status = made["status"]
        assert status["capacity"] == {
            "cpu": "16", "memory": "64Gi", "pods": "30", "ephemeral-storage": "100Gi", "nvidia.com/gpu": "2",
        }  # fmt: skip
        assert status["allocatable"] == {**status["capacity"], "memory": "60Gi"}
        assert made["metadata"]["labels"]["pool"] == "gpu"
        assert made["metadata"]["labels"]["kubernetes.io/arch"] == "arm64"
        assert made["spec"]["taints"] == [{"key": "gpu", "effect": "NoSchedule", "value": "yes"}]
        assert made["spec"]["podCIDR"] == "198.18.7.0/24"

    def test_the_label_that_kwok_goes_by_cannot_be_lost(self) -> None:
        node = SimulatedNode("n", labels={"rehearsal.qhub.dev/node": "real"})
        made = node_object(node, index=1, port=1, version="v1.34.4")
        assert made["metadata"]["labels"]["rehearsal.qhub.dev/node"] == "simulated"

    def test_a_gap_is_filled_and_a_full_cluster_says_so(self) -> None:
        api = FakeApi([node_object(SimulatedNode(f"n{i}"), index=i, port=1, version="v1") for i in (1, 3)])
        create_node(api, SimulatedNode("between"), port=1)
        assert api.items("")[-1]["spec"]["podCIDR"] == "198.18.2.0/24"
        full = [node_object(SimulatedNode(f"n{i}"), index=i, port=1, version="v1") for i in range(1, MAX_NODES + 1)]
        with pytest.raises(ClusterError, match="at most 254"):
            create_node(FakeApi(full), SimulatedNode("one-too-many"), port=1)


class FakeApi(Api):
    """An API server that has some objects and refuses, ends or forgets as a test wants it."""

    def __init__(self, objects: list[Json]) -> None:
        self.objects = objects
        self.watches: list[str] = []
        self.script: list[Any] = []
        self.end = threading.Event()

    def get(self, path: str) -> Json:
        if path == "/version":
            return {"gitVersion": "v1.34.4"}
        return {"items": list(self.objects), "metadata": {"resourceVersion": str(len(self.objects))}}

    def items(self, path: str) -> list[Json]:
        return self.objects

    def create(self, path: str, body: Json) -> Json:
        self.objects.append(body)
        return body

    def watch(self, path: str, version: str, *, seconds: int = 300) -> Any:
        self.watches.append(version)
        if not self.script:
            self.end.wait()
            return
        for step in self.script.pop(0):
            if isinstance(step, Exception):
                raise step
            yield step


def thing(uid: str, version: int, **more: Any) -> Json:
    return {"metadata": {"uid": uid, "name": uid, "resourceVersion": str(version)}, **more}


class TestLoop:
    def run(self, api: FakeApi, *, until: int) -> list[list[str]]:
        """Run a controller that only looks, until it has seen `until` objects."""
        seen: list[list[str]] = []
        enough = threading.Event()

        def look(world: Any) -> list[Any]:
            seen.append(sorted(item["metadata"]["uid"] for item in world["/things"]))
            if len(seen[-1]) == until:
                enough.set()
            return []

        Loop(Controller("looker", ("/things",), look), api).start()
        assert enough.wait(timeout=30), seen
        return seen

    def test_it_follows_on_from_where_a_watch_ended(self) -> None:
        api = FakeApi([thing("a", 1)])
        added = {"type": "ADDED", "object": thing("b", 5)}
        bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}
        api.script = [[added, bookmark], [{"type": "ADDED", "object": thing("c", 10)}]]
        self.run(api, until=3)
        assert api.watches[:2] == ["1", "9"]

    @pytest.mark.parametrize(
        "trouble", [ApiError(410, "too old"), ConnectionResetError(), ApiError(503, "not yet"), TimeoutError()]
    )
    def test_it_lists_again_after_trouble(self, trouble: Exception) -> None:
        api = FakeApi([thing("a", 1)])
        api.script = [[trouble]]
        watch = api.watch

        def watch_and_change(path: str, version: str, *, seconds: int = 300) -> Any:
            api.objects.append(thing("missed", 2)) if not api.watches else None
            yield from watch(path, version, seconds=seconds)

        api.watch = watch_and_change
        self.run(api, until=2)

    def test_deleted_objects_are_forgotten_and_old_news_does_not_undo_our_own_write(self) -> None:
        store = Store({"/things": {}})
        store.replace("/things", [thing("a", 1), thing("b", 1)])
        store.put("/things", thing("a", 5, ours=True))
        store.put("/things", thing("a", 3))
        store.drop("/things", thing("b", 9))
        assert store.wait(0)["/things"] == [thing("a", 5, ours=True)]

    def test_a_refused_action_is_tried_again_and_a_write_is_seen_at_once(self) -> None:
        attempts: list[int] = []
        sizes: list[int] = []
        done = threading.Event()

        class Refusing(FakeApi):
            def create(self, path: str, body: Json) -> Json:
                attempts.append(1)
                if len(attempts) == 1:
                    raise ApiError(403, "forbidden, still")
                return thing("made", 7)

        def want_one(world: Any) -> list[Any]:
            things = list(world["/things"])
            sizes.append(len(things))
            if things:
                done.set()
                return []
            return [Create("/things", {})]

        Loop(Controller("maker", ("/things",), want_one), Refusing([])).start()
        assert done.wait(timeout=30)
        assert len(attempts) == 2
        assert sizes[-1] == 1

    def test_an_object_that_went_meanwhile_is_no_failure(self) -> None:
        class Gone(FakeApi):
            def merge(self, path: str, body: Json) -> Json:
                raise ApiError(404, "not found")

        loop = Loop(Controller("patcher", ("/things",), lambda _: []), Gone([]))
        assert loop._try(Patch("/things/x", {}))


def test_the_start_of_a_running_cluster_imports_nothing_heavy() -> None:
    """A no-change `make up` asks whether the cluster runs: these would cost more than all the rest."""
    program = "import sys, json, qhub.rehearsal.cluster; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout)
    assert not {"kubernetes", "rich", "trustme", "cryptography", "pulumi"} & set(loaded)
