"""Values of chart jupyterhub 4.4 (zero-to-jupyterhub): settings in, plain data out.

The chart's schema is closed, so a misspelt key fails at once; what it does not check is said at the place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qhub.config.networks import PRIVATE_ADDRESSES
from qhub.config.storage import ExistingClaimStorage
from qhub.config.theme import is_address
from qhub.config.users import members
from qhub.platform import hub
from qhub.platform.authentication_values import manages_groups, sign_in_config, sign_in_settings
from qhub.platform.ingress_values import ingress_annotations
from qhub.platform.merging import deep_merge
from qhub.platform.monitoring_values import labelled, measured_hub
from qhub.platform.names import DASK_SERVICE, HOME
from qhub.platform.network_values import hub_egress, to_services
from qhub.platform.placeholders import placeholder_tolerations, placeholder_values
from qhub.platform.pods import container_resources, placement, resources
from qhub.platform.singleuser_values import profile_entry, singleuser_values
from qhub.platform.theme_values import logo_path, theme_values

if TYPE_CHECKING:
    import pulumi

    from qhub.clouds.cluster import NodePool
    from qhub.config import Settings

#: Sources whose anonymous XSRF cookie is not tied to the address: private ranges, since a proxy in between shows
#: its own.
PRIVATE_RANGES = ";".join(PRIVATE_ADDRESSES)

#: Where a machine of AWS, Google Cloud, DigitalOcean and Azure asks its cloud who it is, and gets what it may do.
METADATA_SERVICE = "169.254.169.254"


@dataclass(frozen=True, kw_only=True)
class JupyterHubSecrets:
    """Secrets in the values; each is a secret output when it comes from Pulumi.

    Attributes:
        cookie_secret, crypt_key, proxy_token: 64 hex digits each.
        dask_gateway_token: API token of the service; None without Dask.
        metrics_token, grafana_token: API tokens of the two services of monitoring; None without it.
        sign_in: secret of the way of signing in (of the OAuth application, or a password); None where it has none.
    """

    cookie_secret: pulumi.Input[str]
    crypt_key: pulumi.Input[str]
    proxy_token: pulumi.Input[str]
    dask_gateway_token: pulumi.Input[str] | None = None
    sign_in: pulumi.Input[str] | None = None
    metrics_token: pulumi.Input[str] | None = None
    grafana_token: pulumi.Input[str] | None = None


def jupyterhub_values(
    settings: Settings,
    *,
    node_pools: Mapping[str, NodePool],
    secrets: JupyterHubSecrets,
    claim_name: str,
    block_storage_class: str | None,
    cluster_issuer: str | None,
) -> dict[str, Any]:
    """Return the values of the release `jupyterhub`.

    Args:
        settings: the whole settings.
        node_pools: by name, as in `Cluster`.
        secrets: what the chart would otherwise make up anew at each render.
        claim_name: claim for homes and shared folders.
        block_storage_class: for the hub's database; None for the cluster's default class.
        cluster_issuer: ClusterIssuer for the certificate; None where cert-manager has no part in it.
    """
    general = placement(node_pools["general"])
    made = {
        "fullnameOverride": "",
        "custom": {"qhub": hub_settings(settings, node_pools, secrets.sign_in)},
        "hub": _hub(settings, secrets, block_storage_class) | general,
        "proxy": {
            "service": {"type": "ClusterIP"},
            "chp": {
                "networkPolicy": {"egress": to_services(settings)},
                "resources": resources(cpu="50m", memory="64Mi", memory_limit="1Gi"),
                **general,
            },
        },
        "ingress": _ingress(settings, cluster_issuer),
        "singleuser": singleuser_values(settings, node_pools, claim_name),
        "scheduling": {
            # 4.4 brings kube-scheduler 1.30 with the rights of that version; newer clusters refuse some of them. The
            # cluster's own scheduler spreads servers over nodes where this one would pack them.
            "userScheduler": {"enabled": False},
            **placeholder_values(settings.jupyterhub, node_pools),
            # Pools are chosen by our own node selectors; the chart's labels would be a second, softer opinion.
            "corePods": {"nodeAffinity": {"matchNodePurpose": "ignore"}},
            "userPods": {"nodeAffinity": {"matchNodePurpose": "ignore"}},
        },
        # Both would hold every update back until each node has pulled each image.
        "prePuller": {"hook": {"enabled": False}, "continuous": {"enabled": False}},
        "cull": _cull(settings),
    }
    if secrets.metrics_token is None or secrets.grafana_token is None:
        return made
    measured = measured_hub(settings, metrics_token=secrets.metrics_token, grafana_token=secrets.grafana_token)
    return deep_merge(made, measured)


def keeps_data(settings: Settings) -> bool:
    """Tell whether what the stack stores outlives it. Someone else's claim is nothing to throw away either."""
    return isinstance(settings.storage, ExistingClaimStorage) or settings.storage.protect


def tls_secret(settings: Settings) -> str | None:
    """Return the name of the Secret with the hub's certificate; None for plain HTTP."""
    if settings.certificates.issuer == "none":
        return None
    return settings.certificates.secret_name or "hub-tls"


def hub_settings(
    settings: Settings, node_pools: Mapping[str, NodePool], sign_in_secret: pulumi.Input[str] | None = None
) -> dict[str, Any]:
    """Return what the hub-side code (`qhub_hub` and `qhub_sign_in` of `qhub.platform.hub`) reads as `custom.qhub`."""
    users = {
        name: {
            "uid": user.uid,
            "primary_group": user.primary_group,
        }
        for name, user in settings.users.items()
    }
    made: dict[str, Any] = {
        "home": HOME,
        "users": {name: {key: value for key, value in user.items() if value} for name, user in users.items()},
        "groups": hub_groups(settings),
        "managed_groups": manages_groups(settings),
        "profiles": [
            profile_entry(
                profile,
                node_pools,
                settings.jupyterhub.image,
                tolerates=bool(placeholder_tolerations(settings.jupyterhub, node_pools)),
            )
            for profile in settings.jupyterhub.profiles
        ],
    }
    # A stricter namespace refuses the rights to write firewall rules. The network policy, which denies the metadata
    # service by default, is then all there is.
    if settings.namespace.pod_security == "privileged":
        made["blocked"] = METADATA_SERVICE
    if settings.monitoring.enabled:
        made["profiles"] = [labelled(profile) for profile in made["profiles"]]
    sign_in = sign_in_settings(settings, sign_in_secret)
    return made if sign_in is None else made | {"sign_in": sign_in}


def hub_groups(settings: Settings) -> dict[str, Any]:
    """Return the groups with their members, for the hub-side code."""
    members_of = members(settings.users, settings.groups)
    return {
        name: {
            "gid": group.gid,
            "members": members_of[name],
            **({"read_only_members": list(group.read_only_members)} if group.read_only_members else {}),
        }
        for name, group in settings.groups.items()
    }


def _hub(settings: Settings, secrets: JupyterHubSecrets, block_storage_class: str | None) -> dict[str, Any]:
    """Return the section `hub` without its placement."""
    disk: dict[str, Any] = {"storage": settings.jupyterhub.hub.db_storage}
    if block_storage_class is not None:
        disk["storageClassName"] = block_storage_class
    if keeps_data(settings):
        # The claim belongs to the release; Helm leaves it when the release goes.
        disk["annotations"] = {"helm.sh/resource-policy": "keep"}
    made: dict[str, Any] = {
        "cookieSecret": secrets.cookie_secret,
        # upgrade: a new major version of JupyterHub changes its tables; it saves a copy of the database first.
        "db": {"type": "sqlite-pvc", "pvc": disk, "upgrade": True},
        # The chart's 5 have the hub exit once so many starts in a row fail. A start that we refuse, of a profile that
        # is not open to somebody or a size that is none, counts as one: anybody who is signed in could end the hub.
        "consecutiveFailureLimit": 0,
        "config": _hub_config(settings, secrets),
        # 25: after what sets the class of the authenticator (20).
        "extraConfig": {"10-qhub": hub.source("qhub_hub"), "25-qhub-stay": hub.source("qhub_stay")},
        "extraEnv": {"JUPYTERHUB_XSRF_ANONYMOUS_IP_CIDRS": PRIVATE_RANGES},
        "networkPolicy": {"enabled": True, "egress": hub_egress(settings)},
        "resources": container_resources(settings.jupyterhub.hub.resources),
        **theme_values(settings),
    }
    if any(profile.sizes or profile.images or profile.other_image for profile in settings.jupyterhub.profiles):
        made["extraConfig"]["15-qhub-choices"] = hub.source("qhub_choices")
    if sign_in_settings(settings, secrets.sign_in) is not None:
        made["extraConfig"]["20-qhub-sign-in"] = hub.source("qhub_sign_in")
    if secrets.dask_gateway_token is not None:
        made["services"] = {
            DASK_SERVICE: {
                "apiToken": secrets.dask_gateway_token,
                "url": f"http://traefik-{DASK_SERVICE}.{settings.namespace.name}",
                "display": False,
            }
        }
    roles = _roles(settings, dask=secrets.dask_gateway_token is not None)
    return made | ({"loadRoles": roles} if roles else {})


def _roles(settings: Settings, *, dask: bool) -> dict[str, Any]:
    """Return `hub.loadRoles`: what of JupyterHub's own roles is not as it makes them. What is not said stays."""
    made: dict[str, Any] = {}
    if not getattr(settings.authentication, "admin_groups", ()):
        # `admin_users` of an authenticator only ever adds: who is taken out of it would stay an administrator. A list
        # in the role is exact at each start of the hub. Where groups at the provider make administrators, each sign-in
        # decides anew, and the list would take the rights from who has them by a group.
        # Source: `JupyterHub.init_role_assignment` of JupyterHub 5.5.
        made["admin"] = {"users": list(settings.authentication.admin_users)}
    if dask:
        reach = f"access:services!service={DASK_SERVICE}"
        # The gateway asks the hub whether the user's own token may reach this service; without the two lines none may.
        # The rest of each list is JupyterHub's own default for the role, which the list replaces.
        made |= {
            "user": {"scopes": ["self", reach]},
            "server": {"scopes": ["users:activity!user", "access:servers!server", reach]},
        }
    return made


def _hub_config(settings: Settings, secrets: JupyterHubSecrets) -> dict[str, Any]:
    """Return `hub.config`: sections are classes of JupyterHub."""
    config = sign_in_config(settings, secrets.sign_in)
    logo = settings.jupyterhub.theme.logo
    if logo is not None and not is_address(logo):
        config["JupyterHub"] = {**config.get("JupyterHub", {}), "logo_file": logo_path(logo)}
    return {
        **config,
        # Seconds that a started server has to answer: JupyterHub's 30 are too few on a busy node or a slow disk.
        "Spawner": {"http_timeout": 120},
        "CryptKeeper": {"keys": [secrets.crypt_key]},
        "ConfigurableHTTPProxy": {"auth_token": secrets.proxy_token},
    }


def _ingress(settings: Settings, cluster_issuer: str | None) -> dict[str, Any]:
    """Return the section `ingress`."""
    annotations = ingress_annotations()
    if cluster_issuer is not None:
        annotations["cert-manager.io/cluster-issuer"] = cluster_issuer
    made: dict[str, Any] = {
        "enabled": True,
        "ingressClassName": settings.ingress.class_name,
        "annotations": annotations,
        "hosts": [settings.domain],
    }
    secret = tls_secret(settings)
    if secret is not None:
        made["tls"] = [{"hosts": [settings.domain], "secretName": secret}]
    return made


def _cull(settings: Settings) -> dict[str, Any]:
    """Return the section `cull`: which servers the hub stops."""
    cull = settings.jupyterhub.cull
    return {
        "enabled": cull.enabled,
        "timeout": cull.timeout,
        "every": cull.every,
        "maxAge": cull.max_age,
        "users": cull.users,
        "adminUsers": cull.admins,
    }
