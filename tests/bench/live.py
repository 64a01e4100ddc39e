"""What people wait for on the platform that really runs, each beside the same software started by hand."""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from qhub.automation import Prepared, real_node
from tests.bench.by_hand import NAMESPACE, by_hand
from tests.bench.hub_client import Hub, sign_ins_per_second
from tests.bench.measuring import Figure, NotMeasured, figure

T = TypeVar("T")

#: Counted runs of each side, in turn, after one that is not counted. A Dask cluster that just misses a look of whoever
#: waits for it starts 2 to 5 s later, which is as long as the rest of it: fewer than seven, and chance decides.
STARTS = 7
#: The same for crowds: each is hundreds of sign-ins, which even out.
CROWD_RUNS = 3
#: By hand nothing of ours is in the way: a fifth more is what the project's goal allows.
GOAL = 1.2
#: Users whose sign-ins are in flight at a time, and how many sign in altogether: enough for some seconds.
CROWDS = {50: 200, 200: 400}
#: Seconds of rest before memory is read: what has just been started is done with starting.
REST_SECONDS = 30

#: A container's line in the kubelet's metrics: its namespace, and what it holds in bytes.
WORKING_SET = re.compile(r'^container_memory_working_set_bytes{.*namespace="([^"]+)".*} (\S+)', re.MULTILINE)

CELL = "print(1 + 1)"
DASK = """
from dask_gateway import Gateway
gateway = Gateway()
cluster = gateway.new_cluster()
cluster.scale(1)
client = cluster.get_client()
print(client.submit(lambda: 1 + 1).result())
"""
DASK_END = "client.close(); cluster.shutdown(); gateway.close()"


def live_figures(prepared: Prepared, *, charts: Path) -> dict[str, Figure]:
    """Measure starts, computations, sign-ins and memory of the local stack, which is up.

    Raises:
        NotMeasured: it runs on simulated nodes, on which nothing computes.
    """
    cluster, settings = prepared.cluster, prepared.settings
    if cluster is None or cluster.kind == "simulated":
        raise NotMeasured("no containers run on the nodes of this stack")
    url = real_node.entrance(cluster, prepared.engine.outputs())
    port = url.rpartition(":")[2]
    admin, profile = settings.authentication.admin_users[0], settings.jupyterhub.profiles[0]
    ours = Hub(f"http://127.0.0.1:{port}/", host=url.partition("//")[2], admin=admin, options={"profile": profile.name})
    image = settings.jupyterhub.image
    with by_hand(
        cluster,
        charts=charts,
        notebook={"name": image.name, "tag": image.tag},
        environment=prepared.engine.environment,
    ) as theirs:
        time.sleep(REST_SECONDS)
        mine, hand = (_memory_mib(prepared, name) for name in (_namespaces(prepared), {NAMESPACE}))
        figures = {"memory at rest, MiB": figure(mine), "memory at rest over by hand": figure(mine / hand, GOAL)}
        return figures | asyncio.run(_work(ours, theirs)) | asyncio.run(_crowds(ours, theirs))


async def _work(ours: Hub, theirs: Hub) -> dict[str, Figure]:
    """Measure from the click on start to the first cell's output, and from a new Dask cluster to its first result."""
    rounds = await _rounds(_one, ours, theirs, counted=STARTS)
    figures: dict[str, Figure] = {}
    for number, name in enumerate(("spawn to first cell", "Dask cluster start to first result")):
        # Each side's own median, and then their ratio: in a pair, one slow start on either side would be the ratio.
        mine, hand = (statistics.median(one[side][number] for one in rounds) for side in (0, 1))
        figures[f"{name}, seconds"] = figure(mine)
        figures[f"{name} over by hand"] = figure(mine / hand, GOAL)
    return figures


async def _rounds(measure: Callable[[Hub], Awaitable[T]], ours: Hub, theirs: Hub, *, counted: int) -> list[tuple[T, T]]:
    """Measure ours and theirs in turn, once more often than is counted; return the pairs without the first."""
    return [(await measure(ours), await measure(theirs)) for _ in range(counted + 1)][1:]


async def _one(hub: Hub) -> tuple[float, float]:
    async with hub.person("bench") as person:
        begun = time.perf_counter()
        server = await person.start()
        async with server.kernel() as kernel:
            assert await kernel.run(CELL) == "2"
            cell = time.perf_counter() - begun
            begun = time.perf_counter()
            assert await kernel.run(DASK) == "2"
            result = time.perf_counter() - begun
            await kernel.run(DASK_END)
        await person.stop()
    return cell, result


async def _crowds(ours: Hub, theirs: Hub) -> dict[str, Figure]:
    """Measure how many sign in per second. They are known after the first round, which is not counted."""
    figures: dict[str, Figure] = {}
    for in_flight, people in CROWDS.items():
        names = [f"bench-{number}" for number in range(people)]

        async def rate(hub: Hub, names: list[str] = names, in_flight: int = in_flight) -> float:
            return await sign_ins_per_second(hub, names, in_flight=in_flight)

        mine, ratio = await _in_turn(rate, ours, theirs)
        figures[f"sign-ins per second, {in_flight} in flight"] = figure(mine)
        figures[f"sign-ins per second by hand over ours, {in_flight} in flight"] = figure(1 / ratio, GOAL)
    for hub in (ours, theirs):
        async with hub.person(hub.admin) as admin:
            await admin.remove([f"bench-{number}" for number in range(max(CROWDS.values()))])
    return figures


async def _in_turn(measure: Callable[[Hub], Awaitable[float]], ours: Hub, theirs: Hub) -> tuple[float, float]:
    """Return the median of ours and the median of ours over theirs."""
    rounds = await _rounds(measure, ours, theirs, counted=CROWD_RUNS)
    return statistics.median(mine for mine, _ in rounds), statistics.median(mine / hand for mine, hand in rounds)


def _namespaces(prepared: Prepared) -> set[str]:
    """Return the namespaces of the platform: hub and gateway in one, the ingress controller in another."""
    name = prepared.settings.namespace.name
    return {name, f"{name}-ingress"}


def _memory_mib(prepared: Prepared, namespaces: set[str]) -> float:
    """Return what the pods of namespaces hold, as the kubelet tells it (working set, without what can be dropped)."""
    assert prepared.cluster is not None
    kubectl = ["kubectl", "--kubeconfig", str(prepared.cluster.kubeconfig_path), "get"]
    environment = dict(prepared.engine.environment)

    def ask(*words: str) -> str:
        return subprocess.run([*kubectl, *words], env=environment, capture_output=True, text=True, check=True).stdout

    nodes = ask("nodes", "--output", "jsonpath={.items[*].metadata.name}").split()
    told = "".join(ask("--raw", f"/api/v1/nodes/{node}/proxy/metrics/resource") for node in nodes)
    held = [float(size) for namespace, size in WORKING_SET.findall(told) if namespace in namespaces]
    assert held, f"the kubelet tells of no container in {namespaces}"
    return sum(held) / 2**20
