"""Small charts, written where a test wants them."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import subprocess
import threading
from collections.abc import Generator
from pathlib import Path

from qhub.rehearsal.toolchain import tool_path

_VALUES = """
replicas: 1
token: ""
cull: {timeout: 3600}
nodeSelector: {}
hook: false
"""
_SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "global": {"type": "object"},
        "replicas": {"type": "integer"},
        "token": {"type": "string", "maxLength": 60},
        "cull": {"type": "object", "properties": {"timeout": {"type": "integer"}}},
        "nodeSelector": {"type": "object"},
        "hook": {"type": "boolean"},
    },
}
_OBJECTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      nodeSelector: {{ .Values.nodeSelector | toJson }}
      containers: [{name: main, image: "example.invalid/main:1"}]
---
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}}
stringData: {token: {{ .Values.token | quote }}, timeout: {{ .Values.cull.timeout | quote }}}
"""


_HOOK = """
{{- if .Values.hook }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-hook
  annotations:
    helm.sh/hook: pre-upgrade
    helm.sh/hook-delete-policy: hook-failed
spec:
  template:
    spec:
      restartPolicy: Never
      nodeSelector: {no: such-node}
      containers: [{name: main, image: "example.invalid/hook:1"}]
{{- end }}
"""


def write_chart(folder: Path, *, version: str) -> Path:
    """Write a chart named as its folder and return the folder."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(f"apiVersion: v2\nname: {folder.name}\nversion: {version}\nappVersion: '7'\n")
    (folder / "values.yaml").write_text(_VALUES)
    (folder / "values.schema.json").write_text(json.dumps(_SCHEMA))
    (folder / "templates" / "objects.yaml").write_text(_OBJECTS)
    (folder / "templates" / "hook.yaml").write_text(_HOOK)
    return folder


@contextlib.contextmanager
def serve_repository(folder: Path, *charts: Path) -> Generator[str]:
    """Serve the charts as a Helm repository on loopback; yields its URL."""
    folder.mkdir()
    for chart in charts:
        subprocess.run([str(tool_path("helm")), "package", str(chart), f"--destination={folder}"], check=True)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        subprocess.run([str(tool_path("helm")), "repo", "index", str(folder), f"--url={url}"], check=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield url
        finally:
            server.shutdown()
