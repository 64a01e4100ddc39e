"""A notebook in JupyterLab: cells are typed, run by the keyboard, and read as they are shown."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.steps.waiting import until

TRACEBACK = "Traceback (most recent call last)"
#: What a cell of the tests may take, in seconds, where nothing is started by it.
CELL_SECONDS = 60


class CellError(AssertionError):
    """The code of a cell failed; the message is its traceback."""


class Notebook:
    """The notebook in front."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator(".jp-NotebookPanel:visible")

    def wait_until_idle(self) -> None:
        """Wait until the kernel has started and computes nothing.

        The status bar says so. The indicator of the notebook is no help: it says idle from the start, when a cell
        that is run is not sent to any kernel.
        """
        expect(self.panel).to_be_visible()
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text(re.compile(r"\| Idle"))

    def run(self, code: str, *, seconds: float = CELL_SECONDS) -> str:
        """Type code into the last cell, run it, and return the text of its output.

        Raises:
            CellError: the code raised.
        """
        return self.finish(self.begin(code), seconds=seconds)

    def begin(self, code: str) -> Locator:
        """Type code into the last cell and run it; return the cell without waiting for its end."""
        cells = self.panel.locator(".jp-Cell")
        number = cells.count()
        editor = cells.last.locator(".cm-content")
        editor.click()
        self.page.keyboard.insert_text(code.strip())
        self.page.keyboard.press("Shift+Enter")
        expect(cells).to_have_count(number + 1)  # running the last cell adds an empty one
        return cells.nth(number - 1)

    def finish(self, cell: Locator, *, seconds: float = CELL_SECONDS) -> str:
        """Wait until a cell has run and return the text of its output.

        Raises:
            CellError: the code raised.
        """
        number = cell.locator(".jp-InputArea-prompt")
        expect(number).to_have_text(re.compile(r"\[\d+\]:"), timeout=seconds * 1000)
        said = self._read(cell)
        if TRACEBACK in said:
            raise CellError(said)
        return said

    def _read(self, cell: Locator) -> str:
        """Return the text of a cell's outputs once it is drawn, which is a little after the cell has its number."""
        outputs = cell.locator(".jp-OutputArea-output")
        pictures = "img, canvas, svg"
        seen: list[list[str]] = []

        def is_steady() -> bool:
            texts = [text.strip() for text in outputs.all_inner_texts()]
            before, seen[:] = seen[:], [texts]
            return before == seen and all(
                text or outputs.nth(number).locator(pictures).count() for number, text in enumerate(texts)
            )

        until(self.page, is_steady, seconds=30, what="the outputs of a cell are drawn")
        return "\n".join(seen[0]).strip()
