"""What the start page offers below a profile: an image and a size (KubeSpawner's `profile_options`)."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from qhub.config.options import default_of
from qhub.config.sizes import amounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qhub.clouds.cluster import NodePool
    from qhub.config.jupyterhub import Profile
    from qhub.config.options import ImageOption, SizeOption
    from qhub.config.resources import Image
    from qhub.config.sizes import Size

#: Names of the two options: links and saved choices have them.
IMAGE, SIZE = "image", "size"
#: Name of the choice that stands for the profile's own image, where people may type another and there is no list.
STANDARD = "standard"
#: What KubeSpawner fills in itself: the image that somebody types.
TYPED = "{value}"
#: Characters that HTML knows; braces too, since the hub renders KubeSpawner's form as a template of its own.
_BRACES = str.maketrans({"{": "&#123;", "}": "&#125;"})


def as_html(text: str) -> str:
    """Return text so that a page shows it as it stands: KubeSpawner's form takes names and descriptions as HTML."""
    return html.escape(text).translate(_BRACES)


def size_override(size: Size, pool: NodePool) -> dict[str, Any]:
    """Return what a size sets of KubeSpawner.

    Raises:
        ValueError: a share of a node whose room is not known, which the settings do not let through.
    """
    found = amounts(size, cpu=pool.cpu, memory=pool.memory)
    return {
        "cpu_limit": found.cpu_limit,
        "cpu_guarantee": found.cpu_guarantee,
        "mem_limit": found.mem_limit,
        "mem_guarantee": found.mem_guarantee,
    }


def profile_options(profile: Profile, pool: NodePool, standard: Image) -> list[dict[str, Any]]:
    """Return what is to be chosen in a profile; empty where there is nothing.

    Options and choices are lists of what has a `name`, in the order of the settings: Helm sorts the keys of maps. The
    hub-side code makes of them what KubeSpawner takes.

    Args:
        profile: of the settings.
        pool: where its servers run.
        standard: the image of profiles without one.
    """
    made: list[dict[str, Any]] = []
    if profile.images or profile.other_image is not None:
        made.append(_image_option(profile, standard))
    if profile.sizes:
        overrides = {one.name: size_override(one, pool) for one in profile.sizes}
        made.append({"name": SIZE, "display_name": "Size", "choices": _choices(profile.sizes, overrides)})
    return made


def _image_option(profile: Profile, standard: Image) -> dict[str, Any]:
    overrides = {one.name: {"image": one.image.reference} for one in profile.images}
    made: dict[str, Any] = {"name": IMAGE, "display_name": "Image"}
    if profile.images:
        made["choices"] = _choices(profile.images, overrides)
    else:
        # KubeSpawner needs a choice to begin with.
        own = profile.default_image(standard).reference
        alone = {"display_name": as_html(own), "default": True, "kubespawner_override": {"image": own}}
        made["choices"] = [{"name": STANDARD, **alone}]
    if profile.other_image is not None:
        made["unlisted_choice"] = {
            "enabled": True,
            "display_name": as_html(profile.other_image.help),
            "display_name_in_choices": "Another image",
            # `qhub_choices` matches the whole text once more: `$` lets a new line follow, and a request to the hub's
            # API need not name a profile.
            "validation_regex": f"^(?:{profile.other_image.pattern})$",
            "validation_message": as_html(f"has to match {profile.other_image.pattern}"),
            "kubespawner_override": {"image": TYPED},
        }
    return made


def _choices(options: Sequence[ImageOption | SizeOption], overrides: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    chosen = default_of(options)
    return [
        {
            "name": one.name,
            "display_name": as_html(one.title),
            "default": one is chosen,
            "kubespawner_override": overrides[one.name],
        }
        for one in options
    ]
