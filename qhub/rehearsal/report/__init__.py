"""The report of a rehearsal: pure functions from its recording to a terminal, to JSON and to one HTML page.

| call | gives |
|---|---|
| `Rehearsal(...)` | the recording: plain data |
| `show(rehearsal, console=...)` | the report in a terminal |
| `html_page(rehearsal)` | the page, as text; nothing is loaded from elsewhere |
| `to_json(rehearsal)`, `from_json(document)` | the recording as a JSON document, and back |
"""

from __future__ import annotations

from qhub.rehearsal.report.document import from_json, to_json
from qhub.rehearsal.report.page import html_page
from qhub.rehearsal.report.recording import Rehearsal
from qhub.rehearsal.report.terminal import show

__all__ = ["Rehearsal", "from_json", "html_page", "show", "to_json"]
