"""What a person may set, how it is read, and how a mistake is told.

| name | what it is |
|---|---|
| `Settings` | the whole configuration of one environment; its sections are attributes |
| `load_stack_settings()` | read it inside the Pulumi program |
| `load_settings_file(path)` | read it from `Pulumi.<stack>.yaml`, without the engine |
| `SettingsError`, `Mistake` | what both raise: every mistake at once, with its place |
| `SettingsWarning` | what `Settings.warnings()` returns |

Neither pulumi nor kubernetes is imported before `load_stack_settings` is called.
"""

from __future__ import annotations

from qhub.config.advice import SettingsWarning
from qhub.config.load import load_settings_file, load_stack_settings
from qhub.config.mistakes import Mistake, SettingsError
from qhub.config.settings import Settings

__all__ = ["Mistake", "Settings", "SettingsError", "SettingsWarning", "load_settings_file", "load_stack_settings"]
