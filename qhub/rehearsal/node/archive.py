"""Container images as one file, in the form that `docker save` writes and containerd imports."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

#: Go's words for this machine's kind of processor, by Python's.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def write_archive(
    path: Path, *, name: str, architecture: str, files: Mapping[str, tuple[bytes, int]], config: Mapping[str, Any]
) -> None:
    """Write an image of one layer. The same input gives the same bytes.

    Args:
        path: the file to write.
        name: the image's name with its tag, `registry/path:tag`.
        architecture: in Go's words.
        files: content and mode by path in the image.
        config: what a container of it runs: `Entrypoint`, `Env`, `User`, ...
    """
    layer = _layer(files)
    described = {
        "architecture": architecture,
        "os": "linux",
        "config": dict(config),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    text = json.dumps(described, sort_keys=True).encode()
    config_name = f"{hashlib.sha256(text).hexdigest()}.json"
    manifest = [{"Config": config_name, "RepoTags": [name], "Layers": ["layer.tar"]}]
    with tarfile.open(path, "w") as archive:
        for member, content in (
            ("layer.tar", layer),
            (config_name, text),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            _add(archive, member, content, 0o644)


def image_names(path: Path) -> list[str]:
    """Return the names, with tags, of the images in a file of the form of `docker save` or of the OCI.

    Raises:
        ValueError: it is no such file, or an image in it has no name.
    """
    try:
        with tarfile.open(path) as archive:
            members = {member.name.removeprefix("./"): member for member in archive}
            names: list[str] = []
            if "manifest.json" in members:
                for image in _json(archive, members["manifest.json"]):
                    names += image.get("RepoTags") or []
            elif "index.json" in members:
                for image in _json(archive, members["index.json"])["manifests"]:
                    annotations = image.get("annotations", {})
                    keys = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
                    names += [annotations[key] for key in keys if ":" in annotations.get(key, "")][:1]
    except (tarfile.TarError, OSError, EOFError, gzip.BadGzipFile, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no image archive ({error})") from error
    if not names:
        raise ValueError(f"{path} holds no image with a name and a tag, as `docker save NAME:TAG` writes it")
    return [full_name(name) for name in names]


def full_name(name: str) -> str:
    """Return an image's name as containerd keeps it: with registry, and `library/` where Docker leaves it out."""
    first, slash, _ = name.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return name
    return f"docker.io/{name}" if slash else f"docker.io/library/{name}"


def _json(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    stream = archive.extractfile(member)
    if stream is None:
        raise tarfile.TarError(f"{member.name} is no file")
    return json.load(stream)


def _layer(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for folder in sorted({str(parent) for name in files for parent in Path(name).parents} - {"."}):
            made = tarfile.TarInfo(folder)
            made.type, made.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(made)
        for name, (content, mode) in sorted(files.items()):
            _add(archive, name, content, mode)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(content), mode
    archive.addfile(member, io.BytesIO(content))
