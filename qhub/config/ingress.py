"""How requests from outside reach the hub."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from qhub.config.model import Problem, Section, nested
from qhub.config.names import AddressRange, AnnotationValue, IpAddress, KubernetesName, LabelKey
from qhub.config.quantities import Count


class IngressService(Section):
    """The Service in front of the ingress controller. It stays, with its address, when the controller is switched."""

    type: Literal["LoadBalancer", "NodePort", "ClusterIP"] = Field(
        default="LoadBalancer", description="LoadBalancer gets an address from the cloud or the cluster."
    )
    annotations: dict[LabelKey, AnnotationValue] = Field(
        default={}, description="Annotations, added to those that the cluster wants on load balancers."
    )
    load_balancer_ip: IpAddress | None = Field(
        default=None, description="A reserved address, where the load balancer can take one; null takes any."
    )
    load_balancer_class: LabelKey | None = Field(
        default=None, description="Implementation of the load balancer, for example service.k8s.aws/nlb; null: default."
    )
    source_ranges: tuple[AddressRange, ...] = Field(
        default=(), description="Address ranges that may connect; empty lets everyone connect."
    )


class Ingress(Section):
    """The ingress controller."""

    controller: Literal["ingress-nginx", "traefik"] = Field(
        default="ingress-nginx",
        description="ingress-nginx was retired in March 2026 and gets no security fixes; traefik is maintained. The "
        "address survives a switch.",
    )
    class_name: KubernetesName = Field(
        default="qhub", description="Name of QHub's own IngressClass, which either controller serves."
    )
    service: IngressService = nested("The Service in front of the controller: type, address, who may connect.")
    replicas: Count = Field(default=1, description="Pods of the controller; 2 or more keep serving while a node goes.")


def load_balancer_settings_have_one(ingress: Ingress) -> Iterator[Problem]:
    """Settings of a load balancer mean nothing for the other types of Service."""
    yield from load_balancer_problems(("ingress", "service"), ingress.service)


def load_balancer_problems(at: tuple[str, ...], service: IngressService) -> Iterator[Problem]:
    """Yield the settings of a load balancer in a Service that is none; the Service's own stand at `at`."""
    if service.type == "LoadBalancer":
        return
    for key in ("load_balancer_ip", "load_balancer_class", "source_ranges"):
        if getattr(service, key):
            yield Problem(
                (*at, key),
                f"has no effect on a Service of type {service.type}: remove it, or write `type: LoadBalancer`",
            )
