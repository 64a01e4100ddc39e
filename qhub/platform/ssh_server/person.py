"""Somebody who signs in by SSH, and the hub as they may use it: always with their own token."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
from yarl import URL

#: Seconds between the questions that find out whether a terminal's other end is still there.
HEARTBEAT = 30


class RefusedError(Exception):
    """The hub, or somebody's server, does not do what is asked. The message is for the person at the terminal."""


@dataclass(frozen=True)
class Person:
    """Somebody with a token, and the hub as they may use it.

    Attributes:
        name: user name.
        token: token of the hub; sent with every request and shown nowhere.
        hub: URL of the hub's proxy.
        http: the client that all share.
        start_timeout: seconds that their server may take to start.
    """

    name: str
    token: str
    hub: URL
    http: aiohttp.ClientSession
    start_timeout: float

    async def owns_token(self) -> bool:
        """Tell whether the token is this person's own: any other valid token must not open their server.

        Raises:
            aiohttp.ClientError, TimeoutError: the hub does not answer.
        """
        async with self.ask("GET", self.hub / "hub/api/user") as answer:
            if answer.status != 200:
                return False
            owner = await answer.json()
        return owner.get("kind") == "user" and owner.get("name") == self.name

    async def start_server(self, tell: Callable[[str], None]) -> URL:
        """Return the URL of the person's server, started where it does not run; `tell` gets each thing that happens.

        Raises:
            RefusedError: it cannot be started, or not by this token, or not in time.
        """
        api = self._of_hub(f"hub/api/users/{quote(self.name, safe='')}/server")
        async with self.ask("POST", api) as answer:
            # 201 and 202: starting. 400: it runs, or cannot be started just now; which of them, the progress says.
            if answer.status not in (201, 202, 400):
                raise RefusedError(f"the hub does not start your server: {await reason(answer)}")
        try:
            async with asyncio.timeout(self.start_timeout):
                return await self._await_server(api / "progress", tell)
        except TimeoutError:
            raise RefusedError(f"your server has not started within {self.start_timeout:g} seconds") from None

    async def _await_server(self, progress: URL, tell: Callable[[str], None]) -> URL:
        async with self.ask("GET", progress, timeout=aiohttp.ClientTimeout(total=None)) as answer:
            if answer.status != 200:
                raise RefusedError(f"your server does not start: {await reason(answer)}")
            async for event in events(answer):
                if event.get("failed"):
                    raise RefusedError(f"your server did not start: {event.get('message', '')}")
                if event.get("ready"):
                    return self._of_hub(event["url"].lstrip("/"))
                if message := event.get("message"):
                    tell(message)
        raise RefusedError("the hub stopped telling whether your server starts")

    @contextlib.asynccontextmanager
    async def terminal(self, server: URL) -> AsyncGenerator[aiohttp.ClientWebSocketResponse]:
        """Make a terminal of a server that runs, for as long as the context; what runs in it ends with it.

        Raises:
            RefusedError: the server makes none.
        """
        async with self.ask("POST", server / "api/terminals") as answer:
            if answer.status != 200:
                raise RefusedError(f"your server gives no terminal: {await reason(answer)}")
            name = (await answer.json())["name"]
        try:
            # max_msg_size=0: whatever a program prints at once is one message.
            async with self.http.ws_connect(
                server / "terminals/websocket" / name, headers=self._headers, heartbeat=HEARTBEAT, max_msg_size=0
            ) as socket:
                yield socket
        finally:
            # Gone already where the shell has ended, and with the whole server.
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self.ask("DELETE", server / "api/terminals" / name):
                    pass

    def ask(self, method: str, url: URL, **options: Any) -> Any:
        """Send a request of this person's."""
        return self.http.request(method, url, headers=self._headers, allow_redirects=False, **options)

    def _of_hub(self, path: str) -> URL:
        """Return the URL of a path whose parts are escaped already."""
        return self.hub.join(URL(f"/{path}", encoded=True))

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"token {self.token}"}


async def reason(answer: aiohttp.ClientResponse) -> str:
    """Return what the hub says of a request that failed."""
    try:
        return str((await answer.json(content_type=None))["message"])
    except (ValueError, TypeError, KeyError):
        return f"status {answer.status}"


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Yield the events of a stream that the hub sends: a line `data: {...}` each, with empty lines between."""
    async for line in answer.content:
        name, _, value = line.decode().partition(":")
        if name == "data":
            yield json.loads(value)
