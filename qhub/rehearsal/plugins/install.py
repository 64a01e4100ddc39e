"""Which resource plugins a checkout uses, and putting the stand-ins where the engine finds them.

uses = install_stand_ins(pulumi_home=Path(".qhub/pulumi"), python=Path(sys.executable))
for use in uses:
    print(use)                          # kubernetes 4.34.2: rehearsal stand-in (no official plugin on PATH or in …)
env = {**os.environ, **engine_environment(pulumi_home=Path(".qhub/pulumi"))}

A rehearsal has a Pulumi home of its own, with stand-ins for clouds beside these. An ordinary `pulumi up` of a stack on
a cloud must never find one of those, and a rehearsal must never find the official plugin of a cloud:

home = folder / "home"                  # neither the user's nor the checkout's
uses = [
    *install_stand_ins(pulumi_home=home, python=python, ambient=False),
    *install_cloud_stand_ins(pulumi_home=home, python=python),
]
env = {**env, **engine_environment(pulumi_home=home), "QHUB_REHEARSAL_WORLD": str(folder / "world")}
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from qhub.rehearsal import paths
from qhub.rehearsal.plugins.errors import PluginError, listing
from qhub.rehearsal.plugins.sdk import plugin_version

#: Package of the SDK and module that stands in for its plugin.
STAND_INS = {"kubernetes": "qhub.rehearsal.plugins.kubernetes", "random": "qhub.rehearsal.plugins.random"}
#: Package of a cloud and what its stand-in is started with.
CLOUD_STAND_INS = {
    package: f"qhub.rehearsal.clouds {package}"
    for package in ("aws", "azure-native", "cloudflare", "digitalocean", "gcp")
}
#: First comment line of our launcher, by which a stand-in is told from the official plugin.
_MARK = "# QHub rehearsal stand-in"


@dataclasses.dataclass(frozen=True)
class PluginUse:
    """The plugin that the engine will use for one package.

    Attributes:
        package: `kubernetes`, `random`, or a cloud's.
        version: its version; a stand-in answers with the version that the SDK pins.
        official: whether it is the official one.
        origin: where it was found, or why there is only a stand-in.
    """

    package: str
    version: str
    official: bool
    origin: str

    def __str__(self) -> str:
        what = "official, from" if self.official else "rehearsal stand-in:"
        return f"{self.package} {self.version}: {what} {self.origin}"


def install_stand_ins(
    *, pulumi_home: Path, python: Path, user_home: Path | None = None, ambient: bool = True
) -> list[PluginUse]:
    """Make sure that the engine finds one plugin per package: the official one where there is one, else the stand-in.

    Does nothing that is already done, so it may be called before every run.

    Args:
        pulumi_home: the `PULUMI_HOME` that the engine will be given.
        python: the interpreter that has `qhub` installed; the stand-ins run on it.
        user_home: the user's own Pulumi home, `$PULUMI_HOME` or `~/.pulumi`; official plugins in it are linked.
        ambient: whether the engine will look for plugins on PATH. If not, an official one on PATH is linked.

    Raises:
        PluginError: an SDK package is missing, or a folder cannot be written.
    """
    return [
        _install(
            package,
            module,
            pulumi_home.absolute(),
            python.absolute(),
            user_home or user_pulumi_home(),
            ambient=ambient,
        )
        for package, module in STAND_INS.items()
    ]


def install_cloud_stand_ins(*, pulumi_home: Path, python: Path, packages: Iterable[str] = ()) -> list[PluginUse]:
    """Put the stand-ins for clouds into a rehearsal's own Pulumi home. An official plugin is never used there.

    A stand-in for a cloud also refuses to work without `QHUB_REHEARSAL_WORLD`.

    Args:
        pulumi_home: the rehearsal's `PULUMI_HOME`.
        python: the interpreter that has `qhub` and the SDKs of the clouds installed.
        packages: clouds by package; by default all whose SDK is installed.

    Raises:
        PluginError: the home is one that an ordinary `pulumi up` uses, or holds an official plugin; a package is no
            cloud or not installed; a folder cannot be written.
    """
    home = pulumi_home.absolute()
    if home in _ordinary_homes():
        raise PluginError(f"{home} serves ordinary runs: a rehearsal needs a Pulumi home of its own")
    wanted = list(packages) or [package for package in CLOUD_STAND_INS if _has_sdk(package)]
    return [_install_cloud(package, home, python.absolute()) for package in wanted]


def _has_sdk(package: str) -> bool:
    return importlib.util.find_spec(f"pulumi_{package.replace('-', '_')}") is not None


def _install_cloud(package: str, home: Path, python: Path) -> PluginUse:
    if package not in CLOUD_STAND_INS:
        raise PluginError(f"there is no stand-in for '{package}'. There is: {listing(CLOUD_STAND_INS)}")
    version, program = plugin_version(package.replace("-", "_")), f"pulumi-resource-{package}"
    folder = home / "plugins" / f"resource-{package}-v{version}"
    if _is_official(folder / program):
        raise PluginError(f"{folder} holds the official plugin of a cloud: a rehearsal needs a Pulumi home of its own")
    try:
        _write_launcher(folder, program, CLOUD_STAND_INS[package], python)
    except OSError as error:
        raise PluginError(f"the stand-in for {package} cannot be put into {folder}: {error}") from None
    return PluginUse(package, version, official=False, origin="a rehearsal never uses the official one")


def _ordinary_homes() -> set[Path]:
    homes = {user_pulumi_home()}
    with contextlib.suppress(FileNotFoundError):  # outside of a checkout there is no second one
        homes.add(paths.pulumi_home().absolute())
    return homes


def user_pulumi_home() -> Path:
    """Return the user's own Pulumi home."""
    return Path(os.environ.get("PULUMI_HOME") or "~/.pulumi").expanduser().absolute()


def engine_environment(*, pulumi_home: Path) -> Mapping[str, str]:
    """Return the variables that the engine needs to use what `install_stand_ins` has put in place.

    `PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION` makes a missing plugin an error at once, instead of a download that
    fails after minutes where no network answers; it is therefore only set with a stand-in in place.
    With the stand-in of a cloud in place, plugins on PATH are passed over: the official one of a cloud would be taken
    first, and would look for a real account.
    """
    home = pulumi_home.absolute()
    variables = {"PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    launchers = (home / "plugins").glob("resource-*/pulumi-resource-*")
    stand_ins = {launcher.name.removeprefix("pulumi-resource-") for launcher in launchers if _is_stand_in(launcher)}
    if stand_ins:
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    if stand_ins & set(CLOUD_STAND_INS):
        variables["PULUMI_IGNORE_AMBIENT_PLUGINS"] = "true"
    return variables


def _install(
    package: str, module: str, pulumi_home: Path, python: Path, user_home: Path, *, ambient: bool
) -> PluginUse:
    version, program = plugin_version(package), f"pulumi-resource-{package}"
    folder = pulumi_home / "plugins" / f"resource-{package}-v{version}"
    try:
        on_path = shutil.which(program)
        if on_path and not _is_stand_in(Path(on_path)):
            _remove_stand_in(folder, program)
            if not ambient:
                _link_program(folder, Path(on_path))
            return PluginUse(package, version, official=True, origin=on_path)
        cached = user_home / "plugins" / folder.name
        if _is_official(cached / program):
            if cached.resolve() != folder.resolve():
                _link(folder, cached, program)
            return PluginUse(package, version, official=True, origin=str(cached))
        if _is_official(folder / program):
            return PluginUse(package, version, official=True, origin=str(folder))
        _write_launcher(folder, program, module, python)
    except OSError as error:
        raise PluginError(f"the plugin for {package} cannot be put into {folder}: {error}") from None
    return PluginUse(
        package,
        version,
        official=False,
        origin=f"no official {program} {version} on PATH or in {user_home / 'plugins'}",
    )


def _is_stand_in(program: Path) -> bool:
    try:
        with program.open("rb") as stream:
            return _MARK.encode() in stream.read(200)
    except OSError:
        return False


def _is_official(program: Path) -> bool:
    return os.access(program, os.X_OK) and not _is_stand_in(program)


def _remove_stand_in(folder: Path, program: str) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif _is_stand_in(folder / program):
        shutil.rmtree(folder)


def _link(folder: Path, official: Path, program: str) -> None:
    _remove_stand_in(folder, program)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.symlink_to(official, target_is_directory=True)


def _link_program(folder: Path, official: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / official.name).exists():
        (folder / official.name).symlink_to(official.absolute())


def _write_launcher(folder: Path, program: str, module: str, python: Path) -> None:
    # -I: neither PYTHONPATH nor a module in the folder where pulumi was called may stand in for one of ours.
    # `exec`: the plugin's parent is the engine, whose end it watches for.
    text = f'#!/bin/sh\n{_MARK}\nexec {shlex.quote(str(python))} -I -m {module} "$@"\n'
    launcher = folder / program
    if not folder.is_symlink() and launcher.is_file() and launcher.read_text(encoding="utf-8") == text:
        return
    _remove_stand_in(folder, program)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".stand-in-") as scratch:
        made = Path(scratch) / "plugin"
        made.mkdir()
        (made / program).write_text(text, encoding="utf-8")
        (made / program).chmod(0o755)
        try:
            made.rename(folder)
        except OSError:
            if not folder.exists():  # else another run has just put the same one there
                raise
