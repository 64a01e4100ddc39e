"""The input types of a provider's Python package, for the tokens of a cloud, cached on disk by SDK version."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock

from qhub.rehearsal.clouds import extract
from qhub.rehearsal.clouds.files import write_atomically
from qhub.rehearsal.paths import cache_dir
from qhub.rehearsal.plugins.errors import PluginError
from qhub.rehearsal.plugins.sdk import plugin_version

#: The largest SDK takes 10 s to import without compiled bytecode on a slow machine; ten times that is a hang.
_EXTRACT_SECONDS = 120.0


@dataclasses.dataclass(frozen=True)
class Schema:
    """What an SDK declares about some resource types; see `qhub.rehearsal.clouds.extract` for the form.

    Attributes:
        package: Pulumi package.
        version: version of the SDK.
        resources: token -> `{"inputs": type, "outputs": [name]}`.
        objects: name of an object type -> its properties.
    """

    package: str
    version: str
    resources: dict[str, Any]
    objects: dict[str, Any]

    def inputs(self, token: str) -> dict[str, Any]:
        """Return the input type of a resource.

        Raises:
            PluginError: the SDK does not have the resource.
        """
        return self._resource(token)["inputs"]

    def outputs(self, token: str) -> list[str]:
        """Return the names of a resource's outputs, `id` and `urn` not among them.

        Raises:
            PluginError: the SDK does not have the resource.
        """
        return self._resource(token)["outputs"]

    def _resource(self, token: str) -> Any:
        if token not in self.resources:
            raise PluginError(f"{self.package} {self.version} has no resource {token}")
        return self.resources[token]


def provider_token(package: str) -> str:
    """Return the token of a package's provider resource."""
    return f"pulumi:providers:{package}"


def load_schema(*, package: str, sdk: str, tokens: Iterable[str], cache: Path | None = None) -> Schema:
    """Return the input types of resources; the provider's own are always among them.

    Args:
        package: Pulumi package, `azure-native`.
        sdk: module of its SDK, `pulumi_azure_native`.
        tokens: resource types.
        cache: folder for what was read before; the shared cache by default.

    Raises:
        PluginError: the SDK is not installed or cannot be read.
    """
    version = plugin_version(sdk.removeprefix("pulumi_"))
    wanted = sorted({*tokens, provider_token(package)})
    digest = hashlib.sha256(Path(extract.__file__).read_bytes() + "\n".join(wanted).encode()).hexdigest()[:16]
    folder = (cache or cache_dir()) / "schemas"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{package}-{version}-{digest}.json"
    with FileLock(file.with_suffix(".lock")):
        if not file.exists():
            write_atomically(file, _extracted(sdk, wanted))
        read = json.loads(file.read_text(encoding="utf-8"))
    return Schema(package, version, read["resources"], read["objects"])


def _extracted(sdk: str, tokens: list[str]) -> str:
    command = [sys.executable, "-I", "-m", extract.__name__, sdk, *tokens]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_EXTRACT_SECONDS)
    except subprocess.TimeoutExpired:
        raise PluginError(f"reading the types of {sdk} took more than {_EXTRACT_SECONDS:g} s") from None
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise PluginError(f"the types of {sdk} cannot be read: {last}")
    return done.stdout
