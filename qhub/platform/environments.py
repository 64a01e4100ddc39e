"""Environments: what the settings name is installed on the shared storage, once, by a Job for each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pulumi
from pulumi_kubernetes.batch.v1 import Job
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.networking.v1 import NetworkPolicy

from qhub.platform import environment_builder
from qhub.platform.egress import nearly_everywhere
from qhub.platform.environments_values import SUB_PATH, version
from qhub.platform.names import ENVIRONMENTS
from qhub.platform.pods import container_resources, node_selector, resources, tolerations
from qhub.platform.pull_secret import pull_secrets, pulls_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_kubernetes.batch.v1 import JobSpecArgsDict
    from pulumi_kubernetes.core.v1 import ContainerArgsDict, ResourceRequirementsArgsDict, TolerationArgsDict
    from pulumi_kubernetes.networking.v1 import NetworkPolicySpecArgsDict

    from qhub.clouds.cluster import NodePool
    from qhub.config import Settings

CONFIG_MAP = "environment-builder"
PROGRAM_FOLDER = "/opt/environment-builder"
#: On the pods of the Jobs: what they are chosen by.
SELECTOR = {"app.kubernetes.io/name": "environment"}
#: Name of the Secret with which the image is pulled.
PULL_SECRET = "environments-registry"  # noqa: S105 - a name
#: Pods that may fail before the Job does: an index is out of reach now and then, a wrong requirement always.
TRIES = 2
#: Seconds for what comes before the installation: a node, the image.
START = 900


@dataclass(frozen=True, kw_only=True)
class EnvironmentsArgs:
    """What the environments are made from.

    Attributes:
        settings: the whole settings.
        claim_name: claim of the shared storage.
        pool: nodes for the Jobs: those that users' servers run on have the image, and room.
        depends_on: what has to be there before a pod can mount the claim.
    """

    settings: Settings
    claim_name: str
    pool: NodePool
    depends_on: Sequence[pulumi.Resource]


class Environments(pulumi.ComponentResource):
    """The environments of the settings, complete.

    Creates:
        ConfigMap (the program that installs), NetworkPolicy (what the Jobs must not reach), and for each environment a
        Job that is done when it is complete. Another version is another Job, made before the old one goes; the old
        version's files stay. A Secret to pull the image with, where `images.credentials` is set: JupyterHub's own comes
        after the Jobs.

    Attributes:
        jobs: resources that are there once every environment is complete.
    """

    jobs: list[pulumi.Resource]

    def __init__(self, name: str, args: EnvironmentsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("qhub:platform:Environments", name, None, opts)
        namespace, wait = args.settings.namespace.name, args.settings.environments.timeout + START
        program = ConfigMap(
            f"{name}-builder",
            metadata={"name": CONFIG_MAP, "namespace": namespace},
            data={environment_builder.PROGRAM: environment_builder.source()},
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.depends_on)),
        )
        policy = NetworkPolicy(
            f"{name}-policy",
            metadata={"name": "environments", "namespace": namespace},
            spec=policy_spec(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.depends_on)),
        )
        secrets = pull_secrets(
            f"{name}-registry",
            args.settings.images,
            PULL_SECRET,
            namespace=namespace,
            parent=self,
            depends_on=list(args.depends_on),
        )
        self.jobs = [
            Job(
                f"{name}-{each}",
                metadata={"name": job_name(args.settings, each), "namespace": namespace},
                spec=job_spec(args.settings, each, claim_name=args.claim_name, pool=args.pool),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=[program, policy, *secrets],
                    custom_timeouts=pulumi.CustomTimeouts(create=f"{wait}s"),
                ),
            )
            for each in args.settings.environments.named
        ]
        self.register_outputs({})


def job_name(settings: Settings, name: str) -> str:
    """Return the name of the Job; it says which version, and is no longer than a label may be."""
    return f"environment-{name[:40].rstrip('-')}-{version(settings, name)}"


def policy_spec() -> NetworkPolicySpecArgsDict:
    """Return `spec` of the NetworkPolicy of the Jobs.

    As root, pip runs what is in packages that have to be compiled: code of third parties. It needs names and an index.
    """
    return {
        "pod_selector": {"match_labels": SELECTOR},
        "policy_types": ["Egress"],
        "egress": nearly_everywhere(),
    }


def job_spec(settings: Settings, name: str, *, claim_name: str, pool: NodePool) -> JobSpecArgsDict:
    """Return `spec` of the Job that installs one environment."""
    return {
        "backoff_limit": TRIES,
        "active_deadline_seconds": settings.environments.timeout + START,
        "template": {
            "metadata": {"labels": {**SELECTOR, "app.kubernetes.io/part-of": "qhub"}},
            "spec": {
                "restart_policy": "Never",
                **pulls_with(settings.images, PULL_SECRET),
                "node_selector": node_selector(pool),
                "tolerations": cast("list[TolerationArgsDict]", tolerations(pool)),
                "automount_service_account_token": False,
                "enable_service_links": False,
                "containers": [_container(settings, name)],
                "volumes": [
                    {"name": "storage", "persistent_volume_claim": {"claim_name": claim_name}},
                    {"name": "program", "config_map": {"name": CONFIG_MAP}},
                ],
            },
        },
    }


def _container(settings: Settings, name: str) -> ContainerArgsDict:
    environment, section = settings.environments.named[name], settings.environments
    wanted = {
        "folder": ENVIRONMENTS,
        "name": name,
        "version": version(settings, name),
        "packages": list(environment.packages),
        "on_top_of_image": environment.on_top_of_image,
        "keep": section.keep,
    }
    variables = {"QHUB_ENVIRONMENT": json.dumps(wanted), "HOME": "/tmp"}  # noqa: S108 - of the container
    if section.index_url is not None:
        variables["PIP_INDEX_URL"] = section.index_url
    # Resolving and compiling: one core and some GB for the largest of packages.
    needs = container_resources(section.resources) or resources(cpu="500m", memory="1Gi", memory_limit="4Gi")
    return {
        "name": "install",
        "image": settings.images.located(settings.jupyterhub.image.reference),
        "command": ["python3", f"{PROGRAM_FOLDER}/{environment_builder.PROGRAM}"],
        "env": [{"name": key, "value": value} for key, value in variables.items()],
        "resources": cast("ResourceRequirementsArgsDict", needs),
        # Root, without its powers but to write where the folder is root's: users must not change what others run.
        "security_context": {
            "run_as_user": 0,
            "run_as_group": 0,
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"], "add": ["DAC_OVERRIDE"]},
        },
        "volume_mounts": [
            {"name": "storage", "mount_path": ENVIRONMENTS, "sub_path": SUB_PATH},
            {"name": "program", "mount_path": PROGRAM_FOLDER, "read_only": True},
        ],
    }
