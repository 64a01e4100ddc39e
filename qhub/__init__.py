"""JupyterHub and Dask for a team, as one Pulumi program: `qhub.config` -> `qhub.clouds` -> `qhub.platform`.

What other Pulumi programs may use is here, and stays; everything else may change with any version.

| name | what it is |
|---|---|
| `Settings`, `SettingsError`, `load_stack_settings`, `load_settings_file` | the configuration, and reading it |
| `make_cluster` | the cluster that settings describe, with its network and node pools, on any cloud |
| `KubernetesPlatform`, `KubernetesPlatformArgs` | JupyterHub with Dask on a cluster, whoever made it |
| `Cluster`, `NodePool` | what the platform has to know of a cluster |
| `EksCluster`, `GkeCluster`, `DoksCluster`, `AksCluster`, each with its `Args` | the control plane of one cloud |
| `EksRoles` | makes the IAM roles that `EksClusterArgs` asks for |
| `InputError` | what all of these raise for a mistake that a person can mend, with words for that person |
| `fixed_settings`, `FIXED_OUTPUT` | the record of what cannot be changed, to be exported under that name |

A `SettingsError` is an `InputError`. `Settings(...)`, made by hand, raises `pydantic.ValidationError`: it has no file
whose lines could be told.

Nothing is imported before it is used, so that a program needs the SDK of its own cloud alone.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qhub.clouds import make_cluster
    from qhub.clouds.aws.cluster import EksCluster, EksClusterArgs
    from qhub.clouds.aws.identity import Roles as EksRoles
    from qhub.clouds.azure.cluster import AksCluster, AksClusterArgs
    from qhub.clouds.cluster import Cluster, NodePool
    from qhub.clouds.digitalocean.cluster import DoksCluster, DoksClusterArgs
    from qhub.clouds.gcp.cluster import GkeCluster, GkeClusterArgs
    from qhub.config import Settings, SettingsError, load_settings_file, load_stack_settings
    from qhub.config.fixed import FIXED_OUTPUT, fixed_settings
    from qhub.errors import InputError
    from qhub.platform import KubernetesPlatform, KubernetesPlatformArgs

__all__ = [
    "FIXED_OUTPUT",
    "AksCluster",
    "AksClusterArgs",
    "Cluster",
    "DoksCluster",
    "DoksClusterArgs",
    "EksCluster",
    "EksClusterArgs",
    "EksRoles",
    "GkeCluster",
    "GkeClusterArgs",
    "InputError",
    "KubernetesPlatform",
    "KubernetesPlatformArgs",
    "NodePool",
    "Settings",
    "SettingsError",
    "fixed_settings",
    "load_settings_file",
    "load_stack_settings",
    "make_cluster",
]

#: Name -> the module that has it, and its name there where that is another.
_WHERE = {
    "AksCluster": "qhub.clouds.azure.cluster",
    "AksClusterArgs": "qhub.clouds.azure.cluster",
    "Cluster": "qhub.clouds.cluster",
    "DoksCluster": "qhub.clouds.digitalocean.cluster",
    "DoksClusterArgs": "qhub.clouds.digitalocean.cluster",
    "EksCluster": "qhub.clouds.aws.cluster",
    "EksClusterArgs": "qhub.clouds.aws.cluster",
    "EksRoles": "qhub.clouds.aws.identity:Roles",
    "FIXED_OUTPUT": "qhub.config.fixed",
    "GkeCluster": "qhub.clouds.gcp.cluster",
    "GkeClusterArgs": "qhub.clouds.gcp.cluster",
    "InputError": "qhub.errors",
    "KubernetesPlatform": "qhub.platform",
    "KubernetesPlatformArgs": "qhub.platform",
    "NodePool": "qhub.clouds.cluster",
    "Settings": "qhub.config",
    "SettingsError": "qhub.config",
    "fixed_settings": "qhub.config.fixed",
    "load_settings_file": "qhub.config",
    "load_stack_settings": "qhub.config",
    "make_cluster": "qhub.clouds",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is used."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, other = _WHERE[name].partition(":")
    return getattr(importlib.import_module(module), other or name)
