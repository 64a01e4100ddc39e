"""Whether a pod fits a node, and what it asks for: as the scheduler says it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from qhub.rehearsal.cluster.controllers.fitting import Slot, misfit
from qhub.rehearsal.cluster.controllers.pods import Pod, read_pod, requests_of
from tests.unit.rehearsal.simulated_world import World, pod, pool

Json = dict[str, Any]


def slot(name: str = "node", *, taints: list[Json] | None = None, pods: list[Pod] | None = None, **labels: str) -> Slot:
    free = {"cpu": Decimal(4), "memory": Decimal(2**34), "pods": Decimal(110)}
    made = Slot(name=name, labels={"kubernetes.io/hostname": name, **labels}, taints=taints or [], free=free)
    for one in pods or []:
        made.put(one)
    return made


def affinity(*expressions: Json, field: str = "matchExpressions") -> Json:
    terms = [{field: list(expressions)}]
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}


def beside(kind: str, *, key: str = "zone", app: str = "web") -> Json:
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}}
    return {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def web(name: str = "web", **spec: Any) -> Pod:
    return read_pod(pod(name, labels={"app": "web"}, **spec))


class TestPlaces:
    @pytest.mark.parametrize(
        ("expression", "fits"),
        [
            ({"key": "size", "operator": "In", "values": ["8", "9"]}, True),
            ({"key": "size", "operator": "NotIn", "values": ["8"]}, False),
            ({"key": "none", "operator": "NotIn", "values": ["8"]}, True),
            ({"key": "size", "operator": "Exists"}, True),
            ({"key": "none", "operator": "Exists"}, False),
            ({"key": "none", "operator": "DoesNotExist"}, True),
            ({"key": "size", "operator": "Gt", "values": ["7"]}, True),
            ({"key": "size", "operator": "Lt", "values": ["8"]}, False),
        ],
    )
    def test_node_affinity(self, expression: Json, fits: bool) -> None:
        why = misfit(web(affinity=affinity(expression)), slot(size="8"), [])
        assert (not why) == fits

    def test_affinity_to_a_node_by_name(self) -> None:
        wanted = affinity({"key": "metadata.name", "operator": "In", "values": ["one"]}, field="matchFields")
        assert not misfit(web(affinity=wanted), slot("one"), [])
        assert misfit(web(affinity=wanted), slot("two"), [])

    @pytest.mark.parametrize(
        ("toleration", "fits"),
        [
            ({"operator": "Exists"}, True),
            ({"key": "pool", "operator": "Exists", "effect": "NoSchedule"}, True),
            ({"key": "pool", "operator": "Exists", "effect": "NoExecute"}, False),
            ({"key": "pool", "value": "user"}, True),
            ({"key": "pool", "value": "worker"}, False),
            ({"key": "other", "operator": "Exists"}, False),
        ],
    )
    def test_tolerations(self, toleration: Json, fits: bool) -> None:
        tainted = slot(taints=[{"key": "pool", "value": "user", "effect": "NoSchedule"}])
        assert (not misfit(web(tolerations=[toleration]), tainted, [])) == fits

    def test_a_taint_that_only_prefers_keeps_nobody_off(self) -> None:
        assert not misfit(web(), slot(taints=[{"key": "a", "effect": "PreferNoSchedule"}]), [])

    def test_room_is_cpu_memory_gpus_and_a_number_of_pods(self) -> None:
        assert misfit(web(cpu="4001m"), slot(), []) == "Insufficient cpu"
        assert misfit(web(memory="17Gi"), slot(), []) == "Insufficient memory"
        assert misfit(web(**{"nvidia.com/gpu": "1"}), slot(), []) == "Insufficient nvidia.com/gpu"
        full = slot(pods=[web(f"web-{number}") for number in range(110)])
        assert misfit(web(), full, []) == "Too many pods"

    def test_a_port_of_the_node_is_had_once(self) -> None:
        container = {"name": "main", "ports": [{"containerPort": 80, "hostPort": 80}]}
        taken = slot(pods=[web("first", containers=[container])])
        assert "free ports" in misfit(web(containers=[container]), taken, [])
        assert not misfit(web(), taken, [])


class TestPodsBesidePods:
    def test_apart(self) -> None:
        taken, free = slot("one", zone="a", pods=[web("first")]), slot("two", zone="b")
        near = slot("three", zone="a")
        nodes = [taken, free, near]
        shy = web(affinity=beside("podAntiAffinity"))
        assert [not misfit(shy, one, nodes) for one in nodes] == [False, True, False]
        assert not misfit(web(affinity=beside("podAntiAffinity", key="kubernetes.io/hostname")), near, nodes)

    def test_apart_counts_for_whoever_comes_later_as_well(self) -> None:
        taken = slot("one", zone="a", pods=[web("shy", affinity=beside("podAntiAffinity"))])
        assert "existing pods" in misfit(web(), slot("two", zone="a"), [taken])
        assert not misfit(web(), slot("two", zone="b"), [taken])

    def test_together_and_the_first_goes_anywhere(self) -> None:
        nodes = [slot("one", zone="a"), slot("two", zone="b")]
        joiner = web("second", affinity=beside("podAffinity"))
        assert not misfit(joiner, nodes[0], nodes)
        nodes[1].put(web("first"))
        assert [not misfit(joiner, one, nodes) for one in nodes] == [False, True]
        assert misfit(read_pod(pod("stranger", affinity=beside("podAffinity", app="db"))), nodes[0], nodes)

    def test_spread_evenly(self) -> None:
        rule = {"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule",
                "labelSelector": {"matchLabels": {"app": "web"}}}  # fmt: skip
        nodes = [slot("one", zone="a", pods=[web("first")]), slot("two", zone="b"), slot("three")]
        spread = web(topologySpreadConstraints=[rule])
        assert [not misfit(spread, one, nodes) for one in nodes] == [False, True, False]
        soft = web(topologySpreadConstraints=[{**rule, "whenUnsatisfiable": "ScheduleAnyway"}])
        assert not any(misfit(soft, one, nodes) for one in nodes)

    def test_pods_that_will_not_share_a_node_get_one_each(self) -> None:
        world = World(pool("user", max=5))
        alone = beside("podAntiAffinity", key="kubernetes.io/hostname")
        world.put(*(pod(f"p{number}", labels={"app": "web"}, affinity=alone) for number in range(3)))
        world.settle()
        assert len(world.nodes) == 3

    def test_a_pod_that_wants_to_be_near_one_that_gets_a_node_now_gets_one_there(self) -> None:
        world = World(pool("big", cores=8, zones=("a",), max=1), pool("near", zones=("b", "a"), max=2))
        zone = "topology.kubernetes.io/zone"
        world.put(
            pod("first", cpu="8", labels={"app": "web"}),
            pod("second", cpu="4", affinity=beside("podAffinity", key=zone)),
        )
        world.step()
        assert {node["metadata"]["labels"]["pool"] for node in world.nodes.values()} == {"big", "near"}
        assert {node["metadata"]["labels"][zone] for node in world.nodes.values()} == {"a"}


class TestRequests:
    def spec(self, *containers: str, init: tuple[Json, ...] = (), **more: Any) -> Json:
        return {
            "containers": [{"resources": {"requests": {"cpu": cpu}}} for cpu in containers],
            "initContainers": list(init),
            **more,
        }

    def step(self, cpu: str, *, sidecar: bool = False) -> Json:
        return {"resources": {"requests": {"cpu": cpu}}, **({"restartPolicy": "Always"} if sidecar else {})}

    def test_containers_add_up_and_a_limit_stands_for_a_request(self) -> None:
        spec = self.spec("1", "500m")
        spec["containers"].append({"resources": {"limits": {"nvidia.com/gpu": 1}}})
        assert requests_of(spec) == {"cpu": Decimal("1.5"), "nvidia.com/gpu": 1, "pods": 1}

    @pytest.mark.parametrize(
        ("init", "cpu"),
        [
            (("3",), "3"),
            (("1",), "2"),
            (("+1",), "3"),
            (("+1", "4"), "5"),
            (("4", "+1"), "4"),
        ],
    )
    def test_init_containers_run_before_and_sidecars_beside(self, init: tuple[str, ...], cpu: str) -> None:
        """`+1` is a sidecar of one core, `4` an init container of four; the containers ask for two."""
        steps = tuple(self.step(one.removeprefix("+"), sidecar=one.startswith("+")) for one in init)
        assert requests_of(self.spec("2", init=steps))["cpu"] == Decimal(cpu)

    def test_the_overhead_of_a_runtime_is_added(self) -> None:
        assert requests_of(self.spec("1", overhead={"cpu": "250m"}))["cpu"] == Decimal("1.25")
