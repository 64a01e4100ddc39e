"""A terminal in JupyterLab: commands are typed, and what it shows is read."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


class Terminal:
    """The terminal in front. It shows its text to screen readers (see `Lab.new_terminal`)."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.locator(".jp-Terminal:visible")
        self.screen = self.panel.locator(".xterm-accessibility-tree")
        self._commands = 0

    def wait_for_prompt(self) -> None:
        """Wait until the shell asks for a command."""
        expect(self.screen).to_contain_text(re.compile(r"[$#]"))

    def run(self, command: str) -> str:
        """Type a command that prints no more than the screen holds, and return what it printed, without colours.

        A line that is wider than the screen comes as several.
        """
        self._commands += 1
        begin, end = f"begin-of-command-{self._commands}", f"end-of-command-{self._commands}"
        self.panel.locator(".xterm").click()
        # Quotes keep the words apart from their echo. The screen is cleared once the command is typed, with the echo.
        self.page.keyboard.type(f"clear; echo '{begin[:3]}'{begin[3:]}; {command}; echo '{end[:3]}'{end[3:]}\n")
        # Both, since rows come to screen readers by and by: the row with the end may be new while those above are not.
        expect(self.screen).to_contain_text(re.compile(f"{begin}.*{end}", re.DOTALL))
        text = self.screen.inner_text().replace("\xa0", " ").partition(begin)[2].partition(end)[0]
        return "\n".join(line.rstrip() for line in text.splitlines()).strip()
