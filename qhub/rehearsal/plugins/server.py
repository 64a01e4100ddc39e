"""What every stand-in plugin is: a gRPC server on loopback that the engine starts, talks to and outlives."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent import futures
from typing import Any

from qhub.rehearsal.plugins._proto import (  # first: it decides how `pulumi` is imported
    empty_pb2,
    engine_pb2,
    engine_pb2_grpc,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

import grpc  # isort: skip

from qhub.rehearsal.plugins import wire
from qhub.rehearsal.plugins.errors import PartialFailure, PluginError

#: The engine runs 4 operations per core side by side by default (`--parallel`); each may wait for minutes. Threads are
#: made when needed, so a high limit costs nothing and `Cancel` always finds a free one.
_THREADS = 256
#: A second without its parent is short for a person and long for a process that only looks at one number.
_PARENT_POLL_SECONDS = 0.5
#: A release record or a CRD can be larger than gRPC's 4 MiB default; the engine uses the same limit.
_MESSAGE_BYTES = 400 * 1024 * 1024
_MESSAGE_LIMITS = [(f"grpc.max_{way}_message_length", _MESSAGE_BYTES) for way in ("receive", "send")]
#: Waits see the cancellation at once; what is under way on the network gets this long.
_GRACE_SECONDS = 5.0
#: With this set, unforeseen errors also write their traceback to stderr, which the engine logs.
DEBUG_VARIABLE = "QHUB_PLUGIN_DEBUG"


class Engine:
    """The engine's log, as seen from a plugin. Every text passes through `mask` first.

    Args:
        address: `host:port` of the engine; empty where a plugin runs alone (the log then goes nowhere).
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._stub: Any = None
        self._secrets: set[str] = set()

    def add_secrets(self, secrets: set[str]) -> None:
        """Have these strings masked in every later message."""
        with self._lock:
            self._secrets |= secrets

    def mask(self, text: str) -> str:
        """Return `text` with every secret this plugin has seen replaced."""
        with self._lock:
            secrets = set(self._secrets)
        return wire.mask(text, secrets)

    def info(self, message: str, urn: str = "") -> None:
        """Say something that stays in the output."""
        self._log(engine_pb2.INFO, message, urn, ephemeral=False)

    def warning(self, message: str, urn: str = "") -> None:
        """Warn; it stays in the output."""
        self._log(engine_pb2.WARNING, message, urn, ephemeral=False)

    def status(self, message: str, urn: str) -> None:
        """Show what is being waited for, in the resource's own line."""
        self._log(engine_pb2.INFO, message, urn, ephemeral=True)

    def _log(self, severity: Any, message: str, urn: str, *, ephemeral: bool) -> None:
        if not self._address:
            return
        with self._lock:
            if self._stub is None:
                self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self._address, options=_MESSAGE_LIMITS))
        request = engine_pb2.LogRequest(severity=severity, message=self.mask(message), urn=urn, ephemeral=ephemeral)
        try:
            self._stub.Log(request, timeout=5)
        except grpc.RpcError as error:
            # The engine is going away, or does not want the line: what is being done is worth more than its log.
            _complain(f"log line not delivered ({type(error).__name__}): {self.mask(message)}")


def _complain(text: str) -> None:
    """Write to stderr, which the engine logs; an engine that was killed reads it no more, and that changes nothing."""
    with contextlib.suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201


class Status(grpc.Status):
    """The shape that `abort_with_status` asks for."""

    def __init__(self, code: grpc.StatusCode, details: str, trailing_metadata: tuple[tuple[str, bytes], ...]) -> None:
        self.code = code
        self.details = details
        self.trailing_metadata = trailing_metadata


def _partial_status(error: PartialFailure, message: str) -> Status:
    """Return the status by which the engine learns that a resource exists although the operation failed."""
    inner = provider_pb2.ErrorResourceInitFailed(
        id=error.resource_id,
        properties=wire.to_struct(error.properties),
        reasons=[message],
        inputs=None if error.inputs is None else wire.to_struct(error.inputs),
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
    status.details.add().Pack(inner)
    return Status(grpc.StatusCode.UNKNOWN, message, (("grpc-status-details-bin", status.SerializeToString()),))


def rpc(method: Callable[..., Any]) -> Callable[..., Any]:
    """Turn what a provider method raises into what the engine understands, with every known secret masked."""

    @functools.wraps(method)
    def guarded(self: ProviderServer, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            return method(self, request, context)
        except PartialFailure as error:
            context.abort_with_status(_partial_status(error, self.engine.mask(str(error))))
        except PluginError as error:
            # Not "unknown": for the engine that would mean that nobody knows whether the operation happened.
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, self.engine.mask(str(error)))
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE):
                _complain(self.engine.mask(traceback.format_exc()))
            where = traceback.extract_tb(error.__traceback__)[-1]
            message = f"{type(error).__name__} in {os.path.basename(where.filename)}:{where.lineno}: {error}"  # noqa: PTH119
            context.abort(
                grpc.StatusCode.INTERNAL,
                self.engine.mask(
                    f"the stand-in plugin `{self.package}` met something it was not written for: {message}. "
                    f"Set {DEBUG_VARIABLE}=1 for the full story"
                ),
            )

    return guarded


class ProviderServer(provider_pb2_grpc.ResourceProviderServicer):
    """The parts of the protocol that do not depend on what is provided.

    Args:
        package: name of the Pulumi package.
        version: version that the plugin answers with; the SDK's, so that the engine takes it for that plugin.
        engine: where log lines go.
    """

    def __init__(self, *, package: str, version: str, engine: Engine) -> None:
        self.package = package
        self.version = version
        self.engine = engine
        self.cancelled = threading.Event()

    def Handshake(self, request: Any, context: Any) -> Any:
        """Tell the engine what this plugin accepts: secrets, but no resource references or output values."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Return the version."""
        return plugin_pb2.PluginInfo(version=self.version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        """Return an empty schema: the program has its types from the SDK."""
        return provider_pb2.GetSchemaResponse(schema="{}")

    def Attach(self, request: Any, context: Any) -> Any:
        """Take the engine's address when the plugin was started before the engine (`PULUMI_DEBUG_PROVIDERS`)."""
        self.engine = Engine(request.address)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        """End every wait soon; what was made so far is handed back as partial."""
        self.cancelled.set()
        return empty_pb2.Empty()

    def SignalCancellation(self, request: Any, context: Any) -> Any:
        """Do what `Cancel` does; newer engines call it by this name."""
        return self.Cancel(request, context)

    def close(self) -> None:
        """Bring what still runs to an end and clean up; called once, after `cancelled` is set."""

    @rpc
    def Construct(self, request: Any, context: Any) -> Any:
        """Refuse a remote component."""
        raise PluginError(
            f"the stand-in plugin `{self.package}` makes no components, so not `{request.type}`: "
            "use the official plugin, or resources instead of the component"
        )

    @rpc
    def Call(self, request: Any, context: Any) -> Any:
        """Refuse a resource method."""
        raise PluginError(f"the stand-in plugin `{self.package}` has no method `{request.tok}`: use the official one")

    @rpc
    def Invoke(self, request: Any, context: Any) -> Any:
        """Refuse a function."""
        raise PluginError(f"the stand-in plugin `{self.package}` has no function `{request.tok}`: use the official one")


def _watch_parent(on_gone: Callable[[], None]) -> None:
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_POLL_SECONDS)
        on_gone()

    threading.Thread(target=watch, name="watch-parent", daemon=True).start()


def serve(make: Callable[[Engine], ProviderServer]) -> None:
    """Run a plugin until the engine goes away: listen on a free loopback port, print it, and answer.

    Args:
        make: builds the provider; it is given the engine's log.
    """
    engine = Engine(sys.argv[1] if len(sys.argv) > 1 else "")
    provider = make(engine)
    server = grpc.server(futures.ThreadPoolExecutor(_THREADS), options=_MESSAGE_LIMITS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(provider, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def leave() -> None:
        provider.cancelled.set()
        server.stop(grace=_GRACE_SECONDS).wait()
        provider.close()
        os._exit(0)  # threads that wait for the network would hold an ordinary exit

    def on_signal(number: int, frame: object) -> None:
        threading.Thread(target=leave, daemon=True).start()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    _watch_parent(leave)
    print(port, flush=True)  # noqa: T201 - the engine reads the port from the first line of stdout
    server.wait_for_termination()
