"""The command lines of the control plane. A flag that does not speak for itself has its reason beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.cluster.network import Place
from qhub.rehearsal.cluster.pki import Pki
from qhub.rehearsal.cluster.processes import ProcessSpec
from qhub.rehearsal.paths import CACHE_VARIABLES

ETCD = "etcd"
ETCD_PEER = "etcd-peer"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
CONTROLLERS = "controllers"
KEEPER = "keeper"

#: What has to be built or found for them.
TOOLS = (ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER)

#: Ports that every cluster needs, all on 127.0.0.1.
PORTS = (API_SERVER, ETCD, ETCD_PEER, CONTROLLER_MANAGER, SCHEDULER)

#: The client certificate that the API server shows to kubelets.
KUBELET_CLIENT = "kubelet-client"

#: Folder of a real node's volumes, as the node sees it.
NODE_VOLUMES = "/var/lib/qhub/volumes"


@dataclass(frozen=True)
class Host:
    """What a command line is made of.

    Attributes:
        layout: the cluster's files.
        ports: its ports by process.
        tool: where the tools are.
        place: where its processes are started.
        node: name of the real node, where there is one.
        context: the context of every kubeconfig.
    """

    layout: Layout
    ports: Mapping[str, int]
    tool: Callable[[str], Path]
    place: Place = field(default_factory=Place)
    node: str = ""
    context: str = ""

    @property
    def pki(self) -> Pki:
        """The cluster's keys and certificates."""
        return Pki(self.layout.pki)

    def kubeconfig(self, identity: str) -> Path:
        """Return the path of a component's own kubeconfig; it is written before the component starts."""
        return self.layout.run / f"{identity}.kubeconfig"

    def spec(self, name: str, *flags: str) -> ProcessSpec:
        """Return the process `name` with `flags`, logging to the cluster's log folder."""
        return ProcessSpec(name, (*self.place.enter, str(self.tool(name)), *flags), self.layout.log(name))


def etcd(host: Host) -> ProcessSpec:
    """Return the database. TLS both ways: on a shared machine loopback alone lets every user in."""
    client, peer = (f"https://127.0.0.1:{host.ports[name]}" for name in (ETCD, ETCD_PEER))
    flags = {
        "data-dir": host.layout.etcd_data,
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,  # one member has no peers, but etcd will not start without
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "cert-file": host.pki.certificate("etcd"),
        "key-file": host.pki.key("etcd"),
        "trusted-ca-file": host.pki.certificate("etcd-ca"),
        "client-cert-auth": "true",
        "peer-cert-file": host.pki.certificate("etcd"),
        "peer-key-file": host.pki.key("etcd"),
        "peer-trusted-ca-file": host.pki.certificate("etcd-ca"),
        "peer-client-cert-auth": "true",
        # Rehearsal data: a killed process loses nothing, a power cut may. Many times faster on a slow disk.
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }
    return host.spec(ETCD, *_flags(flags))


def api_server(host: Host) -> ProcessSpec:
    """Return the API server. Anonymous requests are refused, RBAC decides on all others."""
    pki, network = host.pki, host.place.network
    flags = {
        "etcd-servers": f"https://127.0.0.1:{host.ports[ETCD]}",
        "etcd-cafile": pki.certificate("etcd-ca"),
        "etcd-certfile": pki.certificate("etcd-client"),
        "etcd-keyfile": pki.key("etcd-client"),
        "bind-address": network.bind,
        "secure-port": host.ports[API_SERVER],
        "advertise-address": network.advertised,
        "endpoint-reconciler-type": network.endpoints,
        "tls-cert-file": pki.certificate(API_SERVER),
        "tls-private-key-file": pki.key(API_SERVER),
        "client-ca-file": pki.certificate("ca"),
        "anonymous-auth": "false",
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "allow-privileged": "true",  # an NFS server in a pod has to be
        "service-cluster-ip-range": network.services,
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": pki.certificate("service-account"),
        "service-account-signing-key-file": pki.key("service-account"),
        # Simulated nodes say "localhost" as external name, where kwok serves their logs; a real node has none.
        "kubelet-preferred-address-types": "ExternalDNS,InternalIP",
        # kwok asks for no certificate; a kubelet does, and both show one of ours.
        "kubelet-certificate-authority": pki.certificate("ca"),
        **(
            {
                "kubelet-client-certificate": pki.certificate(KUBELET_CLIENT),
                "kubelet-client-key": pki.key(KUBELET_CLIENT),
            }
            if host.node
            else {}
        ),
        "profiling": "false",
    }
    return host.spec(API_SERVER, *_flags(flags))


def controller_manager(host: Host) -> ProcessSpec:
    """Return the controllers of Kubernetes itself, each with its own service account."""
    flags = {
        **_component(host, CONTROLLER_MANAGER),
        "service-account-private-key-file": host.pki.key("service-account"),
        "root-ca-file": host.pki.certificate("ca"),
        "use-service-account-credentials": "true",
        # The default of 20 requests a second alone makes a first start take 5 s longer.
        "kube-api-qps": 1000,
        "kube-api-burst": 1000,
        # A claim that names a volume made in the same moment is bound at the next look; the default is every 15 s.
        "pvclaimbinder-sync-period": "1s",
        # Growing a volume is our storage controller's; this one would only add an event that it waits for it.
        "controllers": "*,-persistentvolume-expander-controller",
    }
    return host.spec(CONTROLLER_MANAGER, *_flags(flags))


def scheduler(host: Host) -> ProcessSpec:
    """Return the scheduler, with its defaults: pods land where they would on a managed cluster."""
    return host.spec(SCHEDULER, *_flags(_component(host, SCHEDULER)))


def controllers(host: Host) -> ProcessSpec:
    """Return our own controllers: disks and load balancers."""
    network = host.place.network
    volumes = {"volumes": host.layout.node_volumes, "node": host.node} if host.node else {}
    command = (
        *host.place.enter,
        sys.executable,
        "-P",  # no import from the current folder, which is the cluster's
        "-m",
        "qhub.rehearsal.cluster.controllers",
        *_flags({
            "port": host.ports[API_SERVER],
            "pki": host.layout.pki,
            "ready-file": ready_file(host.layout, CONTROLLERS),
            "load-balancers": network.load_balancers,
            "load-balancer-mode": network.load_balancer_mode,
            **volumes,
        }),
    )  # fmt: skip
    return ProcessSpec(CONTROLLERS, command, host.layout.log(CONTROLLERS))


def keeper(host: Host, name: str) -> ProcessSpec:
    """Return the process that starts again what ends of the cluster `name`. It lives where a command does."""
    module = (sys.executable, "-P", "-m", "qhub.rehearsal.cluster.keeper")
    command = (*module, *_flags({"name": name, "folder": host.layout.folder}))
    # It looks for tools where the one who started the cluster has them.
    environment = {name: os.environ[name] for name in CACHE_VARIABLES if name in os.environ}
    return ProcessSpec(KEEPER, command, host.layout.log(KEEPER), environment=environment)


def ready_file(layout: Layout, name: str) -> Path:
    """Return the file in which a process of ours says that it is ready; it holds its process id.

    Our controllers make it once they have read the cluster, the keeper when it begins.
    """
    return layout.run / f"{name}.ready"


def _component(host: Host, name: str) -> dict[str, object]:
    return {
        "kubeconfig": host.kubeconfig(name),
        "bind-address": "127.0.0.1",
        "secure-port": host.ports[name],  # for /healthz; everything else there is refused
        "tls-cert-file": host.pki.certificate(API_SERVER),
        "tls-private-key-file": host.pki.key(API_SERVER),
        "leader-elect": "false",  # there is one; electing it would cost 15 s after a kill
        "profiling": "false",
    }


def _flags(flags: Mapping[str, object]) -> Iterable[str]:
    return [f"--{name}={value}" for name, value in flags.items()]
