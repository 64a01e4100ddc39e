"""Grafana's dashboards for QHub, as data: what is asked of Prometheus, and how it is shown. No Pulumi in here.

Names of measurements: `jupyterhub.metrics` of JupyterHub 5, `distributed.http.*.prometheus` of Dask,
kube-state-metrics (pods and nodes with the labels of `monitoring_values`) and the kubelet (containers, volumes).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: `uid` of the chart's own data source.
DATASOURCE = {"type": "prometheus", "uid": "prometheus"}
#: Version of Grafana's dashboard model that is written here; a newer Grafana brings it up to its own.
SCHEMA_VERSION = 39
#: Grafana's grid: columns of a row, and rows of a graph and of a single number.
COLUMNS, GRAPH_HEIGHT, NUMBER_HEIGHT = 24, 8, 4
#: Over how long rates are taken: a few scrapes (30 s apart), and enough of what happens now and then.
SOON, LONG = "5m", "1h"


@dataclass(frozen=True, kw_only=True)
class Query:
    """One question to Prometheus.

    Attributes:
        expr: the question, in PromQL.
        legend: name of each line; `{{label}}` is filled in.
    """

    expr: str
    legend: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One graph or number.

    Attributes:
        title: what it is.
        queries: what is shown in it.
        unit: Grafana's name of the unit; "short" counts.
        width: columns, of 24.
        kind: `timeseries`, or `stat` for one number.
        stack: whether lines are put on top of each other, as parts of a whole.
        hint: what a person should know to read it.
    """

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    width: int = 12
    kind: str = "timeseries"
    stack: bool = False
    hint: str = ""

    @property
    def height(self) -> int:
        """Rows of the grid."""
        return GRAPH_HEIGHT if self.kind == "timeseries" else NUMBER_HEIGHT


def dashboards(namespace: str) -> dict[str, str]:
    """Return every dashboard as a JSON document, by the name of its file.

    Args:
        namespace: of the hub, its users' servers and their Dask clusters.
    """
    made = {
        "qhub-jupyterhub": ("JupyterHub", _jupyterhub(namespace)),
        "qhub-dask": ("Dask", _dask(namespace)),
        "qhub-nodes": ("Nodes and disks", _nodes(namespace)),
    }
    return {
        f"{uid}.json": json.dumps(dashboard(uid, f"QHub: {title}", panels), sort_keys=True)
        for uid, (title, panels) in made.items()
    }


def dashboard(uid: str, title: str, panels: Sequence[Panel]) -> dict[str, Any]:
    """Return one dashboard in Grafana's model, its panels side by side in rows."""
    return {
        "uid": uid,
        "title": title,
        "tags": ["qhub"],
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "refresh": "1m",
        "time": {"from": "now-6h", "to": "now"},
        "panels": [_panel(number, panel, place) for number, (panel, place) in enumerate(_placed(panels), start=1)],
    }


def _placed(panels: Sequence[Panel]) -> Iterator[tuple[Panel, Mapping[str, int]]]:
    """Yield each panel with its place: left to right, a new row where one does not fit."""
    x = y = height = 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, height = 0, y + height, 0
        yield panel, {"x": x, "y": y, "w": panel.width, "h": panel.height}
        x, height = x + panel.width, max(height, panel.height)


def _panel(number: int, panel: Panel, place: Mapping[str, int]) -> dict[str, Any]:
    stacked = {"custom": {"stacking": {"mode": "normal"}, "fillOpacity": 30}} if panel.stack else {}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.hint,
        "datasource": DATASOURCE,
        "gridPos": dict(place),
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, **stacked}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + place), "datasource": DATASOURCE, "expr": query.expr, "legendFormat": query.legend}
            for place, query in enumerate(panel.queries)
        ],
    }


def _number(title: str, expr: str, *, width: int = 6, unit: str = "short") -> Panel:
    return Panel(title=title, queries=[Query(expr=expr)], width=width, unit=unit, kind="stat")


def _times(title: str, measurement: str, *, where: str = "", over: str = SOON, hint: str = "") -> Panel:
    """Return a graph of how long something takes for half, for nineteen of twenty, and for nearly all."""
    buckets = f"sum by (le) (rate({measurement}_bucket{where}[{over}]))"
    shares = {"0.5": "half", "0.95": "95 %", "0.99": "99 %"}
    queries = [Query(expr=f"histogram_quantile({share}, {buckets})", legend=legend) for share, legend in shares.items()]
    return Panel(title=title, queries=queries, unit="s", hint=hint)


def _of_pods(labels: str, by: str, value: str) -> str:
    """Return the sum of a value of pods by one of their labels, which kube-state-metrics knows.

    Args:
        labels: which pods, as matchers of `kube_pod_labels`.
        by: the label, as kube-state-metrics writes it.
        value: one number for each (namespace, pod).
    """
    return f"sum by ({by}) (kube_pod_labels{{{labels}}} * on (namespace, pod) group_left () ({value}))"


def _running(namespace: str) -> str:
    return f'max by (namespace, pod) (kube_pod_status_phase{{namespace="{namespace}",phase="Running"}})'


def _memory(namespace: str) -> str:
    used = f'container_memory_working_set_bytes{{namespace="{namespace}",container!="",image!=""}}'
    return f"sum by (namespace, pod) ({used})"


def _cpu(namespace: str) -> str:
    used = f'container_cpu_usage_seconds_total{{namespace="{namespace}",container!="",image!=""}}'
    return f"sum by (namespace, pod) (rate({used}[{SOON}]))"


def _jupyterhub(namespace: str) -> list[Panel]:
    servers = f'namespace="{namespace}",label_component="singleuser-server"'
    profile, user = "label_qhub_dev_profile", "label_hub_jupyter_org_username"
    return [
        _number("Servers that run", "max(jupyterhub_running_servers)"),
        _number("People known", "max(jupyterhub_total_users)"),
        _number("Active in a day", 'max(jupyterhub_active_users{period="24h"})'),
        _number("Active in a week", 'max(jupyterhub_active_users{period="7d"})'),
        Panel(
            title="Servers by profile",
            queries=[Query(expr=_of_pods(servers, profile, _running(namespace)), legend=f"{{{{{profile}}}}}")],
            stack=True,
        ),
        Panel(
            title="Active people",
            queries=[Query(expr="max by (period) (jupyterhub_active_users)", legend="in {{period}}")],
        ),
        _times(
            "Time to start a server",
            "jupyterhub_server_spawn_duration_seconds",
            where='{status="success"}',
            over=LONG,
            hint="From pressing Start until the server answers. A new node and a large image make minutes of it.",
        ),
        Panel(
            title="Starts in an hour, by how they ended",
            queries=[
                Query(
                    expr=f"sum by (status) (increase(jupyterhub_server_spawn_duration_seconds_count[{LONG}]))",
                    legend="{{status}}",
                )
            ],
            stack=True,
        ),
        _times("The hub's response time", "jupyterhub_request_duration_seconds"),
        Panel(
            title="Requests to the hub, by answer",
            queries=[
                Query(
                    expr=f"sum by (code) (rate(jupyterhub_request_duration_seconds_count[{SOON}]))", legend="{{code}}"
                )
            ],
            unit="reqps",
            stack=True,
        ),
        _times(
            "Time between two turns of the hub's loop",
            "jupyterhub_event_loop_interval_seconds",
            hint="While one turn takes seconds, the hub answers nobody.",
        ),
        _times("Time to add a route to the proxy", "jupyterhub_proxy_add_duration_seconds", over=LONG),
        Panel(
            title="Memory by user",
            queries=[Query(expr=_of_pods(servers, user, _memory(namespace)), legend=f"{{{{{user}}}}}")],
            unit="bytes",
        ),
        Panel(
            title="CPU cores by user",
            queries=[Query(expr=_of_pods(servers, user, _cpu(namespace)), legend=f"{{{{{user}}}}}")],
        ),
    ]


def _dask(namespace: str) -> list[Panel]:
    label = "label_gateway_dask_org_cluster"
    pods = f'namespace="{namespace}",{label}!=""'
    hint = "Told by schedulers themselves, where their image has prometheus_client."
    return [
        _number("Clusters", f"count(count by ({label}) (kube_pod_labels{{{pods}}})) or vector(0)", width=8),
        _number("Pods of clusters", f"sum({_of_pods(pods, label, _running(namespace))}) or vector(0)", width=8),
        _number("Tasks in work", 'sum(dask_scheduler_tasks{state="processing"}) or vector(0)', width=8),
        Panel(
            title="Pods by cluster",
            queries=[Query(expr=_of_pods(pods, label, _running(namespace)), legend=f"{{{{{label}}}}}")],
            stack=True,
        ),
        Panel(
            title="Workers by state",
            queries=[Query(expr="sum by (state) (dask_scheduler_workers)", legend="{{state}}")],
            stack=True,
            hint=hint,
        ),
        Panel(
            title="Tasks by state",
            queries=[Query(expr="sum by (state) (dask_scheduler_tasks)", legend="{{state}}")],
            stack=True,
            hint=hint,
        ),
        Panel(
            title="Workers, by cluster",
            queries=[
                Query(
                    expr="sum by (gateway_dask_org_cluster) (dask_scheduler_workers)",
                    legend="{{gateway_dask_org_cluster}}",
                )
            ],
            hint=hint,
        ),
        Panel(
            title="Memory by cluster",
            queries=[Query(expr=_of_pods(pods, label, _memory(namespace)), legend=f"{{{{{label}}}}}")],
            unit="bytes",
            stack=True,
        ),
        Panel(
            title="CPU cores by cluster",
            queries=[Query(expr=_of_pods(pods, label, _cpu(namespace)), legend=f"{{{{{label}}}}}")],
            stack=True,
        ),
    ]


def _nodes(namespace: str) -> list[Panel]:
    pool, claim = "label_qhub_dev_pool", "namespace, persistentvolumeclaim"
    # The platform's own namespaces start with the name of the hub's.
    used, size = (f'kubelet_volume_stats_{what}_bytes{{namespace=~"{namespace}.*"}}' for what in ("used", "capacity"))
    return [
        Panel(
            title="Nodes by pool",
            queries=[Query(expr=f"count by ({pool}) (kube_node_labels)", legend=f"{{{{{pool}}}}}")],
            stack=True,
        ),
        Panel(
            title="Pods that wait for a place",
            queries=[Query(expr='sum by (namespace) (kube_pod_status_phase{phase="Pending"})', legend="{{namespace}}")],
            stack=True,
        ),
        *(panel for resource in ("cpu", "memory") for panel in _use_of_nodes(resource)),
        Panel(
            title="Disks, how full",
            queries=[
                Query(expr=f"max by ({claim}) ({used} / {size})", legend="{{namespace}}/{{persistentvolumeclaim}}")
            ],
            unit="percentunit",
            width=24,
            hint="What shared storage tells depends on who runs it: a managed file system may say it is endless.",
        ),
    ]


def _use_of_nodes(resource: str) -> list[Panel]:
    """Return what pods asked for of each node, and what they use, as shares of what the node has for pods."""
    room = f'sum by (node) (kube_node_status_allocatable{{resource="{resource}"}})'
    asked = f'sum by (node) (kube_pod_container_resource_requests{{resource="{resource}"}})'
    used = {
        "cpu": f'sum by (node) (rate(container_cpu_usage_seconds_total{{container!="",image!=""}}[{SOON}]))',
        "memory": 'sum by (node) (container_memory_working_set_bytes{container!="",image!=""})',
    }[resource]
    name = {"cpu": "CPU", "memory": "Memory"}[resource]
    return [
        Panel(
            title=f"{name} asked for, of each node",
            queries=[Query(expr=f"{asked} / {room}", legend="{{node}}")],
            unit="percentunit",
            hint="Where this is at 100 %, the next pod waits for a new node.",
        ),
        Panel(
            title=f"{name} in use, of each node",
            queries=[Query(expr=f"{used} / {room}", legend="{{node}}")],
            unit="percentunit",
        ),
    ]
