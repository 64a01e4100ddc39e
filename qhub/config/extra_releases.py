"""Helm releases of the user's own, beside the platform's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from qhub.config.authentication.base import Secret
from qhub.config.charts import RELEASE_TIMEOUT, Charts
from qhub.config.model import Expected, Problem, Section
from qhub.config.names import ChartRepository, ChartVersion, KubernetesName, Text
from qhub.config.nearest import nearest
from qhub.config.quantities import Seconds

#: Longest name of a release that Helm takes.
LONGEST_RELEASE = 53
#: Names of the platform's own releases.
OWN_RELEASES = tuple(name.replace("_", "-") for name in Charts.model_fields if name != "mirror")
#: What follows the platform's namespace in the names of its others.
OWN_ENDINGS = ("storage", "ingress", "monitoring")


def _release_name(text: str) -> str:
    if len(text) > LONGEST_RELEASE:
        raise ValueError(f'"{text}" is too long for the name of a Helm release: at most {LONGEST_RELEASE} characters')
    return text


ReleaseName = Annotated[
    KubernetesName,
    AfterValidator(_release_name),
    Expected(f'a name of a-z, 0-9 and "-", at most {LONGEST_RELEASE} characters'),
]


class ExtraRelease(Section):
    """A Helm release of your own."""

    chart: Annotated[Text, Expected("the name of a chart, a folder such as ./charts/mine, or oci://registry/path")] = (
        Field(
            description="Chart: its name in `repository`; or a folder or .tgz that starts with ./, ../, ~ or /, "
            "relative to the project folder; or oci://registry/path/name."
        )
    )
    version: ChartVersion | None = Field(
        default=None, description="Exact version of the chart; only a folder or .tgz, which has one, needs none."
    )
    repository: ChartRepository | None = Field(default=None, description="Address of the chart's repository.")
    namespace: KubernetesName | None = Field(
        default=None,
        description="Namespace; null is the platform's. Any other is made, and goes with the last release in it, but "
        "not default and kube-system, which every cluster has.",
    )
    values: dict[str, Any] = Field(
        default={}, description="Values for the chart. Not checked by QHub; no secrets here."
    )
    secret_values: dict[Text, Secret] = Field(
        default={}, description="Secret values by their dotted path, for example auth.password; laid over `values`."
    )
    timeout: Seconds = Field(
        default=RELEASE_TIMEOUT, description="Seconds to wait until everything that the chart installs is ready."
    )
    atomic: bool = Field(
        default=False, description="On failure, undo: uninstall a first install, roll an upgrade back."
    )
    depends_on: tuple[KubernetesName, ...] = Field(
        default=(),
        description="Releases that have to be there before: others of yours, and QHub's own by the names in the output "
        "`releases`.",
    )

    @property
    def is_path(self) -> bool:
        """Whether the chart is a folder or an archive on this machine."""
        return self.chart.startswith(("./", "../", "/", "~")) or self.chart in (".", "..")

    @property
    def is_oci(self) -> bool:
        """Whether the chart comes from an OCI registry that it names itself."""
        return self.chart.startswith("oci://")


Releases = Mapping[str, ExtraRelease]


def extra_charts_are_somewhere(extra_releases: Releases) -> Iterator[Problem]:
    """A chart comes from a repository, an OCI registry or a folder, and from one of them only."""
    for name, release in extra_releases.items():
        path = ("extra_releases", name)
        alone = release.is_path or release.is_oci
        if alone and release.repository is not None:
            yield Problem(
                (*path, "repository"), f"{release.chart} needs no repository: remove it, or name the chart alone"
            )
        elif not alone and release.repository is None:
            yield Problem(
                (*path, "chart"),
                f"where is {release.chart}? Add `repository: https://...`; a folder starts with ./ and an OCI chart "
                "with oci://",
            )
        if release.version is None and not release.is_path:
            yield Problem((*path, "version"), "is missing: without it, every `pulumi up` could install another chart")


def extra_releases_stay_apart(extra_releases: Releases, namespace: Any) -> Iterator[Problem]:
    """No release takes a name or a namespace of the platform's own."""
    ours = (*(f"{namespace.name}-{ending}" for ending in OWN_ENDINGS), "cert-manager")
    for name, release in extra_releases.items():
        if name in OWN_RELEASES:
            yield Problem(("extra_releases", name), f'"{name}" is the name of a release of QHub\'s own: choose another')
        if release.namespace in ours:
            yield Problem(
                ("extra_releases", name, "namespace"),
                f"{release.namespace} is a namespace of QHub's own parts: choose another, or leave it out for "
                f"{namespace.name}",
            )


def extra_releases_wait_for_known_ones(  # noqa: PLR0917 - one for each section that the rule reads
    extra_releases: Releases, cluster: Any, certificates: Any, ingress: Any, dask: Any, monitoring: Any
) -> Iterator[Problem]:
    """What a release waits for is there, and does not wait for it in turn."""
    gpus = any(pool.gpu is not None for pool in cluster.pools.values())
    here = {
        "jupyterhub": True,
        # What `qhub.clouds` says of a cluster: the other clouds run these themselves.
        "cluster-autoscaler": cluster.provider == "aws",
        "nvidia-device-plugin": cluster.provider in ("aws", "azure") and gpus,
        ingress.controller: True,
        "cert-manager": certificates.issuer not in ("existing-secret", "none"),
        "dask-gateway": dask.enabled,
        "kube-prometheus-stack": monitoring.enabled,
    }
    known = (*extra_releases, *(name for name, installed in here.items() if installed))
    for name, release in extra_releases.items():
        for place, other in enumerate(release.depends_on):
            path = ("extra_releases", name, "depends_on", place)
            if other not in known:
                message = f'there is no release "{other}" in this stack (known: {", ".join(known)})'
                yield Problem(path, message, nearest(other, known))
            elif name in _waited_for(other, extra_releases):
                yield Problem(path, f"{other} waits for {name} too: neither would ever be installed")


def secret_values_stand_alone(extra_releases: Releases) -> Iterator[Problem]:
    """A value is given once: in clear, or as a secret."""
    for name, release in extra_releases.items():
        for path in release.secret_values:
            inside: Any = release.values
            for part in path.split("."):
                inside = inside.get(part) if isinstance(inside, Mapping) else None
            if inside is not None:
                yield Problem(
                    ("extra_releases", name, "secret_values", path), f"{path} is in `values` too: remove it there"
                )


def _waited_for(name: str, releases: Releases) -> set[str]:
    """Return every release that has to be there before one, itself included."""
    todo, seen = [name], set[str]()
    while todo:
        now = todo.pop()
        if now not in seen:
            seen.add(now)
            todo.extend(releases[now].depends_on if now in releases else ())
    return seen
