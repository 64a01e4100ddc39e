"""How the hub's pages look: the real JupyterHub renders them with our templates and values."""

from __future__ import annotations

import base64
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from qhub.platform.theme_values import FOLDER, mixed, readable_on
from tests.unit.charts.rendering import render
from tests.unit.hub.running import UNKNOWN_OPTION, Browser, Hub, running_hub
from tests.unit.platform.building import hub_values, make_settings

PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
WELCOME = "Welcome to the <b>lab</b> & {{ 7 * 7 }}.\nAsk Ada for an account."
THEME: dict[str, Any] = {
    "title": "Lab <1>",
    "welcome": WELCOME,
    "logo": "logo.SVG",
    "primary_color": "#1F6FEB",
    "bar_color": "#fee08b",
}
#: As a page has it: nothing of it is HTML or a template.
WELCOME_IN_HTML = "Welcome to the &lt;b&gt;lab&lt;/b&gt; &amp; {{ 7 * 7 }}.\nAsk Ada for an account."


def laid_out(values: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Lay the hub's extra files below `folder`, as its pod mounts them, and return values that look there."""
    objects = render("jupyterhub", values, namespace="team")
    data = objects["Secret", "hub"]["data"]
    [container] = objects["Deployment", "hub"]["spec"]["template"]["spec"]["containers"]
    for mount in (mount for mount in container["volumeMounts"] if mount["name"] == "files"):
        file = folder / Path(mount["mountPath"]).relative_to("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(data[mount["subPath"]]))
    there = f"{folder}{FOLDER}"
    hub, config = values["hub"], values["hub"]["config"]
    logo = config["JupyterHub"].get("logo_file", "").replace(FOLDER, there)
    config = {**config, "JupyterHub": {**config["JupyterHub"], **({"logo_file": logo} if logo else {})}}
    paths = [path.replace(FOLDER, there) for path in hub["templatePaths"]]
    return {**values, "hub": {**hub, "config": config, "templatePaths": paths}}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Generator[Hub]:
    folder = tmp_path_factory.mktemp("theme")
    (folder / "logo.SVG").write_bytes(PICTURE)
    sizes = [{"name": "z", "display_name": "<9> cores"}, {"name": "a", "default": True}]
    profile = {"name": "one", "display_name": "R & D {{ 7 * 7 }}", "sizes": sizes}
    settings = make_settings(root=folder, jupyterhub={"theme": THEME, "profiles": [profile]})
    with running_hub(laid_out(hub_values(settings), folder), folder) as running:
        yield running


@pytest.fixture(scope="module")
def ada(hub: Hub) -> Browser:
    """A browser that is signed in."""
    browser = hub.browser()
    assert browser.sign_in_with_password("ada", "a-sign-in-secret").status_code == 302
    return browser


class TestPages:
    def test_the_sign_in_page_shows_name_and_welcome_as_they_were_written(self, hub: Hub) -> None:
        page = hub.browser().go("/hub/login").text

        assert re.search(r"<title>\s*Lab &lt;1&gt;\s*</title>", page)
        assert '<span class="navbar-brand qhub-title">Lab &lt;1&gt;</span>' in page
        assert WELCOME_IN_HTML in page
        assert "<b>lab</b>" not in page
        # And it is still JupyterHub's own page.
        assert 'id="login_submit"' in page

    def test_the_home_page_welcomes_too_and_other_pages_do_not(self, ada: Browser) -> None:
        home, tokens = ada.go("/hub/home").text, ada.go("/hub/token").text

        assert WELCOME_IN_HTML in home
        assert 'id="start"' in home
        assert WELCOME_IN_HTML not in tokens
        assert "qhub-title" in tokens

    def test_buttons_and_bar_have_their_colours_and_text_that_can_be_read(self, hub: Hub) -> None:
        page = hub.browser().go("/hub/login").text

        assert "--bs-btn-bg: #1f6feb;" in page
        assert "--bs-btn-hover-bg: #1a5ec8;" in page
        assert "--bs-btn-color: #ffffff;" in page
        assert "#login-main .auth-form-header { background: #1f6feb; color: #ffffff; }" in page
        assert "background-color: #fee08b !important;" in page
        assert "--bs-navbar-color: #000000;" in page

    def test_the_logo_is_the_file(self, hub: Hub) -> None:
        answer = hub.browser().go("/hub/logo")

        assert answer.content == PICTURE
        assert answer.headers["Content-Type"] == "image/svg+xml"

    def test_the_start_page_shows_names_as_they_were_written_and_sizes_in_their_order(self, ada: Browser) -> None:
        page = ada.go("/hub/spawn").text

        assert "R &amp; D &#123;&#123; 7 * 7 &#125;&#125;" in page
        assert re.findall(r'<option value="(\w+)" *(selected)?>([^<]*)</option>', page) == [
            ("z", "", "&lt;9&gt; cores"),
            ("a", "selected", "a"),
        ]

    def test_the_hub_knows_every_option(self, hub: Hub) -> None:
        assert UNKNOWN_OPTION not in hub.log.read_text()


def test_a_logo_elsewhere_is_loaded_from_there(tmp_path: Path) -> None:
    settings = make_settings(jupyterhub={"theme": {"logo": "https://lab.org/logo.png?size=9&b=1"}})
    with running_hub(laid_out(hub_values(settings), tmp_path), tmp_path) as hub:
        page = hub.browser().go("/hub/login").text

        assert '<img src="https://lab.org/logo.png?size=9&amp;b=1"' in page
        assert "JupyterHub\n" in re.sub(r"\s*</title>", "\n", page)


def test_without_a_theme_nothing_is_sent() -> None:
    assert not {"extraFiles", "templatePaths", "templateVars"} & set(hub_values(make_settings())["hub"])


@pytest.mark.parametrize(
    ("color", "text"), [("#000000", "#ffffff"), ("#ffffff", "#000000"), ("#777777", "#000000"), ("#1f6feb", "#ffffff")]
)
def test_text_is_what_can_be_read_better(color: str, text: str) -> None:
    assert readable_on(color) == text


def test_mixing_ends_at_the_other_colour() -> None:
    assert (mixed("#102030", "#ffffff", 0), mixed("#102030", "#ffffff", 1)) == ("#102030", "#ffffff")
