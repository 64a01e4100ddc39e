"""`RealNode`: a node on which containers run, as a source of nodes for an embedded cluster."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from qhub.rehearsal.cluster.api import Api, Json
from qhub.rehearsal.cluster.control_plane import KUBELET_CLIENT, Host
from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.cluster.manifests import RBAC, READ, role, rule, storage_class
from qhub.rehearsal.cluster.network import NODE, Place
from qhub.rehearsal.cluster.pki import Identity
from qhub.rehearsal.cluster.processes import ProcessSpec
from qhub.rehearsal.cluster.state import State
from qhub.rehearsal.node import parts
from qhub.rehearsal.node.files import CONTAINERD_SOCKET
from qhub.rehearsal.node.ground import HOLDER, Ground
from qhub.rehearsal.node.images import Images
from qhub.rehearsal.node.possible import why_not
from qhub.rehearsal.node.programs import Programs, ensure_programs
from qhub.rehearsal.toolchain.table import NODE_TOOLS

NODE_NAME = "real-1"
#: For claims that several pods use at once, by a name of its own; the default class grants this mode as well.
SHARED_CLASS = "shared"

DNS_IDENTITY = Identity("rehearsal:coredns")
KUBELET_CLIENT_IDENTITY = Identity("rehearsal:kubelet-client")

#: Where each part says that it is well, on its port.
HEALTH = {parts.KUBELET: "/healthz", parts.PROXY: "/healthz", parts.DNS: "/ready"}
#: Seconds that a question may take: these answer in milliseconds or not at all.
PROBE_TIMEOUT = 2.0


@dataclass(frozen=True)
class RealNode:
    """One node with containerd, kubelet, kube-proxy and CoreDNS, in a network that nothing leaves."""

    @property
    def kind(self) -> str:
        """What its nodes are called in the status."""
        return parts.REAL

    @property
    def node(self) -> str:
        """Name of the node on which containers run."""
        return NODE_NAME

    @property
    def tools(self) -> Sequence[str]:
        """What has to be built beside the control plane."""
        return NODE_TOOLS

    @property
    def names(self) -> Sequence[str]:
        """Its processes, in the order of their start."""
        return parts.PARTS

    @property
    def ports(self) -> Sequence[str]:
        """Those of its processes that tell their health on a port."""
        return tuple(HEALTH)

    @property
    def identities(self) -> Mapping[str, Identity]:
        """Its parts' users, and the one that the API server shows to kubelet."""
        return {
            parts.KUBELET: Identity(f"system:node:{NODE_NAME}", "system:nodes"),
            parts.PROXY: Identity("system:kube-proxy"),
            parts.DNS: DNS_IDENTITY,
            KUBELET_CLIENT: KUBELET_CLIENT_IDENTITY,
        }

    @property
    def manifests(self) -> Mapping[str, Json]:
        """Rights, the class for shared claims, and CoreDNS under the name that other clusters have it by."""
        names = {"name": "kube-dns", "namespace": "kube-system"}
        ports = [{"name": name, "port": 53, "protocol": name.upper()} for name in ("udp", "tcp")]
        return {
            **role(
                DNS_IDENTITY.user,
                [
                    rule(["services", "pods", "namespaces", "nodes"], READ),
                    rule(["endpointslices"], READ, group="discovery.k8s.io"),
                ],
            ),
            **_kubelet_client(),
            **_config_map_readers(),
            f"/apis/storage.k8s.io/v1/storageclasses/{SHARED_CLASS}": storage_class(SHARED_CLASS),
            "/api/v1/namespaces/kube-system/services/kube-dns": {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": names,
                "spec": {"clusterIP": "10.96.0.10", "ports": ports},
            },
            "/apis/discovery.k8s.io/v1/namespaces/kube-system/endpointslices/kube-dns": {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {**names, "labels": {"kubernetes.io/service-name": "kube-dns"}},
                "addressType": "IPv4",
                "endpoints": [{"addresses": [NODE.advertised]}],
                "ports": ports,
            },
        }

    def why_not(self) -> str | None:
        """Say why none can run on this machine."""
        return why_not()

    def ground(self, layout: Layout) -> Ground:
        """Return where the whole cluster lives because of this node."""
        return Ground(layout)

    def images(self, layout: Layout, place: Place) -> Images:
        """Return the images of the running node."""
        return Images(layout, place, self.programs(layout))

    def processes(self, host: Host) -> Sequence[ProcessSpec]:
        """Return the parts of the node; files that they read are written here."""
        programs = self.programs(host.layout)
        return (
            parts.containerd(host, programs),
            parts.kubelet(host, programs),
            parts.kube_proxy(host, programs),
            parts.coredns(host, programs, context=host.context),
        )

    def attach(self, api: Api, *, host: Host, first: bool) -> None:
        """Nothing to do: kubelet makes its node itself."""

    def needs(self, name: str) -> Sequence[str]:
        """Return what has to be ready before a process: kubelet ends when containerd does not answer."""
        return (parts.CONTAINERD,) if name == parts.KUBELET else ()

    def before(self, name: str, host: Host, *, report: Callable[[str], None]) -> None:
        """Get what has to be there before the process `name`: the image of every pod, before kubelet makes one."""
        if name == parts.KUBELET:
            self.images(host.layout, host.place).ensure_pause(report=report)

    def ready(self, name: str, *, layout: Layout, state: State) -> bool:
        """Tell whether a part of the node is well."""
        if name == parts.CONTAINERD:
            return _listens(Path(f"/proc/{state.pids.get(HOLDER, 0)}/root{CONTAINERD_SOCKET}"))
        return _answers(state.ports[name], HEALTH[name])

    def programs(self, layout: Layout, *, report: Callable[[str], None] = lambda _: None) -> Programs:
        """Return the programs that come from packages, fetching them the first time."""
        return ensure_programs(layout.run / "bin", report=report)


def _config_map_readers() -> dict[str, Json]:
    """Return the right of every service account to read ConfigMaps.

    Dask Gateway's chart asks for Traefik 3.3 and gives it the rights that this one needs. Under its name the node runs
    3.5, which serves nothing before it may read ConfigMaps as well, in whichever namespace it is.
    """
    return role("system:serviceaccounts", [rule(["configmaps"], READ)], name="qhub-config-map-readers", kind="Group")


def _kubelet_client() -> dict[str, Json]:
    """Return the binding that lets the API server ask kubelet everything, by Kubernetes' own role for it."""
    user = KUBELET_CLIENT_IDENTITY.user
    name = user.replace(":", "-")
    return {
        f"{RBAC}/clusterrolebindings/{name}": {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:kubelet-api-admin",
            },
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        }
    }


def _listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(PROBE_TIMEOUT)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PROBE_TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
