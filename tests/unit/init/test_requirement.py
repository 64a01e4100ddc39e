"""What a new project requires can be installed: it is what made the project."""

from __future__ import annotations

import json
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from qhub.init.requirement import requirement


def installed(folder: Path, origin: dict[str, Any] | None) -> Distribution:
    """Return a package of version 1.2.3 that came from somewhere; None for a package index."""
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: qhub\nVersion: 1.2.3\n")
    if origin is not None:
        (folder / "direct_url.json").write_text(json.dumps(origin))
    return Distribution.at(folder)


@pytest.mark.parametrize(
    ("origin", "line"),
    [
        (None, "qhub[aws]==1.2.3"),
        (
            {"url": "https://git.example.org/team/qhub", "vcs_info": {"vcs": "git", "commit_id": "0a1b"}},
            "qhub[aws] @ git+https://git.example.org/team/qhub@0a1b",
        ),
        (
            {
                "url": "https://git.example.org/all",
                "vcs_info": {"vcs": "git", "commit_id": "0a1b"},
                "subdirectory": "qhub",
            },
            "qhub[aws] @ git+https://git.example.org/all@0a1b#subdirectory=qhub",
        ),
        (
            {"url": "https://example.org/qhub-1.2.3-py3-none-any.whl", "archive_info": {}},
            "qhub[aws] @ https://example.org/qhub-1.2.3-py3-none-any.whl",
        ),
        ({"url": "file:///home/ada/qhub", "dir_info": {"editable": True}}, "qhub[aws] @ file:///home/ada/qhub"),
    ],
)
def test_it_names_what_is_installed_by_where_it_came_from(
    tmp_path: Path, origin: dict[str, Any] | None, line: str
) -> None:
    *comments, told = requirement("[aws]", installed(tmp_path, origin)).splitlines()

    assert told == line
    assert Requirement(told).extras == {"aws"}
    assert [comment[:1] for comment in comments] == (["#"] if "file:" in line else [])
