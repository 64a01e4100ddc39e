"""New releases of what the platform is made of, made here of those that are there, and which ones run."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import Page
from ruamel.yaml import YAML

from qhub.rehearsal.images import find_images
from qhub.rehearsal.toolchain import tool_path
from tests.engine.main_job.project import Project

#: Set in the new image, so that a server tells from which one it came.
EDITION = "QHUB_TEST_EDITION"
NAMESPACE = "qhub"


@dataclasses.dataclass(frozen=True)
class Running:
    """What runs of the platform itself.

    Attributes:
        charts: release -> `chart-version` of its newest revision, which is deployed.
        images: workload -> images of its containers.
    """

    charts: dict[str, str]
    images: dict[str, list[str]]


def running(project: Project) -> Running:
    """Return what runs now; fail where a release's newest revision is not deployed."""
    releases = json.loads(_helm(project, "list", "--all-namespaces", "--all", "--output=json"))
    assert {one["status"] for one in releases} == {"deployed"}, releases
    workloads = project.kubectl("deployments", "--namespace", NAMESPACE)["items"]
    return Running(
        charts={one["name"]: one["chart"] for one in releases},
        images={
            one["metadata"]["name"]: [container["image"] for container in one["spec"]["template"]["spec"]["containers"]]
            for one in workloads
        },
    )


def history(project: Project, release: str) -> list[str]:
    """Return `chart-version` of every revision of a release, the oldest first."""
    revisions = json.loads(_helm(project, "history", release, f"--namespace={NAMESPACE}", "--output=json"))
    return [one["chart"] for one in revisions]


def pod_of(project: Project, workload: str) -> str:
    """Return the uid of the one pod of a part of the hub that is not ending."""
    pods = project.kubectl("pods", "--namespace", NAMESPACE, "--selector", f"component={workload}")["items"]
    (pod,) = [one for one in pods if "deletionTimestamp" not in one["metadata"]]
    return pod["metadata"]["uid"]


def image_of_server(project: Project, name: str) -> str:
    """Return the image that somebody's server was started from."""
    pod = project.kubectl("pod", f"jupyter-{name}", "--namespace", NAMESPACE)
    return next(one["image"] for one in pod["spec"]["containers"] if one["name"] == "notebook")


def dismiss_failed_saves(page: Page) -> None:
    """Answer what JupyterLab says of a notebook that it could not save whenever that is in the way, as people do.

    A server asks the hub who somebody is once what it remembers is five minutes old (`HubAuth.cache_max_age`). While
    the hub is away, JupyterLab's own saving, every two minutes, may run into that. It says so, and where the file was
    written and only the answer was lost, asks at its next turn whether to overwrite what it wrote itself.
    """
    said = page.locator("dialog.jp-Dialog").filter(has_text=re.compile("File Save Error|File Changed"))
    page.add_locator_handler(said, lambda message: message.locator("button").last.click())  # Dismiss, or Overwrite


def up_while(project: Project, meanwhile: Callable[[], object]) -> None:
    """Run `qhub up`, and call `meanwhile` again and again until it is done."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(project.qhub, "up")
        while not done.done():
            meanwhile()
        done.result()


def new_notebook_image(folder: Path, reference: str) -> Path:
    """Write the next edition of the notebook image under another name; return its file.

    It has the layers of the one that the node has already, so they are not in the file.
    """
    built = find_images(["notebook"])["notebook"]
    assert built is not None, "the platform is up without its notebook image"
    with tarfile.open(built.archive) as archive:

        def content(digest: str) -> dict:
            stream = archive.extractfile(f"blobs/{digest.replace(':', '/')}")
            assert stream is not None
            return json.load(stream)

        manifest = content(built.digest)
        config = content(manifest["config"]["digest"])
    config["config"]["Env"] = [*config["config"]["Env"], f"{EDITION}=next"]
    blobs: dict[str, bytes] = {}

    def kept(document: object, described: dict) -> dict:
        text = json.dumps(document).encode()
        digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
        blobs[f"blobs/{digest.replace(':', '/')}"] = text
        return {**described, "digest": digest, "size": len(text)}

    manifest["config"] = kept(config, manifest["config"])
    named = kept(manifest, {"mediaType": manifest["mediaType"]})
    named["annotations"] = {"io.containerd.image.name": reference}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [named]}
    blobs |= {"index.json": json.dumps(index).encode(), "oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
    file = folder / "notebook-next.tar"
    with tarfile.open(file, "w") as archive:
        for name, text in blobs.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text))
    return file


def new_charts(folder: Path, charts: Path, versions: dict[str, str]) -> Path:
    """Copy a folder of charts, some of them with another version; return the copy."""
    copy = folder / "charts"
    shutil.copytree(charts, copy)
    yaml = YAML()
    for name, version in versions.items():
        about = yaml.load(copy / name / "Chart.yaml")
        about["version"] = version
        yaml.dump(about, copy / name / "Chart.yaml")
    return copy


def _helm(project: Project, *words: str) -> str:
    command = [str(tool_path("helm")), f"--kubeconfig={project.cluster.kubeconfig_path}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
