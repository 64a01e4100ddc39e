"""Names and labels of what is made on Google Cloud."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qhub.config.gcp import GcpCluster

#: iam.googleapis.com v1, `accountId`: 6 to 30 characters.
LONGEST_ACCOUNT_ID = 30
#: cloud.google.com/compute/docs/labeling-resources.
LONGEST_LABEL = 63


def account_id(cluster: str, purpose: str) -> str:
    """Return the id of a service account, unique in the project as the cluster's name is.

    A name that is too long is cut, and a hash of it takes the place of what is lost: two clusters whose long names
    begin alike must not share an account.
    """
    whole = f"{cluster}-{purpose}"
    if len(whole) <= LONGEST_ACCOUNT_ID:
        return whole
    rest = f"-{hashlib.sha256(cluster.encode()).hexdigest()[:6]}-{purpose}"
    return f"{cluster[: LONGEST_ACCOUNT_ID - len(rest)].rstrip('-')}{rest}"


def all_labels(section: GcpCluster, *, stack: str) -> dict[str, str]:
    """Return the labels for everything that takes them: whose it is, and the settings' own, which win."""
    plain = re.sub(r"[^a-z0-9_-]", "-", stack.lower())[:LONGEST_LABEL]
    return {"qhub-cluster": section.name, "qhub-stack": plain, **section.tags}
