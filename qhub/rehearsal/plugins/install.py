"""Which resource plugins a checkout uses, and putting the stand-ins where the engine finds them.

uses = install_stand_ins(pulumi_home=Path(".qhub/pulumi"), python=Path(sys.executable))
for use in uses:
    print(use)                          # kubernetes 4.34.2: rehearsal stand-in (no official plugin on PATH or in …)
env = {**os.environ, **engine_environment(pulumi_home=Path(".qhub/pulumi"))}
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.sdk import plugin_version

#: Package of the SDK and module that stands in for its plugin.
STAND_INS = {"kubernetes": "qhub.rehearsal.plugins.kubernetes", "random": "qhub.rehearsal.plugins.random"}
#: First comment line of our launcher, by which a stand-in is told from the official plugin.
_MARK = "# QHub rehearsal stand-in"


@dataclasses.dataclass(frozen=True)
class PluginUse:
    """The plugin that the engine will use for one package.

    Attributes:
        package: `kubernetes` or `random`.
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


def install_stand_ins(*, pulumi_home: Path, python: Path, user_home: Path | None = None) -> list[PluginUse]:
    """Make sure that the engine finds one plugin per package: the official one where there is one, else the stand-in.

    Does nothing that is already done, so it may be called before every run.

    Args:
        pulumi_home: the `PULUMI_HOME` that the engine will be given.
        python: the interpreter that has `qhub` installed; the stand-ins run on it.
        user_home: the user's own Pulumi home, `$PULUMI_HOME` or `~/.pulumi`; official plugins in it are linked.

    Raises:
        PluginError: an SDK package is missing, or a folder cannot be written.
    """
    return [
        _install(package, module, pulumi_home.absolute(), python.absolute(), user_home or user_pulumi_home())
        for package, module in STAND_INS.items()
    ]


def user_pulumi_home() -> Path:
    """Return the user's own Pulumi home."""
    return Path(os.environ.get("PULUMI_HOME") or "~/.pulumi").expanduser().absolute()


def engine_environment(*, pulumi_home: Path) -> Mapping[str, str]:
    """Return the variables that the engine needs to use what `install_stand_ins` has put in place.

    `PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION` makes a missing plugin an error at once, instead of a download that
    fails after minutes where no network answers; it is therefore only set with a stand-in in place.
    """
    home = pulumi_home.absolute()
    variables = {"PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    launchers = (home / "plugins").glob("resource-*/pulumi-resource-*")
    if any(_is_stand_in(launcher) for launcher in launchers):
        variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    return variables


def _install(package: str, module: str, pulumi_home: Path, python: Path, user_home: Path) -> PluginUse:
    version, program = plugin_version(package), f"pulumi-resource-{package}"
    folder = pulumi_home / "plugins" / f"resource-{package}-v{version}"
    try:
        ambient = shutil.which(program)
        if ambient and not _is_stand_in(Path(ambient)):
            _remove_stand_in(folder, program)
            return PluginUse(package, version, official=True, origin=ambient)
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
