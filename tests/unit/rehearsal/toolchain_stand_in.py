"""A stand-in for the Go compiler: a script that does as it is told by variables, so that a build takes no time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

#: Long enough for a start of Python on a busy machine; only a test that fails ever waits for it.
PATIENCE_SECONDS = 60

# `build` notes its process, folder and packages, then fails with what it is told to say, or waits while the file `hold`
# is there and writes what `-o` asks for: a file, or one file for each package into a folder.
_SCRIPT = """#!/bin/sh
PATH=/usr/bin:/bin
case "$1" in
env) echo "${FAKE_GO_VERSION:-go1.26.8}"; echo "${FAKE_GO_TOOLCHAIN:-auto}"; exit 0;;
list) echo "$FAKE_GO_DIR/source"; exit 0;;
esac
shift
packages=""
while [ $# -gt 0 ]; do
    case "$1" in
    -o) out="$2"; shift;;
    -ldflags) shift;;
    -*) ;;
    *) packages="$packages $1";;
    esac
    shift
done
echo "$$ $PWD$packages" >> "$FAKE_GO_DIR/builds"
case "$packages" in *"${FAKE_GO_FAILS:-nothing}"*) cat "$FAKE_GO_DIR/says" >&2; exit 1;; esac
while [ -e "${FAKE_GO_HOLD:-$FAKE_GO_DIR/hold}" ]; do sleep 0.02; done
if [ -d "$out" ]; then
    for package in $packages; do echo built > "$out/${package##*/}"; chmod +x "$out/${package##*/}"; done
else
    echo built > "$out"; chmod +x "$out"
fi
"""


@dataclass(kw_only=True)
class StandInGo:
    """A folder for PATH with nothing but the stand-in, a cache, and what controls both.

    Attributes:
        folder: holds all of it.
        variables: what the stand-in is told by; passed to whatever runs it.
    """

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bin.mkdir(parents=True)
        (self.bin / "go").write_text(_SCRIPT)
        (self.bin / "go").chmod(0o755)
        script = self.folder / "source" / "python" / "cmd" / "pulumi-language-python-exec"
        script.parent.mkdir(parents=True)
        script.write_text("#!/usr/bin/env python3\n")
        self.variables |= {
            "PATH": str(self.bin),
            "QHUB_CACHE_DIR": str(self.folder / "cache"),
            "FAKE_GO_DIR": str(self.folder),
        }

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def root(self) -> Path:
        return self.folder / "cache" / "toolchain"

    def hold(self) -> None:
        """Make builds wait until `go_on`."""
        (self.folder / "hold").touch()

    def go_on(self) -> None:
        (self.folder / "hold").unlink(missing_ok=True)

    def fails(self, *, on: str, saying: str) -> None:
        """Make the build of a package with `on` in its path fail with that output."""
        (self.folder / "says").write_text(saying)
        self.variables["FAKE_GO_FAILS"] = on

    def builds(self) -> list[str]:
        """Return one line for each build that was started: process, folder, packages."""
        file = self.folder / "builds"
        return file.read_text().splitlines() if file.exists() else []

    def processes(self) -> list[int]:
        return [int(line.split()[0]) for line in self.builds()]

    def built(self) -> list[str]:
        """Return the names of the files in the folder of built tools."""
        return sorted(file.name for file in (self.root / "tools").rglob("*") if file.is_file())

    def start(self, *names: str) -> subprocess.Popen[str]:
        """Start `qhub toolchain build NAMES` as a process of its own."""
        # Tests may run where SIGINT is ignored (a job in the background), and a child inherits that. Not by
        # `preexec_fn`: Python between fork and exec hangs now and then beside the threads that other tests leave.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                [sys.executable, "-c", "from qhub.cli import main; main()", "toolchain", "build", *names],
                env={**os.environ, **self.variables},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)


def wait_until(true: Callable[[], object]) -> None:
    """Wait until something holds; fail when it never does."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end, "waited for something that did not happen"
        time.sleep(0.02)
