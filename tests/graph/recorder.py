"""A wire-level stand-in for the Pulumi engine that records what a program registers.

`pulumi.runtime.set_mocks` sees a resource after the SDK has unwrapped its secrets and without its provider, its
protection and its dependencies. This answers the two gRPC services of the engine instead, on a loopback port, so that a
test sees exactly what the engine would: every URN, option, dependency, and which values are secrets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.empty_pb2 import Empty  # ty: ignore[missing-module-member] - made at import, from a descriptor
from google.protobuf.struct_pb2 import Struct  # ty: ignore[missing-module-member]
from pulumi.runtime import reset_options, run_in_stack
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, resource_pb2, resource_pb2_grpc

PROJECT = "qhub"
STACK = "test"
STACK_TYPE = "pulumi:pulumi:Stack"

#: How a secret is marked on the wire (pulumi/pulumi, sdk/go/common/resource/properties.go).
SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"
OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"

#: Type token -> inputs -> outputs that the provider would add; token of a function -> arguments -> its answer.
Outputs = Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]


def secret(value: object) -> dict[str, Any]:
    """Return a value as a provider marks a secret output."""
    return {SIGNATURE_KEY: SECRET_SIGNATURE, "value": value}


@dataclass(frozen=True)
class Registered:
    """One resource as the engine was asked for it.

    Attributes:
        urn: its identity.
        type: type token.
        name: logical name.
        custom: False for components.
        parent: URN of the parent; "" for the stack.
        provider: URN of the provider without its id; "" for none.
        protect, retain_on_delete: as registered, None for not said.
        ignore_changes: property paths.
        dependencies: URNs, sorted.
        inputs: plain data; a secret is `{SIGNATURE_KEY: SECRET_SIGNATURE, "value": ...}`.
    """

    urn: str
    type: str
    name: str
    custom: bool
    parent: str
    provider: str
    protect: bool | None
    retain_on_delete: bool | None
    ignore_changes: tuple[str, ...]
    dependencies: tuple[str, ...]
    inputs: dict[str, Any]


@dataclass
class Recording:
    """What one run of a program left behind.

    Attributes:
        resources: by URN, in the order of registration.
        outputs: outputs of the stack, secrets marked.
        problems: log messages of severity error.
    """

    resources: dict[str, Registered] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def one(self, type_token: str, name: str | None = None) -> Registered:
        """Return the only resource of a type, or the one of that name."""
        found = [
            made for made in self.resources.values() if made.type == type_token and (name is None or made.name == name)
        ]
        assert len(found) == 1, f"{type_token} {name or ''}: {[made.name for made in found]}"
        return found[0]

    def of_type(self, type_token: str) -> list[Registered]:
        """Return all resources of a type."""
        return [made for made in self.resources.values() if made.type == type_token]


class Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """The engine's side of `RegisterResource` and its neighbours."""

    def __init__(self, recording: Recording, outputs: Outputs, *, preview: bool) -> None:
        self._recording, self._outputs, self._preview = recording, outputs, preview

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:
        return resource_pb2.DeploymentInfo(supportedFeatures=[*resource_pb2.ResourceMonitorFeature.values()])

    def SupportsFeature(self, request: Any, context: Any) -> Any:
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def RegisterPackage(self, request: Any, context: Any) -> Any:
        return resource_pb2.RegisterPackageResponse(ref=request.name)

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Any:
        return Empty()

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Any:
        if self._recording.resources[request.urn].type == STACK_TYPE:
            self._recording.outputs = _plain(request.outputs)
        return Empty()

    def RegisterResource(self, request: Any, context: Any) -> Any:
        urn = _urn(request)
        if urn in self._recording.resources:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"Duplicate resource URN '{urn}'")
        inputs = _plain(request.object)
        self._recording.resources[urn] = Registered(
            urn=urn,
            type=request.type,
            name=request.name,
            custom=request.custom,
            parent=request.parent,
            provider=request.provider.rpartition("::")[0],
            protect=request.protect if request.HasField("protect") else None,
            retain_on_delete=request.retainOnDelete if request.HasField("retainOnDelete") else None,
            ignore_changes=tuple(request.ignoreChanges),
            dependencies=tuple(sorted(request.dependencies)),
            inputs=inputs,
        )
        response = resource_pb2.RegisterResourceResponse(urn=urn)
        if not request.custom:
            return response
        added = {} if self._preview else self._outputs.get(request.type, lambda _: {})(inputs)
        response.id = "" if self._preview else f"{request.name}-id"
        response.object.CopyFrom(_struct({**inputs, **added}))
        return response

    def Invoke(self, request: Any, context: Any) -> Any:
        package = request.tok.partition(":")[0]
        assert f"::pulumi:providers:{package}::" in request.provider, f"{request.tok}: called without its provider"
        answer = provider_pb2.InvokeResponse()
        getattr(answer, "return").CopyFrom(_struct(self._outputs[request.tok](_plain(request.args))))
        return answer


class _Engine(engine_pb2_grpc.EngineServicer):
    """The engine's side of logging and of the stack's own resource."""

    def __init__(self, recording: Recording) -> None:
        self._recording, self._root = recording, ""

    def Log(self, request: Any, context: Any) -> Any:
        if request.severity >= engine_pb2.ERROR:
            self._recording.problems.append(request.message)
        return Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:
        return engine_pb2.GetRootResourceResponse(urn=self._root)

    def SetRootResource(self, request: Any, context: Any) -> Any:
        self._root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(self, request: Any, context: Any) -> Any:
        return engine_pb2.RequirePulumiVersionResponse()


def record(
    program: Callable[[], None], *, outputs: Outputs, preview: bool = False, monitor: type[Monitor] = Monitor
) -> Recording:
    """Run a Pulumi program against the stand-in and return what it registered.

    Args:
        program: a program as Pulumi would run it; it calls `pulumi.export`.
        outputs: what providers add to the outputs of a resource, by type.
        preview: as in `pulumi preview`: what only a provider knows stays unknown.
        monitor: the engine's side of registrations.

    Raises:
        whatever the program raises.
    """
    recording = Recording()
    with _serve(recording, monitor(recording, outputs, preview=preview)) as address:
        reset_options(
            project=PROJECT,
            stack=STACK,
            organization="organization",
            monitor_address=address,
            engine_address=address,
            preview=preview,
        )
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(run_in_stack(program))
        finally:
            loop.close()
    return recording


@contextmanager
def _serve(recording: Recording, monitor: Monitor) -> Generator[str]:
    """Serve both services on a free loopback port; yield its address."""
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(_Engine(recording), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(grace=1).wait()


def _urn(request: Any) -> str:
    """Return the URN that the engine would give a resource."""
    parent_type = "" if not request.parent else request.parent.split("::")[2]
    prefix = "" if parent_type in ("", STACK_TYPE) else f"{parent_type}$"
    return f"urn:pulumi:{STACK}::{PROJECT}::{prefix}{request.type}::{request.name}"


def _plain(message: Struct) -> dict[str, Any]:
    """Return a message as plain data. An output value becomes what it holds: a secret, an unknown, or the value."""
    return _unwrap(json_format.MessageToDict(message))


def _unwrap(value: Any) -> Any:
    """Take away the envelope of output values, which also carry their dependencies."""
    if isinstance(value, list):
        return [_unwrap(item) for item in value]
    if not isinstance(value, dict):
        # Every number travels as a float.
        return int(value) if isinstance(value, float) and value.is_integer() else value
    if value.get(SIGNATURE_KEY) == OUTPUT_SIGNATURE:
        held = _unwrap(value["value"]) if "value" in value else "<unknown>"
        return secret(held) if value.get("secret") else held
    return {key: _unwrap(item) for key, item in value.items()}


def _struct(value: dict[str, Any]) -> Struct:
    """Return plain data as a message."""
    return json_format.ParseDict(value, Struct())
