"""The platform's own images, built without a container engine: from Debian, Python, npm and Go packages alone.

| call | gives |
|---|---|
| `ensure_images(names, report=console)` | the images as files, built where they are missing |
| `find_images(names)` | those that are in the cache already |
| `end_build()` | nothing: what a build in another thread has started is ended |
| `why_not()` | why this machine cannot build them, in a sentence |

What they are is described in `images/`, see `qhub.rehearsal.images.description`. Where they lie:
`qhub.rehearsal.images.store`.
"""

from __future__ import annotations

from qhub.rehearsal.images.ensure import BuiltImage, end_build, ensure_images, find_images, why_not
from qhub.rehearsal.images.errors import ImagesError

__all__ = ["BuiltImage", "ImagesError", "end_build", "ensure_images", "find_images", "why_not"]
