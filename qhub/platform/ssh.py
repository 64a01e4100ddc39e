"""SSH: a server that gives people a terminal of their own notebook server, from the program in `ssh_server`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pulumi
from pulumi_kubernetes.apps.v1 import Deployment
from pulumi_kubernetes.core.v1 import ConfigMap, Secret, Service
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from qhub.platform.egress import DNS_PORT
from qhub.platform.ingress import add_way_in, load_balancer_address
from qhub.platform.pods import node_selector, resources, tolerations
from qhub.platform.pull_secret import pull_secrets, pulls_with
from qhub.platform.ssh_server import PACKAGE, sources

if TYPE_CHECKING:
    from pulumi_kubernetes.apps.v1 import DeploymentSpecArgsDict
    from pulumi_kubernetes.core.v1 import (
        ContainerArgsDict,
        ResourceRequirementsArgsDict,
        ServiceSpecArgsDict,
        TolerationArgsDict,
    )
    from pulumi_kubernetes.meta.v1 import ObjectMetaArgsDict
    from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict

    from qhub.clouds.cluster import Cluster, NodePool
    from qhub.config import Settings
    from qhub.config.ssh import SshService

NAME = "ssh"
APP_LABELS = {"app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": "qhub"}

#: z2jh's network policy of the hub's proxy lets in only who carries this.
REACHES_THE_HUB = {"hub.jupyter.org/network-access-proxy-http": "true"}
#: The proxy's pods in chart jupyterhub, and the port of theirs that Service `proxy-public` leads to.
PROXY_LABELS = {"app": "jupyterhub", "component": "proxy"}
PROXY_PORT = 8000

#: Port of the pod: below 1024 it would need a capability. And where things lie there.
PORT = 8022
PROGRAM_FOLDER = "/srv/qhub"
KEY_FOLDER = "/etc/qhub-ssh"
#: A user id that no file belongs to; it need not be known to the image.
UID = 65532

#: Name of the Secret with which the image is pulled.
PULL_SECRET = "ssh-registry"  # noqa: S105 - a name
#: Seconds that a server may take to answer when it has started; the hub itself waits 120.
MARGIN = 180


@dataclass(frozen=True, kw_only=True)
class SshServerArgs:
    """What the SSH server is given.

    Attributes:
        settings: the whole settings; `ssh.image` is there.
        cluster: where it runs.
        host_key: private key as PEM, a secret output.
        namespace: the hub's namespace as a resource.
    """

    settings: Settings
    cluster: Cluster
    host_key: pulumi.Input[str]
    namespace: pulumi.Resource


class SshServer(pulumi.ComponentResource):
    """The SSH server, beside the hub.

    Creates:
        Secret (host key), ConfigMap (program), NetworkPolicy, Deployment, Service with an address of its own; a Secret
        to pull the image with, where `images.credentials` is set.

    It has no rights in the cluster and none at the hub: what it asks there, it asks with the token of who signed in.

    Attributes:
        address: output: IP address or host name of the load balancer; "" where the Service has none of its own.
    """

    address: pulumi.Output[str]

    def __init__(self, name: str, args: SshServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:SshServer", name, None, opts)
        settings, pool = args.settings, args.cluster.node_pools["general"]
        place: ObjectMetaArgsDict = {"name": NAME, "namespace": settings.namespace.name}
        first = pulumi.ResourceOptions(parent=self, depends_on=[args.namespace])
        key = Secret(f"{name}-host-key", metadata=place, string_data={"host_key": args.host_key}, opts=first)
        program = ConfigMap(f"{name}-program", metadata=place, data=sources(), opts=first)
        policy = NetworkPolicy(f"{name}-policy", metadata=place, spec=policy_spec(), opts=first)
        secrets = pull_secrets(
            f"{name}-registry",
            settings.images,
            PULL_SECRET,
            namespace=settings.namespace.name,
            parent=self,
            depends_on=[args.namespace],
        )
        deployment = Deployment(
            name,
            metadata={**place, "labels": APP_LABELS},
            spec=deployment_spec(settings, pool),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[key, program, policy, *secrets]),
        )
        service = settings.ssh.service
        # After the Deployment: Pulumi waits for pods behind a Service, and must not do so before there are any.
        self.service = Service(
            f"{name}-service",
            metadata={**place, "annotations": {**_annotations(args.cluster, service), **service.annotations}},
            spec=service_spec(service),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployment]),
        )
        self.address = self.service.status.apply(load_balancer_address)
        self.register_outputs({"address": self.address})


def ssh_output(settings: Settings, address: str) -> dict[str, Any]:
    """Return where the server is and what a person types; `address` is "" where the Service has none of its own."""
    port = settings.ssh.service.port
    command = f"ssh {'' if port == 22 else f'-p {port} '}NAME@{address or 'ADDRESS'}"
    return {"address": address, "port": port, "command": command}


def service_spec(service: SshService) -> ServiceSpecArgsDict:
    """Return `spec` of the Service."""
    spec: ServiceSpecArgsDict = {
        "type": service.type,
        "selector": APP_LABELS,
        "ports": [{"name": "ssh", "port": service.port, "target_port": "ssh", "protocol": "TCP"}],
    }
    return add_way_in(spec, service)


def policy_spec() -> NetworkPolicySpecArgsDict:
    """Return `spec` of the NetworkPolicy: SSH in from anywhere; out to the hub's proxy and to DNS, nothing else."""
    return {
        "pod_selector": {"match_labels": APP_LABELS},
        "policy_types": ["Ingress", "Egress"],
        "ingress": [{"ports": [{"protocol": "TCP", "port": PORT}]}],
        "egress": [
            {
                "to": [{"pod_selector": {"match_labels": PROXY_LABELS}}],
                "ports": [{"protocol": "TCP", "port": PROXY_PORT}],
            },
            {"ports": [{"protocol": "UDP", "port": DNS_PORT}, {"protocol": "TCP", "port": DNS_PORT}]},
        ],
    }


def deployment_spec(settings: Settings, pool: NodePool) -> DeploymentSpecArgsDict:
    """Return `spec` of the Deployment.

    One pod: a second would halve what a new version cuts off, and nothing else. Sessions are not handed over.
    """
    return {
        "replicas": 1,
        "selector": {"match_labels": APP_LABELS},
        "template": {
            "metadata": {
                "labels": {**APP_LABELS, **REACHES_THE_HUB},
                # A new program is a new pod.
                "annotations": {"qhub.dev/program-sha256": _digest()},
            },
            "spec": {
                **pulls_with(settings.images, PULL_SECRET),
                "node_selector": node_selector(pool),
                "tolerations": cast("list[TolerationArgsDict]", tolerations(pool)),
                "automount_service_account_token": False,
                "enable_service_links": False,
                "security_context": {
                    "run_as_user": UID,
                    "run_as_group": UID,
                    "run_as_non_root": True,
                    "fs_group": UID,
                    "seccomp_profile": {"type": "RuntimeDefault"},
                },
                "containers": [_container(settings)],
                "volumes": [
                    {"name": "program", "config_map": {"name": NAME}},
                    # 0440: the group of the pod reads it, nobody else in the container.
                    {"name": "host-key", "secret": {"secret_name": NAME, "default_mode": 0o440}},
                ],
            },
        },
    }


def _container(settings: Settings) -> ContainerArgsDict:
    image = settings.ssh.image
    if image is None:
        raise ValueError("ssh.image: the settings were not checked")
    environment = {
        "QHUB_SSH_HUB": f"http://proxy-public.{settings.namespace.name}",
        "QHUB_SSH_HOST_KEY": f"{KEY_FOLDER}/host_key",
        "QHUB_SSH_PORT": str(PORT),
        "QHUB_SSH_START_TIMEOUT": str(settings.jupyterhub.start_timeout + MARGIN),
        # The program lies on a folder that cannot be written to.
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return {
        "name": NAME,
        "image": settings.images.located(image.reference),
        "command": ["python3", "-m", f"{PACKAGE}.server"],
        "working_dir": PROGRAM_FOLDER,
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "ports": [{"name": "ssh", "container_port": PORT}],
        "readiness_probe": {"tcp_socket": {"port": "ssh"}, "period_seconds": 5},
        "liveness_probe": {"tcp_socket": {"port": "ssh"}, "period_seconds": 10, "failure_threshold": 6},
        # About 45 MB at rest, and 1 MB for each session.
        "resources": cast("ResourceRequirementsArgsDict", resources(cpu="20m", memory="64Mi", memory_limit="512Mi")),
        "security_context": {
            "allow_privilege_escalation": False,
            "read_only_root_filesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volume_mounts": [
            {"name": "program", "mount_path": f"{PROGRAM_FOLDER}/{PACKAGE}", "read_only": True},
            {"name": "host-key", "mount_path": KEY_FOLDER, "read_only": True},
        ],
    }


def _annotations(cluster: Cluster, service: SshService) -> dict[str, str]:
    return cluster.another_load_balancer(NAME) if service.type == "LoadBalancer" else {}


def _digest() -> str:
    """Return a hash of the program."""
    return hashlib.sha256(json.dumps(sources(), sort_keys=True).encode()).hexdigest()
