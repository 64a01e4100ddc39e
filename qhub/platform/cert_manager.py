"""cert-manager and the one issuer that signs the hub's certificate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.helm.v3 import Release

from qhub.platform.helm import ChartStore, helm_release
from qhub.platform.namespace import PlatformNamespace, PlatformNamespaceArgs
from qhub.platform.pods import node_selector, resources, tolerations

if TYPE_CHECKING:
    from qhub.clouds.cluster import NodePool
    from qhub.config.certificates import Certificates

NAMESPACE = "cert-manager"

#: Directory of each ACME issuer (https://letsencrypt.org/docs/acme-protocol-updates/).
ACME_DIRECTORIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}

#: Issuers for which cert-manager is installed; with the others there is nothing for it to do.
ISSUERS = (*ACME_DIRECTORIES, "self-signed")


@dataclass(frozen=True, kw_only=True)
class CertManagerArgs:
    """What cert-manager is given.

    Attributes:
        certificates: the `certificates` section; its issuer is one of `ISSUERS`.
        ingress_class: class of the Ingress through which Let's Encrypt asks (HTTP-01).
        issuer_name: name of the ClusterIssuer.
        pool: nodes for its pods.
        charts: where the chart comes from.
    """

    certificates: Certificates
    ingress_class: str
    issuer_name: str
    pool: NodePool
    charts: ChartStore


class CertManager(pulumi.ComponentResource):
    """cert-manager in its own namespace, and a ClusterIssuer.

    Creates:
        Namespace `cert-manager`, Helm release `cert-manager` (its CRDs stay when it goes: with them would go every
        certificate of the cluster), ClusterIssuer.

    Does not:
        wait for a certificate. Let's Encrypt can only answer once DNS points at the load balancer, which a person does
        after the first `up`.

    Attributes:
        release: the Helm release.
        issuer: the ClusterIssuer.
    """

    release: Release
    issuer: CustomResource

    def __init__(self, name: str, args: CertManagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:CertManager", name, None, opts)
        namespace = PlatformNamespace(
            f"{name}-namespace",
            PlatformNamespaceArgs(name=NAMESPACE, pod_security="baseline"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.release = helm_release(
            name,
            charts=args.charts,
            chart="cert_manager",
            release_name="cert-manager",
            namespace=namespace.name,
            values=cert_manager_values(pool=args.pool),
            parent=self,
            depends_on=[namespace.namespace],
        )
        self.issuer = CustomResource(
            f"{name}-issuer",
            api_version="cert-manager.io/v1",
            kind="ClusterIssuer",
            metadata={"name": args.issuer_name},
            spec=issuer_spec(args.certificates, name=args.issuer_name, ingress_class=args.ingress_class),
            # The release only counts as installed once its webhook answers (startupapicheck), so no retry is needed.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[self.release]),
        )
        self.register_outputs({})


def cert_manager_values(*, pool: NodePool) -> dict[str, Any]:
    """Return the values of chart cert-manager v1.21 (jetstack)."""
    placed = {"nodeSelector": node_selector(pool), "tolerations": tolerations(pool)}
    small = resources(cpu="10m", memory="64Mi", memory_limit="256Mi")
    return {
        "crds": {"enabled": True, "keep": True},
        "replicaCount": 1,
        # Without this, GKE Autopilot refuses the lease in kube-system.
        "global": {"leaderElection": {"namespace": NAMESPACE}},
        "resources": small,
        **placed,
        "webhook": {"resources": small, **placed},
        "cainjector": {"resources": resources(cpu="10m", memory="96Mi", memory_limit="512Mi"), **placed},
        # 1m by default, which a cold node does not manage: the image has to be pulled first.
        "startupapicheck": {"enabled": True, "timeout": "5m", "resources": small, **placed},
    }


def issuer_spec(certificates: Certificates, *, name: str, ingress_class: str) -> dict[str, Any]:
    """Return `spec` of the ClusterIssuer: ACME by HTTP-01 through our ingress class, or self-signed.

    Raises:
        KeyError: `certificates.issuer` is none that cert-manager serves.
    """
    if certificates.issuer == "self-signed":
        return {"selfSigned": {}}
    return {
        "acme": {
            "server": ACME_DIRECTORIES[certificates.issuer],
            "email": certificates.email,
            "privateKeySecretRef": {"name": f"{name}-account"},
            "solvers": [{"http01": {"ingress": {"ingressClassName": ingress_class}}}],
        }
    }
