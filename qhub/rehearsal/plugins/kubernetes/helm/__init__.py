"""`helm.sh/v3:Release`: one resource per Helm release, through the real `helm`.

| module    | holds                                                                       |
|-----------|-----------------------------------------------------------------------------|
| `release` | check, diff, create, update, read, delete                                   |
| `work`    | one run of helm, and what is done when it fails                             |
| `options` | the inputs of a Release: which there are, and as which `helm` flags they go |
| `chart`   | where a chart comes from, and whether it and its version exist              |
| `command` | running `helm`: private home, private kubeconfig, values by stdin, cancel   |
| `record`  | what Helm itself keeps of a release in the cluster                          |
| `watch`   | what a release waits for, and why it is not ready                           |
| `outputs` | the shape of a release in the state                                         |
| `recover` | what to do with a release that an interrupted run has left                  |
"""

from __future__ import annotations
