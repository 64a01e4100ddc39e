"""The whole configuration of one environment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from qhub.config import authentication as _authentication
from qhub.config import certificates as _certificates
from qhub.config import charts as _charts
from qhub.config import cluster as _cluster
from qhub.config import dask as _dask
from qhub.config import dns as _dns
from qhub.config import environments as _environments
from qhub.config import extra_releases as _extra_releases
from qhub.config import images as _images
from qhub.config import ingress as _ingress
from qhub.config import jupyterhub as _jupyterhub
from qhub.config import monitoring as _monitoring
from qhub.config import ssh as _ssh
from qhub.config import storage as _storage
from qhub.config import users as _users
from qhub.config.advice import SettingsWarning, advise
from qhub.config.authentication import Authentication
from qhub.config.certificates import Certificates
from qhub.config.charts import Charts
from qhub.config.cluster import Cluster
from qhub.config.dask import Dask
from qhub.config.dns import Dns
from qhub.config.environments import Environments
from qhub.config.extra_releases import ExtraRelease, ReleaseName
from qhub.config.images import Images
from qhub.config.ingress import Ingress
from qhub.config.jupyterhub import JupyterHub
from qhub.config.model import Expected, Problem, RulesBroken, Section, nested
from qhub.config.monitoring import Monitoring
from qhub.config.names import DomainName, GroupName, Text, UserName
from qhub.config.namespace import Namespace
from qhub.config.ssh import Ssh
from qhub.config.storage import Storage
from qhub.config.users import Group, User

#: Each rule with the sections that it reads, which are its arguments.
RULES = (
    (("cluster",), _cluster.cluster_makes_sense),
    (("certificates",), _certificates.issuer_has_what_it_needs),
    (("certificates",), _certificates.challenge_is_of_lets_encrypt),
    (("domain", "certificates"), _certificates.acme_reaches_the_domain),
    *_dns.RULES,
    (("ingress",), _ingress.load_balancer_settings_have_one),
    (("storage", "cluster"), _storage.managed_storage_is_somewhere),
    *_authentication.RULES,
    (("users", "groups"), _users.numbers_are_unique),
    (("users", "groups"), _users.users_are_in_known_groups),
    (("users", "groups"), _users.readers_do_not_write),
    (("jupyterhub",), _jupyterhub.culling_makes_sense),
    (("jupyterhub",), _jupyterhub.one_profile_is_the_default),
    (("jupyterhub",), _jupyterhub.profile_names_differ),
    (("jupyterhub",), _jupyterhub.sizes_and_images_make_sense),
    (("jupyterhub", "cluster"), _jupyterhub.profiles_fit_their_pool),
    (("jupyterhub", "cluster"), _jupyterhub.placeholders_have_room),
    (("jupyterhub", "groups"), _jupyterhub.profiles_are_for_known_groups),
    (("dask",), _dask.worker_profile_names_differ),
    (("dask",), _dask.workers_fit_their_cluster),
    (("dask", "cluster"), _dask.workers_fit_their_pool),
    (("dask", "groups"), _dask.worker_profiles_are_for_known_groups),
    (("dask", "groups"), _dask.limits_are_for_somebody),
    (("environments",), _environments.environment_names_are_free),
    (("ssh",), _ssh.ssh_has_an_image),
    (("ssh",), _ssh.ssh_load_balancer_settings_have_one),
    (("charts",), _charts.versions_have_their_form),
    (("charts",), _charts.mirror_has_its_form),
    (("images",), _images.settings_of_a_registry_have_one),
    (("monitoring",), _monitoring.measurements_fit_their_disk),
    (("extra_releases",), _extra_releases.extra_charts_are_somewhere),
    (("extra_releases", "namespace"), _extra_releases.extra_releases_stay_apart),
    (
        ("extra_releases", "cluster", "certificates", "ingress", "dask", "monitoring"),
        _extra_releases.extra_releases_wait_for_known_ones,
    ),
    (("extra_releases",), _extra_releases.secret_values_stand_alone),
)


#: Which versions are read is told before anything else is looked at (`qhub.config.versions`).
Version = Annotated[int, Field(ge=1), Expected("a whole number, at least 1")]


class Settings(Section):
    """Everything a person may set, one attribute per key of the stack file's `qhub:` namespace.

    | read them | with |
    |---|---|
    | in the Pulumi program | `load_stack_settings()` |
    | in a script | `load_settings_file("Pulumi.prod.yaml")` |
    | in a test | `Settings(domain="hub.example.org", authentication={...})` |

    Raises:
        pydantic.ValidationError: a value is wrong or the values do not fit together. The two loaders turn it into a
            `SettingsError` that names file, line and column of each mistake.
    """

    base: str = Field(
        default="",
        description="File with settings that several environments share, relative to the project folder. What stands "
        "in the stack's own file is laid over it, key by key.",
    )
    version: Version = Field(
        default=1,
        description="Form of the settings in this file; without it, the first one. `qhub migrate` raises it.",
    )
    domain: DomainName = Field(description="DNS name under which people reach the hub, for example hub.example.org.")
    namespace: Namespace = nested("Kubernetes namespace that holds the platform.")
    cluster: Cluster = nested("Kubernetes cluster that the platform runs on.")
    certificates: Certificates = nested("TLS certificate of the hub.")
    dns: Dns = nested("Zone that the domain is in, where it is managed.")
    ingress: Ingress = nested("Ingress controller and its load balancer.")
    storage: Storage = nested("Shared file system for home folders and the groups' shared folders.")
    authentication: Authentication = nested("Who may sign in, and how.")
    users: dict[UserName, User] = Field(default={}, description="People by user name, with their uid and groups.")
    groups: dict[GroupName, Group] = Field(default={}, description="Groups by name, with their gid.")
    jupyterhub: JupyterHub = nested("Notebook servers: image, sizes, culling.")
    dask: Dask = nested("Dask Gateway: image, sizes of workers, limits.")
    environments: Environments = nested("Python packages that people choose beside those of the image.")
    monitoring: Monitoring = nested("Prometheus and Grafana; off unless asked for.")
    ssh: Ssh = nested("Terminals over SSH.")
    charts: Charts = nested("Versions and sources of the Helm charts.")
    images: Images = nested("Where images are pulled from.")
    extra_releases: dict[ReleaseName, ExtraRelease] = Field(
        default={}, description="Helm releases of your own, by name, beside QHub's."
    )
    stack: Text = Field(default="local", description="Name of the Pulumi stack; not a key of the stack file.")
    root: Path = Field(
        default_factory=Path.cwd, description="Folder of the project, from which relative paths go; not a key."
    )

    @model_validator(mode="before")
    @classmethod
    def _name_the_cluster(cls, data: Any) -> Any:
        """Name a cluster without a name after the stack: two stacks must not share one name."""
        if not isinstance(data, Mapping) or not isinstance(data.get("cluster", {}), Mapping):
            return data
        stack = re.sub(r"[^a-z0-9]+", "-", str(data.get("stack", "local")).lower()).strip("-")
        return {**data, "cluster": {"name": f"qhub-{stack}"[:63].rstrip("-"), **data.get("cluster", {})}}

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        problems = tuple(broken_rules(self))
        if problems:
            raise RulesBroken(problems)
        return self

    @property
    def address(self) -> str:
        """Address of the hub, without a slash at its end."""
        return f"{'http' if self.certificates.issuer == 'none' else 'https'}://{self.domain}"

    @property
    def oauth_callback_url(self) -> str:
        """Where an identity provider sends people back to; to be entered there."""
        # Sign-in providers reach the hub from outside, where TLS is ended somewhere even when not by us.
        return f"https://{self.domain}/hub/oauth_callback"

    def path(self, text: str) -> Path:
        """Return a path from the settings in full: `~` is the home folder, a relative one starts at the project."""
        return (self.root / Path(text).expanduser()).absolute()

    def warnings(self) -> tuple[SettingsWarning, ...]:
        """Return what is allowed but worth a thought, each with its key."""
        return advise(self)


#: Attributes of `Settings` that do not come from the stack file.
NOT_KEYS = frozenset({"stack", "root"})
#: Keys of the stack file, without the project's namespace.
SECTIONS = tuple(name for name in Settings.model_fields if name not in NOT_KEYS)


def broken_rules(settings: Settings) -> Iterator[Problem]:
    """Yield every broken rule between values that are each right by themselves."""
    for needs, rule in RULES:
        for problem in rule(*(getattr(settings, name) for name in needs)):
            yield replace(problem, reads=needs)
