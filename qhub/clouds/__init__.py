"""Where the platform runs. One package per cloud, with the same files in each; every one returns the same `Cluster`.

| file | what it makes |
|---|---|
| `network.py` | network, subnets, the way out |
| `cluster.py` | control plane, identities, add-ons, the Kubernetes provider |
| `node_pools.py` | node pools by name |
| `file_system.py` | the managed file system for homes, where the settings ask for it |
| `registry.py` | container registry |
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from qhub.errors import InputError

if TYPE_CHECKING:
    import pulumi

    from qhub.clouds.cluster import Cluster
    from qhub.config import Settings

#: `cluster.provider` -> the package of its SDK, which the extra of the same name installs.
SDKS = {
    "aws": "pulumi_aws",
    "gcp": "pulumi_gcp",
    "digitalocean": "pulumi_digitalocean",
    "azure": "pulumi_azure_native",
}


class MissingSdkError(InputError):
    """The SDK of the chosen cloud is not installed. The message has the command that installs it."""


def make_cluster(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> Cluster:
    """Make or find the cluster that the settings name. Only the chosen cloud's SDK is imported.

    Raises:
        InputError: a mistake that a person can mend, told in the message.
    """
    provider = settings.cluster.provider
    if sdk := SDKS.get(provider):
        try:
            importlib.import_module(sdk)
        except ModuleNotFoundError as error:
            if error.name != sdk:
                raise
            raise MissingSdkError(
                f"cluster.provider is {provider}, but its SDK is not installed: pip install 'qhub[{provider}]' "
                f"(from a checkout: pip install -e '.[{provider}]')"
            ) from None
    maker = importlib.import_module(f"qhub.clouds.{provider}")
    return maker.make(settings, opts=opts)
