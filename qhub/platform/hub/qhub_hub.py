"""What the hub does when somebody signs in and starts a server: who they are on disk, what they may choose.

Settings come from `custom.qhub` of the chart's values:

    users:          {name: {uid: int | None, primary_group: str | None}}
    groups:         {name: {gid: int, members: [str], read_only_members?: [str]}}; members are those of both kinds
    managed_groups: whether groups that the hub knows somebody in count too: the sign-in sets them anew each time
    blocked:        address of the cloud's metadata service, which servers are cut off from; absent: nothing is blocked
    profiles:       [{display_name, slug, description, default, kubespawner_override, users?, groups?, options?}];
                    options are KubeSpawner's profile_options, where a list of what has a `name` is a map in its order
    home:           path of the home folder in the user's container

Where the sign-in does not set groups, the settings alone decide: the hub only ever adds people to the groups that it is
configured with, so somebody who was taken out of one in the settings would stay in it for ever.

Runs in the hub's image (Python 3.11 or newer, KubeSpawner 7).
"""

import hashlib
import re
import shlex
from copy import deepcopy

#: Group 100 is `users` on Debian, and owns what may be changed in the images of docker-stacks (conda environments).
USERS_GID = 100

#: Users whom the settings do not list get a number of their own from this range. Below it are numbers that people give
#: out by hand; above it, Kubernetes accepts nothing (runAsUser is a signed 32-bit number). The range is wide because
#: the number is drawn by hashing the name: among 1,000 users the chance that any two share one is 1 in 4,000.
FIRST_UID = 1_000_000
LAST_UID = 2_000_000_000

INIT_CONTAINER = "qhub-prepare"
IDENTITY_VOLUME = "qhub-identity"
HOME_VOLUME = "home"

#: Of root in the init container: give folders away, change modes of what is no longer its own, enter what is closed,
#: and have files inherit a group that root is not in: without FSETID, Linux drops the set-group-id bit of such a chmod.
STORAGE_RIGHTS = ("CHOWN", "FOWNER", "DAC_OVERRIDE", "FSETID")
#: What iptables needs in the pod's own network; more than that, privileged, is what the chart's own container takes.
FIREWALL_RIGHTS = ("NET_ADMIN", "NET_RAW")
#: The rule of the chart's `block-cloud-metadata`, up to the address.
BLOCK = ("--append", "OUTPUT", "--protocol", "tcp", "--destination-port", "80", "--jump", "DROP", "--destination")

#: What the log of the init container ends with where the storage refuses that.
NOT_GIVEN = (
    "The shared storage does not let root give files away, so that no folder can be made its owner's: export it with "
    "no_root_squash. An access point of EFS never lets root do so: mount the file system itself."
)

#: Entries that programs expect in any Debian image; `jovyan` owns the files of the docker-stacks images.
SYSTEM_PASSWD = (
    "root:x:0:0:root:/root:/bin/bash",
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin",
)
SYSTEM_GROUPS = {"root": 0, "daemon": 1, "tty": 5, "www-data": 33, "users": USERS_GID, "nogroup": 65534}
JOVYAN_UID = 1000


class NoProfileError(Exception):
    """None of the profiles is open to this user. JupyterHub shows `jupyterhub_message` on the page."""

    def __init__(self, username):
        self.jupyterhub_message = (
            f"No server profile is open to {username}. Ask an administrator to add you to a group that has one."
        )
        super().__init__(self.jupyterhub_message)


def derived_uid(username):
    """Return the uid of a user whom the settings do not list: always the same for the same name."""
    digest = hashlib.sha256(username.encode()).digest()
    return FIRST_UID + int.from_bytes(digest[:8], "big") % (LAST_UID - FIRST_UID + 1)


def unix_name(username):
    """Return the name as it may stand in a passwd line: no colon, no space, nothing that a shell would read."""
    return re.sub(r"[^A-Za-z0-9._@-]", "_", username)


def group_ids(username, hub_groups, settings):
    """Return {group: gid} for a user: the primary group first, then those of the settings, then those of the sign-in.

    A group without a gid in the settings has no folder and no number, and is left out.
    """
    known = settings["groups"]
    listed = [name for name, group in known.items() if username in group["members"]]
    primary = settings["users"].get(username, {}).get("primary_group")
    names = [primary, *listed, *(hub_groups if settings["managed_groups"] else ())]
    return {name: known[name]["gid"] for name in dict.fromkeys(names) if name in known}


def identity(username, hub_groups, settings):
    """Return {name, uid, gid, groups, read_only, supplemental_gids} of a user: who they are on the shared file system.

    A read-only member has the group's number too, or could not read; what keeps them from writing is how the folder is
    mounted.
    """
    listed = settings["users"].get(username, {})
    groups = group_ids(username, hub_groups, settings)
    uid = listed.get("uid")
    gid = groups.get(listed.get("primary_group"), USERS_GID)
    return {
        "name": unix_name(username),
        "uid": derived_uid(username) if uid is None else uid,
        "gid": gid,
        "groups": groups,
        "read_only": {name for name in groups if username in settings["groups"][name].get("read_only_members", ())},
        "supplemental_gids": sorted({USERS_GID, *groups.values()} - {gid}),
    }


def passwd_file(who, home):
    """Return the text of /etc/passwd for a user's container."""
    lines = list(SYSTEM_PASSWD)
    if who["uid"] != JOVYAN_UID and who["name"] != "jovyan":
        lines.append(f"jovyan:x:{JOVYAN_UID}:{USERS_GID}::/home/jovyan:/bin/bash")
    lines.append(f"{who['name']}:x:{who['uid']}:{who['gid']}::{home}:/bin/bash")
    return "\n".join(lines) + "\n"


def group_file(who):
    """Return the text of /etc/group for a user's container."""
    taken = set(who["groups"].values())
    lines = [f"{name}:x:{gid}:" for name, gid in SYSTEM_GROUPS.items() if gid not in taken]
    lines += [f"{name}:x:{gid}:{who['name']}" for name, gid in who["groups"].items()]
    return "\n".join(lines) + "\n"


def by_name(listed):
    """Return {name: rest} of a list, in its order: a map would come out of the chart's values sorted by its keys."""
    return {one["name"]: {key: value for key, value in one.items() if key != "name"} for one in listed}


def allowed_profiles(username, hub_groups, settings):
    """Return the profiles open to a user. One that names neither users nor groups is open to everybody."""
    member_of = set(group_ids(username, hub_groups, settings))
    allowed = []
    for profile in deepcopy(settings["profiles"]):
        users, groups = profile.pop("users", None), profile.pop("groups", None)
        options = by_name(profile.pop("options", ()))
        if options:
            profile["profile_options"] = {
                name: {**option, "choices": by_name(option["choices"])} for name, option in options.items()
            }
        if (users is None and groups is None) or username in (users or ()) or member_of & set(groups or ()):
            allowed.append(profile)
    return allowed


def init_script(groups, blocked=None):
    """Return the shell script that gives a user's folders to their owner, writes passwd and group, and blocks.

    The kubelet makes a missing sub-path as root with mode 0755. So root does it here, for this user's folders only:
    they are all that is mounted. Mode 2770 lets new files inherit the folder's group. An fsGroup would be no help: on
    NFS it does nothing, and where the volume's driver says `fsGroupPolicy: File` (CephFS), the kubelet gives the whole
    volume, with everybody's homes, to the group of this user, at each start.
    A home whose owner is somebody else was used under another number, before `uid` was written for the user or after it
    was changed. What belongs to that number in it is given first and the folder itself last, so that a run that is cut
    off goes on at the next start. What others own in it, and what links point to, stays theirs.
    Names go in quoted; numbers and texts come by environment variables, so that nothing of them is read as shell, and
    no braces occur, which KubeSpawner would take for placeholders.
    """
    lines = [] if blocked is None else [f"iptables {' '.join(BLOCK)} {shlex.quote(blocked)}"]
    lines += [
        f"refused() ( echo {shlex.quote(NOT_GIVEN)} >&2; exit 1 )",
        'printf %s "$QHUB_PASSWD" > /identity/passwd',
        'printf %s "$QHUB_GROUP" > /identity/group',
        "chmod 0644 /identity/passwd /identity/group",
        'owner="$(stat -c %u /mnt/home)"',
        'if [ "$owner" != 0 ] && [ "$owner" != "$QHUB_UID" ]; then',
        # The two braces that find replaces by files.
        '    files="$(printf "\\173\\175")"',
        '    find /mnt/home -xdev -mindepth 1 -user "$owner" -exec chown -h "$QHUB_UID" "$files" + || refused',
        "fi",
        'chown "$QHUB_UID:$QHUB_GID" /mnt/home || refused',
        "chmod 0700 /mnt/home",
    ]
    if groups:
        lines += [
            "if [ ! -e /mnt/home/shared ] && [ ! -L /mnt/home/shared ]; then",
            "    ln -s /shared /mnt/home/shared",
            '    chown -h "$QHUB_UID:$QHUB_GID" /mnt/home/shared',
            "fi",
        ]
    for group, gid in groups.items():
        folder = shlex.quote(f"/mnt/shared/{group}")
        lines += [f"chown 0:{gid} {folder} || refused", f"chmod 2770 {folder}"]
    return "\n".join(lines)


def init_container(who, home, image, blocked=None):
    """Return the init container that prepares storage and identity of one user, and the pod's firewall."""
    mounts = [
        {"name": IDENTITY_VOLUME, "mountPath": "/identity"},
        {"name": HOME_VOLUME, "mountPath": "/mnt/home", "subPath": "home/{username}"},
    ]
    mounts += [
        {"name": HOME_VOLUME, "mountPath": f"/mnt/shared/{group}", "subPath": f"shared/{group}"}
        for group in who["groups"]
    ]
    variables = {
        "QHUB_UID": str(who["uid"]),
        "QHUB_GID": str(who["gid"]),
        "QHUB_PASSWD": passwd_file(who, home),
        "QHUB_GROUP": group_file(who),
    }
    return {
        "name": INIT_CONTAINER,
        "image": image,
        "command": ["sh", "-ec", init_script(who["groups"], blocked)],
        "env": [{"name": name, "value": value} for name, value in variables.items()],
        # So that `kubectl describe pod` tells the end of the log too.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        # Requests and limits, so that a namespace with a quota accepts the pod.
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}},
        "securityContext": {
            "runAsUser": 0,
            "runAsNonRoot": False,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"], "add": [*STORAGE_RIGHTS, *(FIREWALL_RIGHTS if blocked else ())]},
        },
        "volumeMounts": mounts,
    }


def _name_of(container):
    """Return a container's name: the chart adds its own as a client object, a setting adds a plain dict."""
    return container["name"] if isinstance(container, dict) else container.name


def prepare_pod(spawner, settings, image):
    """Give a server its user's identity, home and shared folders. JupyterHub calls this before each start.

    Everything is put in by key, so that a second start of the same spawner changes nothing.

    Raises:
        NoProfileError: there are profiles, and none is open to this user. Without this KubeSpawner would start a
            server without any limit.
    """
    username = spawner.user.name
    hub_groups = [group.name for group in spawner.user.groups]
    if settings["profiles"] and not allowed_profiles(username, hub_groups, settings):
        raise NoProfileError(username)
    who = identity(username, hub_groups, settings)
    # The chart has an fsGroup of its own: see `init_script` for why there is none.
    spawner.uid, spawner.gid, spawner.fs_gid = who["uid"], who["gid"], None
    spawner.supplemental_gids = who["supplemental_gids"]
    # start.sh of docker-stacks warns when these differ from what it finds.
    spawner.environment = {
        **spawner.environment,
        "NB_USER": who["name"],
        "NB_UID": str(who["uid"]),
        "NB_GID": str(who["gid"]),
    }
    spawner.volumes = {**spawner.volumes, IDENTITY_VOLUME: {"name": IDENTITY_VOLUME, "emptyDir": {}}}
    mounts = {
        f"{IDENTITY_VOLUME}-{file}": {
            "name": IDENTITY_VOLUME,
            "mountPath": f"/etc/{file}",
            "subPath": file,
            "readOnly": True,
        }
        for file in ("passwd", "group")
    }
    mounts |= {
        f"shared-{group}": {
            "name": HOME_VOLUME,
            "mountPath": f"/shared/{group}",
            "subPath": f"shared/{group}",
            "readOnly": group in who["read_only"],
        }
        for group in who["groups"]
    }
    spawner.volume_mounts = {**spawner.volume_mounts, **mounts}
    # Added to the others, never in their place: a setting of the chart may have put them there.
    others = [made for made in spawner.init_containers if _name_of(made) != INIT_CONTAINER]
    spawner.init_containers = [*others, init_container(who, settings["home"], image, settings.get("blocked"))]


def install(c, settings, image):
    """Hook all this into the hub's configuration.

    Args:
        c: the hub's configuration object.
        settings: see the head of this file.
        image: of the init container; any image with a shell, chown, chmod, find and stat.
    """

    def hub_groups_of(spawner):
        return [group.name for group in spawner.user.groups]

    c.KubeSpawner.pre_spawn_hook = lambda spawner: prepare_pod(spawner, settings, image)
    if settings["profiles"]:
        # A function, not a form: it also holds for servers that are started through the API.
        c.KubeSpawner.profile_list = lambda spawner: allowed_profiles(
            spawner.user.name, hub_groups_of(spawner), settings
        )


if "c" in globals():
    from z2jh import get_config  # ty: ignore[import-not-found] - in the hub's image

    # The image of the chart's own init container: on every node that runs a server anyway, and mirrored with the chart.
    _network_tools = get_config("singleuser.networkTools.image")
    install(globals()["c"], get_config("custom.qhub"), f"{_network_tools['name']}:{_network_tools['tag']}")
