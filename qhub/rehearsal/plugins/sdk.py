"""What the installed SDK packages say about the plugin they want."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from qhub.rehearsal.needs import install_command
from qhub.rehearsal.plugins.errors import PluginError

#: SDK -> extra of QHub that installs it, where its name is another; "" for what every QHub has.
_EXTRAS = {"azure_native": "azure", "kubernetes": "", "random": ""}


def plugin_version(package: str) -> str:
    """Return the plugin version that the installed `pulumi_<package>` pins in its `pulumi-plugin.json`.

    Raises:
        PluginError: the SDK is not installed.
    """
    spec = importlib.util.find_spec(f"pulumi_{package}")
    if spec is None or spec.origin is None:
        command = install_command(_EXTRAS.get(package, package))
        raise PluginError(f"the Python package pulumi_{package} is not installed. Install it:\n  {command}")
    pinned = json.loads((Path(spec.origin).parent / "pulumi-plugin.json").read_text(encoding="utf-8"))
    return str(pinned["version"])
