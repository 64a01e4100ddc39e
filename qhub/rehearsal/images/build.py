"""Build missing layers into the store: two at a time, lower ones first, each complete or not at all."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from qhub.rehearsal.images import trees
from qhub.rehearsal.images.chroot import Shell
from qhub.rehearsal.images.description import Images
from qhub.rehearsal.images.errors import ImagesError
from qhub.rehearsal.images.layers import Layer
from qhub.rehearsal.images.steps import Step, make
from qhub.rehearsal.images.store import BuiltLayer, Store
from qhub.rehearsal.toolchain.estimate import Estimate, spell_roughly, spell_seconds
from qhub.rehearsal.toolchain.processes import end_builds
from qhub.rehearsal.toolchain.progress import Progress

#: While one layer downloads or packs, another unpacks: more gain nothing on two cores.
SIDE_BY_SIDE = 2
#: How often running builds are looked at.
POLL_SECONDS = 0.2

#: Seconds that layers took on two cores with cold caches, by image and kind; what is not here takes `OTHER_SECONDS`.
COLD_SECONDS = {
    "base (debian)": 40,
    "python (packages)": 15,
    "hub (python)": 40,
    "gateway (python)": 20,
    "notebook (packages)": 30,
    "notebook (python)": 120,
    "proxy (npm)": 30,
    "traefik (go)": 180,
    "nfs-server (packages)": 15,
}
OTHER_SECONDS = 5


def plan(layers: Sequence[Layer], store: Store) -> list[Layer]:
    """Return the layers that are not in the store, each once, the ones that take longest to finish first.

    Go comes last all the same: it fills the processors by itself, and the longer it waits, the more of what it would
    compile is in its cache, from tools that are built at the same time.
    """
    missing = {layer.key: layer for layer in layers if store.layer(layer) is None}

    def chain(layer: Layer) -> int:
        above = [other for other in missing.values() if layer.key in {each.key for each in other.needs}]
        return cold_seconds(layer) + max((chain(other) for other in above), default=0)

    return sorted(missing.values(), key=lambda layer: (layer.kind == "go", -chain(layer)))


def cold_seconds(layer: Layer) -> int:
    """Return how long a layer is expected to take."""
    return COLD_SECONDS.get(layer.title, OTHER_SECONDS)


def estimate(layers: Sequence[Layer]) -> Estimate:
    """Return the estimate for these layers."""
    return Estimate({layer.key: cold_seconds(layer) for layer in layers})


class LayerBuilder:
    """Builds layers. The build lock must be held, because the folders of work are fixed.

    Args:
        images: all descriptions.
        store: where they go.
        machine: processor in Debian's words.
        progress: where it is told.
    """

    def __init__(self, images: Images, store: Store, *, machine: str, progress: Progress) -> None:
        self._images = images
        self._store = store
        self._machine = machine
        self._progress = progress

    def run(self, layers: Sequence[Layer]) -> None:
        """Build everything.

        Raises:
            ImagesError: a step failed; what was built until then is kept.
        """
        shutil.rmtree(self._store.root / "work", ignore_errors=True)  # of a build that was killed
        waiting, running = list(layers), dict[Future[BuiltLayer], Layer]()
        left, total = estimate(layers), len(layers)
        pool = ThreadPoolExecutor(SIDE_BY_SIDE)
        try:
            while waiting or running:
                for layer in self._startable(waiting, running):
                    waiting.remove(layer)
                    running[pool.submit(self._build, layer)] = layer
                before = time.monotonic()
                done, _ = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                left.spend(time.monotonic() - before, on=[layer.key for layer in running.values()])
                for future in done:
                    layer = running.pop(future)
                    left.finish(layer.key)
                    count = total - len(waiting) - len(running)
                    self._tell(layer, future.result(), count=count, total=total)
                if running:
                    titles = " and ".join(layer.title for layer in running.values())
                    count = total - len(waiting) - len(running)
                    time_left = spell_roughly(left.remaining())
                    self._progress.state(f"{time_left} left, {count} of {total} layers built; building {titles}")
        finally:
            end_builds(self._store.root)  # none but on an error or an interrupt
            pool.shutdown(wait=True, cancel_futures=True)
            shutil.rmtree(self._store.root / "work", ignore_errors=True)

    def _startable(self, waiting: Sequence[Layer], running: dict[Future[BuiltLayer], Layer]) -> list[Layer]:
        ready = [layer for layer in waiting if all(self._store.layer(below) for below in layer.needs)]
        return ready[: SIDE_BY_SIDE - len(running)]

    def _build(self, layer: Layer) -> BuiltLayer:
        started = time.monotonic()
        work = self._store.folder(f"work/{layer.key}")
        root, scratch = work / "root", work / "step"
        for folder in (root, scratch):
            folder.mkdir()
        root.chmod(0o755)
        trees.unpack([(self._store.tar(each), self._known(each).removed) for each in layer.needs], root)
        before = trees.survey(root)
        shell = Shell(self._log(layer), mark=self._store.root, epoch=self._images.common.epoch)
        step = Step(
            image=layer.image,
            images=self._images,
            root=root,
            work=scratch,
            apt_folder=self._store.folder(f"apt/{layer.image.name}"),
            shell=shell,
            machine=self._machine,
        )
        try:
            make(layer.kind, step)
        except ImagesError as error:
            raise ImagesError(f"{layer.title} could not be built: {error}") from error
        tar = work / "layer.tar"
        written = trees.write_layer(root, before, tar, epoch=self._images.common.epoch)
        built = BuiltLayer(
            digest=written.digest,
            size=written.size,
            removed=written.removed,
            seconds=round(time.monotonic() - started, 1),
        )
        self._store.put_layer(layer, tar, built)
        shutil.rmtree(work)
        return built

    def _known(self, layer: Layer) -> BuiltLayer:
        known = self._store.layer(layer)
        if known is None:
            raise ImagesError(f"{self._store.tar(layer)} went away during the build: run the same command again")
        return known

    def _log(self, layer: Layer) -> Path:
        return self._store.folder("logs") / f"{layer.image.name}-{layer.kind}.log"

    def _tell(self, layer: Layer, built: BuiltLayer, *, count: int, total: int) -> None:
        size = f"{built.size / 1e6:,.0f} MB"
        self._progress.say(f"  built {layer.title}, {size}, in {spell_seconds(built.seconds)} ({count} of {total})")
