"""What only the cloud can tell: a quota of zero ends the rehearsal with its words and the key to change."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass

import pytest

from qhub.rehearsal.clouds.faults import FAULTS_VARIABLE
from qhub.rehearsal.report import from_json
from tests.engine.main_job.project import ROOT, Project
from tests.engine.rehearse import rehearsing
from tests.engine.rehearse.rehearsing import left


@dataclass(frozen=True, kw_only=True)
class Quota:
    """An account that may have none of a kind of node.

    Attributes:
        template: the settings, in `tests/assets`.
        type: type of the resource that is refused.
        where: which of them.
        says: what the cloud says, in the form of its API's own message.
        what: how a person is told which resource it is.
    """

    template: str
    type: str
    where: dict[str, str]
    says: str
    what: str

    @property
    def fault(self) -> str:
        """As the variable has it."""
        return json.dumps([{"quota": 0, "type": self.type, "where": self.where, "message": self.says}])


DIGITALOCEAN = Quota(
    template="config_do.yaml",
    type="digitalocean:index/kubernetesNodePool:KubernetesNodePool",
    where={"size": "gpu-*"},
    says="droplet limit exceeded: this account may have 0 GPU Droplets of size gpu-h100x1-80gb",
    what="KubernetesNodePool pools-gpu",
)
AWS = Quota(
    template="config_aws.yaml",
    type="aws:eks/nodeGroup:NodeGroup",
    where={"instanceTypes[*]": "g4dn.*"},
    says="VcpuLimitExceeded: You have requested more vCPU capacity than your current vCPU limit of 0 allows for the "
    "instance bucket that the specified instance type belongs to",
    what="NodeGroup pools-gpu",
)
GCP = Quota(
    template="config_gcp.yaml",
    type="gcp:container/nodePool:NodePool",
    where={"nodeConfig.machineType": "g2-*"},
    says="Insufficient regional quota to satisfy request: resource \"NVIDIA_L4_GPUS\": request requires '1.0' and is "
    "short '1.0'. project has a quota of '0.0' with '0.0' available",
    what="NodePool pools-gpu",
)
AZURE = Quota(
    template="config_azure.yaml",
    type="azure-native:containerservice:AgentPool",
    where={"vmSize": "Standard_NC*"},
    says="ErrCode_InsufficientVCPUQuota: Insufficient vcpu quota requested 4, remaining 0 for family "
    "standardNCASv3_T4Family for region westeurope",
    what="AgentPool pools-gpu",
)
#: The key, and what else a person can do.
KEY = "cluster.node_pools.gpu.max"


def rehearse(project: Project, quota: Quota, *words: str, faults: str = "") -> subprocess.CompletedProcess[str]:
    file = ROOT / "tests" / "assets" / quota.template
    environment = {FAULTS_VARIABLE: faults or quota.fault, "COLUMNS": "200"}
    return rehearsing.rehearse(project, "--config-file", str(file), *words, stack="prod", **environment)


@pytest.mark.parametrize("quota", [AWS, GCP, DIGITALOCEAN, AZURE], ids=["aws", "gcp", "digitalocean", "azure"])
def test_a_quota_of_zero_names_the_resource_and_the_key(project: Project, quota: Quota) -> None:
    done = rehearse(project, quota, "--json")

    assert done.returncode == 1, done.stdout + done.stderr
    recording = from_json(json.loads(done.stdout))
    assert not recording.passed
    # Nothing was tried on a cluster that is not there, and everything was taken away.
    assert [step.name for step in recording.steps] == ["up", "left"]
    assert recording.failures
    for failure in recording.failures:
        # AWS has a group in each zone, each with its own refusal.
        assert failure.what.startswith(quota.what)
        assert (failure.step, failure.key) == ("up", KEY)
        assert quota.says in failure.message
        assert "higher quota" in failure.hint
    assert "Traceback" not in done.stdout + done.stderr
    assert left(project) == []


def test_a_person_reads_the_clouds_words_and_the_key(project: Project) -> None:
    done = rehearse(project, DIGITALOCEAN)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "did not pass" in done.stdout
    assert DIGITALOCEAN.what in done.stdout
    assert DIGITALOCEAN.says in done.stdout
    assert f"Change {KEY}" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert KEY in (project.folder / "build" / "rehearsal-prod.html").read_text(encoding="utf-8")
    assert left(project) == []


def test_a_fault_that_means_nothing_starts_nothing(project: Project) -> None:
    done = rehearse(project, DIGITALOCEAN, faults='[{"qouta": 0}]')

    assert done.returncode == 1
    assert f"{FAULTS_VARIABLE}[0] has no key 'qouta'" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert left(project) == []
