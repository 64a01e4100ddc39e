"""One resource of any type, inputs as the provider gets them, and how the provider is configured."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
given: Any = config.get_object("provider") or {}
cluster = k8s.Provider(
    "cluster", k8s.ProviderArgs(kubeconfig=config.require("kubeconfig"), context=config.get("context"), **given)
)


class Anything(pulumi.CustomResource):
    """A resource of whatever type."""


for name, (token, inputs) in config.require_object("resources").items():
    options = pulumi.ResourceOptions(provider=cluster, import_=config.get("import"))
    Anything(token, name, {**inputs}, options)
