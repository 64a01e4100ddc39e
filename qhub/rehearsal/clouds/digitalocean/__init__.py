"""The simulated DigitalOcean: what it refuses, replaces, computes, and how long it takes.

| file             | types                                    |
|------------------|------------------------------------------|
| `network.py`     | Vpc                                      |
| `cluster.py`     | KubernetesCluster with its own pool      |
| `node_pools.py`  | KubernetesNodePool                       |
| `file_system.py` | Nfs                                      |
| `registry.py`    | ContainerRegistry                        |
| `dns.py`         | DnsRecord, `getDomain`                   |

What is replaced and what is refused was read in terraform-provider-digitalocean, from which pulumi-digitalocean 4 is
generated. Durations are what DigitalOcean's documents and users tell; none is promised.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from qhub.rehearsal.clouds.digitalocean.cluster import CLUSTER_TYPE
from qhub.rehearsal.clouds.digitalocean.dns import GET_DOMAIN, RECORD_TYPE, get_domain, given_zone
from qhub.rehearsal.clouds.digitalocean.file_system import NFS_TYPE
from qhub.rehearsal.clouds.digitalocean.network import VPC_TYPE
from qhub.rehearsal.clouds.digitalocean.node_pools import NODE_POOL_TYPE
from qhub.rehearsal.clouds.digitalocean.registry import REGISTRY_TYPE
from qhub.rehearsal.clouds.digitalocean.tokens import REGISTRY, VPC
from qhub.rehearsal.clouds.resource import CloudDefinition, Given

if TYPE_CHECKING:
    from qhub.config.digitalocean import DigitalOceanCluster

#: Range of a VPC that the settings name and do not describe; one of those that DigitalOcean hands out.
_GIVEN_RANGE = "10.108.0.0/20"


def _given(section: DigitalOceanCluster) -> Iterator[Given]:
    if section.network.vpc_uuid is not None:
        outputs = {"name": "given", "region": section.region, "ipRange": _GIVEN_RANGE}
        yield Given(token=VPC, id=section.network.vpc_uuid, outputs=outputs)
    if section.registry_name is not None and not section.registry:
        yield Given(token=REGISTRY, id=section.registry_name, outputs={"name": section.registry_name})


CLOUD = CloudDefinition(
    package="digitalocean",
    sdk="pulumi_digitalocean",
    resources=(VPC_TYPE, CLUSTER_TYPE, NODE_POOL_TYPE, NFS_TYPE, REGISTRY_TYPE, RECORD_TYPE),
    functions={GET_DOMAIN: get_domain},
    given=_given,
    zone=given_zone,
)
