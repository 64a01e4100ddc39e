"""What a node of each instance type has: CPU, memory, GPUs, architecture, room for pods, and what it costs.

| call | returns |
|---|---|
| `find(cloud, name)` | the `InstanceType`, or None for one that is not in the catalogue |
| `names(cloud)` | every name, for a hint on a misspelt one |
| `allocatable(cloud, instance, ...)` | what of a node is left for pods |

The tables are `aws.csv`, `gcp.csv`, `digitalocean.csv`, `azure.csv` beside this file; each says at its top where its
numbers are from and of what date, and what was checked. Only the table of the cloud that is asked for is read. A type
that is missing can still be used: a pool then says itself what pods get (`cpu`, `memory`). Adding it is one line.
"""

from __future__ import annotations

from qhub.config.instances.allocatable import Allocatable, allocatable
from qhub.config.instances.catalogue import CLOUDS, InstanceType, find, names

__all__ = ["CLOUDS", "Allocatable", "InstanceType", "allocatable", "find", "names"]
