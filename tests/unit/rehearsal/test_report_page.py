"""The page and the terminal: what a person reads, and that the page needs nothing but itself."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from rich.console import Console

from qhub.rehearsal.report import Rehearsal, html_page, show
from qhub.rehearsal.report.words import duration
from tests.unit.rehearsal.recordings import FAILED, IDLE, PASSED, operation

VOID = {"meta", "br"}
BARE = replace(PASSED, pictures=(), operations=(), resources={}, notes=(), steps=PASSED.steps[:1])


class Reader(HTMLParser):
    """Collects what a browser would do: elements that do not match, addresses that it would load, the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(recording: Rehearsal) -> Reader:
    reader = Reader()
    reader.feed(html_page(recording))
    reader.close()
    return reader


def printed(recording: Rehearsal, width: int = 120) -> str:
    written = io.StringIO()
    show(recording, console=Console(file=written, width=width))
    return written.getvalue()


@pytest.mark.parametrize("recording", [PASSED, FAILED, BARE], ids=["passed", "failed", "bare"])
class TestPage:
    def test_it_is_well_formed(self, recording: Rehearsal) -> None:
        assert read(recording).open == []

    def test_its_pictures_are_well_formed(self, recording: Rehearsal) -> None:
        for picture in re.findall(r"<svg.*?</svg>", html_page(recording), re.S):
            ElementTree.fromstring(picture)  # noqa: S314 - our own

    def test_it_loads_nothing(self, recording: Rehearsal) -> None:
        page = html_page(recording)
        assert read(recording).addresses == []
        assert not re.search(r"<(script|link|img|iframe|object)\b|url\(|@import|https?://", page)


class TestWhatIsTold:
    @pytest.mark.parametrize("told", [printed, lambda recording: read(recording).text], ids=["terminal", "page"])
    def test_the_facts(self, told: Callable[[Rehearsal], str]) -> None:
        text = told(PASSED)
        for fact in ("passed", "control-plane", "$73", "$365", "a stand-in", "Helm leaves 17 CRDs", "no control plane"):
            assert fact in text

    @pytest.mark.parametrize("told", [printed, lambda recording: read(recording).text], ids=["terminal", "page"])
    def test_what_a_member_of_the_critical_path_waited_for(self, told: Callable[[Rehearsal], str]) -> None:
        assert "pod hub-1: images 9.0 s" in told(PASSED)

    @pytest.mark.parametrize("told", [printed, lambda recording: read(recording).text], ids=["terminal", "page"])
    def test_a_failure_with_its_key(self, told: Callable[[Rehearsal], str]) -> None:
        text = told(FAILED)
        for fact in ("did not pass", "Insufficient <cpu>", "jupyterhub.profiles[1].cpu.guarantee", "lower it"):
            assert fact in text

    def test_a_pod_on_no_node_is_in_the_picture_of_the_page(self) -> None:
        assert "qhub/jupyter-big: Insufficient <cpu>" in read(FAILED).text

    def test_text_of_others_is_never_markup(self) -> None:
        page = html_page(replace(PASSED, stack="<script>alert(1)</script>", notes=("<b>",)))
        assert "<script>" not in page
        assert "<b></li>" not in page

    def test_the_critical_path_is_highlighted_and_nothing_else(self) -> None:
        page = html_page(replace(PASSED, operations=tuple(one for one in PASSED.operations if one.step == "up")))
        hot = re.findall(r'class="hot">([^<]+)<', page)
        assert hot == ["network", "control-plane", "pool-general", "hub"]

    def test_operations_too_short_to_see_are_counted(self) -> None:
        short = tuple(operation(f"s{number}", 1, 1.5) for number in range(7))
        page = read(replace(PASSED, operations=(*PASSED.operations, *short))).text
        assert "7 operations shorter than" in page

    def test_a_stack_without_prices_says_so(self) -> None:
        free = replace(IDLE, nodes=tuple(replace(node, usd_per_hour=None) for node in IDLE.nodes))
        recording = replace(PASSED, pictures=(free,))
        assert "have no price" in printed(recording)
        assert "have no price" in read(recording).text

    def test_it_fits_a_narrow_terminal(self) -> None:
        assert max(map(len, printed(PASSED, width=80).splitlines())) <= 80


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (12.4, "12 s"), (59.6, "1 min 00 s"), (185, "3 min 05 s"), (3720, "1 h 02 min")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
