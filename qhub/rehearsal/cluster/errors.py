"""What can go wrong with an embedded cluster, in words for people."""

from __future__ import annotations


class ClusterError(RuntimeError):
    """An embedded cluster could not be started, stopped or changed. The message is for people."""
