"""Helm releases: installed, upgraded, rolled back, uninstalled; and what is told when they cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.engine.plugin.charts import serve_repository, write_chart
from tests.engine.plugin.stack import Stack

MakeStack = Callable[[str], Stack]
TOKEN = "a-token-nobody-may-see-0123456789"
#: No node has this label, so the pod stays Pending.
NOWHERE = {"nodeSelector": {"no": "such-node"}}


def _revisions(stack: Stack) -> list[str]:
    return [one["status"] for one in json.loads(stack.helm("history", "demo", "--output=json"))]


def test_life_of_a_release(make_stack: MakeStack, chart: Path) -> None:
    stack = make_stack("release")
    stack.config(chart=str(chart), version="0.1.0", options={"timeout": 60})
    stack.secret("token", TOKEN)
    said = stack.preview() + stack.up()
    assert stack.get("deployment", "demo")["status"]["availableReplicas"] == 1
    status = json.loads(stack.pulumi("stack", "output", "status"))
    assert status == {
        "appVersion": "7",
        "chart": "demo",
        "name": "demo",
        "namespace": stack.name,
        "revision": 1,
        "status": "deployed",
        "version": "0.1.0",
    }
    assert stack.resource("release")["outputs"]["resourceNames"] == {
        "Deployment.apps/apps/v1": [f"{stack.name}/demo"],
        "Secret/v1": ["demo"],
    }
    assert stack.steps() == {}
    assert "4 unchanged" in stack.refresh()
    assert _revisions(stack) == ["deployed"]

    # The folder holds another version, and the program names none.
    stack.config(version=None)
    assert stack.steps() == {}
    (chart / "Chart.yaml").write_text((chart / "Chart.yaml").read_text().replace("0.1.0", "0.2.0"))
    assert stack.steps() == {"release": "update"}
    stack.up()
    assert json.loads(stack.pulumi("stack", "output", "status"))["version"] == "0.2.0"

    stack.config(values={"cull": {"timeout": 1800}})
    said += stack.preview()
    assert "timeout: 1800" in said
    stack.up()
    stack.config(values={"cull": {"timeout": 900}})
    said += stack.up()
    assert "timeout: 1800 => 900" in said
    assert "token" not in said.split("=> 900")[0].split("~ cull")[-1]
    assert _revisions(stack) == [*["superseded"] * 3, "deployed"]

    # The secret value is in the cluster, encrypted in the state, and shown nowhere.
    assert TOKEN not in said + stack.state_text() + stack.pulumi("stack", "output", "--json")
    assert stack.resource("release")["inputs"]["values"]["token"]["plaintext"] == json.dumps(TOKEN)

    # Somebody deletes it: a refresh sees that, the next update installs it again.
    stack.helm("uninstall", "demo", "--wait")
    stack.refresh()
    assert stack.steps() == {"release": "create"}
    stack.up()
    stack.destroy()
    assert "NotFound" in stack.kubectl("get", "namespace", stack.name, fails=True)


def test_a_failed_atomic_upgrade_is_rolled_back_and_tried_again(make_stack: MakeStack, chart: Path) -> None:
    stack = make_stack("release")
    stack.config(chart=str(chart), options={"timeout": 40, "atomic": True})
    stack.up()
    stack.config(values=NOWHERE, options={"timeout": 4, "atomic": True})
    said = stack.up(fails=True)
    assert "the upgrade failed" in said
    assert "pod demo-" in said
    assert "FailedScheduling" in said or "Unschedulable" in said
    assert "rolled back to revision 1 (atomic)" in said
    assert _revisions(stack)[-1] == "deployed"
    assert stack.get("deployment", "demo")["spec"]["template"]["spec"].get("nodeSelector") is None
    assert stack.steps() == {"release": "update"}
    stack.config(values={"replicas": 2}, options={"timeout": 40, "atomic": True})
    stack.up()
    assert stack.get("deployment", "demo")["status"]["availableReplicas"] == 2


def test_a_failed_install_stays_and_the_next_run_upgrades_it(make_stack: MakeStack, chart: Path) -> None:
    stack = make_stack("release")
    stack.config(chart=str(chart), values=NOWHERE, options={"timeout": 3})
    said = stack.up(fails=True)
    assert "the installation failed" in said
    assert "FailedScheduling" in said or "Unschedulable" in said
    assert stack.resource("release")["initErrors"]
    assert stack.resource("release")["outputs"]["status"]["status"] == "failed"
    stack.config(values={}, options={"timeout": 60})
    assert stack.steps() == {"release": "update"}
    stack.up()
    assert _revisions(stack) == ["superseded", "deployed"]
    assert "initErrors" not in stack.resource("release")

    # With `atomic` nothing is left of an installation that fails.
    stack.destroy()
    stack.config(values=NOWHERE, options={"timeout": 3, "atomic": True})
    said = stack.up(fails=True)
    assert "it was uninstalled again (atomic)" in said
    assert json.loads(stack.helm("list", "--all", "--output=json")) == []


def test_what_helm_refuses_is_told_before_anything_is_made(make_stack: MakeStack, chart: Path, tmp_path: Path) -> None:
    stack = make_stack("release")

    stack.config(chart=str(chart), version="0.2.0")
    said = stack.preview(fails=True)
    assert "has version 0.1.0, not 0.2.0" in said

    stack.config(chart=str(chart.parent / "demos"), version=None)
    said = stack.preview(fails=True)
    assert "Did you mean 'demo'?" in said

    stack.config(chart=str(chart), values={"cull": {"timeout": "soon"}, "replica": 2})
    stack.secret("token", TOKEN * 2)
    said = stack.preview(fails=True)
    assert "replica" in said
    assert "cull" in said
    assert TOKEN not in said

    stack.config(values={}, options={"recreate_pods": True})
    assert "helm 3 can no longer restart pods" in stack.preview(fails=True)


def test_a_chart_of_a_repository(make_stack: MakeStack, chart: Path, tmp_path: Path) -> None:
    stack = make_stack("release")
    newer = write_chart(tmp_path / "newer" / "demo", version="0.3.0")
    with serve_repository(tmp_path / "repository", chart, newer) as url:
        options = {"repository_opts": {"repo": url, "username": "reader"}, "timeout": 60}
        stack.config(chart="demo", version="0.2.9", options=options)
        stack.secret("password", TOKEN)
        said = stack.preview(fails=True)
        assert "has no version 0.2.9" in said
        assert "0.3.0, 0.1.0" in said
        stack.config(chart="dem", version="0.3.0")
        said += stack.preview(fails=True)
        assert "Did you mean 'demo'?" in said
        stack.config(chart="demo")
        said += stack.up()
    assert json.loads(stack.pulumi("stack", "output", "status"))["version"] == "0.3.0"
    assert TOKEN not in said
    # Nothing changed, so nobody asks for the repository, which is gone.
    assert stack.steps() == {}


def test_a_hook_that_fails_is_named_and_an_existing_release_is_imported(make_stack: MakeStack, chart: Path) -> None:
    stack = make_stack("release")
    stack.kubectl("create", "namespace", stack.name)
    stack.helm("install", "demo", str(chart), "--set=replicas=2", "--wait")
    stack.config(chart=str(chart), values={"replicas": 2})
    said = stack.preview(fails=True)
    assert "already exists" in said

    token = "kubernetes:helm.sh/v3:Release"
    one = make_stack("one")
    place = {"chart": "demo", "name": "demo", "namespace": stack.name}
    inputs: dict[str, Any] = {**place, "values": {"replicas": 2}, "version": "0.1.0"}
    one.config(resources={"release": [token, inputs]}, **{"import": f"{stack.name}/demo"})
    one.up()
    assert one.resource("release")["outputs"]["status"]["revision"] == 1

    inputs = {**inputs, "chart": str(chart), "values": {"hook": True}, "timeout": 6}
    one.config(resources={"release": [token, inputs]}, **{"import": None})
    said = one.up(fails=True)
    assert "demo-hook" in said
    assert "FailedScheduling" in said or "Unschedulable" in said
    one.destroy()
    assert json.loads(stack.helm("list", "--all", "--output=json")) == []
