"""Recordings of rehearsals that never were, written by hand."""

from __future__ import annotations

from dataclasses import replace

from qhub.rehearsal.report.recording import Failure, Node, Operation, Picture, Pod, Rehearsal, Step

GIB = 1024**3


def operation(name: str, start: float, end: float, *after: str, step: str = "up", kind: str = "x:y:Z") -> Operation:
    """Return an operation; `after` are logical names."""
    return Operation(
        step=step, urn=urn(name, kind), type=kind, name=name, op="create", start=start, end=end,
        depends_on=tuple(urn(one, kind) for one in after),
    )  # fmt: skip


def urn(name: str, kind: str = "x:y:Z") -> str:
    return f"urn:pulumi:prod::qhub::{kind}::{name}"


def node(name: str, pool: str, price: float | None = 0.1) -> Node:
    return Node(
        name=name, pool=pool, instance_type="m6i.xlarge", cpu=3.9, memory=14 * GIB, gpus=0, pods=58, usd_per_hour=price
    )


def pod(name: str, where: str, role: str = "platform", *, profile: str = "", reason: str = "") -> Pod:
    return Pod(
        namespace="qhub", name=name, role=role, profile=profile, node=where, running=bool(where), cpu=0.5, memory=GIB,
        gpus=0, waited=None if role == "platform" or not where else 42.0, reason=reason,
    )  # fmt: skip


def step(name: str, start: float, seconds: float, told: str = "seen", *, passed: bool = True) -> Step:
    return Step(
        name=name, title=f"Title of {name}", start=start, seconds=seconds, wall_seconds=seconds / 60, passed=passed,
        told=told,
    )  # fmt: skip


OPERATIONS = (
    operation("network", 0, 60),
    operation("control-plane", 60, 660, "network"),
    operation("registry", 0, 5),
    operation("pool-general", 660, 760, "control-plane"),
    replace(operation("hub", 760, 820, "pool-general", "registry"), waited_for="pod hub-1: images 9.0 s"),
    operation("hub", 2000, 2030, step="destroy"),
)
IDLE = Picture(moment="idle", nodes=(node("g-1", "general"),), pods=(pod("hub", "g-1"),))
PEAK = Picture(
    moment="peak",
    nodes=(node("g-1", "general"), node("u-1", "user", 0.2), node("u-2", "user", 0.2)),
    pods=(
        pod("hub", "g-1"),
        pod("jupyter-small", "u-1", "user", profile="small"),
        pod("dask-worker-small-1", "u-2", "worker", profile="small"),
    ),
)
PASSED = Rehearsal(
    stack="prod",
    file="Pulumi.prod.yaml",
    provider="aws",
    region="eu-west-1",
    started="2026-07-01T12:00:00+00:00",
    speed=60.0,
    passed=True,
    steps=(step("up", 0, 820), step("demand", 820, 240), step("destroy", 1060, 600)),
    operations=OPERATIONS,
    resources={"aws:ec2/vpc:Vpc": 1, "aws:ec2/subnet:Subnet": 4},
    pictures=(IDLE, PEAK, replace(IDLE, moment="after")),
    notes=("Helm leaves 17 CRDs",),
    simulated=("The cloud (aws): a stand-in",),
)
FAILED = replace(
    PASSED,
    passed=False,
    steps=(step("up", 0, 820), step("demand", 820, 900, "stuck", passed=False)),
    pictures=(
        IDLE,
        replace(PEAK, pods=(*PEAK.pods, pod("jupyter-big", "", "user", profile="big", reason="Insufficient <cpu>"))),
    ),
    failures=(
        Failure(
            step="demand",
            what="user of profile big",
            message="0/3 nodes are available: 3 Insufficient <cpu>",
            key="jupyterhub.profiles[1].cpu.guarantee",
            hint="lower it",
        ),
    ),
)
