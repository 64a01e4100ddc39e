"""What holds for tests of the rehearsal.

A plugin enters a part of the `pulumi` package, to start quickly (`qhub.rehearsal.plugins._proto`); where the whole is
there already it takes that. Tests run plugins and programs in one process, so the whole comes first.
"""

from __future__ import annotations

import pulumi as pulumi  # noqa: PLC0414 - said twice: it is imported for what the import does
