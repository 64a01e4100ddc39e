"""Tools and images built side by side: while one compiles, the other downloads or packs."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from rich.console import Console

from qhub.automation.timing import Parts
from qhub.rehearsal import images
from qhub.rehearsal.images import BuiltImage
from qhub.rehearsal.toolchain import Lines, Toolchain, ending_by_signal, ensure_tools

#: How often what an abandoned build has started is looked for until the build has noticed.
POLL_SECONDS = 0.2


def tools_and_images(
    tools: Sequence[str], names: Sequence[str], *, console: Console, parts: Parts
) -> tuple[Toolchain, list[BuiltImage]]:
    """Return tools and images, building what is missing of both at the same time.

    Args:
        tools: names from `TOOLS`.
        names: folders under `images/`; none for a cluster on which no container runs.
        console: where progress is told.
        parts: what measures how long both take.

    Raises:
        ToolchainError, ImagesError: what was built until then is kept.
    """
    lines = Lines(console)

    def have_tools() -> Toolchain:
        with parts.measure("tools"):
            return ensure_tools(tools, console=lines)

    def have_images() -> list[BuiltImage]:
        with parts.measure("images beside them"):
            return images.ensure_images(names, report=lines)

    if not names:
        return have_tools(), []
    with ending_by_signal(), ThreadPoolExecutor(1) as pool:
        building = pool.submit(have_images)
        try:
            return have_tools(), building.result()
        except BaseException:
            _abandon(building)
            raise


def _abandon(building: Future[list[BuiltImage]]) -> None:
    """End a build whose result nobody waits for: also on an interrupt, which reaches the main thread alone."""
    while not building.done():
        images.end_build()
        wait([building], timeout=POLL_SECONDS)
