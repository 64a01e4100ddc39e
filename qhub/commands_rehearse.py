"""The command `qhub rehearse`: options, exit status, Ctrl-C. What it does is `qhub.automation.rehearse`."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

#: What a shell returns for a command that Ctrl-C has ended.
INTERRUPTED = 130


@click.command("rehearse")
@click.argument("stack", default="local")
@click.option(
    "--config-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings of the stack; default: Pulumi.STACK.yaml.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the recording as one JSON document, progress apart.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the page is written; default: build/rehearsal-STACK.html.",
)
def rehearse_command(stack: str, config_file: Path | None, as_json: bool, output: Path | None) -> None:
    """Try STACK end to end on simulated clouds: up, users come and go, destroy. No account, nothing of yours touched.

    Ends with 0 when everything passed, with 1 when something did not.
    """
    from rich.console import Console

    from qhub.automation.rehearse.rehearsing import rehearse
    from qhub.automation.rehearse.watchers import live_watcher
    from qhub.rehearsal.paths import project_root
    from qhub.rehearsal.report import html_page, show, to_json

    root = project_root()
    file = (config_file or root / f"Pulumi.{stack}.yaml").absolute()
    progress = Console(stderr=as_json)
    try:
        with ended_like_ctrl_c(), live_watcher(progress) as watcher:
            recording = rehearse(stack, file=file, root=root, console=progress, watcher=watcher)
    except KeyboardInterrupt:
        click.echo("Interrupted: everything that was started is stopped and removed.", err=True)
        sys.exit(INTERRUPTED)
    page = output or root / "build" / f"rehearsal-{stack}.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html_page(recording), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(to_json(recording), indent=2))
    else:
        show(recording, console=progress)
        shown = page.relative_to(Path.cwd()) if page.is_relative_to(Path.cwd()) else page
        progress.print(f"\nThe same with pictures: {shown}", soft_wrap=True, highlight=False)
    sys.exit(0 if recording.passed else 1)


@contextmanager
def ended_like_ctrl_c() -> Generator[None]:
    """Let SIGTERM and SIGHUP (a CI job that is cancelled, a terminal that is closed) clean up as Ctrl-C does.

    A second one does not disturb the cleaning up, which takes some seconds.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
