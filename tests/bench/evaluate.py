"""Evaluate `stacks/` once for a stack file, against mocks: what our own Python costs, without an engine.

python -m tests.bench.evaluate FILE [--list-sdk-modules]
"""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from unittest import mock

import pulumi
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from tests.graph.recorder import Outputs

ROOT = Path(__file__).parents[2]
#: What stands for a secret that only the engine could decrypt.
SECRET = "a-secret"


class Mocks(pulumi.runtime.Mocks):
    """Answer every registration with its inputs and what the cloud would add."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @cached_property
    def _outputs(self) -> Outputs:
        # Only now: it imports our modules, and the program itself decides how it is imported.
        return described(self._file).OUTPUTS

    def _id(self, args: pulumi.runtime.MockResourceArgs) -> str:
        # Alone of an id of Azure's the program reads something: the subscription.
        is_azure = args.typ.startswith("azure-native:")
        return described(self._file).resource_id(args.typ, args.name) if is_azure else f"{args.name}-id"

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict]:
        """Return an id and the outputs."""
        inputs = dict(args.inputs)
        return self._id(args), {**inputs, **self._outputs.get(args.typ, lambda _: {})(inputs)}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict, list[tuple[str, str]] | None]:
        """Return what the cloud answers when it is asked for something, and outputs of the last run: there was none."""
        if args.token == "pulumi:pulumi:readStackOutputs":
            return {"outputs": {}}, []
        return self._outputs[args.token](dict(args.args)), []


def configuration(file: Path) -> tuple[dict[str, str], list[str]]:
    """Return a stack file's values as the engine hands them over, and the keys that hold a secret."""
    values = YAML(typ="safe").load(file)["config"]
    texts = {key: value if isinstance(value, str) else json.dumps(_decrypted(value)) for key, value in values.items()}
    return texts, [key for key, value in values.items() if "secure" in json.dumps(value)]


def _decrypted(value: Any) -> Any:
    if isinstance(value, dict):
        return SECRET if value.keys() == {"secure"} else {key: _decrypted(item) for key, item in value.items()}
    return [_decrypted(item) for item in value] if isinstance(value, list) else value


def described(file: Path) -> ModuleType:
    """Return the module that says what the cloud of a template `config_<cloud>.yaml` would answer."""
    cloud = {"config_do": "clouds_digitalocean"}.get(file.stem, file.stem.replace("config_", "clouds_"))
    name = cloud if file.stem.startswith("config_") else "configurations"
    return importlib.import_module(f"tests.graph.{name}")


@pulumi.runtime.test
def evaluate(file: Path) -> None:
    """Run the program as the language host does, with the settings of a stack file, to its last resource."""
    pulumi.runtime.set_all_config(*configuration(file))
    # Mocks have no engine that could be asked for its version, or for the project's folder.
    with mock.patch.multiple(pulumi, require_pulumi_version=mock.DEFAULT, get_root_directory=lambda: str(ROOT)):
        runpy.run_path(str(ROOT / "stacks"), run_name="__main__")


def main() -> None:
    """Evaluate; with `--list-sdk-modules` print the names of the SDK modules that were imported, in order."""
    file = Path(sys.argv[1])
    pulumi.runtime.set_mocks(Mocks(file), project="qhub", stack="local")
    evaluate(file)
    if "--list-sdk-modules" in sys.argv:
        # The SDKs register modules that are loaded at their first use; those that were not used do not count.
        loaded = [name for name, module in sys.modules.items() if type(module) is ModuleType]
        used = [name for name in loaded if name.split(".")[0].startswith("pulumi")]
        sys.stdout.write(json.dumps(used))


if __name__ == "__main__":
    main()
