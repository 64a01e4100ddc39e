"""The browser of the tests: Chromium from PATH, else from Debian's packages, unpacked into the cache.

It reaches loopback addresses and nothing else, keeps a log of every connection it opens, and leaves no file behind
outside the folder that it is given.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserType

from qhub.rehearsal.toolchain.debian import ensure_packages, program_environment

#: The browser without its windows: a third smaller than the full one, and needs no GTK. A font, for machines with none.
PACKAGES = ("chromium-headless-shell", "fonts-dejavu-core")
NAMES_ON_PATH = ("chromium-headless-shell", "chromium", "google-chrome")
#: Hosts that the browser may reach. Every other name or address fails at once, without a look-up.
ALLOWED_HOSTS = ("localhost", "*.localhost", "127.0.0.1")

ARGUMENTS = (
    "--no-sandbox",  # which root may not use
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=" + ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in ALLOWED_HOSTS)]),
)

#: Fonts of the system and of the unpacked packages. Generic names are fixed, so that screenshots look alike.
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>{folders}<cachedir>{cache}</cachedir>{generic}</fontconfig>
"""
FONT_ALIAS = "<alias><family>{}</family><prefer><family>{}</family></prefer></alias>"
GENERIC_FONTS = {
    "system-ui": "DejaVu Sans",
    "sans-serif": "DejaVu Sans",
    "serif": "DejaVu Serif",
    "monospace": "DejaVu Sans Mono",
    "ui-monospace": "DejaVu Sans Mono",
}


@dataclass(frozen=True, kw_only=True)
class Chromium:
    """A browser that can be started.

    Attributes:
        executable: the program.
        font_folders: where fonts are looked for.
        environment: variables it needs to find its libraries.
    """

    executable: Path
    font_folders: tuple[Path, ...]
    environment: Mapping[str, str]

    def launch(self, playwright: BrowserType, folder: Path) -> Browser:
        """Start it with `folder` as its home; `net_log(folder)` is complete once it is closed."""
        home = folder / "home"
        home.mkdir(parents=True)
        fonts = folder / "fonts.conf"
        folders = "".join(f"<dir>{path}</dir>" for path in self.font_folders)
        generic = "".join(FONT_ALIAS.format(*names) for names in GENERIC_FONTS.items())
        fonts.write_text(FONTS.format(folders=folders, cache=home / "fonts", generic=generic))
        return playwright.launch(
            executable_path=self.executable,
            args=[*ARGUMENTS, f"--log-net-log={net_log(folder)}"],
            env={**os.environ, **self.environment, "HOME": str(home), "FONTCONFIG_FILE": str(fonts)},
        )


def net_log(folder: Path) -> Path:
    """Return where a browser launched in `folder` logs its connections."""
    return folder / "net-log.json"


def find_chromium() -> Chromium:
    """Return the browser from PATH, or fetch Debian's.

    Raises:
        ToolchainError: there is none on PATH, and Debian's packages cannot be had; the message says why.
    """
    system_fonts = Path("/usr/share/fonts")
    for name in NAMES_ON_PATH:
        if found := shutil.which(name):
            return Chromium(executable=Path(found), font_folders=(system_fonts,), environment={})
    tree = ensure_packages(PACKAGES, report=print)
    # The program itself, not the script in usr/bin, which looks for it in the system's folders.
    return Chromium(
        executable=tree / "usr/lib/chromium/chromium-headless-shell",
        font_folders=(system_fonts, tree / "usr/share/fonts"),
        environment={"LD_LIBRARY_PATH": _library_path(tree)},
    )


def _library_path(tree: Path) -> str:
    """Return every folder of libraries in the tree: some packages keep private ones in a folder of their own."""
    private = {library.parent for library in tree.glob("usr/lib/*-linux-gnu*/*/*.so*")}
    return os.pathsep.join([program_environment(tree)["LD_LIBRARY_PATH"], *sorted(map(str, private))])
