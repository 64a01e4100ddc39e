"""Programs from Debian packages, without installing them: fetched by the machine's own apt, unpacked into the cache.

| call | gives |
|---|---|
| `ensure_packages(["containerd", "runc"])` | the root of a tree with them and what they need that the system lacks |
| `find_program("runc", root)` | the program: the system's own from PATH where there is one, else the tree's |
| `program_environment(root)` | variables with which programs of the tree find each other and their libraries |

```
<cache>/toolchain/debian/
  apt/                 apt's lists and caches, apart from the system's: it is not changed, and needs no root
  requests/<key>.json  which tree a list of names came to, and what the system had then
  trees/<key>/         one tree for each set of packages and versions, complete or not there at all
  lock                 held while apt works
```
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from filelock import FileLock

from qhub.rehearsal.toolchain.errors import ToolchainError
from qhub.rehearsal.toolchain.folders import toolchain_dir

#: What the system has installed: a tree leaves that out, so it holds only while this file stays as it is.
DPKG_STATUS = Path("/var/lib/dpkg/status")
#: Which release apt takes packages from: a cache may be shared by machines with different ones.
OS_RELEASE = Path("/etc/os-release")
#: Where packages put programs and libraries. Those of before the merge of / and /usr come last.
PROGRAM_FOLDERS = ("usr/sbin", "usr/bin", "sbin", "bin")
LIBRARY_FOLDERS = ("usr/lib/*-linux-gnu*", "lib/*-linux-gnu*", "usr/lib", "lib")
#: Lines of apt's output in an error message: its errors come last.
LAST_LINES = 12

#: A line of `apt-get --simulate install`: name, version in place if any, version to come.
_INSTALLS = re.compile(r"^Inst (\S+) (?:\[[^\]]*\] )?\((\S+) ", re.MULTILINE)


def _silent(_: str) -> None:
    return


def why_no_packages() -> str | None:
    """Say in a clause why packages cannot be had on this machine; None when they can."""
    missing = [name for name in ("apt-get", "dpkg") if shutil.which(name) is None]
    return f"{' and '.join(missing)} is not on PATH: this is no Debian or Ubuntu" if missing else None


def ensure_packages(names: Iterable[str], *, report: Callable[[str], None] = _silent) -> Path:
    """Return the root of an unpacked tree with these packages and what they depend on, fetching it the first time.

    What the system has installed already, in the version that apt would install, is not in the tree. Later calls with
    the same names take milliseconds and ask nobody.

    Args:
        names: packages as apt takes them, `name` or `name=version`.
        report: called with a line for people when something is fetched.

    Raises:
        ToolchainError: no apt on this machine, no such package, or it could not be fetched.
    """
    wanted = sorted(set(names))
    root = toolchain_dir() / "debian"
    request = root / "requests" / f"{_key(wanted, OS_RELEASE.read_text() if OS_RELEASE.exists() else '')}.json"
    if tree := _known_tree(root, request):
        return tree
    if why := why_no_packages():
        raise ToolchainError(f"{', '.join(wanted)}: {why}")
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / "lock"):
        if tree := _known_tree(root, request):  # another process may have fetched it meanwhile
            return tree
        status = _system_mark()
        tree = _fetch(wanted, root=root, report=report)
        request.parent.mkdir(exist_ok=True)
        _write(request, {"names": wanted, "tree": tree.name, "system": status})
    return tree


def find_program(name: str, root: Path) -> Path:
    """Return the program `name`: the system's, from PATH, or the one of the tree at `root`.

    Raises:
        ToolchainError: neither has it.
    """
    ours = toolchain_dir().resolve()
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        if folder and not Path(folder).resolve().is_relative_to(ours) and (path := shutil.which(name, path=folder)):
            return Path(path).absolute()
    found = shutil.which(name, path=os.pathsep.join(str(root / folder) for folder in PROGRAM_FOLDERS))
    if found is None:
        raise ToolchainError(f"{name} is neither on PATH nor in the packages unpacked at {root}")
    return Path(found)


def program_environment(root: Path) -> dict[str, str]:
    """Return PATH and the variables that name libraries, for programs of the tree and what they start.

    The system's folders come first on PATH: its own programs are preferred. Its libraries need no such care, because a
    tree holds none that the system has.
    """
    programs = [os.environ.get("PATH", os.defpath), *(str(root / folder) for folder in PROGRAM_FOLDERS)]
    libraries = [folder for pattern in LIBRARY_FOLDERS for folder in sorted(root.glob(pattern)) if folder.is_dir()]
    environment = {
        "PATH": os.pathsep.join(programs),
        "LD_LIBRARY_PATH": os.pathsep.join(str(folder) for folder in libraries),
    }
    # iptables loads its matches and targets from a folder that is fixed when it is built.
    if tables := next((folder for path in libraries if (folder := path / "xtables").is_dir()), None):
        environment["XTABLES_LIBDIR"] = str(tables)
    return environment


def parse_installs(said: str) -> list[str]:
    """Return `name=version` of every package that `apt-get --simulate install` would install, sorted."""
    return sorted(f"{name}={version}" for name, version in _INSTALLS.findall(said))


def _known_tree(root: Path, request: Path) -> Path | None:
    """Return the tree that a request came to, if it is there and the system has not changed since."""
    try:
        known = json.loads(request.read_text())
    except (FileNotFoundError, ValueError):
        return None
    tree = root / "trees" / str(known.get("tree"))
    return tree if known.get("system") == _system_mark() and tree.is_dir() else None


def _fetch(names: Sequence[str], *, root: Path, report: Callable[[str], None]) -> Path:
    """Find out versions, download and unpack. Lists that are too old to be served from are renewed once."""
    apt = _Apt(root / "apt")
    try:
        return _fetch_once(names, apt, root=root, report=report)
    except _AptError:
        report(f"Fetching Debian's package lists, for {', '.join(names)}")
        update = apt.run("update", check=False)  # a foreign repository that fails does no harm if ours are there
        try:
            return _fetch_once(names, apt, root=root, report=report)
        except _AptError as error:
            raise ToolchainError(
                f"{', '.join(names)}: apt cannot fetch them. It said last:\n{_last(f'{update}{error}')}"
            ) from error


def _fetch_once(names: Sequence[str], apt: _Apt, *, root: Path, report: Callable[[str], None]) -> Path:
    packages = parse_installs(apt.run("install", "--simulate", "--no-install-recommends", *names))
    trees = root / "trees"
    trees.mkdir(exist_ok=True)
    tree = trees / _key(packages, "")
    if tree.is_dir():
        return tree
    for killed in trees.glob(".new-*"):
        shutil.rmtree(killed)
    new = Path(tempfile.mkdtemp(dir=trees, prefix=".new-"))
    try:
        archives, files = new / "archives", new / "files"
        archives.mkdir()
        files.mkdir()
        if packages:
            report(f"Fetching {len(packages)} Debian packages: {', '.join(packages)}")
            apt.run("download", *packages, folder=archives)
        for archive in sorted(archives.glob("*.deb")):
            _run(["dpkg", "--extract", str(archive), str(files)])
        (files / "packages.json").write_text(json.dumps(packages, indent=1) + "\n")
        files.chmod(0o755)
        files.rename(tree)
    finally:
        shutil.rmtree(new)
    return tree


class _AptError(Exception):
    """apt-get or dpkg ended with an error; the message is what it said."""


class _Apt:
    """apt-get with lists and caches in a folder of ours. Sources, keys and proxies are the machine's."""

    def __init__(self, folder: Path) -> None:
        self._options: list[str] = []
        for option, name in (("Dir::State::lists", "lists"), ("Dir::Cache", "cache")):
            (folder / name).mkdir(parents=True, exist_ok=True)
            self._options += ["-o", f"{option}={folder / name}"]
        # As root apt would download as the user _apt, who may not write into a folder of ours.
        self._options += ["-o", "APT::Sandbox::User=root"]

    def run(self, *arguments: str, folder: Path | None = None, check: bool = True) -> str:
        """Run apt-get and return what it said, with `check` only when it succeeded."""
        return _run(["apt-get", *self._options, *arguments], folder=folder, check=check)


def _run(command: Sequence[str], *, folder: Path | None = None, check: bool = True) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C.UTF-8"},  # its words are parsed
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if check and done.returncode != 0:
        raise _AptError(done.stdout)
    return done.stdout


def _key(names: Iterable[str], more: str) -> str:
    # 48 bits, as for built tools: two sets that share a key are out of the question.
    return hashlib.sha256("\n".join([*names, more]).encode()).hexdigest()[:12]


def _system_mark() -> list[int]:
    """Return what changes when a package of the system is installed, removed or upgraded."""
    stat = DPKG_STATUS.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _write(path: Path, content: object) -> None:
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=1) + "\n")
    temporary.replace(path)


def _last(said: str) -> str:
    return "\n".join(f"    {line}" for line in said.strip().splitlines()[-LAST_LINES:])
