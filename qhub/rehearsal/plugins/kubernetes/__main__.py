"""Entry point of the plugin: `python -m qhub.rehearsal.plugins.kubernetes ENGINE_ADDRESS`."""

from __future__ import annotations

from qhub.rehearsal.plugins.kubernetes.provider import PACKAGE, KubernetesProvider
from qhub.rehearsal.plugins.sdk import plugin_version
from qhub.rehearsal.plugins.server import Engine, ProviderServer, serve


def _make(engine: Engine) -> ProviderServer:
    return KubernetesProvider(version=plugin_version(PACKAGE), engine=engine)


if __name__ == "__main__":
    serve(_make)
