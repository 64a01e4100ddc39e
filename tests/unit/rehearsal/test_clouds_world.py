"""The simulated world on disk, its clock, and the faults that were asked for."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from qhub.rehearsal.clouds.clock import SPEED_VARIABLE, Clock, speed_of
from qhub.rehearsal.clouds.faults import FAULTS_VARIABLE, faults_of_environment, message_of
from qhub.rehearsal.clouds.subject import Subject
from qhub.rehearsal.clouds.world import WORLD_VARIABLE, Event, Record, World, world_of_environment
from qhub.rehearsal.plugins.errors import Interrupted, PluginError

NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"


def record(name: str = "one", **values: Any) -> Record:
    given: dict[str, Any] = {
        "cloud": "aws", "type": NODE_GROUP, "id": f"{name}-id", "urn": f"urn::{name}", "inputs": {}, **values,
    }  # fmt: skip
    return Record(name=name, **given)


def subject(world: World, name: str = "user", **inputs: Any) -> Subject:
    return Subject(cloud="aws", token=NODE_GROUP, name=name, urn=f"urn::{name}", inputs=inputs, world=world)


class TestWorld:
    def test_another_process_sees_what_this_one_made(self, tmp_path: Path) -> None:
        World(tmp_path).put(record(outputs={"subnetIds": ["a", "b"]}, notes={"kept": 1}))
        code = (
            "import sys; from pathlib import Path; from qhub.rehearsal.clouds.world import World\n"
            "world = World(Path(sys.argv[1]))\n"
            "found = world.records('aws')[0]\n"
            "print(found.name, found.get('subnetIds[1]'), found.each('subnetIds[*]'), found.notes)\n"
            "world.remove(found.cloud, found.type, found.id)\n"
        )
        done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
        assert done.stdout == "one b ['a', 'b'] {'kept': 1}\n"
        assert World(tmp_path).records() == []

    @pytest.mark.parametrize("name", ["a/b", "arn:aws:iam::1:role/x", "ü" * 300, "a_b", "a.b", "..", "A"])
    def test_any_id_is_found_again(self, tmp_path: Path, name: str) -> None:
        world = World(tmp_path)
        world.put(record(id=name))
        world.put(record(id="a-b"))
        found = world.get("aws", NODE_GROUP, name)
        assert found is not None
        assert found.id == name
        assert len(world.records("aws", NODE_GROUP)) == 2

    def test_what_was_there_before_is_not_left_over(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.put(record("network", given=True))
        assert world.left() == []
        world.put(record("ours"))
        assert [one.name for one in world.left()] == ["ours"]

    def test_a_resource_that_is_being_made_shows_its_inputs(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.put(record(inputs={"cidrBlock": "10.0.0.0/24"}, ready=False))
        assert subject(world).one(NODE_GROUP, cidrBlock="10.0.0.0/24") is not None

    def test_threads_do_not_lose_each_others_counts(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        world.put(record(notes={"count": 0}))

        def add(_: int) -> None:
            with world.locked():
                found = world.records()[0]
                world.put(record(notes={"count": found.notes["count"] + 1}))

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(add, range(40)))
        assert world.records()[0].notes["count"] == 40

    def test_only_its_user_can_read_it(self, tmp_path: Path) -> None:
        world = World(tmp_path / "world")
        world.put(record())
        files = list((tmp_path / "world" / "resources").rglob("*.json"))
        assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600"]

    def test_an_event_cut_short_by_a_kill_is_left_out(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        event = Event(
            began=1.0,
            ended=2.0,
            cloud="aws",
            type="t",
            name="n",
            urn="u",
            operation="create",
            result="done",
            message="é",
        )
        world.log(event)
        with (tmp_path / "events.jsonl").open("a") as stream:
            stream.write('{"began": 3.0, "en')
        assert world.events() == [event]

    def test_it_must_be_chosen(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv(WORLD_VARIABLE, raising=False)
        with pytest.raises(PluginError, match="for rehearsals only"):
            world_of_environment()
        monkeypatch.setenv(WORLD_VARIABLE, str(tmp_path / "new"))
        assert world_of_environment().records() == []


class TestClock:
    def test_every_clock_of_a_world_tells_the_same_time(self, tmp_path: Path) -> None:
        first = Clock(tmp_path, speed=5000)
        second = Clock(tmp_path, speed=1)
        assert second.speed == 5000
        before, between, after = first.now(), second.now(), first.now()
        assert before <= between <= after

    def test_a_wait_lasts_at_least_its_simulated_time(self, tmp_path: Path) -> None:
        clock = Clock(tmp_path, speed=100_000)
        before = clock.now()
        clock.sleep(1000)
        assert clock.now() - before >= 1000

    def test_a_wait_ends_when_the_run_is_cancelled(self, tmp_path: Path) -> None:
        cancelled = threading.Event()
        clock = Clock(tmp_path, speed=1, cancelled=cancelled)
        threading.Timer(0.05, cancelled.set).start()
        with pytest.raises(Interrupted):
            clock.sleep(3600)
        with pytest.raises(Interrupted):
            clock.sleep_until(0)

    @pytest.mark.parametrize("text", ["0", "-1", "fast", "inf", "nan"])
    def test_a_speed_that_means_nothing(self, text: str) -> None:
        with pytest.raises(PluginError, match=f"{SPEED_VARIABLE} must be"):
            speed_of({SPEED_VARIABLE: text})

    def test_the_speed(self) -> None:
        assert speed_of({}) == 60
        assert speed_of({SPEED_VARIABLE: "0.5"}) == 0.5

    def test_time_goes_on_between_runs(self, tmp_path: Path) -> None:
        Clock(tmp_path, speed=10)
        began = json.loads((tmp_path / "clock.json").read_text())["began"]
        assert began <= time.time()


def faults(world: World, *entries: dict[str, Any]) -> Any:
    return faults_of_environment(world, {FAULTS_VARIABLE: json.dumps(entries)})


class TestFaults:
    def test_none_without_the_variable(self, tmp_path: Path) -> None:
        assert faults_of_environment(World(tmp_path), {}).of(subject(World(tmp_path)), "create") is None

    def test_it_happens_to_what_it_names(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        some = faults(world, {"type": "aws:eks/*", "name": "gpu*", "operation": "create", "message": "no capacity"})
        found = some.of(subject(world, "gpu-a"), "create")
        assert message_of(found, "create") == "no capacity"
        assert some.of(subject(world, "user"), "create") is None
        assert some.of(subject(world, "gpu-a"), "delete") is None

    def test_it_happens_as_often_as_asked_in_all_processes(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        entry = {"operation": "update", "times": 2}
        happened = [faults(World(tmp_path), entry).of(subject(world), "update") is not None for _ in range(4)]
        assert happened == [True, True, False, False]

    def test_a_quota_counts_what_is_there(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        some = faults(world, {"quota": 1, "type": NODE_GROUP, "where": {"instanceTypes[*]": "g5.*"}})
        wanted = subject(world, "gpu", instanceTypes=["m6i.large", "g5.xlarge"])
        assert some.of(wanted, "create") is None
        world.put(record("other", inputs={"instanceTypes": ["m6i.large"]}))
        assert some.of(wanted, "create") is None
        world.put(record("gpu-1", inputs={"instanceTypes": ["g5.2xlarge"]}))
        assert "quota" in message_of(some.of(wanted, "create"), "create")
        assert some.of(wanted, "update") is None

    def test_a_quota_of_zero(self, tmp_path: Path) -> None:
        world = World(tmp_path)
        assert faults(world, {"quota": 0, "type": NODE_GROUP}).of(subject(world), "create") is not None

    def test_a_file_of_faults(self, tmp_path: Path) -> None:
        file = tmp_path / "faults.json"
        file.write_text('[{"operation": "read"}]')
        world = World(tmp_path / "world")
        assert faults_of_environment(world, {FAULTS_VARIABLE: str(file)}).of(subject(world), "read") is not None

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("[{]", "must be a JSON list"),
            ("/nowhere/faults.json", "must be a JSON list"),
            ("[7]", r"\[0\] must be an object"),
            ('[{"typ": "x"}]', "Did you mean 'type'"),
            ('[{"operation": "make"}]', "operation: 'make' is not allowed"),
            ('[{"times": -1}]', "times: -1 is not allowed"),
            ('[{"quota": 0, "after": 3}]', "a quota has neither"),
        ],
    )
    def test_what_means_nothing_is_told(self, tmp_path: Path, text: str, words: str) -> None:
        with pytest.raises(PluginError, match=words):
            faults_of_environment(World(tmp_path), {FAULTS_VARIABLE: text})
