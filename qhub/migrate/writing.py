"""The new stack file, with comments."""

from __future__ import annotations

from qhub.config.judge import secret_command
from qhub.config.model import dotted, parse_key
from qhub.config.settings import SECTIONS
from qhub.config.yaml_text import lines
from qhub.migrate.moving import Moving, Path, folded

#: Section -> what stands above it.
_COMMENTS = {
    "cluster": "A new cluster: it is made beside the old one, which stays until you destroy it.",
    "ingress": "Traefik, as before.",
    "storage": "Home folders. They are new and empty: copy what is to come over. The size can grow, never shrink.",
    "users": "Owners of files: a number once given stays.",
    "groups": "Each group has a folder `shared/<group>` that its members read and write.",
    "jupyterhub": "Sizes of server that people choose from.",
    "dask": "Sizes of worker. What a worker is promised is what it may use.",
    "charts": "Values for the charts, as they were. Nothing checks them.",
}


def stack_file(moving: Moving) -> str:
    """Return the text of the new stack file."""
    values = moving.values()
    ordered = {f"qhub:{name}": values[name] for name in SECTIONS if name in values}
    comments: dict[Path, str] = {("config", f"qhub:{name}"): text for name, text in _COMMENTS.items()}
    if moving.provider == "existing":
        comments["config", "qhub:cluster"] = "The cluster of your kubeconfig. One cluster carries one QHub."
    if str(moving.get(("certificates", "issuer"))).startswith("letsencrypt"):
        comments["config", "qhub:certificates"] = "Issued once the domain points to the new hub's address."
    if moving.secrets:
        commands = "\n".join(f"    {secret_command(parse_key(key), stack=moving.stack)}" for key in moving.secrets)
        comments["config", "qhub:authentication"] = (
            f"Its secret is never written here in plain text; this command encrypts it:\n\n{commands}"
        )
    head = [f"# Made from {moving.document.file.name} by `qhub migrate`. Check it: `qhub validate {moving.stack}`."]
    asked = [note for note in moving.notes if note.kind == "asked"]
    if asked:
        head += ["#", "# To be answered before `pulumi up`:", "#"]
        head += [f"# - {folded(dotted(note.path)) or moving.document.file.name}: {note.text}" for note in asked]
    return "\n".join([*head, *lines({"config": ordered}, comments)]) + "\n"
