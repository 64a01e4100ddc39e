"""What the installed SDK packages say about the plugin they want."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

from qhub.rehearsal.plugins.errors import PluginError


def plugin_version(package: str) -> str:
    """Return the plugin version that the installed `pulumi_<package>` pins in its `pulumi-plugin.json`.

    Raises:
        PluginError: the SDK is not installed.
    """
    spec = importlib.util.find_spec(f"pulumi_{package}")
    if spec is None or spec.origin is None:
        raise PluginError(f"the Python package pulumi_{package} is not installed: run `pip install 'qhub[rehearsal]'`")
    pinned = json.loads((Path(spec.origin).parent / "pulumi-plugin.json").read_text(encoding="utf-8"))
    return str(pinned["version"])
