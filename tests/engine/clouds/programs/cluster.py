"""The first half of QHub's program: the cluster of a stack file, with nothing on it."""

from pathlib import Path

import pulumi

from qhub.clouds import make_cluster
from qhub.config import load_settings_file

cluster = make_cluster(load_settings_file(Path("settings.yaml"), stack="prod"))
pulumi.export("ready", pulumi.Output.all(*(made.urn for made in cluster.ready)))
