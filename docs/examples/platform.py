"""JupyterHub and Dask on a cluster that this or another Pulumi program made: the whole program."""

import pulumi
import pulumi_kubernetes as kubernetes

from qhub import Cluster, KubernetesPlatform, KubernetesPlatformArgs, NodePool, Settings

kubeconfig = pulumi.Config().require_secret("kubeconfig")
provider = kubernetes.Provider("lab", kubeconfig=kubeconfig, cluster_identifier="lab")
pools = {name: NodePool() for name in ("general", "user", "worker")}
cluster = Cluster(name="lab", provider=provider, kubeconfig=kubeconfig, node_pools=pools)
settings = Settings(domain="hub.localhost", ingress={"controller": "traefik"})
platform = KubernetesPlatform("hub", KubernetesPlatformArgs(settings=settings, cluster=cluster))
pulumi.export("address", platform.exports()["address"])
