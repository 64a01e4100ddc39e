"""The program of the SSH server, with a client of its own and a hub that says what a real one would say.

What only the real hub and the real terminal can show is tested on the platform itself (tests/browser/test_ssh.py).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestServer

from qhub.platform.generated_secrets import ed25519_key
from qhub.platform.ssh_server.server import ONLY_TERMINALS, listen

HOST_KEY = ed25519_key("5e" * 32)
#: token -> whose it is, as `/hub/api/user` answers.
ALICES = "of-alice"
OWNERS = {
    ALICES: {"kind": "user", "name": "alice"},
    "of-bob": {"kind": "user", "name": "bob"},
    "of-a-service": {"kind": "service", "name": "alice"},
}
READY = {"progress": 100, "ready": True, "message": "Server ready", "url": "/user/alice/"}


class StandInHub:
    """The four requests that the SSH server makes, and a terminal that repeats what is typed.

    Attributes:
        start: status of the request to start the server.
        events: what is told of the start.
        asked: every request, with its token.
        typed: what the terminal got besides text.
    """

    def __init__(self, *, start: int = 202, events: tuple[dict[str, Any], ...] = (READY,), stops: bool = False) -> None:
        self.start, self.events, self.stops = start, events, stops
        self.asked: list[tuple[str, str, str]] = []
        self.typed: list[list[Any]] = []

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._note])
        app.router.add_get("/hub/api/user", self._user)
        app.router.add_post("/hub/api/users/alice/server", self._start)
        app.router.add_get("/hub/api/users/alice/server/progress", self._progress)
        app.router.add_post("/user/alice/api/terminals", self._new_terminal)
        app.router.add_delete("/user/alice/api/terminals/1", self._new_terminal)
        app.router.add_get("/user/alice/terminals/websocket/1", self._terminal)
        return app

    @staticmethod
    async def _json(value: Any, status: int = 200) -> web.Response:
        return web.json_response(value, status=status)

    @web.middleware
    async def _note(self, request: web.Request, handler: Callable[..., Any]) -> Any:
        token = request.headers.get("Authorization", "").removeprefix("token ")
        self.asked.append((request.method, request.path, token))
        return await handler(request)

    async def _user(self, request: web.Request) -> web.Response:
        owner = OWNERS.get(request.headers["Authorization"].removeprefix("token "))
        return await self._json(owner or {"message": "Forbidden"}, 200 if owner else 403)

    async def _new_terminal(self, request: web.Request) -> web.Response:
        return await self._json({"name": "1"})

    async def _start(self, request: web.Request) -> web.Response:
        return await self._json({"message": "You have too many servers"}, self.start)

    async def _progress(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for event in self.events:
            await answer.write(f"data: {json.dumps(event)}\n\n".encode())
        return answer

    async def _terminal(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(["setup", {}])
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            kind, *rest = json.loads(message.data)
            if kind != "stdin":
                self.typed.append([kind, *rest])
            elif rest == ["\x04"]:
                if not self.stops:
                    await socket.send_json(["disconnect", 1])
                await socket.close()
            else:
                await socket.send_json(["stdout", f"<{rest[0]}>"])
        return socket


@asynccontextmanager
async def ssh_server(hub: StandInHub, folder: Path) -> AsyncGenerator[int]:
    """Run the SSH server before a hub; yield its port."""
    key = folder / "host_key"
    key.write_text(HOST_KEY, encoding="utf-8")
    async with TestServer(hub.app()) as web_server, ClientSession() as http:
        acceptor = await listen(
            http, hub=str(web_server.make_url("")), host_key=str(key), port=0, start_timeout=30, host="127.0.0.1"
        )
        async with acceptor:
            yield acceptor.get_port()


def known_hosts() -> asyncssh.SSHKnownHosts:
    public = asyncssh.import_private_key(HOST_KEY).export_public_key().decode()
    return asyncssh.import_known_hosts(f"* {public}")


@asynccontextmanager
async def signed_in(port: int, token: str = ALICES) -> AsyncGenerator[asyncssh.SSHClientConnection]:
    connection = await asyncssh.connect(
        "127.0.0.1", port, username="alice", password=token, known_hosts=known_hosts(), client_keys=None, config=None
    )
    try:
        yield connection
    finally:
        connection.abort()


def run(hub: StandInHub, folder: Path, work: Callable[[int], Coroutine[Any, Any, Any]]) -> Any:
    async def all_of_it() -> Any:
        async with ssh_server(hub, folder) as port, asyncio.timeout(60):
            return await work(port)

    return asyncio.run(all_of_it())


class TestSigningIn:
    @pytest.mark.parametrize("token", ["of-bob", "of-a-service", "nobody's", "two\nlines"])
    def test_only_a_token_of_ones_own_opens(self, tmp_path: Path, token: str) -> None:
        hub = StandInHub()

        async def work(port: int) -> None:
            async with signed_in(port, token):
                pass

        with pytest.raises(asyncssh.PermissionDenied):
            run(hub, tmp_path, work)
        assert {path for _, path, _ in hub.asked} <= {"/hub/api/user"}

    def test_the_host_key_is_the_one_that_the_program_made(self, tmp_path: Path) -> None:
        async def fingerprint(port: int) -> str:
            async with signed_in(port) as connection:
                key = connection.get_server_host_key()
                assert key is not None
                return key.get_fingerprint()

        assert run(StandInHub(), tmp_path, fingerprint) == asyncssh.import_private_key(HOST_KEY).get_fingerprint()


class TestTerminal:
    def test_what_is_typed_is_printed_and_the_terminal_goes_with_the_shell(self, tmp_path: Path) -> None:
        events = ({"progress": 0, "message": "Server requested"}, {"progress": 50, "message": "pulling"}, READY)
        hub = StandInHub(events=events)

        async def work(port: int) -> asyncssh.SSHCompletedProcess:
            async with signed_in(port) as connection:
                return await connection.run(input="grüße\n", term_type="xterm", term_size=(132, 50))

        done = run(hub, tmp_path, work)

        assert done.stdout == "<grüße\n>"
        assert done.exit_status == 0
        assert done.stderr == "qhub: Server requested\r\nqhub: pulling\r\n"
        assert hub.typed == [["set_size", 50, 132]]
        assert hub.asked[-1][:2] == ("DELETE", "/user/alice/api/terminals/1")
        assert {token for _, _, token in hub.asked} == {ALICES}

    def test_a_client_that_goes_ends_its_terminal(self, tmp_path: Path) -> None:
        hub = StandInHub()

        async def work(port: int) -> None:
            async with signed_in(port) as connection:
                process = await connection.create_process(term_type="xterm")
                process.stdin.write("x")
                assert await process.stdout.readexactly(3) == "<x>"
            while hub.asked[-1][0] != "DELETE":
                await asyncio.sleep(0.01)

        run(hub, tmp_path, work)

    @pytest.mark.parametrize(
        ("hub", "told"),
        [
            (StandInHub(start=403), "qhub: the hub does not start your server: You have too many servers\r\n"),
            (
                StandInHub(events=({"failed": True, "message": "no room"},)),
                "qhub: your server did not start: no room\r\n",
            ),
            (StandInHub(events=()), "qhub: the hub stopped telling whether your server starts\r\n"),
            (StandInHub(stops=True), "qhub: your server has ended\r\n"),
        ],
        ids=["not allowed", "fails", "no word", "stopped meanwhile"],
    )
    def test_why_there_is_none_is_told(self, tmp_path: Path, hub: StandInHub, told: str) -> None:
        async def work(port: int) -> asyncssh.SSHCompletedProcess:
            async with signed_in(port) as connection:
                return await connection.run(input="ls\n", term_type="xterm")

        done = run(hub, tmp_path, work)

        assert (done.stderr, done.exit_status) == (told, 1)

    def test_a_command_is_refused_with_a_sentence(self, tmp_path: Path) -> None:
        async def work(port: int) -> asyncssh.SSHCompletedProcess:
            async with signed_in(port) as connection:
                with pytest.raises(asyncssh.ChannelOpenError):
                    await connection.start_sftp_client()
                with pytest.raises(asyncssh.ChannelOpenError):
                    await connection.open_connection("127.0.0.1", 80)
                return await connection.run("rm -rf /")

        hub = StandInHub()
        done = run(hub, tmp_path, work)

        assert (done.stderr, done.exit_status) == (ONLY_TERMINALS, 1)
        assert {path for _, path, _ in hub.asked} == {"/hub/api/user"}
