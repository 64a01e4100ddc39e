"""How the hub's pages look (`jupyterhub.theme`): values of chart jupyterhub 4.4, section `hub`.

Templates of ours (`qhub/platform/hub/templates`) lie over JupyterHub's of the same name and take what the settings say
as a template variable, so that the settings' text is never read as a template or as HTML.
"""

from __future__ import annotations

import base64
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from qhub.config.theme import is_address
from qhub.platform import hub

if TYPE_CHECKING:
    from qhub.config import Settings
    from qhub.config.theme import Theme

#: Where templates and logo lie in the hub's pod.
FOLDER = "/usr/local/share/qhub"
TEMPLATES = ("home.html", "page.html")
#: Share of white or black that is mixed into a button under the pointer.
_HOVER = 0.15


def theme_values(settings: Settings) -> dict[str, Any]:
    """Return keys of the section `hub`; nothing where nothing is set.

    Raises:
        OSError: the file of the logo cannot be read. The settings were checked for that.
    """
    theme = settings.jupyterhub.theme
    if not theme.changes_something:
        return {}
    files: dict[str, Any] = {
        name: {"mountPath": f"{FOLDER}/templates/{name}", "stringData": hub.template(name)} for name in TEMPLATES
    }
    if theme.logo is not None and not is_address(theme.logo):
        picture = settings.path(theme.logo).read_bytes()
        place = logo_path(theme.logo)
        files["logo"] = {"mountPath": place, "binaryData": base64.b64encode(picture).decode("ascii")}
    return {
        "extraFiles": files,
        "templatePaths": [f"{FOLDER}/templates"],
        "templateVars": {"qhub_theme": theme_variables(theme)},
    }


def logo_path(logo: str) -> str:
    """Return where the file of a logo lies in the hub's pod; its suffix says what kind of picture it is."""
    return f"{FOLDER}/logo{PurePath(logo).suffix.lower()}"


def theme_variables(theme: Theme) -> dict[str, Any]:
    """Return what the templates read as `qhub_theme`, without what is not set."""
    made: dict[str, Any] = {"title": theme.title, "welcome": theme.welcome}
    if theme.logo is not None and is_address(theme.logo):
        made["logo"] = theme.logo
    if theme.primary_color is not None:
        text = readable_on(theme.primary_color)
        made["primary"] = {
            "color": theme.primary_color,
            "text": text,
            # Away from the text, so that it stays readable.
            "hover": mixed(theme.primary_color, "#000000" if text == "#ffffff" else "#ffffff", _HOVER),
        }
    if theme.bar_color is not None:
        made["bar"] = {"color": theme.bar_color, "text": readable_on(theme.bar_color)}
    return {key: value for key, value in made.items() if value is not None}


def readable_on(color: str) -> str:
    """Return white or black, whichever has the higher contrast on a colour (WCAG 2.2, "contrast ratio")."""
    light = _luminance(color)
    return "#ffffff" if 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 else "#000000"


def mixed(color: str, other: str, share: float) -> str:
    """Return a colour with a share of another in it."""
    parts = (round(a + (b - a) * share) for a, b in zip(_parts(color), _parts(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def _parts(color: str) -> tuple[int, ...]:
    return tuple(int(color[place : place + 2], 16) for place in (1, 3, 5))


def _luminance(color: str) -> float:
    """Return the relative luminance of a colour, from 0 for black to 1 for white (WCAG 2.2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (p / 255 for p in _parts(color))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
