"""The benchmarks' arithmetic: what a figure is made from."""

from __future__ import annotations

import pytest
from rich.console import Console

from qhub.rehearsal.cluster.controllers.durations import BY_CLOUD
from qhub.rehearsal.report.recording import Operation
from tests.bench.__main__ import measure
from tests.bench.growth import LINEAR, POOLS, PROFILES, growth
from tests.bench.measuring import Figure, NotMeasured, figure
from tests.bench.pairs import PAIRS, Pair
from tests.bench.ready import floor, sequence, stages, time_to_ready
from tests.bench.side_by_side import PAGE, marks, page, told_by_us


def operation(type_token: str, start: float, end: float, *, name: str = "one") -> Operation:
    return Operation(
        step="up", urn=f"urn:{type_token}::{name}", type=type_token, name=name, op="create", start=start, end=end
    )


CONTROL_PLANE = operation("aws:eks/cluster:Cluster", 110, 610)
POOLS_MADE = (
    operation("aws:eks/nodeGroup:NodeGroup", 610, 700, name="general"),
    operation("aws:eks/nodeGroup:NodeGroup", 610, 730, name="user"),
)
CHARTS = (
    operation("kubernetes:helm.sh/v3:Release", 730, 760, name="traefik"),
    operation("kubernetes:helm.sh/v3:Release", 740, 800, name="jupyterhub"),
)
DEPLOY = (operation("aws:iam/role:Role", 100, 110), CONTROL_PLANE, *POOLS_MADE, *CHARTS)


class TestTimeToReady:
    def test_is_from_the_first_start_to_the_last_end(self) -> None:
        assert time_to_ready(DEPLOY) == 700

    def test_the_floor_is_the_control_plane_the_slowest_pool_and_the_slowest_chart(self) -> None:
        assert floor(DEPLOY) == 500 + 120 + 60

    def test_a_pool_inside_of_the_cluster_adds_nothing_to_the_floor(self) -> None:
        assert floor((CONTROL_PLANE, *CHARTS)) == 500 + 60

    @pytest.mark.parametrize("done", [(), CHARTS, (CONTROL_PLANE, *POOLS_MADE)])
    def test_there_is_no_floor_without_a_control_plane_and_a_chart(self, done: tuple[Operation, ...]) -> None:
        with pytest.raises(ValueError, match="no control plane or no chart"):
            floor(done)

    def test_the_sequence_is_the_sum_of_all_operations(self) -> None:
        assert sequence(DEPLOY) == 10 + 500 + (90 + 120) + (30 + 60)

    def test_a_load_balancer_counts_without_the_pods_that_it_waits_for(self) -> None:
        made = operation("kubernetes:core/v1:Service", 730, 790, name="door")
        assert sequence((*DEPLOY, made)) == sequence(DEPLOY) + BY_CLOUD["aws"].load_balancer
        quick = operation("kubernetes:core/v1:Service", 730, 731, name="nfs")
        assert sequence((*DEPLOY, quick)) == sequence(DEPLOY) + 1

    def test_stages_wait_for_each_other_and_do_within_what_they_can_at_once(self) -> None:
        def inside(component: str, seconds: float, *, name: str, after: tuple[Operation, ...] = ()) -> Operation:
            urn = f"urn:pulumi:bench::qhub::{component}kubernetes:core/v1:Service::{name}"
            needs = tuple(one.urn for one in after)
            return Operation(
                step="up", urn=urn, type="kubernetes:core/v1:Service", name=name, op="create", start=0, end=seconds,
                depends_on=needs,
            )  # fmt: skip

        platform = "qhub:platform:KubernetesPlatform$qhub:platform:"
        cluster, network = inside("qhub:aws:Cluster$", 500, name="eks"), inside("qhub:aws:Network$", 20, name="vpc")
        door = inside(f"{platform}Ingress$qhub:platform:Namespace$", 30, name="door", after=(cluster,))
        disk = inside(f"{platform}Storage$qhub:platform:Namespace$", 40, name="disk")
        hub = inside(f"{platform}JupyterHub$", 60, name="hub", after=(disk, door))
        other = inside(f"{platform}DaskGateway$", 70, name="dask")
        assert stages((cluster, network, door, disk, hub, other)) == 500 + 30 + (40 + 60)


class TestGrowth:
    @pytest.mark.parametrize("sizes", [POOLS, PROFILES])
    def test_is_1_where_every_item_costs_the_same(self, sizes: tuple[int, ...]) -> None:
        assert growth({size: 400 + 3 * size for size in sizes}) == 1

    @pytest.mark.parametrize("sizes", [POOLS, PROFILES])
    def test_misses_the_goal_where_the_cost_goes_with_the_square(self, sizes: tuple[int, ...]) -> None:
        assert growth({size: 400 + size**2 for size in sizes}) > LINEAR


@pytest.mark.parametrize(("value", "holds"), [(1.149, True), (1.15, True), (1.151, False)])
def test_a_figure_holds_up_to_its_goal(value: float, holds: bool) -> None:
    assert figure(value, 1.15).holds is holds


def test_a_figure_without_a_goal_holds() -> None:
    assert figure(99.0).holds


class TestSideBySide:
    @pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.what)
    def test_each_mistake_is_the_only_one_in_our_file_and_is_told_with_key_and_line(self, pair: Pair) -> None:
        said = told_by_us(pair)

        assert marks(said, pair.keys[1]) == (True, True, True), said
        assert "Pulumi.prod.yaml" in str(said)

    def test_the_page_has_a_row_for_each_mistake(self) -> None:
        text = page([None] * len(PAIRS))

        assert all(f"| {pair.what} | – | – | – | yes | yes | yes |" in text for pair in PAIRS)  # noqa: RUF001

    def test_the_page_that_is_there_has_the_same_mistakes(self) -> None:
        written = PAGE.read_text(encoding="utf-8")

        assert [pair.what for pair in PAIRS if f"| {pair.what} |" not in written] == []
        assert f"| **of {len(PAIRS)}** |" in written


def test_what_cannot_be_measured_here_is_said_and_fails_nothing() -> None:
    def run() -> dict[str, Figure]:
        raise NotMeasured("no such registry")

    console = Console(record=True, width=100)
    assert measure(iter([("beside others", run)]), console=console) == ({}, [])
    assert "NOT MEASURED: no such registry" in console.export_text()
