"""The pod of a user's server, as KubeSpawner makes it from the values that the hub was deployed with.

Pure functions. What the hub's own code adds (identity, home, shared folders) is added by that very code. What no
scheduler and no admission looks at is left out: probes, the token, the files of the server's configuration.

Source: `kubespawner.objects.make_pod` of KubeSpawner 7 and `jupyterhub_config.py` of chart jupyterhub 4.4.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from qhub.config.quantities import parse_spawner_memory
from qhub.platform.hub import qhub_hub
from qhub.platform.profile_options import SIZE
from qhub.platform.singleuser_values import USER_TOLERATIONS

Json = dict[str, Any]

#: On every pod of a rehearsal: by it they are found, and by its value they are told apart.
ROLE_LABEL = "rehearsal.qhub.dev/role"
PROFILE_LABEL = "rehearsal.qhub.dev/profile"

#: What the chart has where the values say nothing.
NETWORK_TOOLS = {"name": "quay.io/jupyterhub/k8s-network-tools", "tag": "4.4.0"}
DEFAULT_MEMORY_GUARANTEE = "1G"


def profile_names(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the profiles that the hub offers."""
    return tuple(profile["slug"] for profile in values["custom"]["qhub"]["profiles"])


def size_names(values: Mapping[str, Any], profile: str) -> tuple[str, ...]:
    """Return the names of the sizes that people choose from in a profile; empty where it has one."""
    chosen = next(one for one in values["custom"]["qhub"]["profiles"] if one["slug"] == profile)
    return tuple(choice["name"] for choice in _sizes(chosen))


def _sizes(profile: Mapping[str, Any]) -> list[Json]:
    return next((option["choices"] for option in profile.get("options", ()) if option["name"] == SIZE), [])


def user_pod(values: Mapping[str, Any], profile: str, *, namespace: str, size: str | None = None) -> Json:
    """Return the pod that the hub would make for somebody who chooses a profile.

    Args:
        values: of the release `jupyterhub`; secret leaves may be anything.
        profile: name of the profile.
        namespace: of the hub.
        size: name of one of its sizes; None for the one that is chosen beforehand.
    """
    hub = values["custom"]["qhub"]
    chosen = next(one for one in hub["profiles"] if one["slug"] == profile)
    single, override = values["singleuser"], dict(chosen["kubespawner_override"])
    if size is not None:
        override |= next(choice["kubespawner_override"] for choice in _sizes(chosen) if choice["name"] == size)
    user, groups = somebody(chosen, hub)
    spawner = _spawner(single, user, groups)
    tools = {**NETWORK_TOOLS, **(single.get("networkTools", {}).get("image") or {})}
    # Whom the settings do not name is in a group as if a sign-in had put them there.
    qhub_hub.prepare_pod(spawner, {**hub, "managed_groups": True}, f"{tools['name']}:{tools['tag']}")
    image = override.get("image") or f"{single['image']['name']}:{single['image']['tag']}"
    spec: Json = {
        "restartPolicy": "OnFailure",
        "automountServiceAccountToken": False,
        "securityContext": {"supplementalGroups": spawner.supplemental_gids},
        "nodeSelector": {**single.get("nodeSelector", {}), **override.get("node_selector", {})},
        "tolerations": override.get("tolerations") or [*USER_TOLERATIONS, *single.get("extraTolerations", [])],
        "initContainers": [*_metadata_guard(single, tools), *spawner.init_containers],
        "containers": [_notebook(single, override, spawner, image)],
        "volumes": list(spawner.volumes.values()),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"jupyter-{profile}" + (f"--{size}" if size else ""),
            "namespace": namespace,
            "labels": {
                "app": "jupyterhub",
                "component": "singleuser-server",
                **single.get("extraLabels", {}),
                ROLE_LABEL: "user",
                PROFILE_LABEL: profile,
            },
        },
        "spec": _filled(spec, username=user),
    }


def somebody(profile: Mapping[str, Any], hub: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return a user to whom a profile is open, and the groups that a sign-in has to put them into for that.

    Args:
        profile: of the values.
        hub: `custom.qhub` of the values.
    """
    named, groups = profile.get("users"), profile.get("groups")
    if named:
        return named[0], []
    if groups is None:
        return next(iter(hub["users"]), "rehearsal"), []
    members = [name for group in groups for name in hub["groups"][group]["members"]]
    return (members[0], []) if members else ("rehearsal", list(groups[:1]))


def _spawner(single: Mapping[str, Any], user: str, groups: list[str]) -> SimpleNamespace:
    """Return what of a KubeSpawner the hub's code touches, configured as the chart does."""
    storage = single["storage"]
    home = {"name": "home", "persistentVolumeClaim": {"claimName": storage["static"]["pvcName"]}}
    mount = {"name": "home", "mountPath": storage["homeMountPath"], "subPath": storage["static"]["subPath"]}
    return SimpleNamespace(
        user=SimpleNamespace(name=user, groups=[SimpleNamespace(name=group) for group in groups]),
        environment=dict(single.get("extraEnv", {})),
        volumes={"home": home, **storage.get("extraVolumes", {})},
        volume_mounts={"home": mount, **storage.get("extraVolumeMounts", {})},
        init_containers=[],
    )


def _metadata_guard(single: Mapping[str, Any], tools: Mapping[str, str]) -> list[Json]:
    if not single.get("cloudMetadata", {}).get("blockWithIptables", True):
        return []
    return [
        {
            "name": "block-cloud-metadata",
            "image": f"{tools['name']}:{tools['tag']}",
            "command": ["iptables", "--append", "OUTPUT", "--destination", "169.254.169.254", "--jump", "DROP"],
            "resources": single.get("networkTools", {}).get("resources", {}),
            "securityContext": {"runAsUser": 0, "privileged": True, "capabilities": {"add": ["NET_ADMIN"]}},
        }
    ]


def _notebook(single: Mapping[str, Any], override: Mapping[str, Any], spawner: SimpleNamespace, image: str) -> Json:
    return {
        "name": "notebook",
        "image": image,
        "args": list(single.get("cmd", ["jupyterhub-singleuser"])),
        "ports": [{"name": "notebook-port", "containerPort": 8888}],
        "env": [{"name": name, "value": str(value)} for name, value in spawner.environment.items()],
        "resources": _resources(single, override),
        "securityContext": {
            "runAsUser": spawner.uid,
            "runAsGroup": spawner.gid,
            "allowPrivilegeEscalation": False,
        },
        "volumeMounts": list(spawner.volume_mounts.values()),
    }


def _resources(single: Mapping[str, Any], override: Mapping[str, Any]) -> Json:
    cpu, memory = single.get("cpu", {}), single.get("memory", {})
    wanted = {
        "requests": (
            override.get("cpu_guarantee", cpu.get("guarantee")),
            override.get("mem_guarantee", memory.get("guarantee", DEFAULT_MEMORY_GUARANTEE)),
            override.get("extra_resource_guarantees", {}),
        ),
        "limits": (
            override.get("cpu_limit", cpu.get("limit")),
            override.get("mem_limit", memory.get("limit")),
            override.get("extra_resource_limits", {}),
        ),
    }
    return {
        name: {
            **({} if cores is None else {"cpu": f"{cores:g}"}),
            **({} if amount is None else {"memory": str(bytes_of(amount))}),
            **extra,
        }
        for name, (cores, amount, extra) in wanted.items()
    }


def bytes_of(amount: str | int) -> int:
    """Return the bytes of an amount of memory as the spawners take it."""
    return amount if isinstance(amount, int) else parse_spawner_memory(amount)


def _filled(node: Any, **names: str) -> Any:
    """Return a manifest with KubeSpawner's placeholders filled in: `{username}`, and `{{` for a brace."""
    if isinstance(node, str):
        for name, value in names.items():
            node = node.replace("{" + name + "}", value)
        return node.replace("{{", "{").replace("}}", "}")
    if isinstance(node, dict):
        return {key: _filled(value, **names) for key, value in node.items()}
    return [_filled(value, **names) for value in node] if isinstance(node, list) else node
