"""What a pod on the real node can do, and what can be done with it."""

from __future__ import annotations

import socket
import subprocess
import urllib.request

import pytest

from qhub.rehearsal.cluster import EmbeddedCluster
from qhub.rehearsal.cluster.nodes import NODE_LABEL
from tests.engine.node.pods import Pods, until


def test_a_container_runs_as_the_user_it_is_told_and_its_log_is_read(pods: Pods) -> None:
    said = pods.run("busybox id -u; busybox id -g", securityContext={"runAsUser": 1001, "runAsGroup": 100})
    assert said == "1001\n100\n"
    assert {pod["spec"]["nodeName"] for pod in pods.api.items(pods.path("pods"))} == {"real-1"}


def test_a_service_is_reached_by_its_name_and_no_other_name_is_known(pods: Pods) -> None:
    pods.serve("web", "hello from web")
    assert pods.run("busybox wget -qO- http://web/") == "hello from web\n"
    assert pods.run(f"busybox wget -qO- http://web.{pods.namespace}.svc.cluster.local/") == "hello from web\n"
    assert "NXDOMAIN" in pods.run("busybox nslookup example.com. 2>&1; true")


def test_a_pod_reaches_itself_by_its_own_service(pods: Pods) -> None:
    pods.serve("mirror", "me")
    address = f"http://mirror.{pods.namespace}.svc/"  # the bare name is the pod's own as well
    assert pods.kubectl("exec", "mirror", "--", "busybox", "sh", "-c", f"busybox wget -qO- {address}") == "me\n"


def test_a_pod_asks_the_api_server_with_its_service_account(pods: Pods) -> None:
    said = pods.run("kubectl --cache-dir=/tmp auth whoami --output=jsonpath={.status.userInfo.username}")
    assert said == f"system:serviceaccount:{pods.namespace}:default"


def test_nothing_leaves_the_nodes_network(pods: Pods) -> None:
    said = pods.run("busybox wget -qO- http://192.0.2.1/ 2>&1; echo ended with $?")
    assert "ended with 1\n" in said
    assert "No route to host" in said or "Network is unreachable" in said, "it waits for an answer"


def test_exec_and_port_forward(pods: Pods) -> None:
    pods.serve("web", "by a forwarded port")
    told = pods.kubectl("exec", "web", "--", "busybox", "cat", "/www/index.html")
    assert told == "by a forwarded port\n"
    command = pods.kubectl_command("port-forward", "pod/web", ":8080")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as forward:
        try:
            assert forward.stdout is not None
            port = int(forward.stdout.readline().split("->")[0].rpartition(":")[2])
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
                assert answer.read().decode() == "by a forwarded port\n"
        finally:
            forward.kill()


def test_a_load_balancer_is_reached_from_this_machine(cluster: EmbeddedCluster, pods: Pods) -> None:
    pods.serve("web", "through the load balancer")
    pods.service("front", type="LoadBalancer", selector={"app": "web"})
    path = pods.path("services", "front")
    until(lambda: pods.api.get(path)["status"]["loadBalancer"].get("ingress"), "the service has an address")

    port = cluster.expose_service(pods.namespace, "front", 80)

    def ask() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            return answer.read().decode()

    assert until(ask, "the load balancer answers") == "through the load balancer\n"
    assert cluster.expose_service(pods.namespace, "front", 80) == port
    address = pods.api.get(path)["status"]["loadBalancer"]["ingress"][0]["ip"]
    assert pods.run(f"busybox wget -qO- http://{address}/") == "through the load balancer\n"


def test_a_connection_carries_bytes_both_ways_for_as_long_as_it_is_open(cluster: EmbeddedCluster, pods: Pods) -> None:
    pods.make("echo", "while :; do busybox nc -l -p 7000 -e /bin/busybox cat; done")
    address = pods.ready("echo")["status"]["podIP"]
    port = cluster.expose(address, 7000)

    def first() -> socket.socket | None:
        made = socket.create_connection(("127.0.0.1", port), timeout=30)
        made.sendall(b"ping")
        if made.recv(4) == b"ping":
            return made
        made.close()
        return None

    with until(first, "the echo answers") as connection:
        cluster.expose(address, 7001)  # the relay takes a new table meanwhile
        block = bytes(range(256)) * 4096
        connection.sendall(block)
        back = b""
        while len(back) < len(block):
            back += connection.recv(65536)
        assert back == block


def test_simulated_nodes_beside_it_take_only_pods_that_tolerate_them(cluster: EmbeddedCluster, pods: Pods) -> None:
    kinds = {node.kind for node in cluster.status().nodes}
    assert kinds == {"real", "simulated"}
    pods.make(
        "pretended",
        nodeSelector={NODE_LABEL: "simulated"},
        tolerations=[{"key": NODE_LABEL, "operator": "Exists"}],
    )
    assert pods.ready("pretended")["spec"]["nodeName"].startswith("simulated-")
    assert "simulated" in pods.kubectl("logs", "pretended")


@pytest.mark.parametrize("path", ["/var/log/pods", "/run/containerd", "/var/lib/kubelet/pods"])
def test_what_the_node_keeps_is_not_seen_on_the_machine(pods: Pods, path: str) -> None:
    """Whatever the machine has at such a path is its own."""
    pods.make("hidden")
    uid = pods.ready("hidden")["metadata"]["uid"]
    found = subprocess.run(["find", path, "-name", f"*{uid}*"], capture_output=True, text=True, check=False)
    assert found.stdout == ""
