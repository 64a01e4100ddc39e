"""What stays of a platform that is taken down, and the commands of docs/kept.md."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.engine.main_job.project import ROOT, Project

_BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", re.DOTALL)

#: What `storage.protect` keeps with `kind: nfs-server`: logical name -> how kubectl finds it.
KEPT = {
    "qhub-namespace": ("namespace", "qhub"),
    "qhub-storage-nfs-server-namespace": ("namespace", "qhub-storage"),
    "qhub-storage-nfs-server-disk": ("pvc", "nfs-disk", "--namespace=qhub-storage"),
    "qhub-storage-nfs-server-service": ("service", "nfs-server", "--namespace=qhub-storage"),
    "qhub-storage-volume": ("pv", "qhub-home"),
    "qhub-storage-claim": ("pvc", "home", "--namespace=qhub"),
}


def commands_of_the_page() -> list[list[str]]:
    """Return the commands of each block of the page, for the local stack."""
    text = (ROOT / "docs" / "kept.md").read_text(encoding="utf-8").replace("--stack prod", "--stack local")
    return [block.replace("\\\n", " ").strip().splitlines() for block in _BLOCK.findall(text)]


def typed(project: Project, *commands: str, fails: bool = False) -> str:
    """Type commands into one shell, saying yes to all that is asked; return what is printed."""
    environment = {**project.shell(), "PULUMI_SKIP_CONFIRMATIONS": "true"}
    return project.run("bash", "-c", "\n".join(commands), environment=environment, fails=fails).stdout


def identities(project: Project) -> Mapping[str, str]:
    """Return the uid of everything that is kept: another one would be another object, and empty."""
    return {name: project.kubectl(*place)["metadata"]["uid"] for name, place in KEPT.items()}


def protected(project: Project) -> set[str]:
    """Return what the state protects and keeps, by logical name."""
    resources = project.state()["deployment"]["resources"]
    return {made["urn"].split("::")[-1] for made in resources if made.get("protect") and made.get("retainOnDelete")}


def forget_who_made_them(project: Project) -> None:
    """Make the kept objects look as the official plugin sees them.

    Ours knows its own by the field manager, which it makes from the URN, and goes on with them. The official one draws
    it at random: after a destroy they are somebody else's.
    """
    patch = '[{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]'
    kubeconfig = f"--kubeconfig={project.cluster.kubeconfig_path}"
    for place in KEPT.values():
        project.run("kubectl", kubeconfig, "patch", *place, "--type=json", "-p", patch, environment=project.shell())
