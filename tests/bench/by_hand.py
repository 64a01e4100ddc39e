"""The same software as the platform's, started by hand: the charts with the least values that make them work.

Beside the platform, in the same cluster and from the same images, so that what differs is what we set.
"""

from __future__ import annotations

import secrets
import subprocess
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from qhub.rehearsal.cluster import EmbeddedCluster
from tests.bench.hub_client import Hub

NAMESPACE = "by-hand"
HOST = "by-hand.localhost"
DASK = "by-hand-dask-gateway"
DASK_PATH = "/services/dask-gateway"
#: Limits of a server and of a worker: those of the local stack's first profiles, or another size would be compared.
SERVER = {"cpu": {"limit": 1, "guarantee": 0.1}, "memory": {"limit": "1G", "guarantee": "256M"}}
WORKER = {"cores": {"request": 0.5, "limit": 0.5}, "memory": {"request": "1G", "limit": "1G"}}
SCHEDULER = {"cores": {"request": 0.1, "limit": 1}, "memory": {"request": "512M", "limit": "2G"}}
OFF = {"enabled": False}


@contextmanager
def by_hand(
    cluster: EmbeddedCluster, *, charts: Path, notebook: Mapping[str, str], environment: Mapping[str, str]
) -> Generator[Hub]:
    """Install the charts and yield the hub; uninstall them and remove their namespace at the end.

    Args:
        cluster: where; it runs.
        charts: folder with the charts.
        notebook: `name` and `tag` of the image for servers, schedulers and workers.
        environment: with `helm` and `kubectl` on its PATH.
    """
    at = ("--kubeconfig", str(cluster.kubeconfig_path), "--namespace", NAMESPACE)

    def run(*words: str) -> None:
        done = subprocess.run(words, env=dict(environment), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")

    releases = {"traefik": _traefik(), "jupyterhub": _jupyterhub(notebook), "dask-gateway": _dask_gateway(notebook)}
    try:
        for chart, values in releases.items():
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                YAML(typ="safe").dump(values, file)
                file.flush()
                name, where = f"by-hand-{chart}", str(charts / chart)
                run("helm", "install", name, where, *at, "--create-namespace", "--wait", "--values", file.name)
        port = cluster.expose_service(NAMESPACE, "by-hand-traefik", 80)
        yield Hub(f"http://127.0.0.1:{port}/", host=f"{HOST}:{port}", admin="admin", options={})
    finally:
        for chart in releases:
            run("helm", "uninstall", f"by-hand-{chart}", *at, "--ignore-not-found", "--wait")
        run("kubectl", *at, "delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait")


def _traefik() -> dict[str, Any]:
    return {
        "ingressClass": {"name": NAMESPACE, "isDefaultClass": False},
        "providers": {"kubernetesCRD": OFF, "kubernetesIngress": {"ingressClass": NAMESPACE}},
    }


def _jupyterhub(notebook: Mapping[str, str]) -> dict[str, Any]:
    gateway = f"traefik-{DASK}.{NAMESPACE}"
    return {
        "hub": {
            "config": {
                "JupyterHub": {"authenticator_class": "dummy"},
                "Authenticator": {"allow_all": True, "admin_users": ["admin"]},
            },
            "services": {"dask-gateway": {"apiToken": secrets.token_hex(32), "url": f"http://{gateway}"}},
        },
        "proxy": {"service": {"type": "ClusterIP"}},
        "ingress": {"enabled": True, "ingressClassName": NAMESPACE, "hosts": [HOST]},
        "scheduling": {"userScheduler": OFF},
        "prePuller": {"hook": OFF, "continuous": OFF},
        "singleuser": {
            "image": dict(notebook),
            **SERVER,
            "extraEnv": {
                "DASK_GATEWAY__ADDRESS": f"http://proxy-public{DASK_PATH}",
                "DASK_GATEWAY__PROXY_ADDRESS": f"gateway://{gateway}:80",
                "DASK_GATEWAY__AUTH__TYPE": "jupyterhub",
            },
        },
    }


def _dask_gateway(notebook: Mapping[str, str]) -> dict[str, Any]:
    api = f"http://hub.{NAMESPACE}:8081/hub/api"
    return {
        "gateway": {
            "prefix": DASK_PATH,
            "auth": {"type": "jupyterhub", "jupyterhub": {"apiUrl": api}},
            "backend": {"image": dict(notebook), "worker": WORKER, "scheduler": SCHEDULER},
        },
        "traefik": {"service": {"type": "ClusterIP"}},
    }
