"""The configuration files of a real node's parts, as pure functions. Paths are those that the node sees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qhub.rehearsal.cluster.network import NODE

Json = dict[str, Any]

#: Addresses of pods: the node's /16 holds more than the 110 that kubelet takes.
PODS = "10.97.0.0/16"
DOMAIN = "cluster.local"
#: The image that holds a pod's namespaces; see `images.pause_image`.
PAUSE = "qhub.local/pause:1"
CONTAINERD_SOCKET = "/run/containerd/containerd.sock"


def containerd_config(*, runc: Path, cni: Path, cni_config: Path) -> str:
    """Return containerd's configuration, which is TOML: what is not said is its default."""
    strings = {"runc": str(runc), "plugins": str(cni), "config": str(cni_config)}
    quoted = {name: json.dumps(value) for name, value in strings.items()}  # a JSON string is a TOML string
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # A machine may forbid a lower oom_score_adj than one's own, and runc dies of it.
  restrict_oom_score_adj = true
  # A profile would be loaded into the machine's own kernel, and stay there.
  disable_apparmor = true
  # With the node's own mounts, so that they end with it.
  netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = {quoted["runc"]}
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = {quoted["plugins"]}
  conf_dir = {quoted["config"]}
"""


def cni_config() -> Json:
    """Return the network of pods: a cable from each to the node, which routes; no bridge, so that kube-proxy's rules
    see what pods of one node say to each other without a module of the kernel."""
    return {
        "cniVersion": "0.4.0",
        "name": "qhub",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": False,  # nothing leaves the node's network
                "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]},
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def kubelet_config(*, health_port: int, group: str, authority: Path, certificate: Path, key: Path, names: Path) -> Json:
    """Return kubelet's configuration.

    Args:
        health_port: on the node's 127.0.0.1.
        group: control group below which all pods are, as `/qhub-...`.
        authority: who signs the certificates of kubelet's clients.
        certificate, key: what kubelet shows.
        names: a resolv.conf for pods with a policy of their own: it names no server.
    """
    disks = ("nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": NODE.advertised,
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": health_port,
        "tlsCertFile": str(certificate),
        "tlsPrivateKeyFile": str(key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        "clusterDNS": [NODE.advertised],
        "clusterDomain": DOMAIN,
        "resolvConf": str(names),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": group,
        "failCgroupV1": False,  # many machines still have version 1
        "enforceNodeAllocatable": [],  # the machine's own processes are not the node's to limit
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "oomScoreAdj": 0,  # see restrict_oom_score_adj
        # Images are imported and cannot be pulled again, and how full the disk is is the user's own business: nothing
        # is ever thrown out for it.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {"memory.available": "100Mi", **dict.fromkeys(disks, "0%")},
        "serializeImagePulls": False,
    }


def corefile(*, ready_port: int, kubeconfig: Path, context: str) -> str:
    """Return CoreDNS' configuration: names of the cluster, and at once "there is no such name" for all others."""
    return f"""\
{DOMAIN}:53 in-addr.arpa:53 ip6.arpa:53 {{
    bind {NODE.advertised}
    errors
    ready 127.0.0.1:{ready_port}
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig} {context}
        pods insecure
        ttl 5
    }}
    cache 5
}}
.:53 {{
    bind {NODE.advertised}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def relay_table(ports: Mapping[str, int], exposed: Mapping[str, int]) -> Json:
    """Return what the relay serves: for each port on this machine, address and port in the node's network.

    `ports` are the cluster's own, the same on both sides; `exposed` has a port by `ADDRESS:PORT`.
    """
    table: Json = {str(port): ["127.0.0.1", port] for port in ports.values()}
    for target, port in exposed.items():
        address, _, inside = target.rpartition(":")
        table[str(port)] = [address, int(inside)]
    return table
