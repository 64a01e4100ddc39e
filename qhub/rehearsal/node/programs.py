"""The programs of a real node that come from Debian packages or from the machine: found, and put together to be run."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qhub.rehearsal.cluster.errors import ClusterError
from qhub.rehearsal.toolchain.debian import ensure_packages, find_program, program_environment

#: `catatonit` is the process that holds a pod's namespaces: static, forwards signals, reaps orphans.
PACKAGES = ("containerd", "runc", "containernetworking-plugins", "iptables", "conntrack", "catatonit")

#: Where distributions put the CNI plugins. Debian has them in the first.
CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"), Path("/usr/libexec/cni"))
#: The plugins that our network is made of, see `files.cni_config`.
CNI_PLUGINS = ("ptp", "host-local", "portmap", "loopback")

#: Names under which the parts of a node call iptables.
IPTABLES = tuple(
    f"{family}{action}" for family in ("iptables", "ip6tables") for action in ("", "-save", "-restore")
)  # fmt: skip


@dataclass(frozen=True)
class Programs:
    """The programs of one node.

    Attributes:
        tree: root of the unpacked packages.
        links: folder with links that a package makes only when it is installed; it comes first on PATH.
    """

    tree: Path
    links: Path

    @property
    def environment(self) -> dict[str, str]:
        """Variables for every process of the node."""
        found = program_environment(self.tree)
        return {**found, "PATH": os.pathsep.join((str(self.links), found["PATH"]))}

    @property
    def cni(self) -> Path:
        """Folder of the CNI plugins.

        Raises:
            ClusterError: one of them is nowhere.
        """
        for folder in (*CNI_FOLDERS, self.tree / "usr/lib/cni"):
            if all((folder / plugin).is_file() for plugin in CNI_PLUGINS):
                return folder
        raise ClusterError(f"the CNI plugins {', '.join(CNI_PLUGINS)} are nowhere on this machine")

    def find(self, name: str) -> Path:
        """Return a program's path: the machine's own from PATH, else the packages'."""
        return find_program(name, self.tree)


def ensure_programs(links: Path, *, report: Callable[[str], None]) -> Programs:
    """Return the programs, fetching packages the first time and making links where they are missing.

    Raises:
        ToolchainError: packages cannot be fetched.
        ClusterError: neither kind of iptables works on this kernel.
    """
    programs = Programs(ensure_packages(PACKAGES, report=report), links)
    links.mkdir(exist_ok=True)
    if not shutil.which("iptables") and not all((links / name).exists() for name in IPTABLES):
        _link_iptables(programs)
    return programs


def _link_iptables(programs: Programs) -> None:
    """Link the names to the kind of iptables that the kernel takes, the newer one first."""
    for kind in ("nft", "legacy"):
        for name in IPTABLES:
            link = programs.links / name
            link.unlink(missing_ok=True)
            link.symlink_to(programs.find(f"xtables-{kind}-multi"))
        # Tried in a network that ends with the command. A rule with a match and a target of an extension tells more
        # than a list would: old kernels take one kind and not the other only then.
        rule = "iptables -w -t nat -A POSTROUTING -m comment --comment tried -j MASQUERADE"
        environment = {**os.environ, **programs.environment}
        tried = subprocess.run(["unshare", "--net", *rule.split()], env=environment, capture_output=True, check=False)
        if tried.returncode == 0:
            return
    for name in IPTABLES:
        (programs.links / name).unlink()
    raise ClusterError(f"iptables does not work on this kernel: {tried.stderr.decode().strip()}")
