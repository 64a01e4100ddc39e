"""The complete file of each cloud, `tests/assets/config_<cloud>.yaml`, as configurations of the matrix."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from qhub.config import Settings
from qhub.config.document import read_document
from qhub.config.shape import is_encrypted
from tests.graph import clouds_aws, clouds_azure, clouds_digitalocean, clouds_gcp
from tests.graph.configurations import SECRETS
from tests.graph.recorder import Recording

ASSETS = Path(__file__).parents[1] / "assets"
#: name -> who records it, and its file.
_TEMPLATES: dict[str, tuple[ModuleType, str]] = {
    "aws-template": (clouds_aws, "config_aws.yaml"),
    "gcp-template": (clouds_gcp, "config_gcp.yaml"),
    "digitalocean-template": (clouds_digitalocean, "config_do.yaml"),
    "azure-template": (clouds_azure, "config_azure.yaml"),
}


def _sections(file: str) -> dict[str, Any]:
    config = read_document(ASSETS / file).data["config"]
    return {key.removeprefix("qhub:"): _decrypted(value) for key, value in config.items()}


def _decrypted(value: Any) -> Any:
    if is_encrypted(value):
        return SECRETS["client_secret"]
    if isinstance(value, dict):
        return {key: _decrypted(item) for key, item in value.items()}
    return [_decrypted(item) for item in value] if isinstance(value, list) else value


#: name -> what stands in the file.
CONFIGURATIONS: dict[str, dict[str, Any]] = {name: _sections(file) for name, (_, file) in _TEMPLATES.items()}


def record_configuration(name: str, *, preview: bool = False, **changes: Any) -> Recording:
    """Run the program for a template, with sections replaced, and return what it registered.

    A recording without changes is made once and shared: nobody writes to one.
    """
    return _recorded(name, preview=preview, changes=changes) if changes else _shared(name, preview=preview)


@cache
def _shared(name: str, *, preview: bool) -> Recording:
    return _recorded(name, preview=preview, changes={})


def _recorded(name: str, *, preview: bool, changes: dict[str, Any]) -> Recording:
    written = {**CONFIGURATIONS[name], **changes, "stack": "prod", "root": Path.cwd()}
    module, _ = _TEMPLATES[name]
    return module.record_settings(Settings.model_validate(written), preview=preview)
