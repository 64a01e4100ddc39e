"""JupyterLab: opening it, notebooks, terminals."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Page, expect

from tests.browser.site import Person, Site
from tests.browser.steps.notebook import Notebook
from tests.browser.steps.terminal import Terminal
from tests.browser.steps.waiting import until

#: Calls the server's API as the page does: with its cookies, and the token that only its own pages can read.
CALL = """async ([method, path, body]) => {
  const base = JSON.parse(document.getElementById('jupyter-config-data').textContent).baseUrl;
  const token = document.cookie.match(/\\b_xsrf=([^;]+)/)?.[1] ?? '';
  const headers = {'X-XSRFToken': token, 'Content-Type': 'application/json'};
  const answer = await fetch(base + path, {method, headers, body: body && JSON.stringify(body)});
  return [answer.status, await answer.text()];
}"""
#: Whether one's server answers, and not the hub or a proxy in its place.
REACHED = """async () => {
  const base = JSON.parse(document.getElementById('jupyter-config-data').textContent).baseUrl;
  const headers = {'X-XSRFToken': document.cookie.match(/\\b_xsrf=([^;]+)/)?.[1] ?? ''};
  return fetch(base + 'api/status', {headers, redirect: 'error'}).then(answer => answer.ok, () => false);
}"""
#: Puts what the terminal shows into the page as text, for screen readers; else it is only painted.
READABLE_TERMINAL = {"screenReaderMode": True}
TERMINAL_SETTINGS = "lab/api/settings/@jupyterlab/terminal-extension:plugin"


class Lab:
    """JupyterLab on one person's server. The server runs already."""

    def __init__(self, page: Page, site: Site, person: Person) -> None:
        self.page = page
        self.site = site
        self.person = person
        self._notebooks: list[str] = []

    def open(self) -> None:
        """Open it afresh, whatever was open when it was last closed."""
        self.page.goto(self.site.server(self.person, "lab?reset"))
        expect(self._launcher()).to_be_visible()

    def wait_until_reached(self, *, seconds: float) -> None:
        """Wait until the server answers this page, when it could not be reached."""
        until(self.page, lambda: self.page.evaluate(REACHED), seconds=seconds, what="the server is reached again")

    def dismiss_complaints(self) -> None:
        """From now on, dismiss what the page asks when one of its requests was turned away for a moment.

        It offers to start the server again, which runs; whoever says no works on.
        """
        complaint = self.page.locator(".jp-Dialog").filter(has_text="Server unavailable or unreachable")
        self.page.add_locator_handler(complaint, lambda: complaint.get_by_role("button", name="Dismiss").click())

    def reload(self, notebook: Notebook) -> None:
        """Load the page anew, as somebody does who is told that the kernel died; the notebook is still in front."""
        self.page.reload()
        notebook.wait_until_idle()

    def new_notebook(self, kernel: str | None = None) -> Notebook:
        """Open a new notebook by the launcher, with a kernel by its title or the default, until it is idle."""
        self._open_launcher()
        title = f"[title={kernel!r}]" if kernel else ""
        self._launcher().locator(f"[data-category=Notebook]{title}").first.click()
        notebook = Notebook(self.page)
        notebook.wait_until_idle()
        self._notebooks.append(until(self.page, self._open_file, seconds=30, what="the notebook has a name"))
        return notebook

    def new_terminal(self) -> Terminal:
        """Open a new terminal by the launcher and wait for its prompt."""
        if self.call("GET", TERMINAL_SETTINGS).get("settings") != READABLE_TERMINAL:
            self.call("PUT", TERMINAL_SETTINGS, {"raw": json.dumps(READABLE_TERMINAL)})
            self.open()
        self._open_launcher()
        self._launcher().locator("[data-category=Other][title*=terminal]").click()
        terminal = Terminal(self.page)
        terminal.wait_for_prompt()
        return terminal

    def tidy(self) -> None:
        """Shut down every kernel and terminal and delete the notebooks that were made here."""
        for session in self.call("GET", "api/sessions"):
            self.call("DELETE", f"api/sessions/{session['id']}")
        for terminal in self.call("GET", "api/terminals"):
            self.call("DELETE", f"api/terminals/{terminal['name']}")
        for path in self._notebooks:
            self.call("DELETE", f"api/contents/{path}")

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the server's API from within the page and return what it answers.

        Raises:
            AssertionError: it answers with an error.
        """
        status, text = self.page.evaluate(CALL, [method, path, body])
        assert status < 400, f"{method} {path}: {status} {text}"
        return json.loads(text) if text else None

    def _launcher(self) -> Any:
        return self.page.locator(".jp-Launcher:visible")

    def _open_launcher(self) -> None:
        if not self._launcher().is_visible():
            self.page.locator("[data-command='launcher:create']").first.click()
        expect(self._launcher()).to_be_visible()

    def _open_file(self) -> str | None:
        """Return the notebook in front, by the page's address."""
        path = unquote(urlsplit(self.page.url).path).partition("/tree/")[2]
        return path if path.endswith(".ipynb") and path not in self._notebooks else None
