"""cert-manager and the one issuer that signs the hub's certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Secret
from pulumi_kubernetes.helm.v3 import Release

from qhub.clouds.cluster import CERT_MANAGER, DnsToken, DnsZone
from qhub.errors import InputError
from qhub.platform.helm import ChartStore, helm_release
from qhub.platform.merging import deep_merge
from qhub.platform.namespace import PlatformNamespace, PlatformNamespaceArgs
from qhub.platform.pods import node_selector, resources, tolerations

if TYPE_CHECKING:
    from qhub.clouds.cluster import NodePool
    from qhub.config.certificates import Certificates

#: Directory of each ACME issuer (https://letsencrypt.org/docs/acme-protocol-updates/).
ACME_DIRECTORIES = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}

#: Issuers for which cert-manager is installed; with the others there is nothing for it to do.
ISSUERS = (*ACME_DIRECTORIES, "self-signed")


class DnsError(InputError):
    """The issuer is to write into a zone, and it is not known into which or how."""


@dataclass(frozen=True, kw_only=True)
class CertManagerArgs:
    """What cert-manager is given.

    Attributes:
        certificates: the `certificates` section; its issuer is one of `ISSUERS`.
        ingress_class: class of the Ingress through which Let's Encrypt asks (HTTP-01).
        issuer_name: name of the ClusterIssuer.
        dns: the zone that it writes into for Let's Encrypt (DNS-01); with an empty solver it does not.
        pool: nodes for its pods.
        solver_secret: Secret with which the pods that answer Let's Encrypt pull; they are in the namespace of the
            certificate. None where they need none.
        charts: where the chart comes from.
    """

    certificates: Certificates
    ingress_class: str
    issuer_name: str
    dns: DnsZone
    pool: NodePool
    charts: ChartStore
    solver_secret: str | None = None


class CertManager(pulumi.ComponentResource):
    """cert-manager in its own namespace, and a ClusterIssuer.

    Creates:
        Namespace `cert-manager`, Helm release `cert-manager` (its CRDs stay when it goes: with them would go every
        certificate of the cluster), ClusterIssuer; a Secret where the zone is written into with a token.

    Does not:
        wait for a certificate. By HTTP-01, Let's Encrypt can only answer once DNS points at the load balancer, which
        may be a person's work after the first `up`.

    Attributes:
        release: the Helm release.
        issuer: the ClusterIssuer.

    Raises:
        DnsError: challenge dns01, but the cluster has no zone to write into.
    """

    release: Release
    issuer: CustomResource

    def __init__(self, name: str, args: CertManagerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        if args.certificates.dns01 and not args.dns.solver:
            raise DnsError("certificates.challenge is dns01, but the cluster says of no zone how it is written into")
        super().__init__("qhub:platform:CertManager", name, None, opts)
        namespace = PlatformNamespace(
            f"{name}-namespace",
            PlatformNamespaceArgs(name=CERT_MANAGER, pod_security="baseline"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.release = helm_release(
            name,
            charts=args.charts,
            chart="cert_manager",
            release_name=CERT_MANAGER,
            namespace=namespace.name,
            values=cert_manager_values(pool=args.pool, dns=args.dns),
            parent=self,
            # A pod is given its identity when it starts.
            depends_on=[namespace.namespace, *args.dns.ready],
        )
        needs: list[pulumi.Resource] = [self.release]
        if args.dns.token is not None:
            needs.append(self._secret(name, args.dns.token, namespace))
        self.issuer = CustomResource(
            f"{name}-issuer",
            api_version="cert-manager.io/v1",
            kind="ClusterIssuer",
            metadata={"name": args.issuer_name},
            spec=with_solver_secret(
                issuer_spec(
                    args.certificates, name=args.issuer_name, ingress_class=args.ingress_class, dns01=args.dns.solver
                ),
                args.solver_secret,
            ),
            # The release only counts as installed once its webhook answers (startupapicheck), so no retry is needed.
            opts=pulumi.ResourceOptions(parent=self, depends_on=needs),
        )
        self.register_outputs({})

    def _secret(self, name: str, token: DnsToken, namespace: PlatformNamespace) -> Secret:
        """Keep the token where a ClusterIssuer looks for it: in cert-manager's own namespace."""
        return Secret(
            f"{name}-dns-token",
            metadata={"name": token.kept_in, "namespace": namespace.name},
            string_data={token.key: token.value},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[namespace.namespace]),
        )


def cert_manager_values(*, pool: NodePool, dns: DnsZone) -> dict[str, Any]:
    """Return the values of chart cert-manager v1.21 (jetstack).

    Args:
        pool: nodes for its pods.
        dns: what gives its controller an identity that may write into the zone.
    """
    placed = {"nodeSelector": node_selector(pool), "tolerations": tolerations(pool)}
    small = resources(cpu="10m", memory="64Mi", memory_limit="256Mi")
    return {
        "crds": {"enabled": True, "keep": True},
        "replicaCount": 1,
        # Without this, GKE Autopilot refuses the lease in kube-system.
        "global": {"leaderElection": {"namespace": CERT_MANAGER}},
        "resources": small,
        **placed,
        **({"podLabels": dict(dns.pod_labels)} if dns.pod_labels else {}),
        **(
            {"serviceAccount": {"annotations": dict(dns.service_account_annotations)}}
            if dns.service_account_annotations
            else {}
        ),
        "webhook": {"resources": small, **placed},
        "cainjector": {"resources": resources(cpu="10m", memory="96Mi", memory_limit="512Mi"), **placed},
        # 1m by default, which a cold node does not manage: the image has to be pulled first.
        "startupapicheck": {"enabled": True, "timeout": "5m", "resources": small, **placed},
    }


def issuer_spec(
    certificates: Certificates, *, name: str, ingress_class: str, dns01: Mapping[str, Any]
) -> dict[str, Any]:
    """Return `spec` of the ClusterIssuer: ACME by DNS-01 or by HTTP-01 through our ingress class, or self-signed.

    Args:
        certificates: the `certificates` section.
        name: of the issuer.
        ingress_class: class of the Ingress through which Let's Encrypt asks.
        dns01: how to write into the zone; empty for HTTP-01.

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
            "solvers": [
                {"dns01": dict(dns01)} if dns01 else {"http01": {"ingress": {"ingressClassName": ingress_class}}}
            ],
        }
    }


def with_solver_secret(spec: Mapping[str, Any], secret: str | None) -> dict[str, Any]:
    """Return `spec` of an issuer whose solver pods pull with a Secret; unchanged without one."""
    acme = spec.get("acme")
    if secret is None or acme is None:
        return dict(spec)
    pod = {"spec": {"imagePullSecrets": [{"name": secret}]}}
    solvers = [
        deep_merge(solver, {"http01": {"ingress": {"podTemplate": pod}}}) if "http01" in solver else solver
        for solver in acme["solvers"]
    ]
    return {**spec, "acme": {**acme, "solvers": solvers}}
