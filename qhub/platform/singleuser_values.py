"""Values of a user's server: the section `singleuser` of chart jupyterhub 4.4, and the sizes people choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qhub.platform import user_server
from qhub.platform.environments_values import kernel_files, mount
from qhub.platform.names import DASK_PATH, DASK_SERVICE, HOME
from qhub.platform.network_values import server_policy
from qhub.platform.placeholders import placeholder_tolerations
from qhub.platform.pods import node_selector, resources, tolerations
from qhub.platform.profile_options import as_html, profile_options, size_override

if TYPE_CHECKING:
    from qhub.clouds.cluster import NodePool
    from qhub.config import Settings
    from qhub.config.jupyterhub import Profile
    from qhub.config.resources import Image

#: What z2jh gives every user pod (`scheduling.userPods.tolerations`). A profile that names tolerations replaces the
#: list as a whole, so these have to be said again.
USER_TOLERATIONS = tuple(
    {"key": key, "operator": "Equal", "value": "user", "effect": "NoSchedule"}
    for key in ("hub.jupyter.org/dedicated", "hub.jupyter.org_dedicated")
)

#: New files may be changed by the group. Said on the command line, and what the server starts (terminals, kernels)
#: inherits it. An image whose own start script comes before the command and sets another umask finds the same number in
#: NB_UMASK, as docker-stacks have it.
UMASK = "0002"
START_COMMAND = ["sh", "-c", f'umask {UMASK} && exec "$@"', "sh", "jupyterhub-singleuser"]

#: SQLite does not lock reliably on NFS, so Jupyter's own databases and sockets live in the pod.
SERVER_CONFIG = {
    "BaseFileIdManager": {"db_path": "/tmp/file_id_manager.db"},  # noqa: S108 - in the user's own container
    "SQLiteYStore": {"db_path": "/tmp/ystore.db"},  # noqa: S108
}
RUNTIME_DIR = "/tmp/jupyter-runtime"  # noqa: S108


def profile_entry(
    profile: Profile, node_pools: Mapping[str, NodePool], standard: Image, *, tolerates: bool = False
) -> dict[str, Any]:
    """Return one entry of KubeSpawner's `profile_list`, with `users`, `groups` and `options` for the hub-side code.

    Args:
        profile: of the settings.
        node_pools: by name, as in `Cluster`.
        standard: the image of profiles without one.
        tolerates: whether all servers tolerate something, which then has to be replaced also where the pool of this
            profile has no taint.
    """
    pool = node_pools[profile.node_pool]
    override: dict[str, Any] = {**size_override(profile.default_size, pool), "node_selector": node_selector(pool)}
    if pool.tolerations or tolerates:
        override["tolerations"] = [*USER_TOLERATIONS, *tolerations(pool)]
    if profile.gpu is not None:
        wanted = {pool.gpu.resource if pool.gpu else "nvidia.com/gpu": str(profile.gpu.count)}
        override |= {"extra_resource_limits": wanted, "extra_resource_guarantees": wanted}
    if profile.images or profile.image is not None:
        override["image"] = profile.default_image(standard).reference
    entry: dict[str, Any] = {
        "display_name": as_html(profile.title),
        "slug": profile.name,
        "description": as_html(profile.description),
        "default": profile.default,
        "kubespawner_override": override,
    }
    options = profile_options(profile, pool, standard)
    if options:
        entry["options"] = options
    limited_to = {"users": profile.users, "groups": profile.groups}
    return entry | {key: list(names) for key, names in limited_to.items() if names is not None}


def singleuser_values(settings: Settings, node_pools: Mapping[str, NodePool], claim_name: str) -> dict[str, Any]:
    """Return the section `singleuser`.

    Selector and tolerations stand here only where there are no profiles: KubeSpawner merges a profile's node selector
    into this one, and a pod that has to be on two pools at once is on none.
    """
    hubs = settings.jupyterhub
    made: dict[str, Any] = {
        "image": {"name": hubs.image.name, "tag": hubs.image.tag},
        "defaultUrl": "/lab",
        "startTimeout": hubs.start_timeout,
        "cmd": START_COMMAND,
        "storage": {
            "type": "static",
            "static": {"pvcName": claim_name, "subPath": "home/{username}"},
            "homeMountPath": HOME,
            # 64 MiB by default, too little for what hands data between processes (PyTorch loaders, browsers).
            "extraVolumes": {"shm": {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": hubs.shared_memory}}},
            "extraVolumeMounts": {
                "shm": {"name": "shm", "mountPath": "/dev/shm"},  # noqa: S108
                # "home" is what the chart calls the volume of the shared storage.
                **({"environments": mount("home")} if settings.environments.named else {}),
            },
        },
        "extraEnv": {"HOME": HOME, "JUPYTER_RUNTIME_DIR": RUNTIME_DIR, "NB_UMASK": UMASK},
        "extraFiles": {
            "qhub-server-config": {
                "mountPath": "/usr/local/etc/jupyter/jupyter_server_config.d/qhub.json",
                "data": SERVER_CONFIG,
            },
            "qhub-busy-kernels": {
                "mountPath": f"/usr/local/etc/jupyter/{user_server.PROGRAM}",
                "stringData": user_server.source(),
            },
            **kernel_files(settings),
        },
        # The chart would do it in a privileged init container of its own. Ours does it along with the rest, see
        # `qhub_hub`: one container less is about a second less until a server is ready.
        "cloudMetadata": {"blockWithIptables": False},
        # For who asks the chart for its own all the same: a namespace with a quota takes no pod without.
        "networkTools": {"resources": resources(cpu="10m", memory="16Mi", memory_limit="64Mi")},
        "networkPolicy": server_policy(settings),
    }
    if not hubs.profiles:
        user_pool = node_pools["user"]
        made |= {"nodeSelector": node_selector(user_pool), "extraTolerations": tolerations(user_pool)}
    elif tolerated := placeholder_tolerations(hubs, node_pools):
        # The chart gives placeholders what it gives all servers. Each profile says its own in place of these.
        made["extraTolerations"] = tolerated
    if settings.dask.enabled:
        _add_dask(made, settings.namespace.name)
    return made


def _add_dask(singleuser: dict[str, Any], namespace: str) -> None:
    """Let user pods reach the Dask gateway: the API through the hub's proxy, schedulers through the gateway's own."""
    singleuser["extraEnv"] |= {
        "DASK_GATEWAY__ADDRESS": f"http://proxy-public{DASK_PATH}",
        "DASK_GATEWAY__PROXY_ADDRESS": f"gateway://traefik-{DASK_SERVICE}.{namespace}:80",
        "DASK_GATEWAY__PUBLIC_ADDRESS": f"{DASK_PATH}/",
        "DASK_GATEWAY__AUTH__TYPE": "jupyterhub",
        # Workers run the notebook's own image. Braces twice: KubeSpawner fills in single ones itself.
        "DASK_GATEWAY__CLUSTER__OPTIONS__IMAGE": "{{JUPYTER_IMAGE_SPEC}}",
    }
    # The chart's policy lets user pods reach the hub only; these labels open the proxy, `server_policy` the gateway's.
    singleuser["extraLabels"] = {
        "hub.jupyter.org/network-access-hub": "true",
        "hub.jupyter.org/network-access-proxy-http": "true",
    }
