"""The real hub with our values in a process of its own, and what a browser and an administrator do with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.unit.charts.hub_program import ENVIRONMENT, unpack_hub
from tests.unit.charts.rendering import render

ROOT = Path(__file__).parents[3]
#: Of a service that may read all users.
TOKEN = "c4" * 32
#: How traitlets tells of an option that no class has.
UNKNOWN_OPTION = "not recognized"
#: For `hub.extraConfig`: every start of a server fails, at once and cleanly, where nothing before it has refused it.
NO_CLUSTER = """
from kubespawner import KubeSpawner
from tornado.web import HTTPError

async def _start(self): raise HTTPError(500, "there is no cluster here")
async def _stop(self, now=False): pass
async def _poll(self): return 0

KubeSpawner.start, KubeSpawner.stop, KubeSpawner.poll = _start, _stop, _poll
"""


def environment() -> dict[str, str]:
    """Return the environment of a program that loads the hub's configuration."""
    return {**os.environ, **ENVIRONMENT, "CONFIGPROXY_AUTH_TOKEN": "c2" * 32, "PYTHONPATH": str(ROOT)}


def lay_out(values: dict[str, Any], folder: Path) -> Path:
    """Render chart jupyterhub and lay its files out below `folder` as the hub's pod mounts them; return where."""
    made = folder / "hub"
    made.mkdir(parents=True)
    unpack_hub(render("jupyterhub", values, namespace="team"), made)
    return made


def pods_of(values: dict[str, Any], asked: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Have the real hub and KubeSpawner make pods in a process of their own; return what became of each.

    Args:
        values: of chart jupyterhub.
        asked: what `make_pods` reads.
        folder: takes files and the hub's database.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.hub.make_pods", str(lay_out(values, folder))],
        cwd=folder,
        env=environment(),
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert UNKNOWN_OPTION not in done.stderr
    return json.loads(done.stdout)


def dask_pods_of(values: dict[str, Any], asked: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Have the real Dask gateway make the pods of clusters in a process of its own; return what became of each.

    Args:
        values: of chart dask-gateway.
        asked: what `make_dask_pods` reads.
        folder: takes the chart's files.
    """
    objects = render("dask-gateway", values, namespace="team")
    for part in ("api", "controller"):
        (folder / part).mkdir()
        for name, text in objects["ConfigMap", f"{part}-dask-gateway"]["data"].items():
            (folder / part / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.hub.make_dask_pods", str(folder)],
        cwd=folder,
        env=environment(),
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert UNKNOWN_OPTION not in done.stderr
    return json.loads(done.stdout)


class Hub:
    """A hub that runs.

    Attributes:
        log: file with what it wrote.
    """

    def __init__(self, port: int, log: Path) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self.log = log

    def user(self, name: str) -> dict[str, Any] | None:
        """Return what the hub knows of a user; None for one it does not know."""
        answer = requests.get(
            f"{self._address}/hub/api/users/{name}", headers={"Authorization": f"token {TOKEN}"}, timeout=30
        )
        return answer.json() if answer.status_code == 200 else None

    def as_program(self, token: str, path: str, body: Any = None) -> requests.Response:
        """Ask the hub's API as a program with somebody's token does; with a body, to do something."""
        headers = {"Authorization": f"token {token}"}
        method = "GET" if body is None else "POST"
        return requests.request(method, f"{self._address}/hub/api/{path}", headers=headers, json=body, timeout=60)

    def browser(self) -> Browser:
        """Return a browser without cookies."""
        return Browser(self._address)


class Browser:
    """Follows the way of one sign-in, step by step. The hub's public name leads to where it runs."""

    def __init__(self, hub: str) -> None:
        self._hub = hub
        self._session = requests.Session()

    def at(self, hub: Hub) -> Browser:
        """Return the same browser, for a hub that was started anew at another port."""
        other = hub.browser()
        other._session = self._session
        return other

    def go(self, address: str) -> requests.Response:
        """Ask for a page; redirects are not followed."""
        parts = urlsplit(address)
        if parts.netloc in ("", "qhub.localhost"):
            address = f"{self._hub}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return self._session.get(address, allow_redirects=False, timeout=30)

    def to_provider(self) -> str:
        """Press the button of the sign-in page; return where the browser is sent to."""
        answer = self.go("/hub/oauth_login")
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def sign_in(self) -> requests.Response:
        """Go all the way; return the hub's answer to it."""
        answer = self.go(self.to_provider())
        assert answer.status_code == 302, answer.text
        return self.go(answer.headers["Location"])

    def press(self, path: str, body: dict[str, Any]) -> requests.Response:
        """Have the hub's API do something, as its own pages do."""
        self.go("/hub/home")
        headers = {"X-XSRFToken": str(self._session.cookies.get("_xsrf", path="/hub/"))}
        return self._session.post(f"{self._hub}/hub/api/{path}", json=body, headers=headers, timeout=60)

    def make_token(self, username: str) -> str:
        """Make a token on the page for tokens, as people do for a program of theirs."""
        answer = self.press(f"users/{username}/tokens", {"note": "a program"})
        assert answer.status_code == 201, answer.text
        return answer.json()["token"]

    def sign_in_with_password(self, username: str, password: str) -> requests.Response:
        """Fill in the hub's own sign-in form."""
        self.go("/hub/login")
        form = {"username": username, "password": password, "_xsrf": self._session.cookies.get("_xsrf", path="/hub/")}
        return self._session.post(f"{self._hub}/hub/login", data=form, allow_redirects=False, timeout=30)

    def sign_up(self, username: str, password: str) -> requests.Response:
        """Make an account of the hub's own."""
        self.go("/hub/signup")
        token = self._session.cookies.get("_xsrf", path="/hub/")
        form = {"username": username, "signup_password": password, "signup_password_confirmation": password}
        return self._session.post(f"{self._hub}/hub/signup", data={**form, "_xsrf": token}, timeout=30)


@contextmanager
def running_hub(values: dict[str, Any], folder: Path) -> Generator[Hub]:
    """Run the hub with some values, and end it."""
    hub = {**values["hub"], "services": {**values["hub"].get("services", {}), "looks": {"apiToken": TOKEN}}}
    looks = {"scopes": ["admin:users", "read:users", "list:users"], "services": ["looks"]}
    hub["loadRoles"] = {**hub.get("loadRoles", {}), "looks": looks}
    laid_out, log = lay_out({**values, "hub": hub}, folder), folder / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.hub.serve_hub", str(laid_out)],
            cwd=folder,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            raise AssertionError(f"the hub did not start:\n{log.read_text()}")
        yield Hub(int(port), log)
    finally:
        # It ends when its input does.
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
