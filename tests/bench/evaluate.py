"""Evaluate `stacks/` once for the local stack, against mocks: what our own Python costs, without an engine."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from unittest import mock

import pulumi
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]


class Mocks(pulumi.runtime.Mocks):
    """Answer every registration with its inputs."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict]:
        """Return an id and the inputs as outputs."""
        return args.name, dict(args.inputs)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict, list[tuple[str, str]] | None]:
        """Return nothing: the program invokes no function."""
        return {}, None


@pulumi.runtime.test
def evaluate() -> None:
    """Run the program as the language host does, with the settings of `Pulumi.local.yaml`, to its last resource."""
    values = YAML(typ="safe").load(ROOT / "Pulumi.local.yaml")["config"]
    config = {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}
    pulumi.runtime.set_all_config(config)
    # Mocks have no engine that could be asked for its version, or for the project's folder.
    with mock.patch.multiple(pulumi, require_pulumi_version=mock.DEFAULT, get_root_directory=lambda: str(ROOT)):
        runpy.run_path(str(ROOT / "stacks"), run_name="__main__")


def main() -> None:
    """Evaluate; with `--list-sdk-modules` print the names of the SDK modules that were imported, in order."""
    pulumi.runtime.set_mocks(Mocks(), project="qhub", stack="local")
    evaluate()
    if "--list-sdk-modules" in sys.argv:
        used = [name for name in sys.modules if name.split(".")[0].startswith("pulumi")]
        sys.stdout.write(json.dumps(used))


if __name__ == "__main__":
    main()
