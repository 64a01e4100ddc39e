"""The relay: ports on this machine's 127.0.0.1 that lead into the network of a real node.

`python -m qhub.rehearsal.node.relay` runs it, outside that network. It listens outside and connects inside: a socket
belongs to the network in which its thread was when it made the socket, so that one process serves both. It carries
bytes and looks at none: TLS, WebSockets and what lasts for days alike.

The table that it is given is read again on SIGHUP; the mark says which ports are served.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import logging
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

from qhub.rehearsal.cluster.layout import write_private

logger = logging.getLogger(__name__)

CLONE_NEWNET = 0x40000000
#: Bytes taken at once: a notebook's output in few turns, and little memory for each of many quiet connections.
CHUNK = 256 * 1024
#: Seconds after which a connection that is not accepted inside is given up.
CONNECT_SECONDS = 10.0


class Relay:
    """Serves a table of ports."""

    def __init__(self, *, inside: int, table: Path, mark: Path) -> None:
        """Remember where to connect (a file descriptor of a network namespace), what to serve, and where to say so."""
        self._inside = inside
        self._outside = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._table = table
        self._mark = mark
        self._servers: dict[int, asyncio.Server] = {}
        self._targets: dict[int, tuple[str, int]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until the process ends.

        Raises:
            OSError: a port of the first table is taken.
        """
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._read_again)
        await self._read(first=True)
        await asyncio.Event().wait()

    def _read_again(self) -> None:
        task = asyncio.ensure_future(self._read(first=False))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _read(self, *, first: bool) -> None:
        wanted = {int(port): (target[0], target[1]) for port, target in json.loads(self._table.read_text()).items()}
        for port in self._servers.keys() - wanted.keys():
            self._servers.pop(port).close()
        self._targets = wanted
        for port in wanted.keys() - self._servers.keys():
            try:
                self._servers[port] = await asyncio.start_server(self._serve, "127.0.0.1", port)
            except OSError as error:
                if first:
                    raise
                logger.warning("port %d is not served: %s", port, error)
        write_private(self._mark, json.dumps({"pid": os.getpid(), "ports": sorted(self._servers)}))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        port = writer.get_extra_info("sockname")[1]
        inner = self._socket()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().sock_connect(inner, self._targets[port])
                inner_reader, inner_writer = await asyncio.open_connection(sock=inner)
        except (OSError, KeyError, TimeoutError) as error:
            logger.debug("port %d: nobody answers inside: %s", port, error)
            inner.close()
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_carry(reader, inner_writer), _carry(inner_reader, writer))
        finally:  # what is still to be sent is sent before they close
            writer.close()
            inner_writer.close()

    def _socket(self) -> socket.socket:
        """Return a socket of the network inside. The two changes are one step for every other connection."""
        _set_network(self._inside)
        try:
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        finally:
            _set_network(self._outside)
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until the sender ends; the other way may go on. A connection that breaks ends both."""
    with suppress(OSError):  # not ConnectionError alone: an end cannot be sent to who is gone, "not connected"
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        return
    writer.transport.abort()


def _set_network(descriptor: int) -> None:
    """Move this thread into a network. Python itself has this call from version 3.12 on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(prog="qhub.rehearsal.node.relay", description=__doc__)
    parser.add_argument("--network", type=int, required=True, help="id of a process in the network to connect to")
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--mark", type=Path, required=True)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    inside = os.open(f"/proc/{given.network}/ns/net", os.O_RDONLY)
    asyncio.run(Relay(inside=inside, table=given.table, mark=given.mark).run())


if __name__ == "__main__":
    main()
