"""What a user of the embedded cluster sees: volumes, load balancers, rights, pods. All on the session's cluster."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from qhub.rehearsal.cluster import ClusterError, EmbeddedCluster, SimulatedNode, Taint
from qhub.rehearsal.cluster.api import Api, ApiError
from qhub.rehearsal.toolchain import tool_path
from tests.engine.waiting import eventually

Json = dict[str, Any]


def pod_spec(**spec: Any) -> Json:
    return {"containers": [{"name": "main", "image": "example.invalid/main:1"}], **spec}


def pod(name: str, *, fault: str = "", **spec: Any) -> Json:
    annotations = {"rehearsal.qhub.dev/fault": fault} if fault else {}
    return {"metadata": {"name": name, "annotations": annotations}, "spec": pod_spec(**spec)}


def workload(kind: str, name: str, *, replicas: int | None = None, **extra: Any) -> Json:
    labels = {"app": name}
    return {
        "kind": kind,
        "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_spec(**extra.pop("pod", {}))},
            **({} if replicas is None else {"replicas": replicas}),
            **extra,
        },
    }


def condition(item: Json, kind: str) -> Json:
    return next((c for c in item.get("status", {}).get("conditions", []) if c["type"] == kind), {})


def is_ready(item: Json) -> bool:
    return condition(item, "Ready").get("status") == "True"


class TestVolumes:
    @pytest.fixture
    def claims(self, namespace: str) -> str:
        return f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"

    def claim(self, name: str, size: str = "1Gi", **spec: Any) -> Json:
        return {
            "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}, **spec},
        }

    def bound(self, api: Api, path: str) -> Json:
        return eventually(lambda: api.get(path), lambda claim: claim["status"]["phase"] == "Bound")

    def test_a_claim_without_a_class_is_bound_grows_and_takes_its_volume_along(self, api: Api, claims: str) -> None:
        api.create(claims, self.claim("data"))
        bound = self.bound(api, f"{claims}/data")
        assert bound["spec"]["storageClassName"] == "standard"
        assert bound["status"]["capacity"] == {"storage": "1Gi"}
        volume = f"/api/v1/persistentvolumes/{bound['spec']['volumeName']}"

        api.merge(f"{claims}/data", {"spec": {"resources": {"requests": {"storage": "3Gi"}}}})
        grown = eventually(
            lambda: api.get(f"{claims}/data"), lambda claim: claim["status"]["capacity"]["storage"] == "3Gi"
        )
        assert not grown["status"].get("conditions")
        assert api.get(volume)["spec"]["capacity"]["storage"] == "3Gi"

        api.delete(f"{claims}/data")
        eventually(lambda: volume in {self_path(item) for item in api.items("/api/v1/persistentvolumes")}, _not)

    def test_a_retained_volume_outlives_its_claim(self, api: Api, claims: str) -> None:
        kept = f"/apis/storage.k8s.io/v1/storageclasses/kept-{claims.split('/')[4]}"
        api.apply(
            kept,
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": kept.rsplit("/", 1)[1]},
                "provisioner": "rehearsal.qhub.dev/disk",
                "reclaimPolicy": "Retain",
            },
        )
        api.create(claims, self.claim("data", storageClassName=kept.rsplit("/", 1)[1]))
        volume = f"/api/v1/persistentvolumes/{self.bound(api, f'{claims}/data')['spec']['volumeName']}"
        api.delete(f"{claims}/data")
        eventually(lambda: api.get(volume)["status"]["phase"], lambda phase: phase == "Released")
        api.delete(volume)
        api.delete(kept)

    def test_a_claim_that_cannot_be_served_says_why(self, api: Api, claims: str) -> None:
        api.create(claims, self.claim("chosen", selector={"matchLabels": {"disk": "mine"}}))
        events = claims.replace("persistentvolumeclaims", "events")
        warning = eventually(
            lambda: [event for event in api.items(events) if event["reason"] == "ProvisioningFailed"]
        )[0]  # fmt: skip
        assert "selector" in warning["message"]
        assert warning["involvedObject"]["kind"] == "PersistentVolumeClaim"
        assert api.get(f"{claims}/chosen")["status"]["phase"] == "Pending"


def self_path(volume: Json) -> str:
    return f"/api/v1/persistentvolumes/{volume['metadata']['name']}"


def _not(seen: object) -> bool:
    return not seen


class TestLoadBalancers:
    @pytest.fixture
    def services(self, namespace: str) -> str:
        return f"/api/v1/namespaces/{namespace}/services"

    def service(self, name: str, **spec: Any) -> Json:
        return {"metadata": {"name": name}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}], **spec}}

    def address(self, api: Api, path: str) -> str:
        seen = eventually(lambda: api.get(path)["status"]["loadBalancer"].get("ingress"))
        return seen[0]["ip"]

    def test_addresses_are_loopback_differ_and_are_freed(self, api: Api, services: str) -> None:
        for name in ("one", "two"):
            api.create(services, self.service(name))
        one, two = (self.address(api, f"{services}/{name}") for name in ("one", "two"))
        assert one != two
        assert all(ipaddress.ip_address(address) in ipaddress.ip_network("127.97.0.0/16") for address in (one, two))

        api.create(services, self.service("wants-one", loadBalancerIP=one))
        events = services.replace("services", "events")
        warning = eventually(lambda: [event for event in api.items(events) if "in use by" in event["message"]])[0]
        assert warning["involvedObject"]["name"] == "wants-one"

        api.delete(f"{services}/one")
        assert self.address(api, f"{services}/wants-one") == one

    def test_a_service_that_is_no_load_balancer_any_more_gives_its_address_back(self, api: Api, services: str) -> None:
        api.create(services, self.service("changing", loadBalancerIP="127.97.9.9"))
        assert self.address(api, f"{services}/changing") == "127.97.9.9"
        api.merge(f"{services}/changing", {"spec": {"type": "ClusterIP", "loadBalancerIP": None}})
        eventually(lambda: api.get(f"{services}/changing")["status"]["loadBalancer"], _not)


class TestRights:
    def test_an_unbound_service_account_may_not_read_secrets(
        self, api: Api, namespace: str, embedded_cluster: EmbeddedCluster
    ) -> None:
        api.create(f"/api/v1/namespaces/{namespace}/serviceaccounts", {"metadata": {"name": "nobody"}})
        answer = subprocess.run(
            [
                tool_path("kubectl"), "--kubeconfig", embedded_cluster.kubeconfig_path, "--namespace", namespace,
                "get", "secrets", "--as", f"system:serviceaccount:{namespace}:nobody",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert answer.returncode != 0
        assert "cannot list resource" in answer.stderr

    @pytest.mark.parametrize("identity", ["kwok", "controllers", "kube-scheduler"])
    def test_components_have_their_own_rights_only(
        self, api: Api, embedded_cluster: EmbeddedCluster, identity: str
    ) -> None:
        own = Api(api._port, pki=api_pki(embedded_cluster), identity=identity)
        with pytest.raises(ApiError, match="forbidden"):
            own.items("/api/v1/secrets")

    def test_a_restricted_namespace_refuses_a_privileged_pod(self, api: Api, namespace: str) -> None:
        name = f"{namespace}-restricted"
        # From the start: the API server hears of other labels of a namespace that it knows a moment later.
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        api.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
        try:
            with pytest.raises(ApiError, match="violates PodSecurity"):
                api.create(f"/api/v1/namespaces/{name}/pods", pod("root"))
        finally:
            api.delete(f"/api/v1/namespaces/{name}")


def api_pki(cluster: EmbeddedCluster) -> Any:
    from qhub.rehearsal.cluster.pki import Pki

    return Pki(cluster.folder / "pki")


class TestWorkloads:
    @pytest.fixture
    def pods(self, namespace: str, api: Api) -> str:
        eventually(lambda: api.items(f"/api/v1/namespaces/{namespace}/serviceaccounts"))
        return f"/api/v1/namespaces/{namespace}/pods"

    def test_deployment_stateful_set_daemon_set_and_job_reach_their_end(
        self, api: Api, namespace: str, pods: str
    ) -> None:
        apps = f"/apis/apps/v1/namespaces/{namespace}"
        jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        init = {"initContainers": [{"name": "first", "image": "example.invalid/first:1"}]}
        api.create(f"{apps}/deployments", workload("Deployment", "web", replicas=2, pod=init))
        api.create(f"{apps}/statefulsets", workload("StatefulSet", "db", replicas=2, serviceName="db"))
        api.create(f"{apps}/daemonsets", workload("DaemonSet", "agent"))
        api.create(
            jobs,
            {"metadata": {"name": "work"}, "spec": {"template": {"spec": pod_spec(restartPolicy="Never")}}},
        )
        eventually(lambda: api.get(f"{apps}/deployments/web")["status"].get("availableReplicas") == 2)
        eventually(lambda: api.get(f"{apps}/statefulsets/db")["status"].get("readyReplicas") == 2)
        eventually(lambda: api.get(f"{apps}/daemonsets/agent")["status"].get("numberReady", 0) >= 2)
        eventually(lambda: condition(api.get(f"{jobs}/work"), "Complete").get("status") == "True")

        running = [item["status"] for item in api.items(pods) if item["status"]["phase"] == "Running"]
        addresses = [status["podIP"] for status in running]
        assert len(set(addresses)) == len(addresses)
        assert all(status["startTime"] and status["hostIP"] for status in running)
        web = next(status for status in running if status.get("initContainerStatuses"))
        assert web["initContainerStatuses"][0]["state"]["terminated"]["exitCode"] == 0

    def test_a_service_has_its_ready_pods_as_endpoints(self, api: Api, namespace: str, pods: str) -> None:
        api.create(pods, {**pod("backend"), "metadata": {"name": "backend", "labels": {"app": "backend"}}})
        api.create(
            f"/api/v1/namespaces/{namespace}/services",
            {"metadata": {"name": "backend"}, "spec": {"selector": {"app": "backend"}, "ports": [{"port": 80}]}},
        )
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        found = eventually(
            lambda: [point for item in api.items(slices) for point in item.get("endpoints") or []],
            lambda points: points and points[0]["conditions"]["ready"],
        )
        assert found[0]["addresses"] == [api.get(f"{pods}/backend")["status"]["podIP"]]

    def test_logs_of_a_simulated_container_say_what_it_is(
        self, api: Api, pods: str, embedded_cluster: EmbeddedCluster
    ) -> None:
        api.create(pods, pod("quiet"))
        eventually(lambda: is_ready(api.get(f"{pods}/quiet")))
        assert "this container is simulated" in api.text(f"{pods}/quiet/log")


class TestFaults:
    @pytest.fixture
    def pods(self, namespace: str, api: Api) -> str:
        eventually(lambda: api.items(f"/api/v1/namespaces/{namespace}/serviceaccounts"))
        return f"/api/v1/namespaces/{namespace}/pods"

    def events(self, api: Api, pods: str, name: str) -> list[Json]:
        return [e for e in api.items(pods.replace("/pods", "/events")) if e["involvedObject"]["name"] == name]

    @pytest.mark.parametrize(
        ("fault", "phase", "restarts", "message", "event"),
        [
            ("CrashLoopBackOff", "Running", 1, "back-off 10s restarting failed container=main pod=broken_", "BackOff"),
            ("ImagePullBackOff", "Pending", 0, 'Back-off pulling image "example.invalid/main:1"', "Failed"),
        ],
    )
    def test_a_container_waits_with_the_reason_that_a_kubelet_gives(
        self, api: Api, pods: str, *, fault: str, phase: str, restarts: int, message: str, event: str
    ) -> None:
        api.create(pods, pod("broken", fault=fault))
        status = eventually(lambda: api.get(f"{pods}/broken")["status"], lambda s: s.get("containerStatuses"))
        container = status["containerStatuses"][0]
        assert status["phase"] == phase
        assert container["state"]["waiting"]["reason"] == fault
        assert container["state"]["waiting"]["message"].startswith(message)
        assert container["restartCount"] == restarts
        assert condition({"status": status}, "Ready")["status"] == "False"
        eventually(lambda: [e for e in self.events(api, pods, "broken") if e["reason"] == event])

    def test_a_fault_comes_and_goes_on_a_running_pod(self, api: Api, pods: str) -> None:
        api.create(pods, pod("flaky"))
        eventually(lambda: is_ready(api.get(f"{pods}/flaky")))
        annotation = {"rehearsal.qhub.dev/fault": "NotReady"}
        api.merge(f"{pods}/flaky", {"metadata": {"annotations": annotation}})
        found = eventually(lambda: condition(api.get(f"{pods}/flaky"), "Ready"), lambda c: c["status"] == "False")
        assert found["message"] == "containers with unready status: [main]"
        assert api.get(f"{pods}/flaky")["status"]["containerStatuses"][0]["state"].get("running")
        api.merge(f"{pods}/flaky", {"metadata": {"annotations": {"rehearsal.qhub.dev/fault": None}}})
        eventually(lambda: is_ready(api.get(f"{pods}/flaky")))

    def test_a_job_whose_pods_crash_fails(self, api: Api, namespace: str, pods: str) -> None:
        jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        template = {
            "metadata": {"annotations": {"rehearsal.qhub.dev/fault": "CrashLoopBackOff"}},
            "spec": pod_spec(restartPolicy="Never"),
        }
        api.create(jobs, {"metadata": {"name": "doomed"}, "spec": {"backoffLimit": 0, "template": template}})
        failed = eventually(lambda: condition(api.get(f"{jobs}/doomed"), "Failed"))
        assert failed["reason"] == "BackoffLimitExceeded"

    def test_a_misspelt_fault_does_not_run(self, api: Api, pods: str) -> None:
        api.create(pods, pod("typo", fault="CrashLoop"))
        status = eventually(lambda: api.get(f"{pods}/typo")["status"], lambda s: s.get("containerStatuses"))
        assert "expected CrashLoopBackOff" in status["containerStatuses"][0]["state"]["waiting"]["message"]


class TestScheduling:
    @pytest.fixture
    def pods(self, namespace: str, api: Api) -> str:
        eventually(lambda: api.items(f"/api/v1/namespaces/{namespace}/serviceaccounts"))
        return f"/api/v1/namespaces/{namespace}/pods"

    @pytest.fixture
    def gpu_node(self, embedded_cluster: EmbeddedCluster, api: Api, namespace: str) -> Iterator[str]:
        name = f"gpu-{namespace}"
        taint = Taint("nvidia.com/gpu", "NoSchedule", "present")
        embedded_cluster.add_node(SimulatedNode(name, cpu="4", gpu=1, labels={"pool": name}, taints=[taint]))
        eventually(lambda: is_ready(api.get(f"/api/v1/nodes/{name}")))
        yield name
        embedded_cluster.remove_node(name)

    def gpu_pod(self, name: str, pool: str, **spec: Any) -> Json:
        made = pod(name, nodeSelector={"pool": pool}, **spec)
        made["spec"]["containers"][0]["resources"] = {"limits": {"nvidia.com/gpu": "1"}}
        return made

    def test_selector_taint_and_capacity_count(self, api: Api, pods: str, gpu_node: str) -> None:
        tolerations = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
        api.create(pods, self.gpu_pod("first", gpu_node, tolerations=tolerations))
        assert eventually(lambda: api.get(f"{pods}/first"), is_ready)["spec"]["nodeName"] == gpu_node

        api.create(pods, self.gpu_pod("no-room", gpu_node, tolerations=tolerations))
        api.create(pods, self.gpu_pod("not-tolerated", gpu_node))
        for name, why in (("no-room", "Insufficient nvidia.com/gpu"), ("not-tolerated", "untolerated taint")):
            refused = eventually(lambda name=name: condition(api.get(f"{pods}/{name}"), "PodScheduled"))
            assert refused["reason"] == "Unschedulable"
            assert why in refused["message"]

    def test_the_pods_of_a_removed_node_move(
        self, api: Api, namespace: str, pods: str, embedded_cluster: EmbeddedCluster
    ) -> None:
        names = {f"{namespace}-{number}" for number in (1, 2)}
        for name in names:
            embedded_cluster.add_node(SimulatedNode(name, labels={"pool": namespace}))
        apps = f"/apis/apps/v1/namespaces/{namespace}/deployments"
        api.create(apps, workload("Deployment", "web", replicas=1, pod={"nodeSelector": {"pool": namespace}}))
        first = eventually(lambda: api.items(pods), lambda items: items and is_ready(items[0]))[0]["spec"]["nodeName"]

        embedded_cluster.remove_node(first)
        moved = eventually(lambda: api.items(pods), lambda items: len(items) == 1 and is_ready(items[0]))
        assert {moved[0]["spec"]["nodeName"]} == names - {first}
        assert first not in {item["metadata"]["name"] for item in api.items("/api/v1/nodes")}
        embedded_cluster.remove_node(moved[0]["spec"]["nodeName"])

    def test_what_cannot_be_done_to_nodes_is_said(self, embedded_cluster: EmbeddedCluster) -> None:
        with pytest.raises(ClusterError, match="already exists"):
            embedded_cluster.add_node(SimulatedNode("simulated-1"))
        with pytest.raises(ClusterError, match='"nowhere" not found'):
            embedded_cluster.remove_node("nowhere")
