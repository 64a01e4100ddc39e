"""What the chart's keys mean to JupyterHub and KubeSpawner. Runs in the hub (JupyterHub 5.5, KubeSpawner 7).

`configure` is all that jupyterhub_config.py calls. The functions below each do one concern; those that only turn values
into data return it, those that need several options of one section take the configuration object `c`.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any

from z2jh import get_config, get_name, get_name_env, get_secret_value, set_config_if_not_none

#: Port of the hub in its pod and of its Service.
HUB_PORT = 8081

#: Options of JupyterHub, and the key under `hub` that gives each.
JUPYTERHUB_OPTIONS = {
    "concurrent_spawn_limit": "concurrentSpawnLimit",
    "active_server_limit": "activeServerLimit",
    "base_url": "baseUrl",
    "allow_named_servers": "allowNamedServers",
    "named_server_limit_per_user": "namedServerLimitPerUser",
    "authenticate_prometheus": "authenticatePrometheus",
    "redirect_to_server": "redirectToServer",
    "shutdown_on_logout": "shutdownOnLogout",
    "template_paths": "templatePaths",
    "template_vars": "templateVars",
}

#: Options of KubeSpawner, and the key under `singleuser` that gives each.
SPAWNER_OPTIONS = {
    "pod_name_template": "podNameTemplate",
    "start_timeout": "startTimeout",
    "image_pull_policy": "image.pullPolicy",
    "events_enabled": "events",
    "extra_labels": "extraLabels",
    "extra_annotations": "extraAnnotations",
    "uid": "uid",
    "fs_gid": "fsGid",
    "service_account": "serviceAccountName",
    "node_selector": "nodeSelector",
    "node_affinity_required": "extraNodeAffinity.required",
    "node_affinity_preferred": "extraNodeAffinity.preferred",
    "pod_affinity_required": "extraPodAffinity.required",
    "pod_affinity_preferred": "extraPodAffinity.preferred",
    "pod_anti_affinity_required": "extraPodAntiAffinity.required",
    "pod_anti_affinity_preferred": "extraPodAntiAffinity.preferred",
    "lifecycle_hooks": "lifecycleHooks",
    "init_containers": "initContainers",
    "extra_containers": "extraContainers",
    "mem_limit": "memory.limit",
    "mem_guarantee": "memory.guarantee",
    "cpu_limit": "cpu.limit",
    "cpu_guarantee": "cpu.guarantee",
    "extra_resource_limits": "extraResource.limits",
    "extra_resource_guarantees": "extraResource.guarantees",
    "environment": "extraEnv",
    "profile_list": "profileList",
    "extra_pod_config": "extraPodConfig",
    "storage_extra_labels": "storage.extraLabels",
}

#: Options that are secrets and have come from the Secret one by one: section -> options left out of `hub.config`.
SET_FROM_SECRET = {
    "JupyterHub": {"cookie_secret", "proxy_auth_token", "services"},
    "ConfigurableHTTPProxy": {"auth_token"},
    "CryptKeeper": {"keys"},
}


def configure(c: Any) -> None:
    """Configure JupyterHub from the chart's values, up to and including `hub.config`."""
    use_curl()
    configure_hub(c)
    configure_database(c)
    configure_spawner(c)
    configure_scheduling(c)
    configure_storage(c)
    configure_services(c)
    configure_secrets(c)
    pass_through(c)


def use_curl() -> None:
    """Speak to the proxy through libcurl where it is there: tornado's own client is slow with many routes."""
    if importlib.util.find_spec("pycurl"):
        from tornado.httpclient import AsyncHTTPClient

        AsyncHTTPClient.configure("tornado.curl_httpclient.CurlAsyncHTTPClient")


def configure_hub(c: Any) -> None:
    """Set who listens where, and the options of JupyterHub that have a key of their own."""
    c.JupyterHub.hub_bind_url = f"http://:{HUB_PORT}"
    c.JupyterHub.hub_connect_url = f"http://{get_name('hub')}:{get_name_env('hub', '_SERVICE_PORT')}"
    # The proxy is a pod of its own and outlives this one; so do users' servers.
    c.ConfigurableHTTPProxy.api_url = f"http://{get_name('proxy-api')}:{get_name_env('proxy-api', '_SERVICE_PORT')}"
    c.ConfigurableHTTPProxy.should_start = False
    c.JupyterHub.cleanup_servers = False
    # Seconds. Also how often lost routes are put back.
    c.JupyterHub.last_activity_interval = 60
    # A pod never starts within the usual 10 s of patience, so show its progress at once.
    c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}
    for option, key in JUPYTERHUB_OPTIONS.items():
        set_config_if_not_none(c.JupyterHub, option, f"hub.{key}")
    if get_config("debug.enabled"):
        c.JupyterHub.log_level = "DEBUG"
        c.Spawner.debug = True


def configure_database(c: Any) -> None:
    """Set the database. A password goes by the environment variable that the database's own client reads."""
    kind = get_config("hub.db.type")
    if kind == "sqlite-pvc":
        # Relative to the working folder, where the claim is mounted.
        c.JupyterHub.db_url = "sqlite:///jupyterhub.sqlite"
    elif kind == "sqlite-memory":
        c.JupyterHub.db_url = "sqlite://"
    else:
        set_config_if_not_none(c.JupyterHub, "db_url", "hub.db.url")
    password = get_secret_value("hub.db.password", None)
    variable = {"mysql": "MYSQL_PWD", "postgres": "PGPASSWORD"}.get(kind)
    if password is not None and variable:
        os.environ[variable] = password


def pod_labels() -> dict[str, str]:
    """Return the labels of users' pods: those of the chart, in both sets."""
    chart = f"{get_config('Chart.Name')}-{get_config('Chart.Version').replace('+', '_')}"
    name, release = get_config("Chart.Name"), get_config("Release.Name")
    return {
        "app": name,
        "release": release,
        "chart": chart,
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": release,
        "app.kubernetes.io/managed-by": "kubespawner",
        "helm.sh/chart": chart,
    }


def image(key: str) -> str:
    """Return the reference of the image under `key`."""
    return f"{get_config(f'{key}.name')}:{get_config(f'{key}.tag')}"


def configure_spawner(c: Any) -> None:
    """Set KubeSpawner and the options of it that have a key of their own."""
    c.JupyterHub.spawner_class = "kubespawner.KubeSpawner"
    spawner = c.KubeSpawner
    spawner.namespace = os.environ.get("POD_NAMESPACE", "default")
    spawner.common_labels = pod_labels()
    for option, key in SPAWNER_OPTIONS.items():
        set_config_if_not_none(spawner, option, f"singleuser.{key}")
    # On the class above, as the real chart does, so that what `hub.config.Spawner` says still holds.
    set_config_if_not_none(c.Spawner, "default_url", "singleuser.defaultUrl")
    set_config_if_not_none(c.Spawner, "consecutive_failure_limit", "hub.consecutiveFailureLimit")
    spawner.image = image("singleuser.image")
    secrets = [*get_config("imagePullSecrets", []), *get_config("singleuser.image.pullSecrets", [])]
    if secrets:
        spawner.image_pull_secrets = secrets
    # For these two a null means something: leave it to the container runtime, leave it to the image.
    spawner.allow_privilege_escalation = get_config("singleuser.allowPrivilegeEscalation")
    c.Spawner.cmd = get_config("singleuser.cmd")
    if get_config("singleuser.cloudMetadata.blockWithIptables"):
        spawner.init_containers.append(metadata_block())


def metadata_block() -> Any:
    """Return the init container that cuts a pod off from the cloud's metadata service.

    An object of the Kubernetes client and no dict, as in the real chart: code of ours that looks through
    `init_containers` has to cope with both.
    """
    from kubernetes_asyncio import client

    address = get_config("singleuser.cloudMetadata.ip")
    rule = ["--append", "OUTPUT", "--protocol", "tcp", "--destination", address, "--destination-port", "80"]
    return client.V1Container(
        name="block-cloud-metadata",
        image=image("singleuser.networkTools.image"),
        command=["iptables", *rule, "--jump", "DROP"],
        security_context=client.V1SecurityContext(
            privileged=True, run_as_user=0, capabilities=client.V1Capabilities(add=["NET_ADMIN"])
        ),
        resources=get_config("singleuser.networkTools.resources"),
    )


def configure_scheduling(c: Any) -> None:
    """Set which nodes users' pods may and should be on."""
    spawner = c.KubeSpawner
    if get_config("scheduling.podPriority.enabled"):
        spawner.priority_class_name = get_name("priority")
    tolerations = [*get_config("scheduling.userPods.tolerations", []), *get_config("singleuser.extraTolerations", [])]
    if tolerations:
        spawner.tolerations = tolerations
    for_users = {"matchExpressions": [{"key": "hub.jupyter.org/node-purpose", "operator": "In", "values": ["user"]}]}
    purpose = get_config("scheduling.userPods.nodeAffinity.matchNodePurpose")
    if purpose == "require":
        spawner.node_affinity_required.append(for_users)
    elif purpose == "prefer":
        spawner.node_affinity_preferred.append({"weight": 100, "preference": for_users})


def configure_storage(c: Any) -> None:
    """Set volumes and mounts of users' pods: home, extra files, extra volumes; later ones win over earlier ones."""
    volumes, mounts = home(c)
    more_volumes, more_mounts = extra_files()
    volumes |= more_volumes
    mounts |= more_mounts
    extra = get_config("singleuser.storage")
    volumes |= by_key(extra.get("extraVolumes"), lambda _, item: item["name"])
    # Several mounts may be of one volume, so the place in the list tells them apart.
    mounts |= by_key(extra.get("extraVolumeMounts"), lambda place, item: f"{place}-{item['name']}")
    c.KubeSpawner.volumes = volumes
    c.KubeSpawner.volume_mounts = mounts


def by_key(items: Any, key: Any) -> dict[str, Any]:
    """Return a dict as it is, and a list as a dict under `key(place, item)`; both forms occur in values."""
    if isinstance(items, dict):
        return items
    return {key(place, item): item for place, item in enumerate(items or [])}


def home(c: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return volume and mount of a user's home, and set what KubeSpawner needs to make a claim for it."""
    storage = get_config("singleuser.storage")
    if storage["type"] == "none":
        return {}, {}
    if storage["type"] == "static":
        name, claim, path = "home", storage["static"]["pvcName"], storage["static"].get("subPath")
    else:
        options = storage["dynamic"]
        name, claim, path = options["volumeNameTemplate"], "{pvc_name}", options.get("subPath")
        c.KubeSpawner.storage_pvc_ensure = True
        set_config_if_not_none(c.KubeSpawner, "pvc_name_template", "singleuser.storage.dynamic.pvcNameTemplate")
        set_config_if_not_none(c.KubeSpawner, "storage_class", "singleuser.storage.dynamic.storageClass")
        set_config_if_not_none(c.KubeSpawner, "storage_access_modes", "singleuser.storage.dynamic.storageAccessModes")
        set_config_if_not_none(c.KubeSpawner, "storage_capacity", "singleuser.storage.capacity")
    volume = {"name": name, "persistentVolumeClaim": {"claimName": claim}}
    return {name: volume}, {name: {"name": name, "mountPath": storage["homeMountPath"], "subPath": path}}


def extra_files() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the volume of Secret `singleuser` and one mount for each file of `singleuser.extraFiles`."""
    files = get_config("singleuser.extraFiles", {})
    if not files:
        return {}, {}
    modes = {name: {"mode": file["mode"]} if "mode" in file else {} for name, file in files.items()}
    items = [{"key": name, "path": name, **mode} for name, mode in modes.items()]
    volume = {"name": "files", "secret": {"secretName": get_name("singleuser"), "items": items}}
    mounts = {
        f"{place}-files": {"name": "files", "mountPath": file["mountPath"], "subPath": name}
        for place, (name, file) in enumerate(files.items())
    }
    return {"files": volume}, mounts


def culler() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the service that stops idle servers (jupyterhub-idle-culler), and the role with what it may do."""
    cull = get_config("cull")
    name = "jupyterhub-idle-culler"
    api = f"http://localhost:{HUB_PORT}{get_config('hub.baseUrl').rstrip('/')}/hub/api"
    command = [sys.executable, "-m", "jupyterhub_idle_culler", f"--url={api}"]
    numbers = {"timeout": "timeout", "every": "cull-every", "concurrency": "concurrency", "maxAge": "max-age"}
    # Nought is the program's own default for each: no limit.
    command += [f"--{flag}={cull[key]}" for key, flag in numbers.items() if cull.get(key)]
    scopes = ["list:users", "read:users:activity", "read:servers", "delete:servers"]
    if cull.get("users"):
        command.append("--cull-users")
        scopes.append("admin:users")
    if not cull.get("adminUsers"):
        command.append("--cull-admin-users=false")
    if cull.get("removeNamedServers"):
        command.append("--remove-named-servers")
    return {"name": name, "command": command}, {"name": name, "scopes": scopes, "services": [name]}


def configure_services(c: Any) -> None:
    """Set services and roles: the culler's first, then those of the values, which are maps so that they can merge."""
    services, roles = [], []
    if get_config("cull.enabled"):
        service, role = culler()
        services.append(service)
        roles.append(role)
    for name, service in get_config("hub.services", {}).items():
        rest = {key: value for key, value in service.items() if key not in ("apiToken", "api_token")}
        services.append({"name": name, "api_token": get_secret_value(f"hub.services.{name}.apiToken"), **rest})
    roles += [{"name": name, **role} for name, role in get_config("hub.loadRoles", {}).items()]
    c.JupyterHub.services = services
    c.JupyterHub.load_roles = roles


def configure_secrets(c: Any) -> None:
    """Set secrets that the chart makes up where none is given. The proxy's token comes by environment variable."""
    c.JupyterHub.cookie_secret = get_secret_value("hub.config.JupyterHub.cookie_secret")
    c.CryptKeeper.keys = get_secret_value("hub.config.CryptKeeper.keys").split(";")


def pass_through(c: Any) -> None:
    """Lay `hub.config` over what is set: option by option, each replaced as a whole."""
    for section, options in get_config("hub.config", {}).items():
        skipped = SET_FROM_SECRET.get(section, set())
        c[section].update({name: value for name, value in options.items() if name not in skipped})
