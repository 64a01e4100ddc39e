"""The protocol's messages, imported without the rest of the Pulumi SDK.

`import pulumi` takes 0.1 s more than its protobuf modules alone, and the engine waits for a plugin to start. So the two
packages above `pulumi.runtime.proto` are entered as empty ones that only know their folder. This module must be
imported before anything else imports `pulumi`; where the SDK is already loaded (unit tests), it is used as it is.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any


def _enter_bare_packages() -> None:
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        raise ImportError("the `pulumi` package is not installed beside qhub: run `pip install 'qhub[rehearsal]'`")
    root = Path(spec.origin).parent
    for name, folder in (("pulumi", root), ("pulumi.runtime", root / "runtime")):
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package


_enter_bare_packages()

import google.protobuf.empty_pb2  # noqa: E402
import google.protobuf.struct_pb2  # noqa: E402
import google.rpc.status_pb2  # noqa: E402
from pulumi.runtime.proto import engine_pb2 as _engine  # noqa: E402
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2_grpc  # noqa: E402
from pulumi.runtime.proto import plugin_pb2 as _plugin  # noqa: E402
from pulumi.runtime.proto import provider_pb2 as _provider  # noqa: E402

#: A protobuf message or class. The modules are built at run time and their stubs do not resolve, hence no better type.
Message = Any
empty_pb2: Message = google.protobuf.empty_pb2
struct_pb2: Message = google.protobuf.struct_pb2
status_pb2: Message = google.rpc.status_pb2
engine_pb2: Message = _engine
plugin_pb2: Message = _plugin
provider_pb2: Message = _provider

__all__ = [
    "Message",
    "empty_pb2",
    "engine_pb2",
    "engine_pb2_grpc",
    "plugin_pb2",
    "provider_pb2",
    "provider_pb2_grpc",
    "status_pb2",
    "struct_pb2",
]
