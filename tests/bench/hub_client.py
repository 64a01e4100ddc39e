"""A person at a hub without a browser: sign in, start a server, run cells; and many who sign in at the same time."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

#: Seconds within which anything has to answer; a hub with 200 sign-ins in flight takes some.
PATIENCE = aiohttp.ClientTimeout(total=300)
#: How often it is asked whether a server is ready: small beside a start of some seconds.
POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Hub:
    """Where a hub answers.

    Attributes:
        url: on this machine, with a slash at the end.
        host: the name that the ingress knows it by.
        admin: who may remove people there.
        options: for the start of a server, as its form would send them.
    """

    url: str
    host: str
    admin: str
    options: Mapping[str, str]

    @asynccontextmanager
    async def person(self, name: str, connector: aiohttp.BaseConnector | None = None) -> AsyncGenerator[Person]:
        """Sign somebody in; the password is never looked at."""
        jar = aiohttp.CookieJar(unsafe=True)  # keeps the cookies of an address without a name
        own = connector is None
        async with aiohttp.ClientSession(
            self.url, connector=connector, connector_owner=own, cookie_jar=jar, timeout=PATIENCE,
            headers={"Host": self.host}, raise_for_status=True,
        ) as session:  # fmt: skip
            person = Person(self, name, session)
            await person.sign_in()
            yield person


class Person:
    """Somebody with cookies of their own.

    Args:
        hub: where.
        name: who.
        session: its cookies are the person's.
    """

    def __init__(self, hub: Hub, name: str, session: aiohttp.ClientSession) -> None:
        self._hub = hub
        self._name = name
        self._session = session

    async def sign_in(self) -> None:
        """Open the page, fill in the form and send it."""
        async with self._session.get("hub/login") as page:
            await page.read()
        form = {"username": self._name, "password": "any", "_xsrf": self._xsrf()}
        async with self._session.post("hub/login", data=form, allow_redirects=False) as answer:
            if answer.status != 302:
                raise RuntimeError(f"{self._name} could not sign in: {answer.status}")

    async def start(self) -> Server:
        """Start the person's server; return it once the hub calls it ready."""
        token = (await self._api("POST", f"users/{self._name}/tokens", {"note": "bench"}))["token"]
        await self._api("POST", f"users/{self._name}/server", dict(self._hub.options))
        while not (await self._api("GET", f"users/{self._name}"))["servers"].get("", {}).get("ready"):
            await asyncio.sleep(POLL_SECONDS)
        return Server(self._session, f"user/{self._name}/", token)

    async def stop(self) -> None:
        """Stop the person's server; return once it is gone."""
        await self._api("DELETE", f"users/{self._name}/server")
        while (await self._api("GET", f"users/{self._name}"))["servers"]:
            await asyncio.sleep(POLL_SECONDS)

    async def remove(self, names: Sequence[str]) -> None:
        """Remove people from the hub, as its admin."""
        for name in names:
            await self._api("DELETE", f"users/{name}")

    async def _api(self, method: str, path: str, data: Mapping[str, Any] | None = None) -> Any:
        headers = {"X-XSRFToken": self._xsrf()}
        async with self._session.request(method, f"hub/api/{path}", json=data, headers=headers) as answer:
            text = await answer.text()
        return json.loads(text) if text else None

    def _xsrf(self) -> str:
        return self._session.cookie_jar.filter_cookies(URL(self._hub.url) / "hub/")["_xsrf"].value


class Server:
    """A running server of somebody.

    Args:
        session: of its owner.
        path: of the server below the hub's address.
        token: opens it.
    """

    def __init__(self, session: aiohttp.ClientSession, path: str, token: str) -> None:
        self._session = session
        self._path = path
        self._headers = {"Authorization": f"token {token}"}

    @asynccontextmanager
    async def kernel(self) -> AsyncGenerator[Kernel]:
        """Start a kernel and open its channels."""
        async with self._session.post(f"{self._path}api/kernels", headers=self._headers, json={}) as answer:
            name = (await answer.json())["id"]
        channels = f"{self._path}api/kernels/{name}/channels"
        async with self._session.ws_connect(channels, headers=self._headers) as socket:
            yield Kernel(socket)


class Kernel:
    """A kernel, by Jupyter's messaging protocol 5.

    Args:
        socket: its channels.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def run(self, code: str) -> str:
        """Run a cell and return what it prints; raise with its traceback when it fails."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "session": number, "username": "", "version": "5.3"}
        content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False, "stop_on_error": True}
        await self._socket.send_json(
            {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        )
        printed: list[str] = []
        while True:
            message = await self._socket.receive_json(timeout=PATIENCE.total)
            if message["parent_header"].get("msg_id") != number:
                continue
            kind, inside = message["msg_type"], message["content"]
            if kind == "stream" and inside["name"] == "stdout":
                printed.append(inside["text"])
            elif kind == "error":
                raise RuntimeError("\n".join(inside["traceback"]))
            elif kind == "status" and inside["execution_state"] == "idle":
                return "".join(printed).strip()


async def sign_ins_per_second(hub: Hub, names: Sequence[str], *, in_flight: int) -> float:
    """Let everybody sign in, so many at a time; return how many did in a second."""
    gate = asyncio.Semaphore(in_flight)
    async with aiohttp.TCPConnector(limit=0) as connector:

        async def one(name: str) -> None:
            async with gate, hub.person(name, connector):
                pass

        begun = time.perf_counter()
        await asyncio.gather(*(one(name) for name in names))
        return len(names) / (time.perf_counter() - begun)
