"""The platform itself as the site under test: the local stack on an embedded real node, with people and groups."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from re import search

from qhub.platform.jupyterhub_values import METADATA_SERVICE
from qhub.rehearsal.images.description import read_images
from qhub.rehearsal.toolchain import tool_path
from tests.browser.site import Choice, Person, Site
from tests.engine.main_job.project import Project, copy_project
from tests.real_charts import charts_folder

PASSWORD = "the right one"
GROUPS = {"analyst": 1100, "developer": 1101}
#: A group whose folder the member may only read.
READ_ONLY = "archive"
#: Everybody is offered the first; the second is for developers, who choose how large it is.
PROFILES = [
    {"name": "small", "display_name": "Small", "default": True, "cpu": {"limit": 1, "guarantee": 0.05},
     "memory": {"limit": "1G", "guarantee": "256M"}},
    {"name": "workshop", "display_name": "Workshop", "groups": ["developer"], "sizes": [
        {"name": "usual", "display_name": "1 GB of memory", "cpu": {"limit": 1, "guarantee": 0.05},
         "memory": {"limit": "1G", "guarantee": "256M"}},
        {"name": "more", "display_name": "1.5 GB of memory", "cpu": {"limit": 1, "guarantee": 0.05},
         "memory": {"limit": "1536M", "guarantee": "256M"}},
    ]},
]  # fmt: skip
CHOICE = Choice(profile="workshop", option="size", value="more", memory=1536 * 1024**2)
THEME = {
    "title": "Data Lab",
    "welcome": "Welcome to the <data> lab.\nAsk Ada for an account.",
    "primary_color": "#1f6feb",
}

#: An environment of what the image has already: no package index can be reached from the node.
ENVIRONMENT = "team"

MEMBER = Person(
    name="alice",
    password=PASSWORD,
    offered=("small", "workshop"),
    uid=1001,
    groups=GROUPS,
    writable=tuple(GROUPS),
    readable=(READ_ONLY,),
)
STRANGER = Person(name="bob", password=PASSWORD, offered=("small",), hidden=("workshop",), closed=(*GROUPS, READ_ONLY))
ADMIN = Person(name="admin", password=PASSWORD)

#: Seconds without activity until a server is stopped, where a test asks for that. The hub hears of activity from the
#: proxy, so it has to look more often than that. Longer than it takes to open JupyterLab and a notebook.
CULLED_AFTER = 45
CULLING = {"enabled": True, "timeout": CULLED_AFTER, "every": 5}
LOOKING = {"hub": {"config": {"JupyterHub": {"last_activity_interval": 3}}}}

#: Kills a process of the embedded cluster, by its state file and name.
KILL_PROCESS = "import json, os, sys; os.kill(json.load(open(sys.argv[1]))['pids'][sys.argv[2]], 9)"
PROCESSES = ("kubelet", "containerd", "kube-apiserver", "etcd")
#: Namespace and selector of the pods of a part.
PODS = {
    "hub": ("qhub", "component=hub"),
    "proxy": ("qhub", "component=proxy"),
    # Its API and its controller. What goes through its own proxy are connections to schedulers, which is told apart.
    "gateway": ("qhub", "app.kubernetes.io/component in (gateway, controller)"),
    "ingress": ("qhub-ingress", "app.kubernetes.io/name=traefik"),
}


@contextmanager
def platform_up(folder: Path) -> Generator[tuple[Project, Site]]:
    """Bring the platform up in a folder of its own, as `make up` does; take it down at the end, without a trace.

    Its charts are those of `QHUB_TEST_CHARTS`, where that names a folder.
    """
    project = copy_project(folder, nodes="real")
    if charts := charts_folder():
        project.set(charts={"mirror": str(charts)})
    try:
        project.shell()
        project.pulumi("stack", "init")
        project.pulumi("config", "set", "--path", "--secret", "qhub:authentication.password", PASSWORD)
        project.set(
            authentication={"admin_users": [ADMIN.name], "allow_all": True},
            groups={
                **{name: {"gid": gid} for name, gid in GROUPS.items()},
                READ_ONLY: {"gid": 1102, "read_only_members": [MEMBER.name]},
            },
            users={MEMBER.name: {"uid": MEMBER.uid, "primary_group": "analyst", "secondary_groups": ["developer"]}},
            jupyterhub={"profiles": PROFILES, "theme": THEME},
            environments={"named": {ENVIRONMENT: {"packages": ["numpy>=1"]}}},
            ssh={"enabled": True, "image": ssh_image()},
        )
        yield project, site_of(project, project.qhub("up"))
    finally:
        project.cluster.delete()


def ssh_image() -> dict[str, str]:
    """Return the image of the SSH server under our own name."""
    images = read_images()
    name, tag = images.references(images.by_name["ssh"])[0].rsplit(":", 1)
    return {"name": name, "tag": tag}


def site_of(project: Project, printed: str) -> Site:
    """Return the site that `qhub up` has said where to find."""
    found = search(r"Open (http://\S+:\d+) and sign in", printed)
    assert found, printed
    ssh = search(r"Terminals: ssh -p (\d+) NAME@(\S+)", printed)
    assert ssh, printed
    kubectl = (str(tool_path("kubectl")), "--kubeconfig", str(project.cluster.kubeconfig_path))
    return Site(
        url=f"{found[1]}/",
        member=MEMBER,
        stranger=STRANGER,
        admin=ADMIN,
        wrong_password="a wrong one",
        start_timeout=180,
        environment=ENVIRONMENT,
        blocked=METADATA_SERVICE,
        ssh=(ssh[2], int(ssh[1])),
        dask=True,
        choice=CHOICE,
        title=THEME["title"],
        welcome=THEME["welcome"].splitlines()[0],
        restart_hub=(*kubectl, "--namespace", "qhub", "rollout", "restart", "deployment/hub"),
        kills=kills_of(project.cluster.folder / "state.json", kubectl),
    )


def kills_of(state: Path, kubectl: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return how each part is killed: a process by SIGKILL, a pod by deletion with no time to end.

    A pod, not its process: a container that is killed in every run waits longer each time until it is started again.
    """
    processes = {name: (sys.executable, "-c", KILL_PROCESS, str(state), name) for name in PROCESSES}
    pods = {
        name: (*kubectl, "--namespace", namespace, "delete", "pod", "--now", "--selector", selector)
        for name, (namespace, selector) in PODS.items()
    }
    return {**processes, **pods}


def stop_idle_servers(project: Project, site: Site) -> Site:
    """Let the running platform stop idle servers soon, by a change of its settings; return the site as it is then."""
    project.set(jupyterhub={"cull": CULLING}, charts={"jupyterhub": {"overrides": LOOKING}})
    project.qhub("up")
    return site.model_copy(update={"culled_after": CULLED_AFTER})


def keep_idle_servers(project: Project) -> None:
    """Undo that: servers are stopped when the settings' own defaults say so."""
    project.set(jupyterhub={"cull": {}}, charts={"jupyterhub": {}})
    project.qhub("up")
