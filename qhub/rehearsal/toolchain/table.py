"""The tools that a rehearsal runs: where each is built from, and which official release of it is good enough.

| tool | what for |
|---|---|
| `pulumi`, `pulumi-language-python` | the engine, and what lets it run a Python program |
| `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `etcd` | the embedded control plane |
| `kwok` | simulated nodes |
| `kubelet`, `kube-proxy`, `coredns` | a real node; a cluster with simulated nodes alone needs none of them |
| `helm`, `kubectl` | installing charts; looking at the cluster |

Versions are not repeated here: they are read from `toolchain/<module>/go.mod`.
"""

from __future__ import annotations

from dataclasses import dataclass

from qhub.rehearsal.toolchain.version import Version

_KUBERNETES_VERSION = "k8s.io/component-base/version"


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One executable.

    Attributes:
        name: file name of the executable.
        module: sub-folder of `toolchain/` with the `go.mod` that fixes its version.
        requires: path of the Go module in that `go.mod` whose version is the tool's.
        package: Go package of the executable.
        stamps: linker variables that receive the version, as `variable -> template`; the template may use
            `{version}` (with its `v`), `{major}` and `{minor}`. `go build` alone leaves them empty.
        scripts: files of the Go module, by path in it, that must lie beside the executable.
        prelude: a line of Python that is put in front of each of them, below its first line.
        cold_seconds: build time with cold caches, see `REFERENCE_CORES`; for all but the first Kubernetes tool,
            after the first, because they share packages.
        asks: arguments that make an official release tell its version; None where it tells none.
        minimum: lowest version of an official release that is used.
        below: first version of an official release that is not used any more.
        reason: why `minimum` and `below` are what they are.
        family: tools of one family are taken from PATH all together or not at all.
        node: it is needed for a real node alone, and built only where one can run or where it is asked for by name.
    """

    name: str
    module: str
    requires: str
    package: str
    stamps: tuple[tuple[str, str], ...]
    cold_seconds: int
    asks: tuple[str, ...] | None
    minimum: Version
    reason: str
    family: str
    below: Version | None = None
    scripts: tuple[str, ...] = ()
    prelude: str = ""
    node: bool = False


#: The `cold_seconds` are for this many cores, go 1.26.8 and downloads from a near mirror: of `pulumi` and its language
#: host as measured on 2026-11-23, of the others from the processor time on 2026-11-26, on a machine that did more: 718
#: seconds for all of Kubernetes, 126 for `helm`, the rest by how much of their source is in no tool before them.
REFERENCE_CORES = 2


def _kubernetes(name: str, *, cold_seconds: int, family: str = "control plane") -> Tool:
    node = family == "node"
    return Tool(
        name=name,
        module="kubernetes",
        requires="k8s.io/kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        stamps=(
            (f"{_KUBERNETES_VERSION}.gitVersion", "{version}"),
            (f"{_KUBERNETES_VERSION}.gitMajor", "{major}"),
            (f"{_KUBERNETES_VERSION}.gitMinor", "{minor}"),
        ),
        cold_seconds=cold_seconds,
        asks=("version", "--client") if family == "kubectl" else ("--version",),
        minimum=(1, 35, 0) if node else (1, 30, 0),
        # A kubelet may be older than its API server, never newer: what we build as API server is the bound.
        below=(1, 36, 0) if node else None,
        reason="a kubelet before 1.35 that starts again takes every pod out of its Services until it was probed, "
        "and no part of a node may be newer than the API server"
        if node
        else "the dask-gateway chart asks for Kubernetes 1.30, the highest demand of the charts in use",
        family=family,
        node=node,
    )


_PULUMI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
_PULUMI_REASON = "the Python SDK in use asks for an engine of 3.240 or newer"

_TOOLS = (
    _kubernetes("kube-apiserver", cold_seconds=224),
    _kubernetes("kube-controller-manager", cold_seconds=49),
    _kubernetes("kube-scheduler", cold_seconds=4),
    _kubernetes("kubectl", cold_seconds=21, family="kubectl"),
    _kubernetes("kubelet", cold_seconds=73, family="node"),
    _kubernetes("kube-proxy", cold_seconds=8, family="node"),
    Tool(
        name="pulumi",
        module="pulumi",
        requires="github.com/pulumi/pulumi/pkg/v3",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        stamps=((_PULUMI_VERSION, "{version}"),),
        cold_seconds=183,
        asks=("version",),
        minimum=(3, 240, 0),
        reason=_PULUMI_REASON,
        family="engine",
    ),
    Tool(
        name="pulumi-language-python",
        module="pulumi-language-python",
        requires="github.com/pulumi/pulumi/sdk/v3",
        package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
        stamps=((_PULUMI_VERSION, "{version}"),),
        scripts=("python/cmd/pulumi-language-python-exec",),
        # When an update fails, the engine ends the program by an interrupt; Python would print a traceback for it.
        prelude="import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)",
        cold_seconds=19,
        asks=None,  # it only speaks gRPC; an official one has the version of the `pulumi` that it came with
        minimum=(3, 240, 0),
        reason=_PULUMI_REASON,
        family="engine",
    ),
    Tool(
        name="kwok",
        module="kwok",
        requires="sigs.k8s.io/kwok",
        package="sigs.k8s.io/kwok/cmd/kwok",
        stamps=(("sigs.k8s.io/kwok/pkg/consts.Version", "{version}"),),
        cold_seconds=20,
        asks=("--version",),
        minimum=(0, 8, 0),
        reason="our node and pod stages were tried with 0.8, and a 0.x release promises nothing about older ones",
        family="kwok",
    ),
    Tool(
        name="helm",
        module="helm",
        requires="helm.sh/helm/v3",
        package="helm.sh/helm/v3/cmd/helm",
        stamps=(("helm.sh/helm/v3/internal/version.version", "{version}"),),
        cold_seconds=65,
        asks=("version", "--short"),
        minimum=(3, 18, 0),
        below=(4, 0, 0),
        reason="3.18 is the first that checks values by JSON schemas of draft 2020-12; "
        "helm 4 has other flags and other ways to apply",
        family="helm",
    ),
    Tool(
        name="etcd",
        module="etcd",
        requires="go.etcd.io/etcd/server/v3",
        package="go.etcd.io/etcd/server/v3",
        stamps=(),
        cold_seconds=12,
        asks=("--version",),
        minimum=(3, 5, 24),
        reason="Kubernetes 1.35 supports no etcd older than 3.5.24",
        family="etcd",
    ),
    Tool(
        name="coredns",
        module="coredns",
        requires="github.com/coredns/coredns",
        package="qhub.dev/toolchain/coredns",
        stamps=(),
        cold_seconds=15,
        asks=("-version",),
        minimum=(1, 11, 0),
        reason="our Corefile was tried with 1.15; 1.11 is what Kubernetes 1.30 came with",
        family="coredns",
        node=True,
    ),
)

#: Every tool by name.
TOOLS: dict[str, Tool] = {tool.name: tool for tool in _TOOLS}
#: What a real node needs beside the control plane.
NODE_TOOLS = tuple(tool.name for tool in _TOOLS if tool.node)
