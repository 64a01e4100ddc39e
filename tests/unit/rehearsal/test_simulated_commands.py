"""The stand-ins for `aws`, `gke-gcloud-auth-plugin`, `kubelogin`, `doctl`, `az`: what they answer, what they refuse."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from qhub.rehearsal.commands import COMMANDS, install
from qhub.rehearsal.commands.arguments import CommandError
from qhub.rehearsal.commands.clouds import ANSWERS
from qhub.rehearsal.simulated.identity import CLUSTERS, Identity, all_kubernetes, kubernetes_of, save_identity

AKS = "6dae42f8-4368-4678-94ff-3960e28e3630"
ASKED = {
    "aws": ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "prod", "--output", "json"],
    "gke-gcloud-auth-plugin": [],
    "kubelogin": ["get-token", "--login", "azurecli", "--server-id", AKS],
    "doctl": [
        "kubernetes", "cluster", "kubeconfig", "exec-credential", "--version=v1beta1", "--context=default", "id-prod",
    ],
}  # fmt: skip
CLOUDS = {"aws": "aws", "gke-gcloud-auth-plugin": "gcp", "kubelogin": "azure", "doctl": "digitalocean"}


class Clusters:
    """Folders of clusters as `create` leaves them; nothing runs."""

    def __init__(self, world: Path) -> None:
        self.world = world

    def add(self, cloud: str, name: str, *, region: str = "eu-west-1", port: int = 20001, keys: bool = True) -> None:
        folder = self.world / CLUSTERS / f"{cloud}-{name}-{region}"
        made = Identity(name=name, version="1.34", cloud=cloud, region=region, id=f"id-{name}")
        save_identity(folder, made)
        state = {"version": 1, "ports": {"kube-apiserver": port}, "pids": {}, "set_up": True}
        (folder / "state.json").write_text(json.dumps(state))
        (folder / "pki").mkdir()
        if keys:
            (folder / "pki" / "admin.crt").write_text(f"certificate of {cloud} {name}")
            (folder / "pki" / "admin.key").write_text("key")

    def environment(self, *, version: str = "v1beta1", server: str = "") -> dict[str, str]:
        spec = {"interactive": False, **({"cluster": {"server": server}} if server else {})}
        info = {"apiVersion": f"client.authentication.k8s.io/{version}", "kind": "ExecCredential", "spec": spec}
        return {"QHUB_REHEARSAL_WORLD": str(self.world), "KUBERNETES_EXEC_INFO": json.dumps(info)}

    def ask(self, command: str, *arguments: str, **question: str) -> dict[str, Any]:
        return json.loads(ANSWERS[command](arguments, self.environment(**question)))


@pytest.fixture
def clusters(tmp_path: Path) -> Clusters:
    made = Clusters(tmp_path)
    for cloud in CLOUDS.values():
        made.add(cloud, "prod")
    return made


class TestAnswers:
    @pytest.mark.parametrize("command", ASKED)
    def test_the_clouds_own_command_line_gives_the_administrators_certificate(
        self, clusters: Clusters, command: str
    ) -> None:
        given = clusters.ask(command, *ASKED[command])
        assert (given["apiVersion"], given["kind"]) == ("client.authentication.k8s.io/v1beta1", "ExecCredential")
        assert given["status"] == {
            "clientCertificateData": f"certificate of {CLOUDS[command]} prod",
            "clientKeyData": "key",
        }

    @pytest.mark.parametrize("command", sorted({*ASKED} - {"doctl"}))
    def test_the_answer_is_of_the_version_that_was_asked_for(self, clusters: Clusters, command: str) -> None:
        assert clusters.ask(command, *ASKED[command], version="v1")["apiVersion"].endswith("/v1")

    @pytest.mark.parametrize(("command", "cloud"), [("gke-gcloud-auth-plugin", "gcp"), ("kubelogin", "azure")])
    def test_of_two_clusters_the_server_tells_which(self, clusters: Clusters, command: str, cloud: str) -> None:
        clusters.add(cloud, "staging", port=20002)
        found = clusters.ask(command, *ASKED[command], server="https://127.0.0.1:20002")
        assert found["status"]["clientCertificateData"] == f"certificate of {cloud} staging"
        with pytest.raises(CommandError, match="provideClusterInfo: true"):
            clusters.ask(command, *ASKED[command])

    def test_aws_takes_its_region_from_the_environment(self, clusters: Clusters) -> None:
        environment = {**clusters.environment(), "AWS_REGION": "eu-west-1"}
        assert ANSWERS["aws"](["eks", "get-token", "--cluster-name=prod"], environment)

    def test_the_same_name_in_two_regions_is_two_clusters(self, clusters: Clusters) -> None:
        clusters.add("aws", "prod", region="us-east-1", keys=False)
        with pytest.raises(CommandError, match="still being created"):
            clusters.ask("aws", "--region", "us-east-1", "eks", "get-token", "--cluster-name", "prod")


def changed(command: str, old: str, *new: str) -> list[str]:
    place = ASKED[command].index(old)
    return [*ASKED[command][:place], *new, *ASKED[command][place + 1 :]]


class TestRefusals:
    @pytest.mark.parametrize(
        ("command", "arguments", "message"),
        [
            ("aws", changed("aws", "prod", "Prod"), "no cluster Prod in eu-west-1 .* Clusters: prod in eu-west-1"),
            ("aws", changed("aws", "eu-west-1", "eu-west-2"), "no cluster prod in eu-west-2"),
            ("aws", ["eks", "get-token", "--cluster-name", "prod"], "must specify a region"),
            ("aws", ["--region", "eu-west-1", "eks", "get-token"], "--cluster-name is missing"),
            ("aws", changed("aws", "--cluster-name", "--cluster-nam"), "did you mean --cluster-name"),
            ("aws", changed("aws", "json", "text"), "reads json"),
            ("aws", [*ASKED["aws"], "--region", "x"], "--region is given twice"),
            ("aws", [*ASKED["aws"], "--role-arn", "admin"], "expected arn:aws:iam"),
            ("aws", ["s3", "ls"], "nothing but: eks get-token"),
            ("gke-gcloud-auth-plugin", ["get-token"], "nothing but: no words"),
            ("gke-gcloud-auth-plugin", ["--project", "x"], "no option"),
            ("kubelogin", changed("kubelogin", AKS, "0000"), f"the server of AKS is {AKS}"),
            ("kubelogin", ["get-token", "--server-id", AKS], "nobody is there to sign in"),
            ("kubelogin", changed("kubelogin", "azurecli", "spn"), "--client-id is missing"),
            ("kubelogin", ["convert-kubeconfig"], "nothing but: get-token"),
            (
                "doctl",
                changed("doctl", "id-prod", "prod"),
                r"no cluster prod .*: prod in eu-west-1 \(id-prod\)",
            ),
            ("doctl", changed("doctl", "--version=v1beta1", "--version=v1"), "expected v1beta1"),
            ("doctl", changed("doctl", "exec-credential", "show"), "nothing but"),
            ("doctl", ASKED["doctl"][:-1], "CLUSTER_ID"),
            ("az", ["account", "show"], "come from kubelogin"),
        ],
    )
    def test_what_the_real_command_or_the_cloud_would_not_take(
        self, clusters: Clusters, command: str, arguments: list[str], message: str
    ) -> None:
        with pytest.raises(CommandError, match=message):
            clusters.ask(command, *arguments)

    def test_a_server_that_is_not_the_clusters(self, clusters: Clusters) -> None:
        with pytest.raises(CommandError, match=r"https://127\.0\.0\.1:1 is not that of the cluster prod in eu-west-1"):
            clusters.ask("aws", *ASKED["aws"], server="https://127.0.0.1:1")

    def test_versions_that_clients_do_not_speak(self, clusters: Clusters) -> None:
        with pytest.raises(CommandError, match="v1alpha1, expected one of"):
            clusters.ask("aws", *ASKED["aws"], version="v1alpha1")
        with pytest.raises(CommandError, match="doctl speaks"):
            clusters.ask("doctl", *ASKED["doctl"], version="v1")

    @pytest.mark.parametrize("info", ["[]", "no json", '{"spec": {}}', '{"apiVersion": "x", "spec": 1}'])
    def test_a_question_that_is_none(self, clusters: Clusters, info: str) -> None:
        environment = {**clusters.environment(), "KUBERNETES_EXEC_INFO": info}
        with pytest.raises(CommandError, match="KUBERNETES_EXEC_INFO holds no ExecCredential"):
            ANSWERS["aws"](ASKED["aws"], environment)

    @pytest.mark.parametrize("command", [*ASKED, "az"])
    def test_no_rehearsal(self, command: str) -> None:
        with pytest.raises(CommandError, match="QHUB_REHEARSAL_WORLD is not set"):
            ANSWERS[command](ASKED.get(command, []), {})


class TestInstalled:
    def test_the_commands_run_from_any_folder_and_tell_errors_in_a_line(
        self, clusters: Clusters, tmp_path: Path
    ) -> None:
        folder = install(tmp_path / "a folder")
        assert sorted(file.name for file in folder.iterdir()) == sorted(COMMANDS)
        (tmp_path / "qhub").mkdir()  # what somebody has lying about is not imported
        (tmp_path / "qhub" / "__init__.py").write_text("raise SystemExit('not this one')")
        environment = {"PATH": os.environ["PATH"], **clusters.environment()}
        for name, status in (("prod", 0), ("none", 1)):
            command = [folder / "aws", "--region", "eu-west-1", "eks", "get-token", "--cluster-name", name]
            answer = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert answer.returncode == status
            assert len((answer.stdout + answer.stderr).splitlines()) == 1
        assert "no cluster none" in answer.stderr

    def test_a_second_time_changes_nothing(self, tmp_path: Path) -> None:
        before = {file: file.stat().st_ino for file in install(tmp_path).iterdir()}
        assert {file: file.stat().st_ino for file in install(tmp_path).iterdir()} == before


class TestFolders:
    def test_clusters_of_one_name_have_folders_of_their_own_and_every_name_gives_a_folder(self, tmp_path: Path) -> None:
        places = [("aws", "r1", "Prod_1"), ("aws", "r2", "Prod_1"), ("gcp", "r1", "Prod_1"), ("aws", "r1", "x" * 100)]
        made = [kubernetes_of(tmp_path, cloud=cloud, region=region, name=name) for cloud, region, name in places]
        assert len({one.folder for one in made}) == 4
        assert kubernetes_of(tmp_path, cloud="aws", region="r1", name="Prod_1").folder == made[0].folder

    def test_a_cluster_on_its_way_out_is_no_cluster(self, clusters: Clusters) -> None:
        [folder] = [folder for identity, folder in all_kubernetes(clusters.world) if identity.cloud == "aws"]
        folder.rename(folder.with_name("deleted-0123abcd"))
        assert {identity.cloud for identity, _ in all_kubernetes(clusters.world)} == {*CLOUDS.values()} - {"aws"}
