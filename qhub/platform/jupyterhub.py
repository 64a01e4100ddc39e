"""JupyterHub: the hub, its proxy, and everything that starts people's servers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi
from pulumi_kubernetes.helm.v3 import Release

from qhub.platform.helm import ChartStore, helm_release
from qhub.platform.jupyterhub_values import JupyterHubSecrets, jupyterhub_values

if TYPE_CHECKING:
    from qhub.clouds.cluster import Cluster
    from qhub.config import Settings

RELEASE_NAME = "jupyterhub"


@dataclass(frozen=True, kw_only=True)
class JupyterHubArgs:
    """What JupyterHub is given.

    Attributes:
        settings: the whole settings.
        cluster: where it runs.
        secrets: what the chart would otherwise make up anew at each render.
        claim_name: claim for homes and shared folders.
        cluster_issuer: ClusterIssuer for the certificate; None where cert-manager has no part in it.
        depends_on: what has to be there before: namespace, claim, ingress-nginx (its webhook checks the Ingress).
        charts: where the chart comes from.
    """

    settings: Settings
    cluster: Cluster
    secrets: JupyterHubSecrets
    claim_name: str
    cluster_issuer: str | None
    depends_on: Sequence[pulumi.Resource]
    charts: ChartStore


class JupyterHub(pulumi.ComponentResource):
    """The Helm release `jupyterhub`.

    Creates:
        Helm release: hub (with its database on a disk), proxy, Ingress, network policies, roles.

    Attributes:
        release: the Helm release.
    """

    release: Release

    def __init__(self, name: str, args: JupyterHubArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:JupyterHub", name, None, opts)
        self.release = helm_release(
            name,
            charts=args.charts,
            chart="jupyterhub",
            release_name=RELEASE_NAME,
            namespace=args.settings.namespace.name,
            values=jupyterhub_values(
                args.settings,
                node_pools=args.cluster.node_pools,
                secrets=args.secrets,
                claim_name=args.claim_name,
                block_storage_class=args.cluster.block_storage_class,
                cluster_issuer=args.cluster_issuer,
            ),
            parent=self,
            depends_on=args.depends_on,
        )
        self.register_outputs({})


def jupyterhub_secrets(
    settings: Settings,
    *,
    cookie_secret: pulumi.Input[str],
    crypt_key: pulumi.Input[str],
    proxy_token: pulumi.Input[str],
    dask_gateway_token: pulumi.Input[str],
    metrics_token: pulumi.Input[str] | None = None,
    grafana_token: pulumi.Input[str] | None = None,
) -> JupyterHubSecrets:
    """Join generated secrets with those from the settings, which become secret outputs here and are plain nowhere."""
    sign_in = settings.authentication.secret
    return JupyterHubSecrets(
        cookie_secret=cookie_secret,
        crypt_key=crypt_key,
        proxy_token=proxy_token,
        dask_gateway_token=dask_gateway_token if settings.dask.enabled else None,
        metrics_token=metrics_token,
        grafana_token=grafana_token,
        sign_in=None if sign_in is None else pulumi.Output.secret(sign_in.get_secret_value()),
    )
