"""`images/Dockerfile`, for people with a container engine: made from the same descriptions, one target for each.

`docker build --file images/Dockerfile --target hub .` in the root of the checkout.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from qhub.rehearsal.images.description import Go, Image, Images, Npm, User

HEAD = """\
# Written by `make image-pins` from images/*/image.toml; a test holds it against them. Build one in the checkout's root:
#
#   docker build --file images/Dockerfile --target hub .
#
# What is below a target is shared with the others by the engine's cache.
"""

#: `upgrade`: corrections since the public image was made.
INSTALL = "apt-get update{} && apt-get install --yes --no-install-recommends {} && rm -rf /var/lib/apt/lists/*"
UPGRADE = " && apt-get upgrade --yes"


def dockerfile(images: Images) -> str:
    """Return the text of the Dockerfile."""
    stages = ("\n".join(_stage(image, images)) for image in images.by_name.values())
    return HEAD + "".join(f"\n{stage}\n" for stage in stages)


def dockerignore() -> str:
    """Return the text of `images/Dockerfile.dockerignore`: the engine gets descriptions and pins, and nothing else."""
    return "*\n!images\n!toolchain\n**/image.toml\n**/Dockerfile*\n"


def _stage(image: Image, images: Images) -> Iterator[str]:
    engine = images.common.engine
    if image.npm:
        yield from _npm_stage(image, image.npm, engine.node)
    if image.go:
        yield from _go_stage(image, image.go, engine.go)
    yield from (f"# {line}" for line in image.about.splitlines())
    yield f"FROM {image.starts_from or engine.debian} AS {image.name}"
    if image.packages:
        upgrade = "" if image.starts_from else UPGRADE
        yield f"RUN {INSTALL.format(upgrade, ' '.join(image.packages))}"
    if image.python:
        yield from _python(image)
    if image.npm:
        yield f"COPY --from={image.name}-npm {image.npm.folder} {image.npm.folder}"
    if image.go:
        yield f"COPY --from={image.name}-go /out {image.go.output}"
    if image.user:
        yield f"RUN {add_user(image.user)}"
    for folder in image.folders:
        yield f"RUN install --directory --owner={folder.owner} --group={folder.owner} {folder.path}"
    if image.files:
        yield f"COPY images/{image.name}/files/ /"
    yield from _run(image)


def add_user(user: User) -> str:
    """Return the shell command that makes a user, and the group where it is missing."""
    group = f"getent group {user.gid} > /dev/null || groupadd --gid {user.gid} {user.name}"
    return (
        f"{{ {group}; }} && useradd --uid {user.uid} --gid {user.gid} --home-dir {user.home} --create-home "
        f"--shell /bin/bash --no-log-init {user.name}"
    )


def make_venv(*, user_site: bool) -> str:
    """Return the shell command that makes the virtual environment."""
    return "python3 -m venv --system-site-packages /opt/qhub" if user_site else "python3 -m venv /opt/qhub"


def _python(image: Image) -> Iterator[str]:
    pins = f"/tmp/{image.name}-requirements.txt"  # noqa: S108 - in the image, while it is built
    yield f"COPY images/{image.name}/requirements.txt {pins}"
    yield (
        f"RUN {make_venv(user_site=bool(image.python and image.python.user_site))} && "
        f"pip install --no-cache-dir --require-hashes --requirement {pins} && rm {pins}"
    )


def _npm_stage(image: Image, npm: Npm, node: str) -> Iterator[str]:
    yield f"FROM {node} AS {image.name}-npm"
    yield f"WORKDIR {npm.folder}"
    yield f"COPY images/{image.name}/package.json images/{image.name}/package-lock.json ./"
    yield f"RUN npm ci --omit=dev --ignore-scripts && rm -rf {' '.join(npm.drop)}"
    yield ""


def _go_stage(image: Image, go: Go, compiler: str) -> Iterator[str]:
    yield f"FROM {compiler} AS {image.name}-go"
    yield "WORKDIR /source"
    yield f"COPY {go.module}/ ./"
    if go.prepare:
        yield f"RUN sh {go.prepare}"
    yield f"RUN CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags '{_linker(go)}' -o /out {go.package}"
    yield ""


def _linker(go: Go) -> str:
    """Return the linker's flags; the version is read from `go.mod` while building, so that it stands in one place."""
    if go.requires is None or go.version_variable is None:
        return "-s -w"
    return f"-s -w -X {go.version_variable}='\"$(go list -m -f {{{{.Version}}}} {go.requires})\"'"


def _run(image: Image) -> Iterator[str]:
    run = image.run
    yield from (f"ENV {name}={json.dumps(value)}" for name, value in run.env.items())
    if run.workdir:
        yield f"WORKDIR {run.workdir}"
    if run.user:
        yield f"USER {run.user}"
    if run.ports:
        yield f"EXPOSE {' '.join(map(str, run.ports))}"
    if run.entrypoint:
        yield f"ENTRYPOINT {json.dumps(list(run.entrypoint))}"
    if run.command:
        yield f"CMD {json.dumps(list(run.command))}"
