"""JupyterHub's configuration: values of the chart in three layers, each over the one before.

1. what the chart's own keys mean (contract_hub.py);
2. `hub.config`, option by option;
3. `hub.extraConfig`, entry by entry in the order of their names, as part of this file: `c` is there.
"""

import sys
from pathlib import Path

# JupyterHub runs this as a script from elsewhere; the modules lie beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent))

import contract_hub
import z2jh

contract_hub.configure(globals()["c"])

for _name, _text in sorted(z2jh.get_config("hub.extraConfig", {}).items()):
    # dont_inherit: what this file imports from __future__ is no business of theirs.
    exec(compile(_text, f"hub.extraConfig.{_name}", "exec", dont_inherit=True), globals())  # noqa: S102
