"""The storage controller as a function: claims, volumes and classes in, actions out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qhub.rehearsal.cluster.controllers import storage
from qhub.rehearsal.cluster.controllers.actions import Create, Delete, Patch, Warn

Json = dict[str, Any]

CLASS = {"metadata": {"name": "standard"}, "provisioner": "rehearsal.qhub.dev/disk", "reclaimPolicy": "Delete"}


def claim(*, uid: str = "u1", size: str = "1Gi", asked: bool = True, **spec: Any) -> Json:
    annotations = {"volume.kubernetes.io/storage-provisioner": "rehearsal.qhub.dev/disk"} if asked else {}
    return {
        "metadata": {"namespace": "team", "name": "data", "uid": uid, "annotations": annotations},
        "spec": {
            "storageClassName": "standard",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            **spec,
        },
        "status": {"phase": "Pending"},
    }


def volume(*, size: str = "1Gi", phase: str = "Bound", policy: str = "Delete", ours: bool = True) -> Json:
    annotations = {"pv.kubernetes.io/provisioned-by": "rehearsal.qhub.dev/disk"} if ours else {}
    return {
        "metadata": {"name": "pvc-u1", "uid": "v1", "annotations": annotations},
        "spec": {"capacity": {"storage": size}, "persistentVolumeReclaimPolicy": policy},
        "status": {"phase": phase},
    }


def bound(*, wanted: str, has: str, **status: Any) -> Json:
    made = claim(size=wanted, volumeName="pvc-u1")
    return {**made, "status": {"phase": "Bound", "capacity": {"storage": has}, **status}}


def reconcile(*, claims: list[Json] | None = None, volumes: list[Json] | None = None, cls: Json = CLASS) -> list[Any]:
    return storage.reconcile({storage.CLAIMS: claims or [], storage.VOLUMES: volumes or [], storage.CLASSES: [cls]})


class TestProvisioning:
    def test_a_claim_gets_a_volume_of_its_size_bound_to_it(self) -> None:
        asked = claim(size="7Gi", accessModes=["ReadWriteMany"])
        [action] = reconcile(claims=[asked], cls={**CLASS, "mountOptions": ["ro"], "reclaimPolicy": "Retain"})
        assert isinstance(action, Create)
        spec = action.body["spec"]
        assert action.body["metadata"]["name"] == "pvc-u1"
        assert spec["capacity"] == {"storage": "7Gi"}
        assert spec["accessModes"] == ["ReadWriteMany"]
        assert spec["persistentVolumeReclaimPolicy"] == "Retain"
        assert spec["mountOptions"] == ["ro"]
        assert (spec["claimRef"]["namespace"], spec["claimRef"]["name"], spec["claimRef"]["uid"]) == (
            "team", "data", "u1",
        )  # fmt: skip

    @pytest.mark.parametrize(
        "left_alone",
        [
            claim(asked=False),  # another provisioner's, or its node is not chosen yet
            claim(storageClassName="other"),
            claim(volumeName="by-hand"),
            {**claim(), "metadata": {**claim()["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}},
        ],
    )
    def test_other_claims_are_left_alone(self, left_alone: Json) -> None:
        assert reconcile(claims=[left_alone]) == []

    def test_the_volume_is_not_made_twice(self) -> None:
        assert reconcile(claims=[claim()], volumes=[volume()]) == []

    @pytest.mark.parametrize("unknown", ["selector", "dataSource", "dataSourceRef"])
    def test_what_it_cannot_do_it_says(self, unknown: str) -> None:
        asked = claim()
        asked["spec"][unknown] = {"name": "snapshot"}
        [action] = reconcile(claims=[asked])
        assert isinstance(action, Warn)
        assert (action.kind, action.reason) == ("PersistentVolumeClaim", "ProvisioningFailed")


class TestGrowth:
    def test_volume_and_claim_grow_together_and_growth_is_over(self) -> None:
        conditions = [{"type": "Resizing", "status": "True"}, {"type": "Other", "status": "True"}]
        grow_volume, grow_claim = reconcile(
            claims=[bound(wanted="2Gi", has="1Gi", conditions=conditions)], volumes=[volume()]
        )
        assert grow_volume == Patch("/api/v1/persistentvolumes/pvc-u1", {"spec": {"capacity": {"storage": "2Gi"}}})
        assert grow_claim.path == "/api/v1/namespaces/team/persistentvolumeclaims/data/status"
        assert grow_claim.body["status"]["capacity"] == {"storage": "2Gi"}
        assert [condition["type"] for condition in grow_claim.body["status"]["conditions"]] == ["Other"]

    def test_half_done_growth_is_finished(self) -> None:
        [action] = reconcile(claims=[bound(wanted="2Gi", has="1Gi")], volumes=[volume(size="2Gi")])
        assert action.path.endswith("/status")

    def test_a_volume_of_somebody_else_is_not_touched(self) -> None:
        assert reconcile(claims=[bound(wanted="2Gi", has="1Gi")], volumes=[volume(ours=False)]) == []

    @given(st.integers(1, 10**6), st.integers(1, 10**6))
    def test_nothing_shrinks_and_what_is_right_stays(self, wanted: int, has: int) -> None:
        actions = reconcile(claims=[bound(wanted=f"{wanted}Mi", has=f"{has}Mi")], volumes=[volume(size=f"{has}Mi")])
        assert len(actions) == (2 if wanted > has else 0)


class TestReclaim:
    def test_a_released_volume_goes(self) -> None:
        assert reconcile(volumes=[volume(phase="Released")]) == [Delete("/api/v1/persistentvolumes/pvc-u1", "v1")]

    @pytest.mark.parametrize(
        "kept",
        [
            volume(phase="Bound"),
            volume(phase="Released", policy="Retain"),
            volume(phase="Released", ours=False),
        ],
    )
    def test_all_others_stay(self, kept: Json) -> None:
        assert reconcile(volumes=[kept]) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("1k", 1000),
        ("1Ki", 1024),
        ("500m", Decimal("0.5")),
        ("1.5Gi", 3 * 2**29),
        ("1e3", 1000),
        ("2E", 2e18),
    ],
)
def test_quantities(text: str, number: float | Decimal) -> None:
    assert storage.quantity(text) == number
