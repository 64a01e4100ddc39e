"""What makes a layer, one function for each kind: it changes the tree that the layers below have become."""

from __future__ import annotations

import fnmatch
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from qhub.rehearsal.images import debian
from qhub.rehearsal.images.chroot import Shell
from qhub.rehearsal.images.description import CHECKOUT, Go, Image, Images, Npm
from qhub.rehearsal.images.dockerfile import add_user, make_venv
from qhub.rehearsal.images.layers import Kind
from qhub.rehearsal.toolchain.golang import Go as Compiler
from qhub.rehearsal.toolchain.modules import Module

#: Wheels for these systems run on Debian 12 (glibc 2.36), newest first.
GLIBC_MINORS = range(36, 16, -1)
#: Both are processors that Debian, Python and Go call by different names.
WHEEL_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, kw_only=True)
class Step:
    """What a step is given.

    Attributes:
        image: the description that asks for it.
        images: all descriptions.
        root: the tree to change.
        work: an empty folder for what only the step needs.
        apt_folder: apt's lists and packages, kept from build to build.
        shell: runs commands.
        machine: processor in Debian's words.
    """

    image: Image
    images: Images
    root: Path
    work: Path
    apt_folder: Path
    shell: Shell
    machine: str


def make(kind: Kind, step: Step) -> None:
    """Make the layer of that kind.

    Raises:
        ImagesError: a tool failed.
    """
    makers = {
        "debian": _debian,
        "packages": _packages,
        "python": _python,
        "npm": _npm,
        "go": _go,
        "own": _own,
    }
    makers[kind](step)


def _debian(step: Step) -> None:
    debian.make_base(step.root, step.images.common.debian, step.image.packages, shell=step.shell, work=step.work)


def _packages(step: Step) -> None:
    debian.add_packages(
        step.root,
        step.images.common.debian,
        step.image.packages,
        shell=step.shell,
        work=step.work,
        apt_folder=step.apt_folder,
    )


def _python(step: Step) -> None:
    """Fetch wheels by the pip of this machine, whose settings hold; install them in the tree, without a network."""
    python = step.images.common.debian.python
    wheels = step.work / "wheels"
    pins = step.image.folder / "requirements.txt"
    system = WHEEL_MACHINES[step.machine]
    platforms = [f"manylinux_2_{minor}_{system}" for minor in GLIBC_MINORS] + [f"manylinux2014_{system}"]
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    fetch += ["--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    abis = (f"cp{python.replace('.', '')}", "abi3", "none")
    fetch += [*(f"--abi={abi}" for abi in abis), *(f"--platform={name}" for name in platforms)]
    step.shell.run([*fetch, f"--dest={wheels}", f"--requirement={pins}"])
    shutil.copy(pins, wheels / "requirements.txt")
    made = bool(step.image.python and step.image.python.user_site)
    script = [
        make_venv(user_site=made),
        "pip install --quiet --disable-pip-version-check --no-compile --no-index --find-links /tmp/wheels "
        "--require-hashes --no-deps --requirement /tmp/wheels/requirements.txt",
        # Compiled files that do not ask for the time of their source, which is set back in the layer. It ends with 1
        # when a file is no Python of this version, as templates in some packages are: nobody imports those.
        "find /opt/qhub -name __pycache__ -prune -exec rm -r {} +",
        "python -m compileall -q -j 0 --invalidation-mode unchecked-hash /opt/qhub/lib || true",
    ]
    step.shell.inside(step.root, ["sh", "-ec", "\n".join(script)], binds={"/tmp/wheels": wheels})  # noqa: S108


def _npm(step: Step) -> None:
    """Unpack JavaScript packages by the npm of this machine, whose settings hold. No script of theirs runs."""
    npm = step.image.npm
    assert npm is not None  # noqa: S101 - what asked for this layer
    folder = step.root / npm.folder.removeprefix("/")
    folder.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copyfile(step.image.folder / name, folder / name)
    cpu = {"amd64": "x64", "arm64": "arm64"}[step.machine]
    quiet = ["--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    step.shell.run(["npm", "ci", *quiet, "--os=linux", f"--cpu={cpu}"], folder=folder)
    _drop(folder, npm)
    # npm gives files to whoever ran it; in the image they are root's, and for everybody to read.
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, 0, 0, follow_symlinks=False)


def _drop(folder: Path, npm: Npm) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if any(fnmatch.fnmatch(str(path.relative_to(folder)), pattern) for pattern in npm.drop):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _go(step: Step) -> None:
    """Build one program from a copy of its module, so that nothing that Go does can change the checkout."""
    go = step.image.go
    assert go is not None  # noqa: S101 - what asked for this layer
    source = step.work / "source"
    shutil.copytree(CHECKOUT / go.module, source)
    compiler = Compiler.find(needed=_module(go).needs_go(), missing=[step.image.name])
    output = step.root / go.output.removeprefix("/")
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = step.work / "tmp"
    temporary.mkdir()
    environment = {
        **{"CGO_ENABLED": "0", "GOOS": "linux", "GOARCH": step.machine, "GOWORK": "off", "GOFLAGS": ""},
        "GOTMPDIR": str(temporary),
    }
    if go.prepare:
        step.shell.run(["sh", go.prepare], folder=source, env=environment)
    command = [str(compiler.path), "build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", _linker(go)]
    step.shell.run([*command, "-o", str(output), go.package], folder=source, env=environment)
    output.chmod(0o755)


def _module(go: Go) -> Module:
    folder = CHECKOUT / go.module
    go_sum = folder / "go.sum"  # a module that needs no other has none
    content = go_sum.read_bytes() if go_sum.exists() else b""
    return Module(name=folder.name, go_mod=(folder / "go.mod").read_bytes(), go_sum=content)


def _linker(go: Go) -> str:
    if go.requires is None or go.version_variable is None:
        return "-s -w"
    return f"-s -w -X {go.version_variable}={_module(go).requirement(go.requires)}"


def _own(step: Step) -> None:
    """Add the user, folders, and files of ours."""
    if step.image.user:
        step.shell.inside(step.root, ["sh", "-ec", add_user(step.image.user)])
    for folder in step.image.folders:
        path = step.root / folder.path.removeprefix("/")
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, folder.owner, folder.owner)
    for file in step.image.files:
        target = step.root / file.relative_to(step.image.folder / "files")
        for missing in reversed([parent for parent in target.parents if not parent.exists()]):
            missing.mkdir(mode=0o755)
        shutil.copyfile(file, target, follow_symlinks=False)
        if not file.is_symlink():
            target.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
