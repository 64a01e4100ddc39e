"""The Go compiler: find it, start a build, say what to do when one fails.

The user's own Go settings (proxy, caches, flags) hold. Go keeps every package that it has compiled in its own cache,
which is why a build that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qhub.rehearsal.toolchain.errors import ToolchainError
from qhub.rehearsal.toolchain.folders import BUILD_ENVIRONMENT, Platform
from qhub.rehearsal.toolchain.processes import MARK
from qhub.rehearsal.toolchain.version import Version, parse_version, spell_version

#: Since this version Go fetches a newer compiler by itself when go.mod asks for one.
FETCHES_ITSELF: Version = (1, 21, 0)
#: Lines of Go's output in an error message: an error and what led to it fit on a screen.
LAST_LINES = 20

#: What Go says (any case) -> what to do about it. The first match counts.
_HINTS = (
    (
        r"no space left on device|disk quota exceeded",
        "The disk is full: a cold build of everything needs about 10 GB, "
        "most of it in Go's caches (`go env GOCACHE GOMODCACHE` tells where)",
    ),
    (
        r"checksum mismatch|SECURITY ERROR|missing go\.sum entry|updates to go\.mod needed",
        "What was downloaded is not what go.sum in the checkout names. Do not go around this: restore the files under "
        "toolchain/, and if they are right, distrust the module proxy",
    ),
    (
        r"dial tcp|no such host|i/o timeout|connection refused|handshake timeout|proxyconnect|network is unreachable",
        "The Go module proxy cannot be reached: check the network, or set GOPROXY to one that can be",
    ),
    (
        r"40[134] |410 Gone|unknown revision|not found:",
        "The Go module proxy does not serve a module of that version: `go env GOPROXY` tells which proxy is asked",
    ),
    (
        r"signal: killed|cannot allocate memory|out of memory",
        "The machine ran out of memory: close something, then run the same command again",
    ),
    (
        r"requires go >=|toolchain not available",
        "This Go is too old and could not fetch a newer one: install a newer Go",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Go:
    """A Go compiler that can build the tools.

    Attributes:
        path: the `go` command.
        version: as it tells, such as `go1.26.8`.
    """

    path: Path
    version: str

    @classmethod
    def find(cls, *, needed: Version, missing: Sequence[str]) -> Go:
        """Return the `go` on PATH.

        Args:
            needed: lowest version that go.mod asks for.
            missing: names of the tools that wait for it; for the message.

        Raises:
            ToolchainError: there is none, or it is too old and may not fetch a newer one.
        """
        found = shutil.which("go")
        if found is None:
            raise ToolchainError(_no_go(needed=needed, missing=missing))
        version, fetching = _ask(Path(found))
        with suppress(ValueError):  # `devel …`: a compiler built from source knows what it does
            _check_age(version, needed=needed, fetching=fetching)
        return cls(path=Path(found), version=version)

    def build(
        self,
        packages: Sequence[str],
        *,
        flags: Sequence[str],
        output: Path,
        folder: Path,
        temporary: Path,
        log: Path,
        root: Path,
    ) -> subprocess.Popen[bytes]:
        """Start `go build`, out of reach of a Ctrl-C: whoever started it ends it.

        Args:
            packages: what to build, in one call, so that shared packages are compiled once.
            flags: of `go build`.
            output: a file, or a folder that exists for several packages.
            folder: where go.mod and go.sum lie.
            log: receives all that Go says.
            temporary: folder for files that only the build needs; a killed one leaves up to 1 GB there.
            root: the cache folder that is built for, see `end_builds`.
        """
        with log.open("wb") as stream:
            return subprocess.Popen(
                [str(self.path), "build", *flags, "-o", str(output), *packages],
                cwd=folder,
                env={**_environment(), "GOTMPDIR": str(temporary), MARK: str(root)},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def module_dir(self, module: str, *, folder: Path) -> Path:
        """Return where Go unpacked the source of `module`, which a build needed.

        Raises:
            ToolchainError: Go does not tell.
        """
        command = [str(self.path), "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module]
        done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False)
        if done.returncode != 0 or not done.stdout.strip():
            raise ToolchainError(f"`go list -m {module}` does not tell where its source is: {done.stderr.strip()}")
        return Path(done.stdout.strip())


def failure(log: Path, *, names: str, returncode: int) -> str:
    """Return the message for a build that failed: the last lines of Go's output, the log, what to do."""
    text = log.read_text(errors="replace")
    lines = text.strip().splitlines()[-LAST_LINES:]
    hint = next((hint for pattern, hint in _HINTS if re.search(pattern, text, flags=re.IGNORECASE)), None)
    ended = f"was killed by signal {-returncode}" if returncode < 0 else f"ended with code {returncode}"
    said = "\n".join(f"    {line}" for line in lines) or "    (nothing)"
    advice = hint or "What is built already is kept: the same command goes on from here"
    return f"{names} could not be built: Go {ended}. It said last:\n{said}\nThe whole output: {log}\n{advice}."


def _environment() -> dict[str, str]:
    """Return the user's environment without what would make Go build something else than the tool for this machine."""
    here = Platform.here()
    fixed = {"GOWORK": "off", "GO111MODULE": "on", "GOOS": here.system, "GOARCH": here.machine}
    return {**os.environ, **fixed, **BUILD_ENVIRONMENT}


def _ask(path: Path) -> tuple[str, str]:
    """Return GOVERSION and GOTOOLCHAIN as the command tells them."""
    # GO111MODULE=off: outside of any module, else a go.mod around the current folder would answer.
    environment = {**os.environ, "GO111MODULE": "off", "GOWORK": "off"}
    command = [str(path), "env", "GOVERSION", "GOTOOLCHAIN"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ToolchainError(f"{path} does not run: {done.stderr.strip() or f'it ended with code {done.returncode}'}")
    version, _, fetching = done.stdout.strip().partition("\n")
    return version, fetching.strip()


def _check_age(version: str, *, needed: Version, fetching: str) -> None:
    have = parse_version(version)
    if have >= needed or (have >= FETCHES_ITSELF and fetching != "local"):
        return
    why = "it is set to use no other (GOTOOLCHAIN=local)" if have >= FETCHES_ITSELF else "it cannot fetch a newer one"
    way = "Set GOTOOLCHAIN=auto to let it, or install" if have >= FETCHES_ITSELF else "Install"
    raise ToolchainError(
        f"this machine has {version}, the tools need Go {spell_version(needed)[1:]} or newer, and {why}. "
        f"{way} a newer Go; or put official releases of the tools on PATH"
    )


def _no_go(*, needed: Version, missing: Sequence[str]) -> str:
    major, minor, _ = needed
    return (
        f"these tools are not on this machine, and there is no Go to build them with: {', '.join(missing)}.\n"
        f"Either install Go {major}.{minor} or newer (package `golang-go` on Debian and Ubuntu, `golang` on Fedora, "
        "`go` in Homebrew and conda-forge; from 1.21 on, Go fetches a newer one by itself)\n"
        "or put official releases of the tools on PATH, then run the same command again"
    )
