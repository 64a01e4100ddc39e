"""What takes the place of a cloud and of its Kubernetes: on one machine, without an account and without a network.

`qhub rehearse` runs on it (its steps are `qhub.automation.rehearse`), and so do `make up` of the local stack and the
tests. From the tools upwards:

| package | what it is |
|---|---|
| `toolchain` | engine, control plane, kubectl, helm: found, or built from source |
| `cluster` | an embedded Kubernetes of one's own: etcd, the control plane, simulated nodes |
| `simulated` | the same as the Kubernetes of a simulated cloud: node pools and an autoscaler |
| `plugins` | what every stand-in plugin is; the stand-ins for Kubernetes and for random values |
| `clouds` | the stand-in plugins for four clouds: their types, rules, durations, faults |
| `commands` | stand-ins for the commands by which a cloud's kubeconfig signs in |
| `charts` | Helm charts of ours, keyed like the real ones |
| `report` | what a rehearsal has seen, as text, JSON and a page |

Of the product it imports `qhub.config` alone; the program that `pulumi up` runs never imports it.
"""
