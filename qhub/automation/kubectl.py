"""Run `kubectl` on the cluster that a stack's settings name."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class KubectlError(RuntimeError):
    """`kubectl` failed. The message is its own, for people."""


@dataclass(frozen=True, kw_only=True)
class Kubectl:
    """One cluster, as `kubectl` finds it.

    Attributes:
        kubeconfig: the file; None for kubectl's own default.
        context: context in it; None for its current one.
        environment: the whole environment of the child; `kubectl` is looked up on its PATH.
    """

    kubeconfig: Path | None
    context: str | None
    environment: Mapping[str, str]

    def show(self, *words: str) -> None:
        """Run `kubectl WORDS` with the terminal as it is.

        Raises:
            KubectlError: it ended with an error, which it has already printed.
        """
        if self._run(words, capture=False).returncode != 0:
            raise KubectlError(f"`kubectl {' '.join(words)}` ended with an error, shown above")

    def ask(self, *words: str) -> str:
        """Run `kubectl WORDS` and return what it prints.

        Raises:
            KubectlError: with what it wrote to its error output.
        """
        done = self._run(words, capture=True)
        if done.returncode != 0:
            raise KubectlError(done.stderr.strip())
        return done.stdout

    def _run(self, words: tuple[str, ...], *, capture: bool) -> subprocess.CompletedProcess[str]:
        where = [
            *(["--kubeconfig", str(self.kubeconfig)] if self.kubeconfig else []),
            *(["--context", self.context] if self.context else []),
        ]
        command = ["kubectl", *where, *words]
        return subprocess.run(command, env=dict(self.environment), text=True, capture_output=capture, check=False)
