"""Every test, in two halves side by side: `python -m tests`, which is `make test`.

One half runs containers and browsers, and waits most of the time; the other computes. One after the other they would
take almost twice as long on two cores.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[1]
#: What takes whole clouds up and down: about as long as everything else of the engine's tests.
CLOUDS = ("tests/engine/clouds", "tests/engine/rehearse")
#: Both halves, as pytest takes them.
HALVES = (
    ("tests/unit", "tests/graph", *CLOUDS),
    ("tests/browser", "tests/engine", *(f"--ignore={folder}" for folder in CLOUDS)),
)
#: pytest's own code when it found no test.
NOTHING_FOUND = 5


def main(options: list[str]) -> int:
    """Run both halves to their ends; return 0 when no test of either failed.

    Args:
        options: of pytest, for both.
    """
    begun = time.monotonic()
    first, other = ([*options, *half] for half in HALVES)
    with tempfile.TemporaryFile("w+") as log:
        halves = [_start(first), _start(other, log)]
        signal.signal(signal.SIGTERM, lambda *_: _interrupt(halves))
        codes = [_wait(half) for half in halves]
        log.seek(0)
        sys.stdout.write(f"\nThe other half: {' '.join(HALVES[1])}\n{log.read()}")
    sys.stdout.write(f"\nBoth halves took {(time.monotonic() - begun) / 60:.0f} min\n")
    return 0 if all(code in (0, NOTHING_FOUND) for code in codes) and 0 in codes else 1


def _start(words: list[str], log: IO[str] | None = None) -> subprocess.Popen[bytes]:
    """Start one half; its output goes to `log`, or where ours goes."""
    # The cache of the last failures is one file, and both would write it.
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT if log else None)


def _wait(half: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a half. A Ctrl-C has reached it too: it stops what it started, and that is waited for."""
    while True:
        try:
            return half.wait()
        except KeyboardInterrupt:
            continue


def _interrupt(halves: list[subprocess.Popen[bytes]]) -> None:
    """Have both halves stop what they started, as a Ctrl-C does."""
    for half in halves:
        half.send_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
