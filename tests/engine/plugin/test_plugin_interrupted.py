"""Runs that are killed or cancelled in the middle: nothing is lost, and the next run goes on."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.engine.plugin.stack import Stack
from tests.engine.waiting import eventually

MakeStack = Callable[[str], Stack]
NOWHERE = {"nodeSelector": {"no": "such-node"}}


def _kill_all(process: subprocess.Popen[str]) -> None:
    """End a run and everything that it has started at once, as a power cut would."""
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    for send in (psutil.Process.suspend, psutil.Process.kill):
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):  # those that work for a moment only
                send(one)
    process.communicate()


def _is_ours(process: psutil.Process) -> bool:
    """Tell whether it is the plugin, or helm; one that has ended meanwhile is neither."""
    try:
        return "qhub.rehearsal.plugins" in " ".join(process.cmdline()) or process.name() == "helm"
    except psutil.NoSuchProcess:
        return False


def _status(stack: Stack) -> list[str]:
    return [one["status"] for one in json.loads(stack.helm("list", "--all", "--output=json"))]


def test_a_release_left_pending_by_a_killed_run_is_taken_over(make_stack: MakeStack, chart: Path) -> None:
    stack = make_stack("release")
    up = ("up", "--yes", "--skip-preview")

    # Killed while it is installed for the first time.
    stack.config(chart=str(chart), values=NOWHERE, options={"timeout": 300})
    process = stack.start(*up)
    eventually(lambda: _status(stack) == ["pending-install"])
    _kill_all(process)
    assert _status(stack) == ["pending-install"]
    stack.pulumi("cancel", "--yes")
    stack.config(values={})
    said = stack.up()
    assert "was left pending-install by an interrupted run" in said
    assert _status(stack) == ["deployed"]
    assert stack.steps() == {}

    # Killed while it is upgraded.
    stack.config(values=NOWHERE)
    process = stack.start(*up)
    eventually(lambda: _status(stack) == ["pending-upgrade"])
    _kill_all(process)
    stack.pulumi("cancel", "--yes")
    stack.config(values={"replicas": 2})
    said = stack.up()
    assert "was left pending-upgrade by an interrupted run: rolling back to revision 1" in said
    assert _status(stack) == ["deployed"]
    assert stack.get("deployment", "demo")["status"]["availableReplicas"] == 2
    assert stack.steps() == {}


def test_objects_made_by_a_killed_run_are_gone_on_with(make_stack: MakeStack) -> None:
    stack = make_stack("one")
    stack.kubectl("create", "namespace", stack.name)
    meta = {"name": "slow", "namespace": stack.name}
    template = {"metadata": {"labels": {"app": "slow"}}, "spec": {"containers": [{"name": "main", "image": "x"}]}}
    spec = {"selector": {"matchLabels": {"app": "slow"}}, "template": {**template}}
    stuck = {**template["spec"], **NOWHERE}
    inputs = {"metadata": meta, "spec": {**spec, "template": {**template, "spec": stuck}}}
    stack.config(resources={"slow": ["kubernetes:apps/v1:Deployment", inputs]})
    process = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: "slow" in stack.kubectl("get", "deployments"))
    _kill_all(process)

    stack.pulumi("cancel", "--yes")
    stack.config(resources={"slow": ["kubernetes:apps/v1:Deployment", {"metadata": meta, "spec": spec}]})
    said = stack.up()
    assert "was made by an interrupted run of this stack: going on with it" in said
    assert stack.get("deployment", "slow")["status"]["availableReplicas"] == 1
    assert stack.steps() == {}


def test_an_interrupt_ends_the_waits_and_keeps_what_was_made(make_stack: MakeStack, chart: Path) -> None:
    stack = make_stack("release")
    stack.config(chart=str(chart), values=NOWHERE, options={"timeout": 300})
    process = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: _status(stack) == ["pending-install"])
    os.kill(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[0]
    assert process.returncode != 0
    assert "cancelled" in said
    assert _status(stack) == ["failed"]
    assert stack.resource("release")["initErrors"]
    stack.config(values={})
    stack.up()
    assert _status(stack) == ["deployed"]


def test_a_plugin_ends_with_its_engine(make_stack: MakeStack, chart: Path) -> None:
    stack = make_stack("release")
    stack.config(chart=str(chart), values=NOWHERE, options={"timeout": 300})
    process = stack.start("up", "--yes", "--skip-preview")
    eventually(lambda: _status(stack) == ["pending-install"])
    family = psutil.Process(process.pid).children(recursive=True)
    ours = [one for one in family if _is_ours(one)]
    assert len(ours) == 2
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(ours, timeout=30)
    assert not alive
    for one in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()  # the language host is not ours to end
    # helm was told, so the release is not left pending.
    assert _status(stack) == ["failed"]
