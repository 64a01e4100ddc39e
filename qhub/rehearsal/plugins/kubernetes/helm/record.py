"""What Helm keeps of a release: one Secret per revision, `sh.helm.release.v1.<name>.v<revision>`.

Source of the format: Helm 3's storage driver "secrets": the release as JSON, gzipped, base64.
"""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
from typing import Any

from qhub.rehearsal.plugins.kubernetes.client import Api

#: Label by which a release is known to be of one resource of one stack.
OWNER_LABEL = "qhub-resource"
PENDING = ("pending-install", "pending-upgrade", "pending-rollback")


@dataclasses.dataclass(frozen=True)
class Record:
    """One revision of a release, as Helm recorded it.

    Attributes:
        document: Helm's own release object.
        owner: value of `OWNER_LABEL`, empty where there is none.
    """

    document: dict[str, Any]
    owner: str

    @property
    def revision(self) -> int:
        """1 for the first."""
        return int(self.document.get("version") or 0)

    @property
    def status(self) -> str:
        """`deployed`, `failed`, `pending-upgrade`, …"""
        return str((self.document.get("info") or {}).get("status") or "unknown")

    @property
    def description(self) -> str:
        """What Helm says about it, for a failed one the error."""
        return str((self.document.get("info") or {}).get("description") or "")

    @property
    def chart(self) -> dict[str, Any]:
        """Metadata of its chart."""
        return (self.document.get("chart") or {}).get("metadata") or {}

    @property
    def values(self) -> dict[str, Any]:
        """The values that were given."""
        return self.document.get("config") or {}

    @property
    def manifest(self) -> str:
        """Its objects, as YAML documents."""
        return str(self.document.get("manifest") or "")

    @property
    def hooks(self) -> list[dict[str, Any]]:
        """Its hooks."""
        return self.document.get("hooks") or []


def history(api: Api, namespace: str, name: str) -> list[Record]:
    """Return the recorded revisions of a release, newest first; empty where there is no such release."""
    path = f"/api/v1/namespaces/{namespace}/secrets"
    found = api.get(path, labelSelector=f"owner=helm,name={name}").get("items") or []
    records = [
        Record(_decoded(one["data"]["release"]), (one["metadata"].get("labels") or {}).get(OWNER_LABEL, ""))
        for one in found
        if one.get("type") == "helm.sh/release.v1"
    ]
    return sorted(records, key=lambda record: record.revision, reverse=True)


def last_good(records: list[Record]) -> Record | None:
    """Return the revision to go back to: the deployed one, else the newest that once was.

    A later revision turns a failed one into "superseded" too; what it was shows only in its description.
    """
    deployed = (one for one in records if one.status == "deployed")
    once = (one for one in records if one.status == "superseded" and " failed: " not in one.description)
    return next(deployed, None) or next(once, None)


def latest(api: Api, namespace: str, name: str) -> Record | None:
    """Return the newest revision, or `None`."""
    return next(iter(history(api, namespace, name)), None)


def _decoded(data: str) -> dict[str, Any]:
    content = base64.b64decode(base64.b64decode(data))
    return json.loads(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)


def objects_of(manifest: str) -> list[dict[str, Any]]:
    """Return the objects of a manifest."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [one for one in yaml.load_all(manifest, Loader=loader) if isinstance(one, dict) and one.get("kind")]
