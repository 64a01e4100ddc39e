"""The site under test: where it is, who may sign in, and what they are to find there.

`QHUB_BROWSER_SITE` names a JSON file with the fields of `Site`. What a site does not have (`None`, `False` or empty)
skips the tests of it, and the reason says so.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urljoin

from pydantic import BaseModel, ConfigDict

#: The variable that names the file.
VARIABLE = "QHUB_BROWSER_SITE"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Frozen):
    """Somebody who may sign in.

    Attributes:
        offered: slugs of the profiles that the start page shows them, in its order; empty where there are none.
        hidden: slugs of profiles that exist and that they may not see.
        uid: their number on disk; None where it is not known beforehand.
        groups: their groups, {name: gid}.
        writable: shared folders that they may write in.
        readable: shared folders that they may read and not write in.
        closed: shared folders that they may not write in, whether or not they can see them.
    """

    name: str
    password: str
    offered: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    uid: int | None = None
    groups: dict[str, int] = {}
    writable: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()


class Choice(_Frozen):
    """An option of a profile that people choose when they start a server, and what they then have.

    Attributes:
        profile: slug of the profile.
        option: name of the option.
        value: the choice. It is not the one that is chosen beforehand.
        memory: bytes that the server may use.
    """

    profile: str
    option: str
    value: str
    memory: int


class Site(_Frozen):
    """A hub and what the tests expect of it.

    Attributes:
        url: where it answers, with a slash at the end.
        member: somebody with a uid, groups and shared folders of their own.
        stranger: somebody whom no setting lists. Never an admin.
        admin: an administrator.
        wrong_password: one that the member does not have; None where any password is right.
        shared: the folder that holds the shared folders, as user servers see it.
        umask: of terminals and kernels.
        start_timeout: seconds within which a server is to start.
        environment: name of an environment, with distributed, that notebooks and Dask clusters can have; None for none.
        blocked: address that servers are cut off from, a cloud's metadata service; None where they are not.
        ssh: host and port where terminals are had; None where they are not.
        dask: Dask clusters can be started.
        dask_workers: how many workers a cluster may have.
        culled_after: seconds without a user after which a server is stopped; None where it is not or takes too long.
            More than opening JupyterLab and a notebook takes, or servers in use go too.
        choice: an option that the member may choose; None where profiles have none.
        title: name of the hub that every page shows; None where it has none.
        welcome: a line of the text that welcomes people to the hub; None where there is none.
        restart_hub: a command that restarts the hub and leaves everything else running.
        kills: a command for each part that may be killed, by the names in `docs/failures.md`; it ends when the part is
            gone, and need not wait until it is back.
    """

    url: str
    member: Person
    stranger: Person
    admin: Person
    wrong_password: str | None = None
    shared: str = "/shared"
    umask: str = "0002"
    start_timeout: float = 120
    environment: str | None = None
    blocked: str | None = None
    ssh: tuple[str, int] | None = None
    dask: bool = False
    dask_workers: int = 2
    culled_after: float | None = None
    choice: Choice | None = None
    title: str | None = None
    welcome: str | None = None
    restart_hub: tuple[str, ...] | None = None
    kills: dict[str, tuple[str, ...]] = {}

    def at(self, path: str) -> str:
        """Return the address of a page; `path` has no slash at its start."""
        return urljoin(self.url, path)

    def server(self, person: Person, path: str = "") -> str:
        """Return an address of a person's own server."""
        return self.at(f"user/{quote(person.name)}/{path}")


def read_site(file: Path) -> Site:
    """Return the site described in a JSON file.

    Raises:
        OSError: the file cannot be read.
        pydantic.ValidationError: it is not the description of a site; the message names the fields.
    """
    return Site.model_validate_json(file.read_text())
