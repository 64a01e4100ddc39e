"""Values of the two ingress controllers. Either serves the same class, by the same annotations, on the same ports.

What is equal on both sides is what lets the load balancer stay while the controller is changed: pods carry
`POD_LABELS` and listen on `HTTP_PORT` and `HTTPS_PORT`, so the Service in front never has to know which one it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qhub.platform.pods import placement, resources

if TYPE_CHECKING:
    from qhub.clouds.cluster import NodePool

#: `spec.controller` of our IngressClass. A value of our own: an ingress-nginx that the cluster already has looks for
#: `k8s.io/ingress-nginx` and must not pick up our Ingress as well.
CONTROLLER = "qhub.dev/ingress"

#: Set on the pods of either controller; the selector of the load balancer's Service.
POD_LABELS = {"qhub.dev/ingress": "true"}

#: Where either controller listens: what Traefik's chart uses, since Traefik runs without the right to open ports below
#: 1024. ingress-nginx is moved there, and its webhook, which is on 8443 by default, to `WEBHOOK_PORT`.
HTTP_PORT = 8000
HTTPS_PORT = 8443
#: The API server asks the webhook, and on GKE with private nodes it reaches nodes and pods at 443 and 10250 alone: the
#: firewall rule that Google makes by itself has no other. 443 would need a right that the controller does without. A
#: pod has ports of its own, so kubelet's 10250 is not taken; cert-manager's webhook is at the same.
#: Source: GKE's documentation, "Automatically created firewall rules".
WEBHOOK_PORT = 10250

#: Seconds an idle connection through the proxy lives. Kernels and terminals keep a websocket open for as long as the
#: browser tab is; Jupyter pings it every 30 s, so an hour is only reached by a dead one.
PROXY_TIMEOUT = 3600

#: Largest request body. JupyterLab uploads in 1 MiB pieces; older clients and the contents API send a whole notebook.
PROXY_BODY_SIZE = "256m"

#: Seconds in which a whole request has to be there, its body included: enough for a body of that size at 1.2 Mbit/s.
#: Traefik cuts one off after 60 by default (`respondingTimeouts.readTimeout`), which takes 36 Mbit/s; with more than
#: this, whoever sends slowly on purpose would hold connections for longer. A websocket is past that once it is one.
BODY_TIMEOUT = 1800


def ingress_annotations() -> dict[str, str]:
    """Return the annotations of the hub's Ingress. Both controllers read the names of ingress-nginx."""
    return {
        "nginx.ingress.kubernetes.io/proxy-body-size": PROXY_BODY_SIZE,
        "nginx.ingress.kubernetes.io/proxy-read-timeout": str(PROXY_TIMEOUT),
        "nginx.ingress.kubernetes.io/proxy-send-timeout": str(PROXY_TIMEOUT),
    }


def ingress_nginx_values(*, class_name: str, publish_service: str, replicas: int, pool: NodePool) -> dict[str, Any]:
    """Return the values of chart ingress-nginx 4.15.

    Args:
        class_name: our IngressClass, which we make ourselves.
        publish_service: `namespace/name` of the Service whose address is written into the status of an Ingress.
        replicas: pods of the controller.
        pool: nodes for them.
    """
    placed = placement(pool)
    small = resources(cpu="10m", memory="32Mi")
    return {
        "controller": {
            "replicaCount": replicas,
            "ingressClassResource": {"enabled": False, "name": class_name, "controllerValue": CONTROLLER},
            "ingressClass": class_name,
            "watchIngressWithoutClass": False,
            # A snippet is raw nginx configuration: whoever may write an Ingress could read every secret of the cluster.
            "allowSnippetAnnotations": False,
            "enableAnnotationValidations": True,
            "podLabels": POD_LABELS,
            "containerPort": {"http": HTTP_PORT, "https": HTTPS_PORT},
            "extraArgs": {"http-port": str(HTTP_PORT), "https-port": str(HTTPS_PORT)},
            # The chart passes --publish-service only while it has a Service of its own: keep one, inside the cluster.
            "service": {"type": "ClusterIP"},
            "publishService": {"enabled": True, "pathOverride": publish_service},
            "admissionWebhooks": {
                "enabled": True,
                "port": WEBHOOK_PORT,
                "createSecretJob": {"resources": small},
                "patchWebhookJob": {"resources": small},
                "patch": placed,
            },
            "resources": resources(cpu="100m", memory="128Mi", memory_limit="512Mi"),
            **placed,
        }
    }


def traefik_values(*, class_name: str, publish_service: str, replicas: int, pool: NodePool) -> dict[str, Any]:
    """Return the values of chart traefik 41, set up as a stand-in for ingress-nginx.

    Arguments as for `ingress_nginx_values`.
    """
    patient = {"transport": {"respondingTimeouts": {"readTimeout": f"{BODY_TIMEOUT}s"}}}
    return {
        "deployment": {"replicas": replicas, "podLabels": POD_LABELS},
        # The chart's own class would be named after the release; ours is made by Pulumi.
        "ingressClass": {"enabled": False, "isDefaultClass": False},
        "providers": {
            # Dask Gateway brings a Traefik of its own that reads these objects.
            "kubernetesCRD": {"enabled": False},
            # Both Ingress providers at once would serve every Ingress twice.
            "kubernetesIngress": {"enabled": False},
            "kubernetesIngressNGINX": {
                "enabled": True,
                "ingressClass": class_name,
                "controllerClass": CONTROLLER,
                "watchIngressWithoutClass": False,
                "publishService": {"enabled": True, "pathOverride": publish_service},
            },
        },
        "ingressRoute": {"dashboard": {"enabled": False}},
        "api": {"dashboard": False},
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "ports": {"web": {"port": HTTP_PORT, **patient}, "websecure": {"port": HTTPS_PORT, **patient}},
        "service": {"spec": {"type": "ClusterIP"}},
        "resources": resources(cpu="100m", memory="128Mi", memory_limit="512Mi"),
        **placement(pool),
    }
