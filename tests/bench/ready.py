"""How long a cloud's default takes until it is ready, on the simulated clock, against what nobody could go below."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from ruamel.yaml import YAML

from qhub.automation.rehearse.operations import operations
from qhub.automation.rehearse.running import run_engine
from qhub.automation.rehearse.stack_file import read_stack_file
from qhub.automation.rehearse.workspace import Workspace, workspace
from qhub.config.document import read_document
from qhub.rehearsal.clouds.clock import SPEED_VARIABLE
from qhub.rehearsal.cluster.controllers.durations import BY_CLOUD
from qhub.rehearsal.paths import PROJECT_FILE, project_root
from qhub.rehearsal.report.critical_path import critical_path
from qhub.rehearsal.report.recording import Operation
from tests.bench.evaluation import TEMPLATES, template
from tests.bench.measuring import Figure, figure

CONTROL_PLANES = (
    "aws:eks/cluster:Cluster",
    "azure-native:containerservice:ManagedCluster",
    "digitalocean:index/kubernetesCluster:KubernetesCluster",
    "gcp:container/cluster:Cluster",
)
#: The first pool of AKS and of DOKS is part of the cluster.
POOLS = (
    "aws:eks/nodeGroup:NodeGroup",
    "azure-native:containerservice:AgentPool",
    "digitalocean:index/kubernetesNodePool:KubernetesNodePool",
    "gcp:container/nodePool:NodePool",
)
CHARTS = ("kubernetes:helm.sh/v3:Release",)
#: Pulumi calls the load balancer's Service ready once pods answer behind it. That they start is the chart's time.
LOAD_BALANCERS = ("kubernetes:core/v1:Service",)

#: What an 11-stage deploy makes in one stage (its stages 02, 03, 04 and 07; what it has beside them, we have not), by
#: the component of ours that holds it. What is outside of the platform is the first stage, what is left is the last.
PLATFORM = "qhub:platform:KubernetesPlatform"
STAGES = (
    ("qhub:platform:Namespace", "qhub:platform:ClusterAutoscaler", "qhub:platform:GpuDevicePlugin"),
    ("qhub:platform:Ingress", "qhub:platform:CertManager"),
)

#: What a template has beside a cloud's default, and is whole without. Packages take as long as they take.
EXTRAS = ("environments", "monitoring", "ssh", "images", "extra_releases")

#: Simulated seconds per real second. What the engine and the control plane really take counts that often: at a
#: rehearsal's 60 it would be a third of the whole. At 5 the slowest cloud takes four minutes; they run side by side,
#: which costs little, since they wait most of the time.
SPEED = 5
#: Resources that the engine works on at once. By itself it takes four per core; with a number the figure is one of the
#: stack and not of the machine. 32 is what a laptop of eight cores has.
PARALLEL = 32


@dataclass(frozen=True, kw_only=True)
class Times:
    """Simulated seconds of one `pulumi up`.

    Attributes:
        ready: from the start of its first operation to the end of the last.
        chain: of the operations on its longest chain of dependencies, without what lies between them.
        floor: of what has to be one after the other.
        sequence: of all operations, had they been one after the other.
        stages: of stages one after the other, each of which does as much at once as it can, as Terraform does.
    """

    ready: float
    chain: float
    floor: float
    sequence: float
    stages: float


def ready_figures(root: Path, cloud: str) -> dict[str, Figure]:
    """Compare the time until a cloud's template is ready, on the simulated cloud, with its floor and its sequence.

    Raises:
        RuntimeError: `pulumi up` failed; with what it told.
    """
    done = _all_ups(root)[cloud]
    if done.returncode != 0:
        raise RuntimeError(f"no times of {cloud}:\n{done.stderr}")
    times = Times(**json.loads(done.stdout))
    return {
        # 1.15: networks, roles and what ties the three together may add a seventh.
        f"{cloud}: ready over control plane + slowest pool + slowest chart": figure(times.ready / times.floor, 1.15),
        # 0.5: half of what a deploy in stages waits for is waited for at the same time.
        f"{cloud}: ready over all steps in sequence": figure(times.ready / times.sequence, 0.5),
        # What stages alone cost. Fewer than 11 are counted, and none of the checks and starts of a program in between.
        f"{cloud}: ready over stages in sequence": figure(times.ready / times.stages),
        # Where ready is far above this one, it is the machine that is slow and not the order of things.
        f"{cloud}: longest chain over control plane + pool + chart": figure(times.chain / times.floor),
        f"{cloud}: ready, simulated minutes": figure(times.ready / 60),
    }


@cache
def _all_ups(root: Path) -> dict[str, subprocess.CompletedProcess[str]]:
    """Bring every cloud's template up, side by side; processes of their own, so that Ctrl-C ends and cleans up each."""
    environment = {**os.environ, SPEED_VARIABLE: str(SPEED)}
    begun = {
        cloud: subprocess.Popen(
            [sys.executable, "-m", "tests.bench.ready", str(template(root, cloud))],
            cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for cloud in TEMPLATES
    }  # fmt: skip
    # One line on either pipe until the end of `pulumi up`: none of them can run full while another one is waited for.
    ended = {cloud: child.communicate() for cloud, child in begun.items()}
    return {
        cloud: subprocess.CompletedProcess(begun[cloud].args, begun[cloud].returncode, *printed)
        for cloud, printed in ended.items()
    }


def times_of(done: Sequence[Operation]) -> Times:
    """Return what the operations of one `pulumi up` took."""
    chain = sum(one.seconds for one in critical_path(done))
    return Times(
        ready=time_to_ready(done), chain=chain, floor=floor(done), sequence=sequence(done), stages=stages(done)
    )


def time_to_ready(done: Sequence[Operation]) -> float:
    """Return seconds from the start of the first operation to the end of the last: every chart waits for its pods.

    The start of the engine comes before; it takes real seconds, which the simulated clock would make minutes of.
    """
    return max(one.end for one in done) - min(one.start for one in done)


def floor(done: Sequence[Operation]) -> float:
    """Return the seconds of what has to be one after the other: control plane, slowest pool, slowest chart.

    Raises:
        ValueError: there is no control plane or no chart.
    """
    longest = {kinds: _longest(done, kinds) for kinds in (CONTROL_PLANES, POOLS, CHARTS)}
    if not longest[CONTROL_PLANES] or not longest[CHARTS]:
        raise ValueError("no control plane or no chart among the operations")
    return sum(longest.values())


def sequence(done: Sequence[Operation]) -> float:
    """Return the seconds that the operations would take one after the other."""
    return sum(own_seconds(done).values())


def own_seconds(done: Sequence[Operation]) -> dict[str, float]:
    """Return the seconds of each operation by its URN, without what a load balancer waits for the chart behind it."""
    clouds = (one.type.partition(":")[0].removesuffix("-native") for one in done if one.type in CONTROL_PLANES)
    known = BY_CLOUD.get(next(clouds, ""))
    most = known.load_balancer if known else float("inf")
    return {one.urn: min(one.seconds, most) if one.type in LOAD_BALANCERS else one.seconds for one in done}


def stages(done: Sequence[Operation]) -> float:
    """Return the seconds of stages one after the other: of each, those of its longest chain of dependencies."""
    by_stage: dict[int, list[Operation]] = {}
    for one in done:
        by_stage.setdefault(_stage(one), []).append(one)
    return sum(one.seconds for members in by_stage.values() for one in critical_path(members))


def _stage(one: Operation) -> int:
    """Return the number of an operation's stage, by the component of the platform that holds it."""
    around = one.urn.split("::")[2].split("$") if one.urn.count("::") > 2 else []
    if around[:1] != [PLATFORM]:
        return 0
    numbers = (number for number, components in enumerate(STAGES, start=1) if around[1] in components)
    return next(numbers, len(STAGES) + 1)


def bring_up(file: Path) -> tuple[Operation, ...]:
    """Run the `up` of a rehearsal alone and return what the engine did; nothing is left of it.

    Raises:
        RuntimeError: it failed; with the end of what it printed.
    """
    root = project_root()
    project = str(read_document(root / PROJECT_FILE).data["name"])
    with TemporaryDirectory() as folder:
        source = read_stack_file(without_extras(file, Path(folder)), stack="bench", root=root, project=project)
    with workspace("bench", source=source, root=root, console=Console(stderr=True)) as space:
        space.init()
        return _up(space)


def without_extras(file: Path, folder: Path) -> Path:
    """Write a template's file without its extras to a folder and return where."""
    config = read_document(file).data["config"]
    written = {key: value for key, value in config.items() if key.partition(":")[2] not in EXTRAS}
    found = folder / file.name
    with found.open("w", encoding="utf-8") as stream:
        YAML(typ="safe", pure=True).dump({"config": written}, stream)
    return found


def _up(space: Workspace) -> tuple[Operation, ...]:
    run = run_engine(space, "up", "--yes", "--skip-preview", f"--parallel={PARALLEL}", on_event=lambda _: None)
    if run.returncode != 0:
        last_words = "\n".join(run.printed.strip().splitlines()[-20:])
        raise RuntimeError(f"pulumi up of {space.settings.cluster.provider} failed:\n{last_words}")
    return operations("up", run.events, space.engine.state())


def _longest(done: Iterable[Operation], types: tuple[str, ...]) -> float:
    return max((one.seconds for one in done if one.type in types), default=0.0)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(times_of(bring_up(Path(sys.argv[1]))))))
