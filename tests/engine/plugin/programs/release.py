"""A namespace and a release in it."""

import pulumi
import pulumi_kubernetes as k8s
from pulumi_kubernetes.helm.v3 import Release

config = pulumi.Config()
cluster = k8s.Provider("cluster", kubeconfig=config.require("kubeconfig"), context=config.require("context"))
on_cluster = pulumi.ResourceOptions(provider=cluster)
namespace = k8s.core.v1.Namespace("namespace", metadata={"name": config.require("namespace")}, opts=on_cluster)
values = dict(config.get_object("values") or {})
if token := config.get_secret("token"):
    values["token"] = token
options = dict(config.get_object("options") or {})
if password := config.get_secret("password"):
    options["repository_opts"] = {**options["repository_opts"], "password": password}
release = Release(
    "release",
    name="demo",
    namespace=namespace.metadata.name,
    chart=config.require("chart"),
    version=config.get("version"),
    values=values,
    opts=on_cluster,
    **options,
)
pulumi.export("status", release.status)
