"""Names and tags of what is made on Azure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qhub.config.azure import AzureCluster

#: A pool's name on AKS ends at 12 characters (learn.microsoft.com/azure/aks/create-node-pools, "Limitations"), of which
#: this many are the pool's own: `general` fits, and the digits that are left tell a million pools apart.
LETTERS_OF_POOL = 7
LONGEST_POOL_NAME = 12
#: Of the name under which the API server is found (API of AKS, `dnsPrefix`).
LONGEST_DNS_PREFIX = 54


def all_tags(section: AzureCluster, *, stack: str) -> dict[str, str]:
    """Return the tags for everything that takes them: whose it is, and the settings' own, which win.

    Azure's provider has no default tags, so each resource is given them.
    """
    return {"qhub-cluster": section.name, "qhub-stack": stack, **section.tags}


def agent_pool_name(pool: str, *, fixed: Sequence[object]) -> str:
    """Return the name of a pool on AKS: small letters and digits, a letter first, at most 12.

    Args:
        pool: its name in the settings, where any name for Kubernetes is allowed.
        fixed: what AKS cannot change of a pool, as plain data. Another value gives another name, so that the new pool
            can be made before the old one goes.
    """
    letters = re.sub(r"[^a-z0-9]", "", pool)
    letters = letters if letters[:1].isalpha() else f"p{letters}"
    digest = hashlib.sha256(json.dumps([pool, *fixed]).encode()).hexdigest()
    return f"{letters[:LETTERS_OF_POOL]}{digest[: LONGEST_POOL_NAME - LETTERS_OF_POOL]}"


def dns_prefix(name: str) -> str:
    """Return the first part of the API server's DNS name."""
    return name[:LONGEST_DNS_PREFIX].rstrip("-")
