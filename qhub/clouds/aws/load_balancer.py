"""What a Service of type LoadBalancer has to say on EKS."""

from __future__ import annotations

from collections.abc import Mapping

_PREFIX = "service.beta.kubernetes.io/aws-load-balancer"


def load_balancer_annotations(
    *, vpc_is_given: bool, public_subnets: Mapping[str, str], tags: Mapping[str, str]
) -> dict[str, str]:
    """Return the annotations for a Network Load Balancer from the controller that EKS runs.

    Args:
        vpc_is_given: the VPC was there already. In one of ours the controller finds the subnets by their tags.
        public_subnets: zone -> id, of a given VPC; without any, the load balancer is reached from inside alone.
        tags: for the load balancer, which the provider's default tags do not reach.
    """
    annotations = {
        f"{_PREFIX}-type": "nlb",
        # The controller's pods are in one zone or two: each zone's address has to reach them.
        f"{_PREFIX}-cross-zone-load-balancing-enabled": "true",
        f"{_PREFIX}-additional-resource-tags": ",".join(f"{key}={value}" for key, value in sorted(tags.items())),
    }
    if vpc_is_given and public_subnets:
        annotations[f"{_PREFIX}-subnets"] = ",".join(sorted(public_subnets.values()))
    elif vpc_is_given:
        annotations[f"{_PREFIX}-internal"] = "true"
    return annotations
