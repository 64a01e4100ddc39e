"""Stand-in Pulumi resource plugins, used only where the official ones cannot be had.

They speak the provider protocol of the real engine, so a `pulumi up` on them is a real one:

| plugin                       | carries                                                        | module              |
|------------------------------|----------------------------------------------------------------|---------------------|
| `pulumi-resource-kubernetes` | objects by server-side apply, `helm.sh/v3:Release` by `helm`   | `.kubernetes`       |
| `pulumi-resource-random`     | `RandomBytes`, `RandomId`, `RandomPassword`, `RandomString`, … | `.random`           |

`install_stand_ins` decides which plugin a checkout uses: an official one, where it is on PATH or in the plugin cache,
always wins. What a stand-in does not know is an error that says so; it never passes in silence.
"""

from __future__ import annotations
