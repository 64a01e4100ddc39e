"""Environments as others see them: where they lie, which version, a kernel for each, the choice of a Dask cluster."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from qhub.config.environments import IMAGE_ALONE
from qhub.platform.names import ENVIRONMENTS

if TYPE_CHECKING:
    from qhub.config import Settings

#: On the shared storage, beside `home` and `shared`.
SUB_PATH = "environments"
#: Hex digits of a version: two of one environment that are alike would need a million versions.
DIGITS = 10
#: Where Jupyter looks for kernels besides its own folder, whatever Python it runs on (jupyter_core.paths).
KERNELS = "/usr/local/share/jupyter/kernels"


def version(settings: Settings, name: str) -> str:
    """Return the version of an environment: a hash of all that it follows from, the image's Python included."""
    environment = settings.environments.named[name]
    made_of = [name, list(environment.packages), environment.on_top_of_image, settings.jupyterhub.image.reference]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:DIGITS]


def folder(settings: Settings, name: str) -> str:
    """Return the folder of an environment's version, the same in notebooks and in Dask's pods."""
    return f"{ENVIRONMENTS}/{name}-{version(settings, name)}"


def mount(volume: str) -> dict[str, Any]:
    """Return the mount of all environments, of a volume that is the shared storage."""
    return {"name": volume, "mountPath": ENVIRONMENTS, "subPath": SUB_PATH, "readOnly": True}


def kernel_files(settings: Settings) -> dict[str, Any]:
    """Return `singleuser.extraFiles` with a kernel for each environment.

    They say which version, so that a notebook that is open goes on with the one it was started with, and settings of
    yesterday bring the version of yesterday back.
    """
    return {
        f"qhub-kernel-{name}": {"mountPath": f"{KERNELS}/qhub-{name}/kernel.json", "data": _kernel(settings, name)}
        for name in settings.environments.named
    }


def _kernel(settings: Settings, name: str) -> dict[str, Any]:
    place = folder(settings, name)
    return {
        "argv": [f"{place}/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": name,
        "language": "python",
        "metadata": {"debugger": True},
        # What a notebook calls by name (pip, other programs), and what a Dask cluster that it starts uses.
        "env": {
            "PATH": f"{place}/bin:${{PATH}}",
            "VIRTUAL_ENV": place,
            "DASK_GATEWAY__CLUSTER__OPTIONS__PACKAGES": name,
        },
    }


def dask_packages(settings: Settings) -> dict[str, str | None]:
    """Return what the gateway offers as `packages`: name -> Python of schedulers and workers; None: the image's."""
    return {IMAGE_ALONE: None} | {name: f"{folder(settings, name)}/bin/python" for name in settings.environments.named}


def dask_volumes(claim_name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a pod and its container of a Dask cluster have for the environments."""
    volume = {"name": SUB_PATH, "persistentVolumeClaim": {"claimName": claim_name}}
    return {"volumes": [volume]}, {"volumeMounts": [mount(SUB_PATH)]}
