"""From the engine's events to operations with their order."""

from __future__ import annotations

from qhub.automation.rehearse.operations import operations, resource_counts
from qhub.automation.rehearse.running import Run, Seen

PREFIX = "urn:pulumi:prod::qhub::"
PROVIDER = f"{PREFIX}pulumi:providers:kubernetes::cluster"
CLUSTER, RELEASE = f"{PREFIX}aws:eks/cluster:Cluster::qhub", f"{PREFIX}kubernetes:helm.sh/v3:Release::hub"
COMPONENT = f"{PREFIX}qhub:aws:Cluster::qhub"
STATE = {
    "resources": [
        {"urn": COMPONENT, "type": "qhub:aws:Cluster", "custom": False},
        {"urn": CLUSTER, "type": "aws:eks/cluster:Cluster", "custom": True},
        {"urn": PROVIDER, "type": "pulumi:providers:kubernetes", "custom": True, "dependencies": [CLUSTER]},
        {"urn": RELEASE, "type": "kubernetes:helm.sh/v3:Release", "custom": True, "provider": f"{PROVIDER}::id-1"},
    ]
}


def seen(moment: float, kind: str, urn: str, op: str) -> Seen:
    return Seen(moment=moment, kind=kind, body={"metadata": {"urn": urn, "op": op}})


def run(op: str, *urns: str) -> list[Seen]:
    """Return the events of operations one after another, ten seconds each."""
    events = []
    for number, urn in enumerate(urns):
        events.append(seen(number * 10.0, "resourcePreEvent", urn, op))
        events.append(seen(number * 10.0 + 10, "resOutputsEvent", urn, op))
    return events


class TestOperations:
    def test_components_and_providers_are_left_out(self) -> None:
        made = operations("up", run("create", COMPONENT, CLUSTER, PROVIDER, RELEASE), STATE)
        assert [(one.name, one.type, one.start, one.end) for one in made] == [
            ("qhub", "aws:eks/cluster:Cluster", 10, 20),
            ("hub", "kubernetes:helm.sh/v3:Release", 30, 40),
        ]

    def test_what_a_provider_needs_its_resources_need(self) -> None:
        made = operations("up", run("create", CLUSTER, RELEASE), STATE)
        assert [one.depends_on for one in made] == [(), (CLUSTER,)]

    def test_what_a_component_needs_its_children_need(self) -> None:
        pool = f"{PREFIX}aws:eks/nodeGroup:NodeGroup::user"
        platform = f"{PREFIX}qhub:platform:KubernetesPlatform::qhub"
        around = {"urn": platform, "type": "qhub:platform:KubernetesPlatform", "custom": False, "dependencies": [pool]}
        inside = {**STATE["resources"][3], "parent": platform}
        state = {"resources": [{"urn": pool, "type": "aws:eks/nodeGroup:NodeGroup", "custom": True}, around, inside]}
        made = operations("up", run("create", pool, RELEASE), state)
        assert [one.depends_on for one in made] == [(), (pool,)]

    def test_a_destroy_goes_the_other_way(self) -> None:
        made = operations("destroy", run("delete", RELEASE, CLUSTER), STATE)
        assert [(one.name, one.depends_on) for one in made] == [("hub", ()), ("qhub", (RELEASE,))]

    def test_what_stays_the_same_is_no_operation(self) -> None:
        assert operations("no-change", run("same", CLUSTER, RELEASE), STATE) == ()

    def test_a_failed_create_is_one_though_the_state_does_not_have_it(self) -> None:
        urn = f"{PREFIX}aws:ec2/vpc:Vpc::qhub"
        events = [seen(0, "resourcePreEvent", urn, "create"), seen(4, "resOpFailedEvent", urn, "create")]
        assert [(one.name, one.seconds) for one in operations("up", events, STATE)] == [("qhub", 4)]

    def test_resources_are_counted_without_what_takes_no_time(self) -> None:
        assert resource_counts(STATE) == {"aws:eks/cluster:Cluster": 1, "kubernetes:helm.sh/v3:Release": 1}


def test_a_run_tells_its_changes_and_errors() -> None:
    events = (
        Seen(moment=0, kind="diagnosticEvent", body={"severity": "error", "urn": CLUSTER, "message": "no\n"}),
        Seen(moment=0, kind="diagnosticEvent", body={"severity": "info", "urn": CLUSTER, "message": "fine"}),
        Seen(moment=1, kind="summaryEvent", body={"resourceChanges": {"same": 3}}),
    )
    made = Run(command="up", returncode=1, events=events, printed="")
    assert (made.changes, list(made.errors)) == ({"same": 3}, [(CLUSTER, "no")])
