"""Fixtures for tests that need a real API server."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from qhub.rehearsal.cluster import EmbeddedCluster
from qhub.rehearsal.cluster.api import Api
from qhub.rehearsal.cluster.pki import Pki


@pytest.fixture(scope="session")
def embedded_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedCluster]:
    """One running cluster for the whole session, with two simulated nodes. Tests keep to namespaces of their own."""
    cluster = EmbeddedCluster("tests", tmp_path_factory.mktemp("embedded-cluster") / "tests")
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.delete()


def administrator(cluster: EmbeddedCluster) -> Api:
    """Return a client with all rights on a running cluster."""
    ports = json.loads((cluster.folder / "state.json").read_text())["ports"]
    return Api(ports["kube-apiserver"], pki=Pki(cluster.folder / "pki"), identity="admin")


@pytest.fixture
def api(embedded_cluster: EmbeddedCluster) -> Api:
    """The administrator's client of the session's cluster."""
    return administrator(embedded_cluster)


@pytest.fixture
def namespace(api: Api) -> Iterator[str]:
    """A namespace of a test's own, deleted after it."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    yield name
    api.delete(f"/api/v1/namespaces/{name}")
