"""Waiting until an object is ready, or gone, as the official plugin does; and saying why it is not."""

from __future__ import annotations

from qhub.rehearsal.plugins.kubernetes.waiting.base import READY, Look, Verdict, Waiter
from qhub.rehearsal.plugins.kubernetes.waiting.readiness import readiness_of

__all__ = ["READY", "Look", "Verdict", "Waiter", "readiness_of"]
