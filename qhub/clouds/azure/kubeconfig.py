"""The kubeconfig of an AKS cluster. No Pulumi in here.

Address and certificate authority of the API server are known to one call of Azure only, which hands out a whole
kubeconfig. Of that, what is needed is taken, and put down always as the same text: a changed order of keys would look
like another cluster.
"""

from __future__ import annotations

import base64
from typing import Any

from qhub.clouds.kubeconfig import one_context
from qhub.errors import InputError

#: Application of AKS itself in every tenant, which tokens are asked for
#: (azure.github.io/kubelogin/concepts/aks.html, "AKS AAD Server").
AKS_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"


def kubeconfig(handed_out: str, *, name: str, entra: bool) -> str:
    """Return a kubeconfig as JSON with sorted keys, which is YAML too.

    Args:
        handed_out: what `listClusterUserCredential` returns: YAML in base64. It holds a key, or with `entra` none.
        name: name of its one cluster, user and context.
        entra: people sign in with Entra: no key is kept, `kubelogin` asks `az` for a token for whoever runs it.

    Raises:
        InputError: the cluster is not set up as the settings say.
    """
    import yaml

    found = yaml.safe_load(base64.b64decode(handed_out))
    cluster, user = found["clusters"][0]["cluster"], found["users"][0]["user"]
    reached = {key: cluster[key] for key in ("server", "certificate-authority-data")}
    return one_context(name, cluster=reached, user=_token() if entra else _certificate(user))


def _token() -> dict[str, Any]:
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "command": "kubelogin",
            # Who is signed in to `az`: a person after `az login`, a workflow after azure/login.
            "args": ["get-token", "--login", "azurecli", "--server-id", AKS_SERVER],
            "interactiveMode": "Never",
            "provideClusterInfo": False,
        }
    }


def _certificate(user: dict[str, Any]) -> dict[str, Any]:
    keys = ("client-certificate-data", "client-key-data")
    if any(key not in user for key in keys):
        raise InputError(
            "cluster.admin_groups is empty, but the cluster has no local accounts: people sign in to it with Entra. "
            "Name the groups that administer it."
        )
    return {key: user[key] for key in keys}
