"""Monitoring: Prometheus and Grafana, where they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from qhub.config.authentication.base import Secret
from qhub.config.model import Problem, Section, nested
from qhub.config.names import ObjectName
from qhub.config.quantities import Count, VolumeSize, parse_size
from qhub.config.resources import Resources

#: Part of its disk that Prometheus may fill: it writes the newest hours before it deletes the oldest
#: (prometheus.io/docs, Storage: at most 80 to 85 %).
FULL = 0.8


class Grafana(Section):
    """The dashboards."""

    admin_password: Secret | None = Field(
        default=None,
        description="Password of Grafana's user admin (secret). null makes one: `pulumi stack output "
        "grafana_admin_password --show-secrets`. Another one starts Grafana anew, with it.",
    )


class Monitoring(Section):
    """Prometheus, which measures, and Grafana, which shows it at /services/grafana of the hub's address."""

    enabled: bool = Field(default=False, description="Install kube-prometheus-stack with dashboards for QHub.")
    retention_days: Count = Field(default=15, description="Days for which measurements are kept.")
    storage: VolumeSize = Field(
        default="20Gi",
        description="Size of the disk for measurements. Prometheus does not resize one that is there.",
    )
    retention_size: VolumeSize | None = Field(
        default=None, description="Most of the disk that measurements fill; null: four fifths of it."
    )
    storage_class: ObjectName | None = Field(
        default=None, description="StorageClass of that disk; null takes the cluster's."
    )
    # Prometheus takes about 3 kB a series; nodes, pods and the hub of a team are some 100,000.
    resources: Resources = nested(
        "CPU and memory of Prometheus. What is written here replaces the default as a whole.",
        requests={"cpu": "200m", "memory": "512Mi"},
        limits={"memory": "2Gi"},
    )
    grafana: Grafana = nested("Grafana: who administers it.")

    @property
    def retention_bytes(self) -> int:
        """Bytes that measurements may fill."""
        return int(parse_size(self.storage) * FULL if self.retention_size is None else parse_size(self.retention_size))


def measurements_fit_their_disk(monitoring: Monitoring) -> Iterator[Problem]:
    """A disk that is full stops Prometheus."""
    size = monitoring.retention_size
    if size is not None and parse_size(size) > parse_size(monitoring.storage) * FULL:
        yield Problem(
            ("monitoring", "retention_size"),
            f"{size} are more than four fifths of the disk ({monitoring.storage}), which Prometheus needs room on to "
            "tidy up: lower it, or raise storage",
        )
