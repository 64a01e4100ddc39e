"""Running `qhub rehearse` in a folder of a test's own, and looking for what it leaves."""

from __future__ import annotations

import subprocess

import psutil

from tests.engine.main_job.project import QHUB, Project

COMMAND = (str(QHUB), "rehearse")


def rehearse(
    project: Project, *words: str, stack: str = "local", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run `qhub rehearse STACK WORDS` with some more variables and return what came of it."""
    return subprocess.run(
        [*COMMAND, stack, *words], cwd=project.folder, env=project.environment(**environment), capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def files(project: Project) -> dict[str, bytes]:
    """Return all that is in the checkout but the report."""
    found = (path for path in project.folder.rglob("*") if path.is_file() and "build" not in path.parts)
    return {str(path): path.read_bytes() for path in found}


def left(project: Project) -> list[str]:
    """Return temporary files, and processes that speak of their folder."""
    folder = project.folder.parent / "tmp"
    found = [str(path) for path in folder.iterdir()]
    for process in psutil.process_iter():
        try:
            if any(f"{folder}/" in word for word in (*process.cmdline(), *process.environ().values())):
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found
