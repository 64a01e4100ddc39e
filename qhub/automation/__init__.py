"""Bring a stack up and down from a script or from `make`: tools, cluster, plugins, then the Pulumi engine.

| call | does |
|---|---|
| `prepare(stack)` | everything that `pulumi` needs on this machine, and the environment to run it in |
| `up(stack)` | `prepare`, recover what a killed run left, `pulumi up`, show the pods |
| `down(stack)` | `pulumi destroy`, remove the stack, stop and delete the embedded cluster |

`pulumi` stays the main door: after `eval "$(qhub env)"` every Pulumi command works by hand.
"""

from __future__ import annotations

from qhub.automation.engine import Engine, EngineError
from qhub.automation.kubectl import Kubectl, KubectlError
from qhub.automation.lifecycle import down, up
from qhub.automation.prepare import Prepared, prepare

__all__ = ["Engine", "EngineError", "Kubectl", "KubectlError", "Prepared", "down", "prepare", "up"]
