"""Overrides, and where charts come from."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.config.charts import Charts
from qhub.platform.chart_source import ChartError, ChartSource, chart_source
from qhub.platform.helm import deep_merge, has_null

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
TREES = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(LEAVES, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8),
    max_size=3,
)


class TestDeepMerge:
    def test_maps_are_merged_and_everything_else_is_replaced(self) -> None:
        merged = deep_merge({"a": {"b": 1, "c": [1]}, "d": 1}, {"a": {"c": [2]}, "d": {"e": 1}})

        assert merged == {"a": {"b": 1, "c": [2]}, "d": {"e": 1}}

    def test_a_null_stays_so_that_helm_deletes_the_charts_default(self) -> None:
        assert deep_merge({"a": {"b": 1}}, {"a": {"b": None}}) == {"a": {"b": None}}

    def test_the_base_is_not_touched(self) -> None:
        base = {"a": {"b": 1}}
        deep_merge(base, {"a": {"b": 2}})

        assert base == {"a": {"b": 1}}

    @given(base=TREES, over=TREES)
    def test_what_is_laid_over_always_wins(self, base: dict, over: dict) -> None:
        assert deep_merge(deep_merge(base, over), over) == deep_merge(base, over)
        assert deep_merge(base, {}) == base
        assert deep_merge({}, over) == over

    @given(tree=TREES)
    def test_a_null_is_found_wherever_it_is(self, tree: dict) -> None:
        assert has_null(tree) == ("None" in repr(tree).replace("'None'", ""))
        assert has_null({"x": [tree, None]})


def source(mirror: str | None, root: Path, *, version: str = "4.4.0", working_dir: Path | None = None) -> ChartSource:
    charts = Charts.model_validate({"mirror": mirror, "jupyterhub": {"version": version}})
    return chart_source(charts, "jupyterhub", project_root=root, working_dir=working_dir or root / "stacks")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirror with one unpacked chart and one archive."""
    chart = tmp_path / "charts" / "jupyterhub"
    chart.mkdir(parents=True)
    (chart / "Chart.yaml").write_text("name: jupyterhub\nversion: 4.4.0\n")
    packed(tmp_path / "charts" / "dask-gateway-2026.3.0.tgz", "dask-gateway/Chart.yaml")
    return tmp_path / "charts"


def packed(path: Path, member: str) -> None:
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(member), io.BytesIO())


class TestChartSource:
    def test_the_public_repository_by_default(self, tmp_path: Path) -> None:
        assert source(None, tmp_path) == ChartSource(
            chart="jupyterhub", version="4.4.0", repository="https://hub.jupyter.org/helm-chart"
        )

    def test_one_charts_own_oci_repository(self, tmp_path: Path) -> None:
        charts = Charts.model_validate({"traefik": {"repository": "oci://ghcr.io/traefik/helm"}})
        made = chart_source(charts, "traefik", project_root=tmp_path, working_dir=tmp_path)

        assert made == ChartSource(chart="oci://ghcr.io/traefik/helm/traefik", version="41.3.0")

    def test_an_oci_mirror(self, tmp_path: Path) -> None:
        assert source("oci://registry.example.org/charts/", tmp_path) == ChartSource(
            chart="oci://registry.example.org/charts/jupyterhub", version="4.4.0"
        )

    def test_a_relative_folder_leaves_no_path_of_this_machine_in_the_state(self, mirror: Path) -> None:
        assert source("charts", mirror.parent) == ChartSource(chart="../charts/jupyterhub", version="4.4.0")

    def test_an_absolute_folder_is_taken_as_it_is(self, mirror: Path) -> None:
        assert source(str(mirror), mirror.parent).chart == str(mirror / "jupyterhub")

    def test_an_archive(self, mirror: Path) -> None:
        charts = Charts.model_validate({"mirror": "charts"})
        made = chart_source(charts, "dask_gateway", project_root=mirror.parent, working_dir=mirror.parent)

        assert made == ChartSource(chart="charts/dask-gateway-2026.3.0.tgz", version="2026.3.0")


class TestMistakesInAMirror:
    def test_no_such_folder(self, tmp_path: Path) -> None:
        with pytest.raises(ChartError, match=r"there is no folder .*nowhere.*set charts\.mirror to null"):
            source("nowhere", tmp_path)

    def test_a_version_that_the_mirror_does_not_hold(self, mirror: Path) -> None:
        with pytest.raises(ChartError, match=r"charts\.jupyterhub\.version is 9\.9\.9, but .* holds version 4\.4\.0"):
            source("charts", mirror.parent, version="9.9.9")

    def test_an_archive_of_another_version_is_named(self, mirror: Path) -> None:
        charts = Charts.model_validate({"mirror": "charts", "dask_gateway": {"version": "2026.4.0"}})
        with pytest.raises(
            ChartError, match=r"neither the folder dask-gateway nor dask-gateway-2026\.4\.0\.tgz"
        ) as told:
            chart_source(charts, "dask_gateway", project_root=mirror.parent, working_dir=mirror.parent)

        assert "The nearest is dask-gateway-2026.3.0.tgz." in str(told.value)

    def test_a_chart_that_is_not_there_at_all(self, tmp_path: Path) -> None:
        (tmp_path / "charts").mkdir()
        with pytest.raises(ChartError, match="It holds: no chart at all"):
            source("charts", tmp_path)

    def test_an_archive_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "charts").mkdir()
        (tmp_path / "charts" / "jupyterhub-4.4.0.tgz").write_text("<html>not found</html>")
        with pytest.raises(ChartError, match="is not a packed chart of jupyterhub"):
            source("charts", tmp_path)

    def test_an_archive_of_another_chart(self, tmp_path: Path) -> None:
        (tmp_path / "charts").mkdir()
        packed(tmp_path / "charts" / "jupyterhub-4.4.0.tgz", "traefik/Chart.yaml")
        with pytest.raises(ChartError, match="is not a packed chart of jupyterhub"):
            source("charts", tmp_path)
