"""Run the `pulumi` command on one stack of this project, with the environment that `prepare` worked out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class EngineError(RuntimeError):
    """The engine refused or failed. The message is for people; `returncode` is the engine's own."""

    def __init__(self, message: str, *, returncode: int = 1) -> None:
        super().__init__(message)
        self.returncode = returncode


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One `pulumi` binary, one project folder, one stack.

    Attributes:
        pulumi: the binary.
        root: folder that holds `Pulumi.yaml`.
        stack: stack name, as for `--stack`.
        environment: the whole environment of the child, secrets included; never printed.
    """

    pulumi: Path
    root: Path
    stack: str
    environment: Mapping[str, str]

    def show(self, *words: str) -> None:
        """Run `pulumi WORDS --stack STACK` with the terminal as it is, so that its live display works.

        Raises:
            EngineError: the engine ended with an error, which it has already printed.
        """
        done = self._run(words, capture=False)
        if done.returncode != 0:
            raise EngineError(
                f"`pulumi {words[0]} --stack {self.stack}` ended with an error, shown above", returncode=done.returncode
            )

    def ask(self, *words: str) -> str:
        """Run `pulumi WORDS --stack STACK` and return what it prints.

        Raises:
            EngineError: with what the engine wrote to its error output.
        """
        done = self._run(words, capture=True)
        if done.returncode != 0:
            raise EngineError(done.stderr.strip() or done.stdout.strip(), returncode=done.returncode)
        return done.stdout

    def select(self) -> bool:
        """Select the stack, creating it where the backend does not have it; return True when it was created."""
        if self.exists():
            return False
        try:
            self.ask("stack", "init")
        except EngineError:
            if not self.exists():
                raise
            return False  # another run has created it between the two looks
        return True

    def exists(self) -> bool:
        """Return True when the backend knows the stack."""
        listed = json.loads(self._run(("stack", "ls", "--json"), capture=True, stack=False).stdout or "[]")
        return any(entry["name"].split("/")[-1] == self.stack.split("/")[-1] for entry in listed)

    def state(self) -> dict[str, Any]:
        """Return the stack's deployment as `pulumi stack export` gives it: secrets stay encrypted."""
        return json.loads(self.ask("stack", "export")).get("deployment") or {}

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs; secret ones as `[secret]`."""
        return json.loads(self.ask("stack", "output", "--json"))

    def secret_output(self, name: str) -> str | None:
        """Return one of the stack's outputs in clear, or None where it has none of that name. Never print it."""
        return json.loads(self.ask("stack", "output", "--json", "--show-secrets")).get(name)

    def _run(self, words: Sequence[str], *, capture: bool, stack: bool = True) -> subprocess.CompletedProcess[str]:
        command = [str(self.pulumi), *words, *(["--stack", self.stack] if stack else []), "--non-interactive"]
        if not capture:
            command.remove("--non-interactive")
        return subprocess.run(
            command, cwd=self.root, env=dict(self.environment), text=True, capture_output=capture, check=False
        )
