"""Where the platform runs. One package per cloud, with the same files in each; every one returns the same `Cluster`.

| file | what it makes |
|---|---|
| `network.py` | network, subnets, the way out |
| `cluster.py` | control plane, identities, add-ons, the Kubernetes provider |
| `node_pools.py` | node pools by name |
| `file_system.py` | the managed file system for homes, where the settings ask for it |
| `registry.py` | container registry |
| `dns.py` | record and rights in the zone of the hub's name |
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING

from qhub.config.dns import CloudflareDns
from qhub.errors import InputError

if TYPE_CHECKING:
    import pulumi

    from qhub.clouds.cluster import Cluster
    from qhub.config import Settings

#: `cluster.provider`, or `dns.provider`, -> the package of its SDK, which the extra of the same name installs.
SDKS = {
    "aws": "pulumi_aws",
    "gcp": "pulumi_gcp",
    "digitalocean": "pulumi_digitalocean",
    "azure": "pulumi_azure_native",
    "cloudflare": "pulumi_cloudflare",
}


class MissingSdkError(InputError):
    """The SDK of the chosen cloud is not installed. The message has the command that installs it."""


def make_cluster(settings: Settings, *, opts: pulumi.ResourceOptions | None = None) -> Cluster:
    """Make or find the cluster that the settings name. Only the chosen cloud's SDK is imported.

    Raises:
        InputError: a mistake that a person can mend, told in the message.
    """
    provider, dns = settings.cluster.provider, settings.dns
    _import_sdk("cluster.provider", provider)
    _import_sdk("dns.provider", dns.provider)
    maker = importlib.import_module(f"qhub.clouds.{provider}")
    made = maker.make(settings, opts=opts)
    if isinstance(dns, CloudflareDns):
        zones = importlib.import_module("qhub.clouds.cloudflare")
        return replace(made, dns=zones.make_zone(settings, dns, opts=opts))
    return made


def _import_sdk(key: str, word: str) -> None:
    """Import the SDK that the word at a key needs, if any.

    Raises:
        MissingSdkError: it is not installed.
    """
    sdk = SDKS.get(word)
    if sdk is None:
        return
    try:
        importlib.import_module(sdk)
    except ModuleNotFoundError as error:
        if error.name != sdk:
            raise
        raise MissingSdkError(
            f"{key} is {word}, but its SDK is not installed: pip install 'qhub[{word}]' "
            f"(from a checkout: pip install -e '.[{word}]')"
        ) from None
