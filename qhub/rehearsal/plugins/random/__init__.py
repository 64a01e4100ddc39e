"""The stand-in for `pulumi-resource-random`: values drawn once, kept in the state, drawn again when a keeper changes.

python -m qhub.rehearsal.plugins.random ENGINE_ADDRESS
"""

from __future__ import annotations
