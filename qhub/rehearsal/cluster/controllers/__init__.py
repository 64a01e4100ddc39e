"""The controllers that a cloud would bring: disks for claims, addresses for load balancers, nodes for pools.

`python -m qhub.rehearsal.cluster.controllers` runs them. Each is a pure function from objects to actions; `loop` does
the watching and carries the actions out.
"""

from __future__ import annotations
