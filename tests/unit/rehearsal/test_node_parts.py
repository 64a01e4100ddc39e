"""The pure parts of a real node: configuration, command lines, image archives, control groups, why there is none."""

from __future__ import annotations

import ipaddress
import json
import tarfile
import tomllib
from pathlib import Path
from typing import ClassVar

import pytest

from qhub.rehearsal.cluster import ClusterError, EmbeddedCluster
from qhub.rehearsal.cluster import control_plane as plane
from qhub.rehearsal.cluster.controllers import load_balancer, storage
from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.cluster.network import LOOPBACK, NODE, Place
from qhub.rehearsal.cluster.state import State, load_state, save_state
from qhub.rehearsal.node import files, groups, possible
from qhub.rehearsal.node.archive import full_name, image_names, write_archive
from qhub.rehearsal.node.ground import SETUP


@pytest.fixture
def host(tmp_path: Path) -> plane.Host:
    layout = Layout(tmp_path / "cluster")
    layout.make_folders()
    ports = {name: 20000 + number for number, name in enumerate(plane.PORTS)}
    place = Place(network=NODE, enter=("enter",), enter_node=("enter", "node"))
    return plane.Host(layout=layout, ports=ports, tool=lambda name: Path("/tools") / name, place=place, node="real-1")


class TestTheNetwork:
    def test_no_two_ranges_meet(self) -> None:
        names = (NODE.services, NODE.load_balancers, files.PODS, f"{NODE.advertised}/24", LOOPBACK.services)
        ranges = [ipaddress.ip_network(name, strict=False) for name in (*names, LOOPBACK.load_balancers)]
        assert not [1 for one in ranges for other in ranges if one is not other and one.overlaps(other)]

    def test_the_first_service_is_the_one_of_the_api_server(self) -> None:
        for network in (NODE, LOOPBACK):
            assert str(next(ipaddress.ip_network(network.services).hosts())) == network.kubernetes

    def test_the_script_that_makes_it_has_the_same_addresses(self) -> None:
        script = SETUP.read_text()
        for said in (f"address add {NODE.advertised}/24", f"add {NODE.services}", f"add {NODE.load_balancers}"):
            assert said in script

    def test_the_whole_control_plane_lives_in_it(self, host: plane.Host) -> None:
        specs = [plane.etcd(host), plane.api_server(host), plane.controller_manager(host), plane.scheduler(host)]
        for spec in (*specs, plane.controllers(host)):
            assert spec.command[0] == "enter"
        server = plane.api_server(host).command
        assert {f"--advertise-address={NODE.advertised}", "--endpoint-reconciler-type=lease"} <= set(server)
        assert f"--service-cluster-ip-range={NODE.services}" in server

    def test_the_api_server_shows_kubelet_a_certificate_only_where_there_is_one(self, host: plane.Host) -> None:
        def shown(host: plane.Host) -> list[str]:
            return [flag for flag in plane.api_server(host).command if "kubelet-client" in flag]

        assert len(shown(host)) == 2
        assert shown(plane.Host(layout=host.layout, ports=host.ports, tool=host.tool)) == []


class TestFiles:
    def test_containerd_takes_paths_with_any_character(self) -> None:
        text = files.containerd_config(runc=Path('/a "b"/runc'), cni=Path("/c\\d"), cni_config=Path("/run/cni"))
        cri = tomllib.loads(text)["plugins"]["io.containerd.grpc.v1.cri"]
        assert cri["containerd"]["runtimes"]["runc"]["options"]["BinaryName"] == '/a "b"/runc'
        assert cri["cni"] == {"bin_dir": "/c\\d", "conf_dir": "/run/cni"}
        assert cri["sandbox_image"] == files.PAUSE

    def test_kubelet_lets_nobody_in_without_a_certificate_and_throws_no_image_out(self) -> None:
        made = files.kubelet_config(
            health_port=1,
            group="/qhub-x",
            authority=Path("/ca"),
            certificate=Path("/c"),
            key=Path("/k"),
            names=Path("/n"),
        )
        assert made["authentication"]["anonymous"] == {"enabled": False}
        assert made["authorization"] == {"mode": "Webhook"}
        assert made["imageGCHighThresholdPercent"] == 100
        assert made["evictionHard"]["imagefs.available"] == "0%"
        assert made["cgroupRoot"] == "/qhub-x"

    def test_names_of_the_cluster_are_known_and_no_server_is_asked_for_others(self) -> None:
        text = files.corefile(ready_port=20007, kubeconfig=Path("/run/k"), context="qhub-own")
        assert "kubernetes cluster.local in-addr.arpa ip6.arpa {" in text
        assert "kubeconfig /run/k qhub-own" in text
        assert "forward" not in text

    def test_the_relay_leads_each_port_to_its_own_and_exposed_ones_to_their_goal(self) -> None:
        table = files.relay_table({"kube-apiserver": 20001}, {"10.98.0.1:443": 20002})
        assert table == {"20001": ["127.0.0.1", 20001], "20002": ["10.98.0.1", 443]}


class TestVolumes:
    DISKS = storage.NodeDisks("real-1", Path("/cluster/node/volumes"), plane.NODE_VOLUMES)
    CLASS: ClassVar = {"metadata": {"name": "standard"}, "provisioner": "rehearsal.qhub.dev/disk"}

    def make(self, **spec: object) -> list[object]:
        annotations = {storage.ASKED: "rehearsal.qhub.dev/disk"}
        claim = {
            "metadata": {"namespace": "team", "name": "data", "uid": "u1", "annotations": annotations},
            "spec": {"storageClassName": "standard", "resources": {"requests": {"storage": "1Gi"}}, **spec},
        }
        world = {storage.CLAIMS: [claim], storage.VOLUMES: [], storage.CLASSES: [self.CLASS]}
        return list(storage.reconcile(world, disks=self.DISKS))

    @pytest.mark.parametrize(
        ("modes", "source"),
        [
            (["ReadWriteOnce"], {"local": {"path": "/var/lib/qhub/volumes/pvc-u1"}}),
            (["ReadWriteMany"], {"hostPath": {"path": "/var/lib/qhub/volumes/pvc-u1", "type": "Directory"}}),
        ],
    )
    def test_a_claim_gets_a_folder_on_the_node(self, modes: list[str], source: dict[str, object]) -> None:
        [action] = self.make(accessModes=modes)
        assert isinstance(action, storage.Create)
        assert action.folder == Path("/cluster/node/volumes/pvc-u1")
        assert source.items() <= action.body["spec"].items()
        assert "real-1" in json.dumps(action.body["spec"]["nodeAffinity"])

    def test_a_block_device_is_refused_in_words(self) -> None:
        [action] = self.make(accessModes=["ReadWriteOnce"], volumeMode="Block")
        assert isinstance(action, storage.Warn)
        assert "no block devices" in action.message

    def test_the_folder_goes_with_the_volume(self) -> None:
        volume = {
            "metadata": {
                "name": "pvc-u1",
                "uid": "v1",
                "annotations": {storage.PROVISIONED_BY: "rehearsal.qhub.dev/disk"},
            },
            "spec": {"persistentVolumeReclaimPolicy": "Delete"},
            "status": {"phase": "Released"},
        }
        world = {storage.CLAIMS: [], storage.VOLUMES: [volume], storage.CLASSES: [self.CLASS]}
        [action] = storage.reconcile(world, disks=self.DISKS)
        assert isinstance(action, storage.Delete)
        assert action.folder == Path("/cluster/node/volumes/pvc-u1")


def test_a_load_balancer_of_a_real_node_is_served_by_kube_proxy() -> None:
    service = {
        "metadata": {"namespace": "team", "name": "front", "uid": "u"},
        "spec": {"type": "LoadBalancer"},
        "status": {},
    }
    pool = load_balancer.Pool(ipaddress.IPv4Network(NODE.load_balancers), NODE.load_balancer_mode)
    kind = load_balancer.Kind(pool=pool)
    [action] = load_balancer.reconcile({load_balancer.SERVICES: [service]}, kind=kind)
    assert isinstance(action, load_balancer.Patch)
    assert action.body["status"]["loadBalancer"]["ingress"] == [{"ip": "10.98.0.1", "ipMode": "VIP"}]


class TestArchives:
    def write(self, path: Path, name: str = "team/notebook:1") -> Path:
        write_archive(
            path, name=name, architecture="amd64", files={"bin/tool": (b"content", 0o755)}, config={"User": "1000"}
        )
        return path

    def test_what_is_written_has_the_name_and_the_same_bytes_each_time(self, tmp_path: Path) -> None:
        first, second = self.write(tmp_path / "a.tar"), self.write(tmp_path / "b.tar")
        assert image_names(first) == ["docker.io/team/notebook:1"]
        assert first.read_bytes() == second.read_bytes()
        with tarfile.open(first) as archive:
            [image] = json.load(archive.extractfile("manifest.json"))  # ty: ignore[invalid-argument-type]
            assert json.load(archive.extractfile(image["Config"]))["config"] == {"User": "1000"}  # ty: ignore[invalid-argument-type]

    @pytest.mark.parametrize("content", [b"", b"no archive at all"])
    def test_another_file_is_refused_in_words(self, tmp_path: Path, content: bytes) -> None:
        other = tmp_path / "other"
        other.write_bytes(content)
        with pytest.raises(ValueError, match=r"is no image archive|holds no image"):
            image_names(other)

    @pytest.mark.parametrize(
        ("short", "full"),
        [
            ("shell:1", "docker.io/library/shell:1"),
            ("team/shell:1", "docker.io/team/shell:1"),
            ("quay.io/team/shell:1", "quay.io/team/shell:1"),
            ("localhost/shell:1", "localhost/shell:1"),
            ("registry:5000/shell:1", "registry:5000/shell:1"),
        ],
    )
    def test_names_are_spelled_as_containerd_does(self, short: str, full: str) -> None:
        assert full_name(short) == full


class TestControlGroups:
    def test_two_folders_never_share_one(self) -> None:
        names = {groups.group_name(Path(folder)) for folder in ("/a/local", "/b/local", "/a/other")}
        assert len(names) == 3

    def test_each_tree_of_version_1_and_the_one_of_version_2(self, tmp_path: Path) -> None:
        for name in ("cpu", "memory", "unified"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "cgroup.procs").touch()
        (tmp_path / "cpuacct").symlink_to("cpu")
        assert [top.name for top in groups.hierarchies(tmp_path)] == ["cpu", "memory", "unified"]
        (tmp_path / "cgroup.controllers").touch()
        assert groups.hierarchies(tmp_path) == [tmp_path]


class TestWhyNot:
    @pytest.mark.parametrize(
        ("attribute", "value", "said"),
        [
            ("platform.system", lambda: "Darwin", "containers need Linux, and this is Darwin"),
            ("os.geteuid", lambda: 1000, "only root may"),
            ("shutil.which", lambda name: None, "is not on PATH"),
        ],
    )
    def test_it_is_one_line(self, monkeypatch: pytest.MonkeyPatch, attribute: str, value: object, said: str) -> None:
        monkeypatch.setattr(possible, "_kernel", lambda: None)
        monkeypatch.setattr(possible, "_control_groups", lambda: None)
        if attribute == "shutil.which":
            monkeypatch.setattr(possible, "_user", lambda: None)
        monkeypatch.setattr(f"qhub.rehearsal.node.possible.{attribute}", value)
        why = possible.why_not()
        assert why is not None
        assert said in why
        assert "\n" not in why


class TestTheKindIsRemembered:
    def test_another_kind_is_refused_before_anything_starts(self, tmp_path: Path) -> None:
        layout = Layout(tmp_path / "own")
        layout.make_folders()
        save_state(layout.state, State(ports={"etcd": 1}, nodes="real"))
        with pytest.raises(ClusterError, match="has real nodes, which cannot become simulated"):
            EmbeddedCluster("own", layout.folder, kind="simulated").start()

    def test_a_cluster_of_before_has_simulated_ones(self, tmp_path: Path) -> None:
        layout = Layout(tmp_path / "own")
        layout.make_folders()
        save_state(layout.state, State(ports={"etcd": 1}))
        with pytest.raises(ClusterError, match="has simulated nodes"):
            EmbeddedCluster("own", layout.folder, kind="real").start()
        assert load_state(layout.state).nodes == ""

    def test_a_cluster_without_a_real_node_has_nothing_to_reach_inside(self, tmp_path: Path) -> None:
        cluster = EmbeddedCluster("own", tmp_path / "own")
        with pytest.raises(ClusterError, match="has no real node"):
            cluster.expose("10.98.0.1", 443)
        with pytest.raises(ClusterError, match="has no real node"):
            cluster.import_images([])
