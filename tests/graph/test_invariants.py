"""What has to hold of every resource graph, whatever is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pulumi
import pytest
from pulumi_kubernetes.core.v1 import ConfigMap

from tests.graph.configurations import OUTPUTS, SECRETS, record_configuration
from tests.graph.matrix import MATRIX, record_any
from tests.graph.recorder import SECRET_SIGNATURE, SIGNATURE_KEY, STACK_TYPE, Recording, Registered, record

RELEASE = "kubernetes:helm.sh/v3:Release"
CLAIM = "kubernetes:core/v1:PersistentVolumeClaim"


@pytest.fixture(scope="module", params=MATRIX)
def recording(request: pytest.FixtureRequest) -> Recording:
    return record_any(request.param)


def clear_texts(value: Any) -> Iterator[str]:
    """Yield every text that is not inside a secret."""
    if isinstance(value, dict):
        if value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
            return
        for item in value.values():
            yield from clear_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from clear_texts(item)
    elif isinstance(value, str):
        yield value


def transitive(recording: Recording, made: Registered) -> set[str]:
    """Return the names of all resources that have to be there before one."""
    todo, seen = list(made.dependencies), set[str]()
    while todo:
        urn = todo.pop()
        if urn not in seen:
            seen.add(urn)
            todo.extend(recording.resources[urn].dependencies)
    return {recording.resources[urn].name for urn in seen}


class TestEveryConfiguration:
    def test_runs_without_an_error(self, recording: Recording) -> None:
        assert recording.problems == []

    def test_every_resource_has_a_provider_of_ours(self, recording: Recording) -> None:
        # `pulumi:disable-default-providers` refuses the others.
        missing = [
            made.urn
            for made in recording.resources.values()
            if made.custom and not made.type.startswith("pulumi:") and made.provider not in recording.resources
        ]

        assert missing == []

    def test_everything_belongs_to_a_component_of_ours(self, recording: Recording) -> None:
        for made in recording.resources.values():
            if made.type == STACK_TYPE or made.type.startswith("pulumi:providers:"):
                continue  # one provider for everything on a cloud stands beside what is made with it
            top = made
            while recording.resources[top.parent].type != STACK_TYPE:
                top = recording.resources[top.parent]
            assert top.type.startswith("qhub:"), made.urn

    def test_no_secret_is_in_clear_in_any_input(self, recording: Recording) -> None:
        for made in recording.resources.values():
            texts = list(clear_texts(made.inputs))
            leaked = [kind for kind, secret in SECRETS.items() if any(secret in text for text in texts)]
            assert leaked == [], made.urn

    def test_no_secret_is_in_clear_in_the_outputs(self, recording: Recording) -> None:
        texts = list(clear_texts(recording.outputs))

        assert [secret for secret in SECRETS.values() if any(secret in text for text in texts)] == []
        assert recording.outputs["kubeconfig"][SIGNATURE_KEY] == SECRET_SIGNATURE

    def test_no_name_comes_from_a_place_in_a_list(self, recording: Recording) -> None:
        assert [made.name for made in recording.resources.values() if re.search(r"(^|-)\d+(-|$)", made.name)] == []

    def test_namespaces_come_before_what_is_in_them(self, recording: Recording) -> None:
        owners = {
            made.inputs["metadata"]["name"]: made.name
            for made in recording.resources.values()
            if made.type in ("kubernetes:core/v1:Namespace", "kubernetes:core/v1:NamespacePatch")
        }
        for made in recording.resources.values():
            metadata = made.inputs if made.type == RELEASE else made.inputs.get("metadata", {})
            namespace = metadata.get("namespace")
            if namespace not in (None, "kube-system"):
                assert owners[namespace] in transitive(recording, made), made.urn

    def test_every_release_says_its_name_version_and_patience(self, recording: Recording) -> None:
        for made in recording.of_type(RELEASE):
            assert {"name", "namespace", "version", "timeout", "chart", "values"} <= made.inputs.keys()
            assert made.inputs["maxHistory"] == 5

    def test_data_that_is_protected_is_kept_too(self, recording: Recording) -> None:
        for made in recording.resources.values():
            if made.type.startswith("kubernetes:"):
                assert bool(made.protect) == bool(made.retain_on_delete), made.urn
            assert made.protect or not made.retain_on_delete, made.urn

    def test_the_outputs_tell_people_what_they_need(self, recording: Recording) -> None:
        # Only where there are terminals over SSH: where they are.
        assert recording.outputs.keys() - {"ssh"} == {
            "address",
            "load_balancer",
            "login_hint",
            "namespace",
            "releases",
            "kubeconfig",
            *(
                ["grafana", "grafana_admin_password"]
                if "kube-prometheus-stack" in recording.outputs["releases"]
                else []
            ),
        }
        assert {status["status"] for status in recording.outputs["releases"].values()} == {"deployed"}


class TestOrder:
    def test_nobody_is_offered_an_environment_that_is_not_complete(self) -> None:
        recording = record_configuration("environments-ssh")
        [hub] = [made for made in recording.of_type(RELEASE) if made.inputs["name"] == "jupyterhub"]
        [job] = recording.of_type("kubernetes:batch/v1:Job")

        assert job.name in transitive(recording, hub)

    def test_no_environment_is_installed_before_its_network_policy_is_there(self) -> None:
        recording = record_configuration("environments-ssh")
        [job] = recording.of_type("kubernetes:batch/v1:Job")

        assert "qhub-environments-policy" in transitive(recording, job)

    def test_the_hub_comes_after_all_that_it_stands_on(self) -> None:
        local = record_configuration("local")
        before = transitive(local, local.one(RELEASE, "qhub-jupyterhub"))

        assert {
            "qhub-namespace",
            "qhub-storage-claim",
            "qhub-ingress-ingress-nginx",
            "qhub-storage-nfs-server",
        } <= before

    def test_dask_comes_after_its_network_policies_and_waits_for_no_other_release(self) -> None:
        local = record_configuration("local")
        before = transitive(local, local.one(RELEASE, "qhub-dask-gateway"))

        assert {"qhub-dask-gateway-clusters", "qhub-dask-gateway-schedulers"} <= before
        assert not {made.name for made in local.of_type(RELEASE)} & before

    def test_the_hub_waits_for_no_controller_without_a_webhook(self) -> None:
        traefik = record_configuration("traefik")

        assert "qhub-ingress-traefik" not in transitive(traefik, traefik.one(RELEASE, "qhub-jupyterhub"))

    @pytest.mark.parametrize("name", ["local", "traefik"])
    def test_load_balancer_and_controller_do_not_wait_for_each_other(self, name: str) -> None:
        recording = record_configuration(name)
        service = recording.one("kubernetes:core/v1:Service", "qhub-ingress-load-balancer")
        controller = next(made for made in recording.of_type(RELEASE) if made.name.startswith("qhub-ingress-"))

        assert controller.name not in transitive(recording, service)
        assert service.name not in transitive(recording, controller)


class TestSwitchOfTheController:
    def test_the_load_balancer_and_the_class_do_not_change_at_all(self) -> None:
        before = record_configuration("local", ingress={"controller": "ingress-nginx"})
        after = record_configuration("local", ingress={"controller": "traefik"})
        same = ("kubernetes:core/v1:Service", "kubernetes:networking.k8s.io/v1:IngressClass")

        for type_token in same:
            assert before.of_type(type_token) == after.of_type(type_token)
        assert before.one(RELEASE, "qhub-jupyterhub").inputs == after.one(RELEASE, "qhub-jupyterhub").inputs

    def test_one_release_goes_and_one_comes(self) -> None:
        before = record_configuration("local", ingress={"controller": "ingress-nginx"}).resources
        after = record_configuration("local", ingress={"controller": "traefik"}).resources

        assert {urn.split("::")[-1] for urn in before.keys() ^ after.keys()} == {
            "qhub-ingress-ingress-nginx",
            "qhub-ingress-traefik",
        }


class TestData:
    def test_one_changed_setting_changes_one_release(self) -> None:
        before = record_configuration("local").resources
        after = record_configuration("local", jupyterhub={"cull": {"timeout": 700}}).resources

        assert [urn.split("::")[-1] for urn in before if before[urn] != after[urn]] == ["qhub-jupyterhub"]

    def test_a_larger_disk_replaces_nothing(self) -> None:
        storage = {"kind": "nfs-server", "protect": True}
        before = record_configuration("local", storage={**storage, "size": "5Gi"}).resources
        after = record_configuration("local", storage={**storage, "size": "9Gi"}).resources
        changed = {after[urn].name: after[urn] for urn in before if before[urn] != after[urn]}

        # The claim for the shared files is bound by hand: the API server would refuse a larger request.
        assert changed.keys() == {"qhub-storage-nfs-server-disk", "qhub-storage-volume", "qhub-storage-claim"}
        assert changed["qhub-storage-claim"].ignore_changes == ("spec.resources.requests.storage",)
        assert changed["qhub-storage-nfs-server-disk"].inputs["spec"]["resources"]["requests"]["storage"] == "9Gi"

    def test_protected_are_the_disk_the_files_the_address_and_their_namespaces(self) -> None:
        storage = {"kind": "nfs-server", "protect": True}
        recording = record_configuration("local", storage=storage)

        assert {made.name for made in recording.resources.values() if made.protect} == {
            "qhub-namespace",
            "qhub-storage-nfs-server-namespace",
            "qhub-storage-nfs-server-disk",
            "qhub-storage-nfs-server-service",
            "qhub-storage-volume",
            "qhub-storage-claim",
        }

    def test_the_local_stack_can_be_destroyed_whole(self) -> None:
        assert [made.urn for made in record_configuration("local").resources.values() if made.protect] == []

    def test_nodes_mount_an_address_not_a_name(self) -> None:
        volume = record_configuration("local").one("kubernetes:core/v1:PersistentVolume")

        assert volume.inputs["spec"]["nfs"] == {"server": "127.96.0.10", "path": "/"}

    def test_a_storage_class_makes_the_volume_itself(self) -> None:
        recording = record_configuration("storage-class")
        claim = recording.one(CLAIM)

        assert recording.of_type("kubernetes:core/v1:PersistentVolume") == []
        assert claim.inputs["spec"] == {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "cephfs",
            "resources": {"requests": {"storage": "2Ti"}},
        }
        assert claim.protect

    def test_the_clusters_default_class_is_taken_by_naming_none(self) -> None:
        claim = record_configuration("storage-class", storage={"kind": "storage-class"}).one(CLAIM)

        assert "storageClassName" not in claim.inputs["spec"]

    def test_a_claim_of_a_storage_class_grows_in_place(self) -> None:
        before, after = (
            record_configuration("storage-class", storage={"kind": "storage-class", "size": size}).one(CLAIM)
            for size in ("5Gi", "9Gi")
        )

        assert after.urn == before.urn
        assert after.inputs["spec"]["resources"]["requests"]["storage"] == "9Gi"
        assert after.ignore_changes == ()

    def test_an_existing_claim_stays_somebody_elses(self) -> None:
        recording = record_configuration("existing-claim")

        assert recording.of_type(CLAIM) == []
        # A Namespace of ours would be deleted in the end, and the claim with it.
        assert recording.one("kubernetes:core/v1:NamespacePatch").inputs["metadata"]["name"] == "qhub"


class TestPreview:
    @pytest.mark.parametrize("name", MATRIX)
    def test_what_only_a_provider_knows_hides_no_resource(self, name: str) -> None:
        up, preview = (record_any(name, preview=preview) for preview in (False, True))

        assert preview.resources.keys() == up.resources.keys()

    def test_values_of_a_release_stay_readable(self) -> None:
        values = record_configuration("local", preview=True).one(RELEASE, "qhub-jupyterhub").inputs["values"]

        assert values["ingress"]["hosts"] == ["qhub.localhost"]


class TestTheRecorderItself:
    def test_a_duplicate_urn_is_refused(self) -> None:
        def program() -> None:
            for _ in range(2):
                pulumi.ComponentResource("qhub:test:Twice", "same")

        with pytest.raises(Exception, match="Duplicate resource URN"):
            record(program, outputs=OUTPUTS)

    def test_a_secret_in_clear_would_be_found(self) -> None:
        def program() -> None:
            ConfigMap("c", data={"a": SECRETS["password"], "b": pulumi.Output.secret(SECRETS["random"])})

        made = record(program, outputs=OUTPUTS).one("kubernetes:core/v1:ConfigMap")

        assert SECRETS["password"] in list(clear_texts(made.inputs))
        assert SECRETS["random"] not in list(clear_texts(made.inputs))
        assert made.provider == ""
