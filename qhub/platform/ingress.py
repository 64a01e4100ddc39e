"""The way in: an ingress controller, the class it serves, and the load balancer in front, which is ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi_kubernetes.core.v1 import Service
from pulumi_kubernetes.helm.v3 import Release
from pulumi_kubernetes.networking.v1 import IngressClass

from qhub.platform.helm import ChartStore, helm_release
from qhub.platform.ingress_values import (
    CONTROLLER,
    HTTP_PORT,
    HTTPS_PORT,
    POD_LABELS,
    ingress_nginx_values,
    traefik_values,
)
from qhub.platform.merging import deep_merge
from qhub.platform.monitoring_values import MEASURED_INGRESS_NGINX
from qhub.platform.namespace import PlatformNamespace, PlatformNamespaceArgs

if TYPE_CHECKING:
    from pulumi_kubernetes.core.v1 import ServiceSpecArgsDict

    from qhub.clouds.cluster import NodePool
    from qhub.config import ingress as config

SERVICE_NAME = "ingress"


@dataclass(frozen=True, kw_only=True)
class IngressArgs:
    """What the ingress is given.

    Attributes:
        ingress: the `ingress` section.
        namespace: name of the namespace for the controller.
        annotations: of the load balancer's Service, from the cloud; the settings' own are laid over them.
        pool: nodes for the controller.
        measured: whether Prometheus asks its pods.
        charts: where the chart comes from.
    """

    ingress: config.Ingress
    namespace: str
    annotations: Mapping[str, str]
    pool: NodePool
    charts: ChartStore
    measured: bool = False


class Ingress(pulumi.ComponentResource):
    """An ingress controller behind a Service of our own.

    Creates:
        Namespace, IngressClass, Service of type LoadBalancer, Helm release of ingress-nginx or Traefik.

    The Service belongs to no release, and neither its inputs nor its name say which controller is behind it. Changing
    `ingress.controller` therefore replaces pods, but not the address that DNS and certificates hang on.

    Attributes:
        release: the Helm release of the controller.
        ingress_class: the IngressClass.
        service: the Service.
        address: output: IP address or host name of the load balancer; "" where the Service has none of its own.
    """

    release: Release
    ingress_class: IngressClass
    service: Service
    address: pulumi.Output[str]

    def __init__(self, name: str, args: IngressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:Ingress", name, None, opts)
        namespace = PlatformNamespace(
            f"{name}-namespace",
            PlatformNamespaceArgs(name=args.namespace, pod_security="baseline"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.ingress_class = IngressClass(
            f"{name}-class",
            metadata={"name": args.ingress.class_name},
            spec={"controller": CONTROLLER},
            opts=pulumi.ResourceOptions(parent=self),
        )
        # Service and release must not wait for each other: Pulumi calls the Service ready once pods answer behind it,
        # and ingress-nginx does not start before the Service is there. So neither depends on the other; both are
        # made at the same time and come ready together.
        self.service = Service(
            f"{name}-load-balancer",
            metadata={
                "name": SERVICE_NAME,
                "namespace": namespace.name,
                "annotations": {**args.annotations, **args.ingress.service.annotations},
            },
            spec=service_spec(args.ingress.service),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[namespace.namespace]),
        )
        self.release = self._release(name, args, namespace)
        self.address = self.service.status.apply(load_balancer_address)
        self.register_outputs({"address": self.address})

    def _release(self, name: str, args: IngressArgs, namespace: PlatformNamespace) -> Release:
        """Install the chosen controller.

        The logical name says which one: another controller is another release, made before the old one goes.
        """
        controller = args.ingress.controller
        builder = ingress_nginx_values if controller == "ingress-nginx" else traefik_values
        more = MEASURED_INGRESS_NGINX if args.measured and controller == "ingress-nginx" else {}
        return helm_release(
            f"{name}-{controller}",
            charts=args.charts,
            chart="ingress_nginx" if controller == "ingress-nginx" else "traefik",
            release_name=controller,
            namespace=namespace.name,
            values=deep_merge(
                builder(
                    class_name=args.ingress.class_name,
                    publish_service=f"{namespace.name}/{SERVICE_NAME}",
                    replicas=args.ingress.replicas,
                    pool=args.pool,
                ),
                more,
            ),
            # Traefik's CRDs are of no use to an ingress that reads none of them, and Dask Gateway brings those that its
            # own Traefik reads: whichever chart came first would decide which the cluster has.
            skip_crds=True if controller == "traefik" else None,
            parent=self,
            depends_on=[namespace.namespace, self.ingress_class],
        )


def service_spec(service: config.IngressService) -> ServiceSpecArgsDict:
    """Return `spec` of the Service in front of the controller. It says nothing of which controller that is."""
    spec: ServiceSpecArgsDict = {
        "type": service.type,
        "selector": POD_LABELS,
        "ports": [
            {"name": "http", "port": 80, "target_port": HTTP_PORT, "protocol": "TCP"},
            {"name": "https", "port": 443, "target_port": HTTPS_PORT, "protocol": "TCP"},
        ],
    }
    return add_way_in(spec, service)


def add_way_in(spec: ServiceSpecArgsDict, service: config.IngressService) -> ServiceSpecArgsDict:
    """Return `spec` with what says how a Service is reached from outside; also of the SSH server's."""
    if service.type != "ClusterIP":
        # Keeps the client's address: JupyterHub ties its XSRF check to it, and logs mean something.
        spec["external_traffic_policy"] = "Local"
    if service.type == "LoadBalancer":
        if service.load_balancer_ip is not None:
            spec["load_balancer_ip"] = service.load_balancer_ip
        if service.load_balancer_class is not None:
            spec["load_balancer_class"] = service.load_balancer_class
        if service.source_ranges:
            spec["load_balancer_source_ranges"] = list(service.source_ranges)
    return spec


def load_balancer_address(status: object) -> str:
    """Return the first address in `status` of a Service: an IP address, else a host name, else "".

    AWS gives a host name, the other clouds an IP address; a Service that is no load balancer has neither.
    """
    balancer = _member(status, "load_balancer")
    addresses = _member(balancer, "ingress") or []
    if not addresses:
        return ""
    return _member(addresses[0], "ip") or _member(addresses[0], "hostname") or ""


def _member(value: object, name: str) -> Any:
    """Return `name` of an SDK output object. Plain dicts occur too, where an engine hands one back untyped."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
