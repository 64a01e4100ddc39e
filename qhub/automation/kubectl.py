"""Run `kubectl` on the cluster that a stack's settings name."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qhub.automation.engine import Engine
from qhub.config import Settings


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


@contextmanager
def kubectl_of(engine: Engine, settings: Settings) -> Generator[Kubectl | None]:
    """Yield `kubectl` on the cluster of a stack; None where the stack has not made its cluster yet.

    A cluster on a cloud is reached by the kubeconfig among the stack's outputs, which lies in a file that only this
    user can read for as long as the context lasts.
    """
    cluster, environment = settings.cluster, engine.environment
    if cluster.provider == "existing":
        kubeconfig = engine.root / Path(cluster.kubeconfig).expanduser() if cluster.kubeconfig else None
        yield Kubectl(kubeconfig=kubeconfig, context=cluster.context, environment=environment)
        return
    text = engine.secret_output("kubeconfig")
    if text is None:
        yield None
        return
    descriptor, name = tempfile.mkstemp(prefix="qhub-kubeconfig-")  # 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        yield Kubectl(kubeconfig=Path(name), context=None, environment=environment)
    finally:
        Path(name).unlink()
