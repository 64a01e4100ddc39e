"""What a user may choose for a Dask cluster, and the limits of each. Runs in the Dask gateway's API server.

Settings come as JSON in the constant QHUB_DASK, which is set above this text in the gateway's configuration file:

    profiles:       [{name, users: [str] | None, groups: [str] | None, config: {option of KubeClusterConfig: value}}]
    members:        {group: [users whom the settings put into it]}
    managed_groups: whether groups that the hub knows somebody in count too; see qhub_hub
    limits:         [{users: [str], groups: [str], max_workers: int | None, max_cores: float | None}]
    idle_timeout:   seconds until a cluster that computes nothing is stopped
    max_workers:    workers of one cluster, for whom no limit says otherwise
    max_cores:      cores of all workers of one cluster, likewise
    packages:       {name: Python that schedulers and workers run, None for the image's own}; absent: the image's alone

Runs in the gateway's image (dask-gateway-server 2026.3).
"""

import json
from fractions import Fraction


def name_of(user):
    """Return the name as the hub has it: the gateway puts `user:` before one that has a colon itself."""
    return user.name.removeprefix("user:")


def groups_of(user, settings):
    """Return the groups that a user is in: by the settings, and by the sign-in where that sets groups."""
    listed = {group for group, names in settings["members"].items() if name_of(user) in names}
    return listed | set(user.groups if settings["managed_groups"] else ())


def limits_of(user, settings):
    """Return (most workers, most cores of all workers) of one cluster of a user.

    Of several limits that hold for somebody, the largest counts.
    """
    groups = groups_of(user, settings)
    held = [limit for limit in settings["limits"] if name_of(user) in limit["users"] or groups & set(limit["groups"])]
    found = []
    for key in ("max_workers", "max_cores"):
        given = [limit[key] for limit in held if limit[key] is not None]
        found.append(max(given) if given else settings[key])
    return tuple(found)


def most_workers(cores, max_workers, max_cores):
    """Return how many workers of some cores a cluster may have that has these limits.

    Counted here, since the gateway takes the scheduler's cores off `cluster_max_cores` and divides in binary, where 0.3
    is not three times 0.1. Source: `ClusterConfig._worker_limit_from_resources` of dask-gateway-server 2026.3.
    """
    return min(max_workers, Fraction(str(max_cores)) // Fraction(str(cores)))


def allowed_profiles(user, settings):
    """Return {name: config} of the profiles open to a user; all of them for an admin.

    One that names neither users nor groups is open to everybody.

    Raises:
        PermissionError: none is. The gateway shows the text to the user.
    """
    allowed, member_of = {}, groups_of(user, settings)
    for profile in settings["profiles"]:
        users, groups = profile["users"], profile["groups"]
        is_open = (users is None and groups is None) or user.admin
        if is_open or name_of(user) in (users or ()) or member_of & set(groups or ()):
            allowed[profile["name"]] = profile["config"]
    if not allowed:
        raise PermissionError(
            f"no Dask profile is open to {user.name}: ask an administrator to add you to a group that has one"
        )
    return allowed


def programs_of(python):
    """Return the options of KubeClusterConfig that let schedulers and workers run on a Python; none for None."""
    if python is None:
        return {}
    # As modules: an environment on top of the image has the packages, but not the programs that come with them.
    programs = {"scheduler_cmd": "distributed.cli.dask_scheduler", "worker_cmd": "distributed.cli.dask_worker"}
    return {option: [python, "-m", module] for option, module in programs.items()}


def options_for(user, settings, default_image):
    """Return the options that the gateway offers to a user; what it raises while one is chosen, the user reads."""
    from dask_gateway_server.options import Mapping, Options, Select, String

    allowed, limits = allowed_profiles(user, settings), limits_of(user, settings)
    packages = settings.get("packages", {})

    def configuration(chosen):
        config = allowed[chosen.profile]
        workers = most_workers(config["worker_cores"], *limits)
        if not workers:
            raise ValueError(
                f"a worker of profile {chosen.profile} has {config['worker_cores']:g} cores, and all workers of a "
                f"cluster of yours together may have {limits[1]:g}: choose another profile"
            )
        return {
            **config,
            "cluster_max_workers": workers,
            **(programs_of(packages[chosen.packages]) if packages else {}),
            "image": chosen.image,
            "environment": {str(key): str(value) for key, value in chosen.environment.items()},
        }

    return Options(
        Select("profile", list(allowed), default=next(iter(allowed)), label="Size of a worker"),
        *([Select("packages", list(packages), default=next(iter(packages)), label="Packages")] if packages else []),
        String("image", default=default_image, label="Image"),
        Mapping("environment", {}, label="Environment variables"),
        handler=configuration,
    )


def install(c, settings):
    """Hook all this into the gateway's configuration object `c`."""
    default_image = c.KubeClusterConfig.image
    c.Backend.cluster_options = lambda user: options_for(user, settings, default_image)
    c.KubeClusterConfig.idle_timeout = settings["idle_timeout"]


if "c" in globals():
    install(globals()["c"], json.loads(globals()["QHUB_DASK"]))
