"""Entry point of every cloud's plugin: `python -m qhub.rehearsal.clouds PACKAGE ENGINE_ADDRESS`."""

from __future__ import annotations

import sys

from qhub.rehearsal.clouds.definitions import definition
from qhub.rehearsal.clouds.provider import CloudProvider
from qhub.rehearsal.plugins.sdk import plugin_version
from qhub.rehearsal.plugins.server import Engine, ProviderServer, serve


def _make(package: str, engine: Engine) -> ProviderServer:
    cloud = definition(package)
    version = plugin_version(cloud.sdk.removeprefix("pulumi_"))
    return CloudProvider(definition=cloud, version=version, engine=engine)


if __name__ == "__main__":
    wanted = sys.argv.pop(1)  # what is left is as the engine calls any plugin
    serve(lambda engine: _make(wanted, engine))
