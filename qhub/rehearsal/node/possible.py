"""Whether a real node can run on this machine, and the one line that says why not."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable
from pathlib import Path

from qhub.rehearsal.toolchain.debian import why_no_packages

#: Programs of the system itself, from util-linux and iproute2; every distribution has them.
SYSTEM_PROGRAMS = ("ip", "mount", "nsenter", "unshare", "sleep", "sh")
#: Programs that are fetched as Debian packages where they are not on PATH.
FETCHED_PROGRAMS = ("containerd", "runc", "iptables")
#: Kinds of namespaces that a node and its pods live in.
NAMESPACES = ("net", "mnt", "pid", "ipc", "uts")
#: `CAP_SYS_ADMIN` and `CAP_NET_ADMIN`: without them root in a container makes neither mounts nor networks.
CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_SYS_ADMIN": 21}


def why_not() -> str | None:
    """Say in one line why this machine cannot run a real node; None when it can, as far as can be seen from outside."""
    checks: tuple[Callable[[], str | None], ...] = (_system, _user, _kernel, _control_groups, _programs)
    return next((why for check in checks if (why := check())), None)


def _system() -> str | None:
    system = platform.system()
    return None if system == "Linux" else f"containers need Linux, and this is {system}"


def _user() -> str | None:
    if os.geteuid() != 0:
        return "a node mounts and makes networks, which only root may"
    effective = next(
        int(line.split()[1], 16) for line in Path("/proc/self/status").read_text().splitlines() if "CapEff" in line
    )
    missing = [name for name, bit in CAPABILITIES.items() if not effective >> bit & 1]
    return f"root has not got {' and '.join(missing)} here, as in a container without privileges" if missing else None


def _kernel() -> str | None:
    if missing := [name for name in NAMESPACES if not Path(f"/proc/self/ns/{name}").exists()]:
        return f"the kernel has no {', '.join(missing)} namespaces"
    if "overlay" not in Path("/proc/filesystems").read_text().split() and not _modules("overlay"):
        return "the kernel has no overlayfs"
    return None


def _modules(name: str) -> bool:
    """Tell whether the running kernel could load a module: what uses it loads it."""
    return any(Path("/lib/modules", platform.release()).glob(f"**/{name}.ko*"))


def _control_groups() -> str | None:
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").is_file():  # version 2 alone
        missing = {"cpu", "memory", "pids"}.difference((root / "cgroup.controllers").read_text().split())
    else:
        missing = {name for name in ("cpu", "memory", "pids", "cpuset", "freezer") if not (root / name).is_dir()}
    if missing:
        return f"there are no control groups for {', '.join(sorted(missing))} in {root}"
    return None if os.access(root, os.W_OK) else f"{root} cannot be written"


def _programs() -> str | None:
    if missing := [name for name in SYSTEM_PROGRAMS if shutil.which(name) is None]:
        return f"{', '.join(missing)} is not on PATH"
    missing = [name for name in FETCHED_PROGRAMS if shutil.which(name) is None]
    if missing and (why := why_no_packages()):
        return f"{', '.join(missing)} is not on PATH and cannot be fetched: {why}"
    return None
