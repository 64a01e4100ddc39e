"""The kubeconfig that AKS hands out."""

from __future__ import annotations

import base64
import json
from typing import Any

from qhub.rehearsal.clouds import kubernetes
from qhub.rehearsal.clouds.azure.pools import CLOUD
from qhub.rehearsal.clouds.azure.tokens import CLUSTER, group_id
from qhub.rehearsal.clouds.resource import Call
from qhub.rehearsal.clouds.subject import Subject

#: Key of `notes` under which a cluster keeps how its API server is reached.
_NOTE = "api server"
LIST_CREDENTIALS = "azure-native:containerservice:listManagedClusterUserCredentials"


def note_kubeconfig(subject: Subject) -> None:
    """Keep with a cluster how its API server is reached."""
    server, authority = kubernetes.endpoint(subject)
    subject.notes[_NOTE] = {"server": server, "certificate-authority-data": authority}


def list_user_credentials(call: Call) -> dict[str, Any]:
    """Answer `listManagedClusterUserCredentials`.

    A cluster that people sign in to with Entra hands out no key; any other one the administrator's certificate.

    Raises:
        Refused: there is no such cluster, or it is still being made.
    """
    wanted = call.arguments.get("resourceName")
    group = call.arguments.get("resourceGroupName")
    # A call has no provider of its own: the subscription is the one that it was configured with.
    call.subject.configuration = call.configuration
    prefix = f"{group_id(call.subject, str(group))}/"
    found = [one for one in call.subject.all(CLUSTER, name=wanted) if one.id.startswith(prefix)]
    if not found or _NOTE not in found[0].notes:
        raise call.subject.refuse("resourceName", f"there is no cluster {wanted!r} in resource group {group!r}")
    cluster = found[0]
    entra = bool(cluster.get("aadProfile.managed"))
    user = _exec() if entra else _certificate(call.subject, str(wanted), cluster.get("location"))
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": wanted,
        "contexts": [{"name": wanted, "context": {"cluster": wanted, "user": f"clusterUser_{group}_{wanted}"}}],
        "clusters": [{"name": wanted, "cluster": cluster.notes[_NOTE]}],
        "users": [{"name": f"clusterUser_{group}_{wanted}", "user": user}],
    }
    return {
        "kubeconfigs": [{"name": "clusterUser", "value": base64.b64encode(json.dumps(kubeconfig).encode()).decode()}]
    }


def _exec() -> dict[str, Any]:
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "kubelogin",
            "args": ["get-token", "--login", "devicecode", "--server-id", "6dae42f8-4368-4678-94ff-3960e28e3630"],
        }
    }


def _certificate(subject: Subject, name: str, location: str) -> dict[str, str]:
    from qhub.rehearsal.cluster.pki import Pki
    from qhub.rehearsal.simulated import kubernetes_of

    pki = Pki(kubernetes_of(subject.world.folder, cloud=CLOUD, name=name, region=location).folder / "pki")
    files = {"client-certificate-data": pki.certificate("admin"), "client-key-data": pki.key("admin")}
    return {key: base64.b64encode(file.read_bytes()).decode() for key, file in files.items()}
