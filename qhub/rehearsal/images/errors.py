"""The one error of this package."""

from __future__ import annotations


class ImagesError(RuntimeError):
    """An image is not described rightly, or could not be built. The message is for people."""
