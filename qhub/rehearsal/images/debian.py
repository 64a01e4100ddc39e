"""Layers of Debian packages: the lowest one by mmdebstrap, those above it by apt and dpkg.

Packages come from where the machine's own apt takes them, if that has the release; else from Debian's own address.
Which address it was is nowhere in the image.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from qhub.rehearsal.images.chroot import Shell
from qhub.rehearsal.images.description import Debian
from qhub.rehearsal.images.errors import ImagesError
from qhub.rehearsal.toolchain.debian import ensure_packages, find_program, program_environment

#: What of a release is taken, where the machine's apt has it: the release, its updates, its security updates.
SUITES = ("{suite}", "{suite}-updates", "{suite}-security")
#: What an image's own apt finds: no mirror of this machine's gets into an image.
NO_SOURCES = "# Name a mirror of Debian here to install packages: deb ADDRESS SUITE main\n"
#: How to go on where it has not.
NEEDED = "add a mirror of it to apt's sources and run `apt-get update`"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

#: What nobody reads in a container. Licences stay.
PATHS = (
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
)

#: Nothing is started while packages are set up (invoke-rc.d(8)).
POLICY = "usr/sbin/policy-rc.d"


def machine() -> str:
    """Return this machine's processor in Debian's words, such as `amd64`."""
    return subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()


def make_base(root: Path, debian: Debian, packages: Sequence[str], *, shell: Shell, work: Path) -> None:
    """Make a minimal system with these packages at `root`."""
    tree = ensure_packages(["mmdebstrap"])
    program = find_program("mmdebstrap", tree)
    # Beside the program, in the tree or in the system: /usr made whole from the start, without a package that mends it.
    hooks = program.parents[1] / "share" / "mmdebstrap" / "hooks" / "merged-usr"
    environment = program_environment(tree)
    perl = [*tree.glob("usr/share/perl*/*"), *tree.glob("usr/share/perl5"), *tree.glob("usr/lib/*/perl*/*")]
    if perl:
        environment["PERL5LIB"] = ":".join(map(str, perl))
    command = ["perl", str(program), "--mode=root", "--variant=minbase", "--format=directory", f"--hook-dir={hooks}"]
    command += [f"--include={','.join(['usr-is-merged', *packages])}", "--skip=check/chroot"]
    # A build that was cut off is done again: no need to wait for the disk at every file.
    command += [f"--dpkgopt={option}" for option in ("force-unsafe-io", *PATHS)]
    shell.run([*command, debian.suite, str(root), str(_write_sources(debian, work))], env=environment)
    # dpkg of the layers above leaves out the same.
    (root / "etc/dpkg/dpkg.cfg.d/qhub").write_text("\n".join(PATHS) + "\n")
    (root / "etc/apt/sources.list").write_text(NO_SOURCES)


def add_packages(
    root: Path, debian: Debian, packages: Sequence[str], *, shell: Shell, work: Path, apt_folder: Path
) -> None:
    """Install packages, and what they need that is not there, into the system at `root`."""
    archives = work / "archives"
    (archives / "partial").mkdir(parents=True)
    lists = apt_folder / "lists"
    lists.mkdir(parents=True, exist_ok=True)
    options = {
        "Dir::State::status": root / "var/lib/dpkg/status",
        "Dir::State::lists": lists,
        "Dir::State::extended_states": work / "extended_states",
        "Dir::Cache": work / "cache",
        "Dir::Cache::archives": archives,
        "Dir::Etc::SourceList": _write_sources(debian, work),
        "Dir::Etc::SourceParts": "/dev/null",
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "false",
    }
    (work / "cache").mkdir()
    apt = _apt(options)
    shell.run([*apt, "update"])
    # Some configurations of apt (those of container images) throw away what was downloaded.
    shell.run([*apt, "-o", "APT::Keep-Downloaded-Packages=true", "--download-only", "install", *packages])
    policy = root / POLICY
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    inside = {
        "Dir::Etc::SourceList": "/tmp/layer/sources.list",  # noqa: S108 - in the tree
        "Dir::Etc::SourceParts": "/dev/null",
        "APT::Sandbox::User": "root",
        "APT::Install-Recommends": "false",
        "DPkg::Options::": "--force-unsafe-io",
    }
    binds = {"/tmp/layer": work, "/var/lib/apt/lists": lists, "/var/cache/apt/archives": archives}  # noqa: S108
    # The system's own apt finds out the order: some packages have to be set up before others may be unpacked.
    shell.inside(root, [*_apt(inside), "--no-download", "install", *packages], binds=binds)
    policy.unlink()


def _apt(options: Mapping[str, object]) -> list[str]:
    settings = (part for name, value in options.items() for part in ("-o", f"{name}={value}"))
    return ["apt-get", "--yes", "--quiet", *settings]


def _write_sources(debian: Debian, work: Path) -> Path:
    """Write the sources of packages as apt reads them."""
    file = work / "sources.list"
    file.write_text("".join(f"{line}\n" for line in sources(debian)))
    return file


def sources(debian: Debian) -> list[str]:
    """Return lines for apt: the machine's own sources of the release.

    Raises:
        ImagesError: it has none.
    """
    wanted = [suite.format(suite=debian.suite) for suite in SUITES]
    form = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(SIGNED_BY)"
    said = subprocess.run(
        ["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {tuple(line.split("|")) for line in said.stdout.splitlines()}
    ours = sorted(each for each in found if each[1] in wanted and each[2] in debian.components)
    if debian.suite not in {each[1] for each in ours}:
        raise ImagesError(f"apt on this machine has no sources of Debian {debian.suite}: {NEEDED}")
    return [f"deb {_option(keyring)}{address} {suite} {component}" for address, suite, component, keyring in ours]


def _option(keyring: str) -> str:
    """Return the option that names the key, where there is one: apt leaves its own word where there is none."""
    file = keyring if keyring.startswith("/") else KEYRING
    return f"[signed-by={file}] " if Path(file).is_file() else ""


def why_not(debian: Debian) -> str | None:
    """Say in a clause what is missing to make layers of Debian packages; None when nothing is."""
    missing = [name for name in ("apt-get", "dpkg", "perl", "unshare", "chroot", "tar") if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} is not on PATH"
    try:
        sources(debian)
    except ImagesError as error:
        return str(error)
    return None
