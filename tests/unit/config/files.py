"""Stack files for tests."""

from __future__ import annotations

import textwrap
from pathlib import Path

from qhub.config import Mistake, Settings, SettingsError, load_settings_file

PROJECT = "name: qhub\nruntime: python\nmain: stacks/\n"


class Folder:
    """A project folder in which a test writes stack files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "Pulumi.yaml").write_text(PROJECT)

    def write(self, text: str, *, stack: str = "prod") -> Path:
        """Write the file of a stack; the text's common indentation is taken away."""
        file = self.path / f"Pulumi.{stack}.yaml"
        file.write_text(textwrap.dedent(text).lstrip("\n"))
        return file

    def add_chart(self, name: str) -> None:
        """Make a folder with a chart."""
        (self.path / name).mkdir()
        (self.path / name / "Chart.yaml").write_text(f"name: {name}\nversion: 1.0.0\n")

    def load(self, text: str) -> Settings:
        """Return the settings of a file with this text."""
        return load_settings_file(self.write(text))

    def refused(self, text: str) -> SettingsError:
        """Return the error that a file with this text gives; fail where it gives none."""
        try:
            settings = self.load(text)
        except SettingsError as error:
            return error
        raise AssertionError(f"these settings were accepted: {settings!r}")

    def one_mistake(self, text: str) -> Mistake:
        """Return the only mistake in a file with this text."""
        error = self.refused(text)
        assert len(error.mistakes) == 1, str(error)
        return error.mistakes[0]
