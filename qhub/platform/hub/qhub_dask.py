"""What a user may choose for a Dask cluster, and the limits of each. Runs in the Dask gateway's API server.

Settings come as JSON in the environment variable QHUB_DASK:

    profiles:     [{name: str, users: [str] | None, groups: [str] | None, config: {option of KubeClusterConfig: value}}]
    idle_timeout: seconds until a cluster that computes nothing is stopped
    max_workers:  workers of one cluster
    max_cores:    cores of one cluster

Runs in the gateway's image (dask-gateway-server 2026.3).
"""

import json
import os


def allowed_profiles(user, profiles):
    """Return {name: config} of the profiles open to a user; all of them for an admin.

    One that names neither users nor groups is open to everybody.

    Raises:
        PermissionError: none is. The gateway shows the text to the user.
    """
    allowed = {}
    for profile in profiles:
        users, groups = profile["users"], profile["groups"]
        is_open = (users is None and groups is None) or user.admin
        if is_open or user.name in (users or ()) or set(user.groups) & set(groups or ()):
            allowed[profile["name"]] = profile["config"]
    if not allowed:
        raise PermissionError(
            f"no Dask profile is open to {user.name}: ask an administrator to add you to a group that has one"
        )
    return allowed


def options_for(user, settings, default_image):
    """Return the options that the gateway offers to a user."""
    from dask_gateway_server.options import Mapping, Options, Select, String  # ty: ignore[import-not-found] - in the gateway's image

    allowed = allowed_profiles(user, settings["profiles"])

    def configuration(chosen):
        return {
            **allowed[chosen.profile],
            "image": chosen.image,
            "environment": {str(key): str(value) for key, value in chosen.environment.items()},
        }

    return Options(
        Select("profile", list(allowed), default=next(iter(allowed)), label="Size of a worker"),
        String("image", default=default_image, label="Image"),
        Mapping("environment", {}, label="Environment variables"),
        handler=configuration,
    )


def install(c, settings):
    """Hook all this into the gateway's configuration object `c`."""
    default_image = c.KubeClusterConfig.image
    c.Backend.cluster_options = lambda user: options_for(user, settings, default_image)
    c.KubeClusterConfig.idle_timeout = settings["idle_timeout"]
    c.KubeClusterConfig.cluster_max_workers = settings["max_workers"]
    c.KubeClusterConfig.cluster_max_cores = settings["max_cores"]


if "c" in globals():
    install(globals()["c"], json.loads(os.environ["QHUB_DASK"]))
