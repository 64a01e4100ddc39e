"""The processes of a real node: containerd, kubelet, kube-proxy and CoreDNS, each with the files that it reads."""

from __future__ import annotations

import json
from pathlib import Path

from qhub.rehearsal.cluster.control_plane import API_SERVER, Host
from qhub.rehearsal.cluster.layout import write_private
from qhub.rehearsal.cluster.network import NODE
from qhub.rehearsal.cluster.nodes import NODE_LABEL
from qhub.rehearsal.cluster.processes import ProcessSpec
from qhub.rehearsal.node import files
from qhub.rehearsal.node.groups import group_name
from qhub.rehearsal.node.programs import Programs

CONTAINERD = "containerd"
KUBELET = "kubelet"
PROXY = "kube-proxy"
DNS = "coredns"
#: In the order of their start.
PARTS = (CONTAINERD, KUBELET, PROXY, DNS)

#: Value of the label `NODE_LABEL` of a node that runs containers.
REAL = "real"


def containerd(host: Host, programs: Programs) -> ProcessSpec:
    """Return containerd. Its shims and the containers outlive it."""
    network = host.layout.run / "cni"
    network.mkdir(exist_ok=True)
    write_private(network / "10-qhub.conflist", json.dumps(files.cni_config(), indent=1))
    config = host.layout.run / "containerd.toml"
    content = files.containerd_config(runc=programs.find("runc"), cni=programs.cni, cni_config=network)
    write_private(config, content)
    return _spec(host, programs, CONTAINERD, programs.find(CONTAINERD), {"config": config})


def kubelet(host: Host, programs: Programs) -> ProcessSpec:
    """Return kubelet, which brings up the node `host.node`."""
    names = host.layout.run / "resolv.conf"
    write_private(names, "# pods get the cluster's own; nobody else is asked\n")
    config = host.layout.run / "kubelet.json"
    content = files.kubelet_config(
        health_port=host.ports[KUBELET],
        group=f"/{group_name(host.layout.folder)}",
        authority=host.pki.certificate("ca"),
        certificate=host.pki.certificate(API_SERVER),
        key=host.pki.key(API_SERVER),
        names=names,
    )
    write_private(config, json.dumps(content, indent=1))
    flags = {
        "config": config,
        "kubeconfig": host.kubeconfig(KUBELET),
        "root-dir": "/var/lib/kubelet",
        "cert-dir": "/var/lib/kubelet/pki",
        "hostname-override": host.node,
        "node-ip": NODE.advertised,
        "node-labels": f"{NODE_LABEL}={REAL}",
        "v": 1,
    }
    return _spec(host, programs, KUBELET, host.tool(KUBELET), flags)


def kube_proxy(host: Host, programs: Programs) -> ProcessSpec:
    """Return kube-proxy. Its rules stay where they are when it ends."""
    flags = {
        "kubeconfig": host.kubeconfig(PROXY),
        "proxy-mode": "iptables",
        "hostname-override": host.node,
        "cluster-cidr": files.PODS,
        "healthz-bind-address": f"127.0.0.1:{host.ports[PROXY]}",
        # The tables of connections have the machine's limits, which a network of one's own cannot change.
        "conntrack-max-per-core": 0,
        "conntrack-tcp-timeout-established": 0,
        "conntrack-tcp-timeout-close-wait": 0,
    }
    return _spec(host, programs, PROXY, host.tool(PROXY), flags)


def coredns(host: Host, programs: Programs, *, context: str) -> ProcessSpec:
    """Return CoreDNS, at the node's address. `context`: the one of its kubeconfig."""
    config = host.layout.run / "Corefile"
    content = files.corefile(ready_port=host.ports[DNS], kubeconfig=host.kubeconfig(DNS), context=context)
    write_private(config, content)
    return _spec(host, programs, DNS, host.tool(DNS), {"conf": config})


def _spec(host: Host, programs: Programs, name: str, program: Path, flags: dict[str, object]) -> ProcessSpec:
    command = (*host.place.enter_node, str(program), *(f"--{flag}={value}" for flag, value in flags.items()))
    return ProcessSpec(name, command, host.layout.log(name), environment=programs.environment)
