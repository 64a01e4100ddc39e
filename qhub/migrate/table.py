"""Every key of Nebari (to 2026.3) and of QHub (0.1 to 0.4): its counterpart, or what to do instead. One line each.

The cluster's own section is in `clusters`. Whoever adds a setting that answers one of these keys replaces its line.
"""

from __future__ import annotations

from collections.abc import Mapping

from qhub.migrate import culling, people, site, sizes, usual
from qhub.migrate.rules import Table, needless, no_counterpart, of, to

_STATE = "Pulumi keeps the state: `pulumi login`"
_ONE_VERSION = "requirements.txt says which version of QHub there is"
_IN_IMAGE = "put it into the notebook image (jupyterhub.image)"
_ENVIRONMENT = "packages from PyPI: qhub:environments.named (docs/environments.md); those of conda belong in an image"
_RECORD = "a zone of the cluster's own cloud or on Cloudflare: qhub:dns makes the record (docs/dns.md)"
_NOT_HERE = "QHub does not install it: install its own chart beside QHub"

TABLE: Table = {
    # -- the project
    "project_name": site.project_name,
    "namespace": site.namespace,
    "provider": lambda *_: None,
    "domain": site.domain,
    "nebari_version": needless(_ONE_VERSION),
    "qhub_version": needless(_ONE_VERSION),
    "terraform_version": needless("there is no Terraform"),
    "terraform_modules": needless("there is no Terraform"),
    "terraform_state": needless(_STATE),
    "prevent_deploy": needless("`cluster.protect` and `storage.protect` keep what there is"),
    "ci_cd.type": needless("`qhub init` writes the GitHub workflow"),
    "ci_cd.branch": needless("the workflow runs on main"),
    "ci_cd.commit_render": needless("nothing is rendered"),
    "ci_cd.*": no_counterpart("add steps to .github/workflows/stack.yaml"),
    "ci_cd": needless("`qhub init` writes the GitHub workflow"),
    # -- certificate, address
    "certificate.type": site.certificate_type,
    "certificate.secret_name": to("certificates.secret_name"),
    "certificate.secret_namespace": no_counterpart("the Secret lies in the hub's own namespace"),
    "certificate.acme_email": to("certificates.email"),
    "certificate.acme_server": site.acme_server,
    "certificate.acme_challenge_type": no_counterpart(
        "dns-01 is qhub:certificates.challenge: dns01, with qhub:dns (docs/dns.md)", usual=("tls",)
    ),
    "dns.provider": no_counterpart(_RECORD),
    "dns.auto_provision": no_counterpart(_RECORD),
    "ingress.terraform_overrides.load-balancer-annotations": of(Mapping, site.annotations),
    "ingress.terraform_overrides.load-balancer-ip": to("ingress.service.load_balancer_ip"),
    "ingress.terraform_overrides.*": no_counterpart("values of the chart: qhub:charts.traefik.overrides"),
    "external_container_reg": no_counterpart(
        "nodes pull from the cluster's own registry; others: docker secrets of the chart"
    ),
    # -- people
    "security.authentication": people.authentication,
    "security.users.*": of(Mapping, people.user),
    "security.groups.*": of(Mapping, people.group),
    "security.keycloak": people.keycloak,
    "security.shared_users_group": no_counterpart("no group has everyone: declare one and name its members"),
    # -- images, storage
    "default_images.jupyterlab": lambda moving, path, value, _: sizes.image(moving, path, value, ("jupyterhub",)),
    "default_images.dask_worker": lambda moving, path, value, _: sizes.image(moving, path, value, ("dask",)),
    "default_images.*": needless("the chart brings its own"),
    "storage.type": site.storage_type,
    "storage.shared_filesystem": to("storage.size"),
    "storage.conda_store": no_counterpart("there is no conda-store; environments lie beside the homes"),
    # -- sizes
    "profiles.jupyterlab": of(list, sizes.servers),
    "profiles.dask_worker": of(Mapping, sizes.workers),
    # -- the hub
    "jupyterhub.overrides": of(Mapping, site.chart_values),
    "jupyterlab.idle_culler": of(Mapping, culling.servers),
    "jupyterlab.default_settings": no_counterpart(f"{_IN_IMAGE}: overrides.json of JupyterLab"),
    "jupyterlab.gallery_settings": no_counterpart(f"{_IN_IMAGE}: jupyterlab-gallery and its settings"),
    "jupyterlab.initial_repositories": no_counterpart(f"{_IN_IMAGE}, or clone them in a start hook of the image"),
    "jupyterlab.preferred_dir": no_counterpart(f"{_IN_IMAGE}: c.ServerApp.preferred_dir"),
    "theme.jupyterhub.hub_title": to("jupyterhub.theme.title", takes=str),
    "theme.jupyterhub.primary_color": to("jupyterhub.theme.primary_color", takes=str),
    "theme.jupyterhub.welcome": no_counterpart("plain text of yours: qhub:jupyterhub.theme.welcome"),
    "theme.jupyterhub.logo": no_counterpart("a file, or an address with https: qhub:jupyterhub.theme.logo"),
    "theme.jupyterhub.*": no_counterpart("a theme is title, welcome, logo and two colours: qhub:jupyterhub.theme"),
    "theme.*": no_counterpart("only the hub's pages have a theme: qhub:jupyterhub.theme"),
    # -- what stands beside it
    "environments.*": no_counterpart(_ENVIRONMENT),
    "conda_store": no_counterpart("there is no conda-store: qhub:environments takes packages from PyPI"),
    "monitoring.enabled": of(bool, usual.monitoring),
    "monitoring.*": no_counterpart("qhub:monitoring has Prometheus and Grafana, and `overrides` of its chart"),
    "telemetry": no_counterpart(_IN_IMAGE),
    "argo_workflows": no_counterpart(_NOT_HERE),
    "kbatch": no_counterpart(_NOT_HERE),
    "prefect": no_counterpart(_NOT_HERE),
    "clearml": no_counterpart(_NOT_HERE),
    "cdsdashboards": no_counterpart(_NOT_HERE),
    "jhub_apps": no_counterpart("the hub's services are qhub:charts.jupyterhub.overrides"),
    "ceph": no_counterpart("a class of the cluster's: storage.kind storage-class"),
    "helm_extensions.*": no_counterpart("a Helm release of your own: qhub:extra_releases"),
    "tf_extensions.*": no_counterpart("write it as a Pulumi resource in the program"),
    "extensions.*": no_counterpart("write it as a Pulumi resource in the program"),
}
