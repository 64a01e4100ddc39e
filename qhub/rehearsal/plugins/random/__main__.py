"""Entry point of the plugin: `python -m qhub.rehearsal.plugins.random ENGINE_ADDRESS`."""

from __future__ import annotations

from qhub.rehearsal.plugins.random.provider import PACKAGE, RandomProvider
from qhub.rehearsal.plugins.sdk import plugin_version
from qhub.rehearsal.plugins.server import Engine, ProviderServer, serve


def _make(engine: Engine) -> ProviderServer:
    return RandomProvider(version=plugin_version(PACKAGE), engine=engine)


if __name__ == "__main__":
    serve(_make)
