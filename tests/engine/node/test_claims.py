"""Claims on the real node: files with real owners, groups and modes."""

from __future__ import annotations

from qhub.rehearsal.cluster import EmbeddedCluster
from tests.engine.node.pods import Pods, until

ALICE = {"runAsUser": 1001, "runAsGroup": 100}


def test_a_disk_belongs_to_the_group_that_the_pod_asks_for_and_outlives_the_pod(pods: Pods) -> None:
    pods.claim("disk", mode="ReadWriteOnce")
    container, spec = pods.mounted("disk")
    context = {**ALICE, "fsGroup": 2000}
    script = "echo kept > /data/file; busybox stat -c '%u %g %a' /data /data/file"
    assert pods.run(script, container=container, **spec, securityContext=context) == "0 2000 2775\n1001 2000 644\n"
    assert pods.run("busybox cat /data/file", container=container, **spec) == "kept\n"


def test_a_disk_is_roots_for_who_asks_for_no_group(pods: Pods) -> None:
    pods.claim("disk", mode="ReadWriteOnce")
    container, spec = pods.mounted("disk")
    denied = pods.run("echo no > /data/file || echo denied", container=container, **spec, securityContext=ALICE)
    assert "denied" in denied


def test_a_shared_folder_of_a_group(pods: Pods) -> None:
    """Its group may write, files inherit the group, others may not, and no pod's `fsGroup` takes it over."""
    pods.claim("files", mode="ReadWriteMany", storage_class="shared")
    container, spec = pods.mounted("files")
    pods.run(
        "busybox mkdir /data/team && busybox chgrp 5001 /data/team && busybox chmod 2770 /data/team",
        container=container,
        **spec,
    )
    member = {"runAsUser": 1001, "runAsGroup": 100, "supplementalGroups": [5001], "fsGroup": 100}
    written = pods.run(
        "echo ours > /data/team/file && busybox stat -c '%u %g' /data/team/file",
        container=container, **spec, securityContext=member,
    )  # fmt: skip
    assert written == "1001 5001\n"
    other = {"runAsUser": 1002, "runAsGroup": 100, "supplementalGroups": [6000]}
    refused = pods.run(
        "busybox cat /data/team/file || echo refused", container=container, **spec, securityContext=other
    )
    assert "refused" in refused
    colleague = {"runAsUser": 1003, "runAsGroup": 100, "supplementalGroups": [5001]}
    assert pods.run("busybox cat /data/team/file", container=container, **spec, securityContext=colleague) == "ours\n"


def test_two_pods_share_files_while_both_run(pods: Pods) -> None:
    pods.claim("files", mode="ReadWriteMany")
    container, spec = pods.mounted("files")
    pods.make("writer", container=container, **spec)
    pods.make("reader", container=container, **spec)
    for name in ("writer", "reader"):
        pods.ready(name)
    pods.kubectl("exec", "writer", "--", "busybox", "sh", "-c", "echo now > /data/word")
    assert pods.kubectl("exec", "reader", "--", "busybox", "cat", "/data/word") == "now\n"


def test_growing_loses_nothing_and_deleting_leaves_nothing(cluster: EmbeddedCluster, pods: Pods) -> None:
    pods.claim("disk", mode="ReadWriteOnce")
    container, spec = pods.mounted("disk")
    pods.run("echo kept > /data/file", container=container, **spec)
    path = pods.path("persistentvolumeclaims", "disk")
    volume = pods.api.get(path)["spec"]["volumeName"]
    folder = cluster.folder / "node" / "volumes" / volume

    pods.api.merge(path, {"spec": {"resources": {"requests": {"storage": "2Gi"}}}})
    until(lambda: pods.api.get(path)["status"]["capacity"]["storage"] == "2Gi", "the claim has grown")
    assert (folder / "file").read_text() == "kept\n"

    for pod in pods.api.items(pods.path("pods")):
        pods.api.delete(pods.path("pods", pod["metadata"]["name"]), options={"gracePeriodSeconds": 0})
    pods.api.delete(path)
    until(lambda: not folder.exists(), "the volume's folder is gone")
    until(lambda: pods.there(f"/api/v1/persistentvolumes/{volume}") is None, "the volume is gone")
