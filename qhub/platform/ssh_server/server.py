"""An SSH server in front of JupyterHub: a terminal of one's own notebook server, signed in to with a token of the hub.

Whoever signs in gives their user name, and a token of the hub as the password. The hub says whose token that is and
starts the server where none runs. Every request goes on with that token: this program has no rights of its own.

| variable | what it is |
|---|---|
| `QHUB_SSH_HUB` | URL of the hub's proxy, where `/hub/` and `/user/` are |
| `QHUB_SSH_HOST_KEY` | file with the host key |
| `QHUB_SSH_PORT` | port to listen on |
| `QHUB_SSH_START_TIMEOUT` | seconds that a server may take to start |

Only terminals are given. A terminal has one stream for output and errors and no exit status, so that what needs them
(commands, scp, sftp, forwarded ports) is refused with a sentence rather than half done.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os

import aiohttp
import asyncssh
from yarl import URL

from .person import Person, RefusedError

log = logging.getLogger("qhub-ssh")

#: A connection that has not signed in by then is closed; in seconds. Long enough to go and make a token.
LOGIN_TIMEOUT = 120
#: Tokens that a connection may try. They cannot be guessed; this spares the hub.
MOST_TRIES = 3
#: Clients that have vanished without a word are found by this: seconds between questions, and how many go unanswered.
KEEPALIVE = 30
KEEPALIVE_COUNT = 4
#: What a terminal has where the client does not say: the size of a VT100.
COLUMNS, ROWS = 80, 24
#: Ctrl-D: what a terminal gets when the client has nothing more to type.
END_OF_TRANSMISSION = "\x04"
ONLY_TERMINALS = "qhub: there are only terminals here: no commands, scp or sftp. Connect without them.\r\n"


class Server(asyncssh.SSHServer):
    """One connection. Who signed in is the connection's extra information `person`."""

    def __init__(self, hub: URL, http: aiohttp.ClientSession, start_timeout: float) -> None:
        self._hub, self._http, self._start_timeout = hub, http, start_timeout
        self._tries = 0

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def password_auth_supported(self) -> bool:
        return True

    async def validate_password(self, username: str, password: str) -> bool:
        """Tell whether the password is a token of this user."""
        self._tries += 1
        if self._tries > MOST_TRIES:
            self._connection.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "too many tries")
            return False
        person = Person(username, password, self._hub, self._http, self._start_timeout)
        try:
            right = await person.owns_token()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            # ValueError: a password with a line break cannot be sent as a token.
            log.warning("cannot ask the hub about %r: %s", username, type(error).__name__)
            return False
        log.info("%r from %s: %s", username, self._connection.get_extra_info("peername")[0], "in" if right else "no")
        if right:
            self._connection.set_extra_info(person=person)
        return right


async def session(process: asyncssh.SSHServerProcess[str]) -> None:
    """Give a person a terminal, and end when either side does."""
    person: Person = process.get_extra_info("person")
    if process.command is not None or process.subsystem is not None:
        process.stderr.write(ONLY_TERMINALS)
        process.exit(1)
        return
    try:
        server = await person.start_server(lambda message: process.stderr.write(f"qhub: {message}\r\n"))
        async with person.terminal(server) as socket:
            await connect(process, socket)
        process.exit(0)
    except RefusedError as error:
        process.stderr.write(f"qhub: {error}\r\n")
        process.exit(1)
    except (aiohttp.ClientError, TimeoutError) as error:
        log.warning("the terminal of %r broke: %s", person.name, type(error).__name__)
        process.stderr.write("qhub: your server cannot be reached\r\n")
        process.exit(1)


async def connect(process: asyncssh.SSHServerProcess[str], socket: aiohttp.ClientWebSocketResponse) -> None:
    """Carry what is typed and what is printed, until the shell ends or the client goes.

    The end of what is typed is neither: the shell may still have something to print.

    Raises:
        RefusedError: the server has ended, and the shell with it.
    """
    columns, rows = process.term_size[:2]
    await socket.send_json(["set_size", rows or ROWS, columns or COLUMNS])
    typed = asyncio.create_task(carry_typed(process, socket))
    printed = asyncio.create_task(carry_printed(process, socket))
    gone = asyncio.create_task(process.channel.wait_closed())
    tasks = (typed, printed, gone)
    try:
        await asyncio.wait((printed, gone), return_when=asyncio.FIRST_COMPLETED)
        if printed.done() and not printed.result():
            raise RefusedError("your server has ended")
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def carry_typed(process: asyncssh.SSHServerProcess[str], socket: aiohttp.ClientWebSocketResponse) -> None:
    """Send what the client types, and the sizes its window takes."""
    while True:
        try:
            text = await process.stdin.read(4096)
        except asyncssh.TerminalSizeChanged as size:
            await socket.send_json(["set_size", size.height, size.width])
            continue
        except (asyncssh.BreakReceived, asyncssh.SignalReceived):
            continue  # a terminal takes signals as what is typed (Ctrl-C)
        await socket.send_json(["stdin", text or END_OF_TRANSMISSION])
        if not text:
            return


async def carry_printed(process: asyncssh.SSHServerProcess[str], socket: aiohttp.ClientWebSocketResponse) -> bool:
    """Write what the terminal prints, no faster than the client takes it; return whether the shell has ended."""
    async for message in socket:
        if message.type is not aiohttp.WSMsgType.TEXT:
            continue
        kind, *rest = json.loads(message.data)
        if kind == "stdout":
            process.stdout.write(rest[0])
            await process.stdout.drain()
        elif kind == "disconnect":
            return True
    return False


async def listen(
    http: aiohttp.ClientSession, *, hub: str, host_key: str, port: int, start_timeout: float, host: str = ""
) -> asyncssh.SSHAcceptor:
    """Take connections from now on.

    Args:
        http: the client for all requests to the hub.
        hub: URL of the hub's proxy.
        host_key: file with the host key.
        port: 0 for a free one.
        start_timeout: seconds that a server may take to start.
        host: address to listen on; "" for all.

    Raises:
        OSError: the port is taken, or there is no host key.
        asyncssh.KeyImportError: the file holds none.
    """
    key = asyncssh.read_private_key(host_key)
    acceptor = await asyncssh.listen(
        host,
        port,
        server_factory=lambda: Server(URL(hub), http, start_timeout),
        process_factory=session,
        server_host_keys=[key],
        # What is not UTF-8 on either side is shown as a replacement sign instead of ending the connection.
        encoding="utf-8",
        errors="replace",
        line_editor=False,
        login_timeout=LOGIN_TIMEOUT,
        keepalive_interval=KEEPALIVE,
        keepalive_count_max=KEEPALIVE_COUNT,
        agent_forwarding=False,
        x11_forwarding=False,
    )
    log.info("listening on port %s; host key %s", acceptor.get_port(), key.get_fingerprint())
    return acceptor


async def serve() -> None:
    """Serve with what the environment says, until cancelled."""
    async with aiohttp.ClientSession() as http:
        acceptor = await listen(
            http,
            hub=os.environ["QHUB_SSH_HUB"],
            host_key=os.environ["QHUB_SSH_HOST_KEY"],
            port=int(os.environ["QHUB_SSH_PORT"]),
            start_timeout=float(os.environ["QHUB_SSH_START_TIMEOUT"]),
        )
        await acceptor.wait_closed()


def main() -> None:
    """Serve, and say what happens where `kubectl logs` reads."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("asyncssh").setLevel(logging.WARNING)
    asyncio.run(serve())


if __name__ == "__main__":
    main()
