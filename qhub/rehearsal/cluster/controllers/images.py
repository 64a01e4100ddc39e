"""How large the platform's container images are, and how long a node takes to pull one."""

from __future__ import annotations

from collections.abc import Mapping

#: Megabytes to pull for amd64, that is compressed, by the end of the image's name, whatever registry it comes from.
#: Estimates of November 2026, rounded, from what such images are made of and what earlier versions were; where this was
#: written no registry of images could be asked. With a source: configurable-http-proxy, traefik, k8s-network-tools
#: (56, 50, 6 MB in jupyterhub/zero-to-jupyterhub-k8s#477, of 2018; hardly changed since).
MEGABYTES: Mapping[str, float] = {
    "autoscaling/cluster-autoscaler": 45,
    "dask/dask-gateway": 200,
    "dask/dask-gateway-server": 90,
    "ingress-nginx/controller": 110,
    "ingress-nginx/kube-webhook-certgen": 25,
    "jetstack/cert-manager-acmesolver": 15,
    "jetstack/cert-manager-cainjector": 20,
    "jetstack/cert-manager-controller": 25,
    "jetstack/cert-manager-startupapicheck": 15,
    "jetstack/cert-manager-webhook": 20,
    "jupyter/pytorch-notebook": 2000,
    "jupyter/scipy-notebook": 1200,
    "jupyterhub/configurable-http-proxy": 56,
    "jupyterhub/k8s-hub": 120,
    "jupyterhub/k8s-network-tools": 6,
    "jupyterhub/k8s-singleuser-sample": 180,
    "2i2c-org/nfs-ganesha": 80,
    "nvidia/k8s-device-plugin": 150,
    "pause": 0.3,
    "traefik": 55,
}

#: Of an image that is not in the table: between a service's (tens) and a notebook's (thousands).
DEFAULT_MEGABYTES = 300.0

#: Compressed megabytes that a node fetches and unpacks in a second. Fetching alone is about 25 MB/s for each of three
#: layers at once (containerd/containerd#8160, from ECR); a notebook's image of 3 GB takes one to five minutes with
#: unpacking, 10 to 60 MB/s (containerd's change "buffered copy"; "Decreasing Container Image Pull Times", AKS and EKS,
#: March 2026).
MEGABYTES_PER_SECOND = 40.0

#: Name, token and manifest are asked for first. Estimate.
ASKING = 1.0


def pull_seconds(image: str) -> float:
    """Return the simulated seconds that a node which has nothing of an image takes to pull it."""
    return ASKING + megabytes(image) / MEGABYTES_PER_SECOND


def megabytes(image: str) -> float:
    """Return the size of an image, by its name with or without registry, tag and digest."""
    name = f"/{short_name(image)}"
    return next((size for known, size in MEGABYTES.items() if name.endswith(f"/{known}")), DEFAULT_MEGABYTES)


def short_name(image: str) -> str:
    """Return an image's name without tag and digest."""
    name = image.partition("@")[0]
    before, colon, tag = name.rpartition(":")
    return before if colon and "/" not in tag else name
