"""Where pods landed, as a picture: a bar for each node, as long as its cores, with the pods that reserve them."""

from __future__ import annotations

from itertools import groupby

from qhub.rehearsal.report.markup import Markup, element, join
from qhub.rehearsal.report.recording import ROLES, Node, Picture, Pod
from qhub.rehearsal.report.words import kind, plural, size

#: Pixels: of the picture, of the names at its left, of one node, of a pool's heading.
WIDTH, NAMES, ROW, HEADING = 1040, 300, 34, 26
#: Room at the right, for the number of pods.
RIGHT = 90
#: A pod that reserves nothing is still there to be seen.
THINNEST = 1.5


def placement(picture: Picture) -> Markup:
    """Return the picture of the nodes with their pods, pool by pool: CPU above, memory below as a thin bar."""
    most_cpu = max((node.cpu for node in picture.nodes), default=1.0) or 1.0
    top, parts = 0.0, []
    for pool, nodes in groupby(picture.nodes, key=lambda node: node.pool):
        every = list(nodes)
        title = f"{pool or 'no pool'}: {plural(len(every), 'node')} of {kind(every[0])}"
        parts.append(element("text", title, x=0, y=top + 18, class_="pool"))
        top += HEADING
        for node in every:
            parts.append(_node(node, [pod for pod in picture.pods if pod.node == node.name], top, most_cpu))
            top += ROW
    drawing = element(
        "svg", *parts, viewBox=f"0 0 {WIDTH} {top + 4}", role="img", aria_label=f"Pods on nodes, {picture.moment}"
    )
    return join(_legend(), drawing, _nowhere(picture))


def _node(node: Node, pods: list[Pod], top: float, most_cpu: float) -> Markup:
    room = WIDTH - NAMES - RIGHT
    width = room * node.cpu / most_cpu
    order = sorted(pods, key=lambda pod: (ROLES.index(pod.role), pod.profile, pod.name))
    parts = [
        element("text", _cut(node.name), x=NAMES - 8, y=top + 17, text_anchor="end"),
        element("rect", x=NAMES, y=top + 3, width=width, height=18, rx=3, class_="room"),
        element("rect", x=NAMES, y=top + 23, width=width, height=5, rx=2, class_="room"),
    ]
    cpu_x = memory_x = float(NAMES)
    for pod in order:
        cpu = max(width * pod.cpu / node.cpu if node.cpu else 0.0, THINNEST)
        memory = width * pod.memory / node.memory if node.memory else 0.0
        parts.append(
            element(
                "g",
                element("title", _told(pod)),
                element("rect", x=cpu_x, y=top + 3, width=cpu, height=18, class_=f"pod {pod.role}"),
                element("rect", x=memory_x, y=top + 23, width=memory, height=5, class_=f"pod {pod.role}"),
            )
        )
        cpu_x, memory_x = cpu_x + cpu, memory_x + memory
    parts.append(element("text", plural(len(pods), "pod"), x=NAMES + width + 8, y=top + 17, class_="dim"))
    return join(*parts)


def _told(pod: Pod) -> str:
    what = f"{pod.namespace}/{pod.name}" + (f", profile {pod.profile}" if pod.profile else "")
    gpus = f", {plural(pod.gpus, 'GPU')}" if pod.gpus else ""
    waited = "" if pod.waited is None else f"; ran after {pod.waited:.0f} s"
    return f"{what}: {pod.cpu:g} CPU, {size(pod.memory)}{gpus}{waited}"


def _legend() -> Markup:
    words = {
        "platform": "platform",
        "user": "servers of users",
        "scheduler": "Dask schedulers",
        "worker": "Dask workers",
    }
    items = [element("span", element("i", class_=f"key {role}"), words[role]) for role in ROLES]
    return element("p", *items, element("span", "thick: CPU reserved, thin: memory", class_="dim"), class_="legend")


def _nowhere(picture: Picture) -> Markup:
    lost = [pod for pod in picture.pods if not pod.node]
    if not lost:
        return Markup("")
    items = [element("li", f"{pod.namespace}/{pod.name}: {pod.reason or 'not placed yet'}") for pod in lost]
    return join(element("p", f"{plural(len(lost), 'pod')} on no node:", class_="bad"), element("ul", *items))


def _cut(name: str) -> str:
    return name if len(name) <= 44 else f"{name[:20]}…{name[-23:]}"
