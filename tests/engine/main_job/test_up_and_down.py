"""The main job as a new user does it: up, again, a changed setting, by hand, from a script, a killed run, down."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from ruamel.yaml import YAML

from tests.engine.main_job import kept
from tests.engine.main_job.project import QHUB, ROOT, Project, make_project
from tests.engine.waiting import eventually


def not_ready(project: Project) -> list[str]:
    """Return the pods that are neither Ready nor finished."""
    pods = project.kubectl("pods", "--all-namespaces")["items"]
    assert pods, "the platform has pods"
    return [
        pod["metadata"]["name"]
        for pod in pods
        if pod["status"]["phase"] != "Succeeded"
        and not any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
    ]


def load_balancer_address(project: Project) -> str:
    """Return the address of the one LoadBalancer Service."""
    services = project.kubectl("services", "--all-namespaces")["items"]
    balancers = [service for service in services if service["spec"]["type"] == "LoadBalancer"]
    assert len(balancers) == 1
    return balancers[0]["status"]["loadBalancer"]["ingress"][0]["ip"]


def still_runs(pid: int) -> bool:
    """Return whether a process runs; one that has ended and was not collected yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def engine_processes(project: Project) -> list[str]:
    """Return the names of the processes of engines that run in the project: the engine, its plugins, helm."""
    root, clusters = project.folder.resolve(), project.cluster.folder.resolve().parent
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.name().startswith(("pulumi", "helm", "python")):
                folder = Path(process.cwd())
                if folder.is_relative_to(root) and not folder.is_relative_to(clusters):
                    found.append(process.name())
    return found


class TestThePlatformIsUp:
    """What holds after `qhub up`, in the order of a working day."""

    def test_every_pod_is_ready(self, platform: Project) -> None:
        assert not_ready(platform) == []
        namespaces = {pod["metadata"]["namespace"] for pod in platform.kubectl("pods", "--all-namespaces")["items"]}
        assert {"qhub", "qhub-ingress", "qhub-storage", "cert-manager"} <= namespaces

    def test_the_outputs_say_where_and_how_to_sign_in(self, platform: Project) -> None:
        printed = platform.pulumi("stack", "output", "--json")
        for expected in ("address", "load_balancer", "login_hint", "releases", "namespace"):
            assert expected in printed
        assert re.search(r'"kubeconfig": "\[secret\]"', printed)

    def test_again_changes_nothing(self, platform: Project) -> None:
        assert platform.preview() == {}
        printed = platform.qhub("up")
        assert "unchanged" in printed
        assert re.search(r"^Took .*: .*stack \d", printed, re.MULTILINE)
        assert not re.search(r"\d+ (created|updated|deleted|replaced)", printed)

    def test_the_file_of_the_stack_stays_as_it_was(self, platform: Project, tmp_path: Path) -> None:
        fresh = make_project(tmp_path, protect=True)

        assert (platform.folder / "Pulumi.local.yaml").read_text() == (fresh.folder / "Pulumi.local.yaml").read_text()

    def test_one_setting_changes_one_release_and_shows_it(self, platform: Project) -> None:
        platform.set(jupyterhub={"cull": {"timeout": 1234}})
        assert platform.preview() == {"qhub-jupyterhub": "update"}
        printed = platform.qhub("up")
        assert re.search(r"timeout\s*: \S+ => 1234", printed), printed
        assert not_ready(platform) == []
        assert platform.preview() == {}

    def test_a_script_of_ten_lines_does_the_same(self, platform: Project) -> None:
        script = platform.folder / "docs" / "examples" / "up.py"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text((ROOT / "docs" / "examples" / "up.py").read_text())
        printed = platform.run(sys.executable, str(script), environment=platform.shell()).stdout
        assert "'same'" in printed.splitlines()[-1]

    def test_the_address_survives_a_switch_of_the_controller(self, platform: Project) -> None:
        before = load_balancer_address(platform)
        settings = YAML(typ="safe").load((platform.folder / "Pulumi.local.yaml").read_text())["config"]
        now = settings.get("qhub:ingress", {}).get("controller", "ingress-nginx")
        platform.set(ingress={"controller": "traefik" if now == "ingress-nginx" else "ingress-nginx"})
        platform.qhub("up")
        assert load_balancer_address(platform) == before
        assert not_ready(platform) == []

    def test_the_storage_grows_in_place(self, platform: Project) -> None:
        claims = platform.kubectl("pvc", "--all-namespaces")["items"]
        platform.set(storage={"size": "77Gi"})
        assert set(platform.preview().values()) == {"update"}
        platform.qhub("up")
        after = eventually(  # a disk grows a moment after its claim was told to
            lambda: platform.kubectl("pvc", "--all-namespaces")["items"],
            lambda items: (
                {c["metadata"]["name"]: c["status"]["capacity"]["storage"] for c in items}["nfs-disk"] == "77Gi"
            ),
        )
        assert {c["metadata"]["uid"] for c in after} == {c["metadata"]["uid"] for c in claims}

    def test_what_is_protected_stays_in_the_stack(self, platform: Project) -> None:
        (down, *_) = kept.commands_of_the_page()
        before = kept.identities(platform)
        assert "is protected" in platform.pulumi("destroy", "--yes", fails=True)

        kept.typed(platform, *down)

        assert kept.identities(platform) == before
        assert kept.protected(platform) == set(kept.KEPT)
        coming = platform.preview()
        assert set(coming.values()) == {"create"}
        assert "qhub-jupyterhub" in coming
        assert not coming.keys() & kept.KEPT.keys()

    def test_what_was_kept_out_of_the_stack_is_taken_back(self, platform: Project) -> None:
        _, out, take_over, with_the_claim = kept.commands_of_the_page()
        before = kept.identities(platform)
        kept.typed(platform, *out)
        assert platform.state()["deployment"].get("resources", []) == []
        assert kept.identities(platform) == before
        kept.forget_who_made_them(platform)
        assert "already exists" in platform.pulumi("up", "--yes", fails=True)

        # The storage has grown: the claim still asks for its first size, and comes last.
        assert "PersistentVolumeClaim qhub/home" in kept.typed(platform, *take_over, fails=True)
        kept.typed(platform, *with_the_claim)

        assert platform.preview() == {}
        assert kept.identities(platform) == before
        assert kept.protected(platform) == set(kept.KEPT)
        assert not_ready(platform) == []

    def test_down_leaves_no_process_and_no_file(self, platform: Project) -> None:
        platform.pulumi("state", "unprotect", "--all", "--yes")
        pids = [process.pid for process in platform.cluster.status().processes if process.pid]
        assert pids
        platform.qhub("down")
        assert not any(map(still_runs, pids))
        assert not (platform.folder / ".qhub").exists()


def test_a_killed_run_is_followed_by_one_that_goes_on(project: Project) -> None:
    running = subprocess.Popen(
        [QHUB, "up"], cwd=project.folder, env=project.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    assert running.stdout
    for line in running.stdout:  # kill it in the middle: when the first Helm release is under way
        if "Release" in line and "creating" in line:
            break
    time.sleep(0.5)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    running.stdout.close()
    printed = project.qhub("up")
    assert "was killed" in printed
    assert not_ready(project) == []
    assert project.preview() == {}
    assert engine_processes(project) == [], "nothing of the killed run is left"


def test_two_runs_at_once_do_not_disturb_each_other(project: Project) -> None:
    command = [QHUB, "up"]
    runs = [
        subprocess.Popen(
            command, cwd=project.folder, env=project.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    printed = [run.communicate()[0] for run in runs]
    # One of them wins; the other either comes after it or is told who holds the stack.
    assert 0 in [run.returncode for run in runs], printed
    for run, text in zip(runs, printed, strict=True):
        if run.returncode:
            assert "at work on stack local" in text or "locked" in text
    assert project.preview() == {}


def test_the_checkout_is_found_from_a_folder_inside_it(project: Project) -> None:
    done = subprocess.run(
        [QHUB, "validate", "local"], cwd=Path(project.folder, "stacks"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "valid" in done.stdout


def test_clean_leaves_nothing_behind(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    cache = tmp_path_factory.mktemp("cache") / "qhub"
    for folder in ("toolchain/tools/pulumi-0.0.0-abc", "helm/locks", "helm/home/999999999-abc"):
        (cache / folder).mkdir(parents=True)
    (cache / "helm/locks/abc.lock").touch()
    project.qhub("cluster", "start")
    pids = [process.pid for process in project.cluster.status().processes if process.pid]
    assert pids
    printed = project.qhub("clean", QHUB_CACHE_DIR=str(cache))
    assert "Stopped the embedded cluster local" in printed
    assert not any(still_runs(pid) for pid in pids)
    assert not (project.folder / ".qhub").exists()
    assert not cache.exists()
