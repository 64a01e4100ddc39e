"""Settings for tests, and the values that each chart would get from them."""

from __future__ import annotations

from typing import Any

from qhub.clouds.cluster import AutoscaledGroup, Autoscaler, DnsZone
from qhub.clouds.node_pools import node_pools
from qhub.config import Settings
from qhub.platform.cert_manager import cert_manager_values
from qhub.platform.cluster_autoscaler import cluster_autoscaler_values
from qhub.platform.dask_gateway_values import dask_gateway_values
from qhub.platform.gpu_device_plugin import gpu_device_plugin_values
from qhub.platform.ingress_values import ingress_nginx_values, traefik_values
from qhub.platform.jupyterhub_values import JupyterHubSecrets, jupyterhub_values
from qhub.platform.monitoring_values import monitoring_values

SECRETS = JupyterHubSecrets(
    cookie_secret="c0" * 32,
    crypt_key="c1" * 32,
    proxy_token="c2" * 32,
    dask_gateway_token="c3" * 32,
    sign_in="a-sign-in-secret",
)
AUTOSCALER = Autoscaler(
    cloud_provider="aws",
    groups=(
        AutoscaledGroup(name="eks-general-0a1b", min=1, max=3),
        AutoscaledGroup(name="eks-user-0a1b", min=0, max=10),
    ),
    region="eu-west-1",
    kubernetes_version="1.35",
    ready=(),
)
#: With everything that any cloud asks for.
DNS = DnsZone(
    service_account_annotations={"iam.gke.io/gcp-service-account": "solver@my-team-1234.iam.gserviceaccount.com"},
    pod_labels={"azure.workload.identity/use": "true"},
)


def make_settings(**sections: Any) -> Settings:
    """Return settings with some sections as a person would write them; the domain is the local one."""
    return Settings.model_validate({"domain": "qhub.localhost", **sections})


def hub_values(settings: Settings, *, secrets: JupyterHubSecrets = SECRETS, **changes: Any) -> dict[str, Any]:
    """Return the values of chart jupyterhub."""
    arguments = {"claim_name": "home", "block_storage_class": None, "cluster_issuer": "qhub-self-signed", **changes}
    return jupyterhub_values(settings, node_pools=node_pools(settings.cluster.pools), secrets=secrets, **arguments)


def dask_values(settings: Settings) -> dict[str, Any]:
    """Return the values of chart dask-gateway."""
    pools = node_pools(settings.cluster.pools)
    return dask_gateway_values(settings, node_pools=pools, api_token="c3" * 32, claim_name="home")


def all_values(settings: Settings, *, dns: DnsZone = DNS) -> dict[str, dict[str, Any]]:
    """Return the values of every chart, by chart name."""
    pool = node_pools(settings.cluster.pools)["general"]
    ingress = {
        "class_name": settings.ingress.class_name,
        "publish_service": "qhub-ingress/ingress",
        "replicas": settings.ingress.replicas,
        "pool": pool,
    }
    return {
        "jupyterhub": hub_values(settings),
        "dask-gateway": dask_values(settings),
        "cert-manager": cert_manager_values(pool=pool, dns=dns),
        "traefik": traefik_values(**ingress),
        "ingress-nginx": ingress_nginx_values(**ingress),
        "cluster-autoscaler": cluster_autoscaler_values(AUTOSCALER, pool=pool),
        "kube-prometheus-stack": monitoring_values(settings, pool=pool, password_mark="d2" * 32),
        "nvidia-device-plugin": gpu_device_plugin_values({"general": pool}),
    }
