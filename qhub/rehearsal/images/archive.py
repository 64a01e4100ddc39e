"""An image as one file: an OCI image layout in a tar file, as `ctr images import` and newer `docker load` take it.

The same layers and the same description give the same bytes. Layers are not compressed: the file is read on the machine
that wrote it, and compressing would take longer than everything else.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qhub.rehearsal.images.description import Run

_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"


class Archive:
    """What goes into the file of one image.

    Args:
        layers: tar files from the lowest to the highest, each with its digest.
        run: how a container of it runs.
        machine: processor, in Go's words, which are Debian's.
        epoch: when it was made, seconds since 1970.
        title: said in a label.
    """

    def __init__(self, layers: Sequence[tuple[Path, str]], run: Run, *, machine: str, epoch: int, title: str) -> None:
        self._layers = layers
        self._epoch = epoch
        digests = [digest for _, digest in layers]
        self._config = _bytes(_config(run, digests, machine=machine, epoch=epoch, title=title))
        described = [_descriptor(_LAYER, digest, path.stat().st_size) for path, digest in layers]
        config = _descriptor(_CONFIG, _digest(self._config), len(self._config))
        self._manifest = _bytes({"schemaVersion": 2, "mediaType": _MANIFEST, "config": config, "layers": described})

    @property
    def digest(self) -> str:
        """The image's digest: that of its manifest, which names all the rest."""
        return _digest(self._manifest)

    def write(self, file: Path, references: Sequence[str]) -> None:
        """Write the file, with a name for the image for each reference."""
        manifest = _descriptor(_MANIFEST, self.digest, len(self._manifest))
        named = [manifest | {"annotations": _names(reference)} for reference in references]
        index = _bytes({"schemaVersion": 2, "mediaType": _INDEX, "manifests": named})
        with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as archive:
            self._add(archive, "oci-layout", _bytes({"imageLayoutVersion": "1.0.0"}))
            self._add(archive, "index.json", index)
            for content in (self._manifest, self._config):
                self._add(archive, _blob(_digest(content)), content)
            for digest, path in sorted({digest: path for path, digest in self._layers}.items()):
                info = self._info(_blob(digest), path.stat().st_size)
                with path.open("rb") as stream:
                    archive.addfile(info, stream)

    def _add(self, archive: tarfile.TarFile, name: str, content: bytes) -> None:
        archive.addfile(self._info(name, len(content)), io.BytesIO(content))

    def _info(self, name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, self._epoch, 0o644
        return info


def _config(run: Run, digests: Sequence[str], *, machine: str, epoch: int, title: str) -> dict[str, Any]:
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    settings = {
        "User": run.user,
        "WorkingDir": run.workdir,
        "Env": [f"{name}={value}" for name, value in ({"PATH": path} | run.env).items()],
        "Entrypoint": list(run.entrypoint),
        "Cmd": list(run.command),
        "ExposedPorts": {f"{port}/tcp": {} for port in run.ports},
        "Labels": {"org.opencontainers.image.title": title},
    }
    return {
        "created": created,
        "architecture": machine,
        "os": "linux",
        "config": {name: value for name, value in settings.items() if value},
        "rootfs": {"type": "layers", "diff_ids": list(digests)},
        "history": [{"created": created} for _ in digests],
    }


def _names(reference: str) -> Mapping[str, str]:
    """Return the annotations that hold a name: containerd's own, and the specification's (the tag alone)."""
    return {
        "io.containerd.image.name": reference,
        "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
    }


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest, "size": size}


def _blob(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _bytes(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
