"""The keeper's patience with what keeps ending, and its own end. What it repairs is seen in `tests/engine`."""

from __future__ import annotations

from pathlib import Path

from qhub.rehearsal.cluster import processes
from qhub.rehearsal.cluster.keeper import CALM, LONGEST_DELAY, Delays, Keeper
from qhub.rehearsal.cluster.layout import Layout
from qhub.rehearsal.cluster.state import State, save_state


class TestDelays:
    def test_what_ends_for_the_first_time_is_started_at_once_and_waits_for_nobody(self) -> None:
        delays = Delays()
        delays.tried("etcd", 100.0)
        assert delays.due("kubelet", 100.0)
        assert not delays.due("etcd", 100.5)

    def test_what_keeps_ending_is_started_later_and_later_until_it_is_calm(self) -> None:
        delays, now, waits = Delays(), 0.0, []
        for _ in range(9):
            delays.tried("kubelet", now)
            begun = now
            while not delays.due("kubelet", now):
                now += 1.0
            waits.append(now - begun)
        assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
        now += CALM + 1.0
        assert delays.due("kubelet", now)
        delays.tried("kubelet", now)
        assert delays.due("kubelet", now + 1.0)
        assert waits[-1] == LONGEST_DELAY


class TestItsEnd:
    """Neither test ends if the keeper does not."""

    def test_a_cluster_whose_folder_is_gone_has_nothing_to_keep(self, tmp_path: Path) -> None:
        Keeper("own", Layout(tmp_path / "own")).keep()
        assert not (tmp_path / "own").exists()

    def test_another_one_is_left_to_do_it(self, tmp_path: Path) -> None:
        layout = Layout(tmp_path / "own")
        layout.make_folders()
        save_state(layout.state, State(nodes="simulated", pids={"keeper": 1, "etcd": 2}))
        Keeper("own", layout).keep()
        assert processes.find_all(folder=layout.folder) == []
