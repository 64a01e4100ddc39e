"""A kind of our own, and an object of that kind in the same update."""

import pulumi
import pulumi_kubernetes as k8s

config = pulumi.Config()
cluster = k8s.Provider("cluster", kubeconfig=config.require("kubeconfig"), context=config.require("context"))
group = f"{config.require('namespace')}.example.org"
definition = k8s.apiextensions.v1.CustomResourceDefinition(
    "definition",
    metadata={"name": f"sheep.{group}"},
    spec={
        "group": group,
        "scope": "Cluster",
        "names": {"kind": "Sheep", "plural": "sheep", "singular": "sheep", "list_kind": "SheepList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "open_apiv3_schema": {
                        "type": "object",
                        "properties": {"spec": {"type": "object", "properties": {"colour": {"type": "string"}}}},
                    }
                },
            }
        ],
    },
    opts=pulumi.ResourceOptions(provider=cluster),
)
k8s.apiextensions.CustomResource(
    "dolly",
    api_version=f"{group}/v1",
    kind="Sheep",
    metadata={"name": "dolly"},
    spec={config.get("field") or "colour": config.get("colour") or "white"},
    opts=pulumi.ResourceOptions(provider=cluster, depends_on=[definition]),
)
