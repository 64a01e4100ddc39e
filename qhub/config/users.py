"""People and groups with their numeric identities in the shared file system."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from pydantic import Field

from qhub.config.model import Expected, Problem, Section
from qhub.config.names import GroupName, UserName
from qhub.config.nearest import nearest

#: Below 1000 are the system's own users. Above 60,000 some systems keep reserved ones (systemd's `nobody` is 65534).
Uid = Annotated[int, Field(ge=1000, le=60000), Expected("a whole number from 1000 to 60000")]
#: 100 is the group `users`, which notebook images use; those below belong to the system.
Gid = Annotated[int, Field(ge=100, le=60000), Expected("a whole number from 100 to 60000")]


class User(Section):
    """One person."""

    uid: Uid | None = Field(
        default=None,
        description="Owner number of the user's files; null derives a stable one of the user's own from the name.",
    )
    primary_group: GroupName | None = Field(
        default=None, description="Group that owns the user's new files; null takes the image's own (100)."
    )
    secondary_groups: tuple[GroupName, ...] = Field(
        default=(), description="More groups: each gives access to its shared folder and profiles."
    )

    @property
    def groups(self) -> tuple[str, ...]:
        """All groups of the user, the primary one first, each once."""
        first = () if self.primary_group is None else (self.primary_group,)
        return tuple(dict.fromkeys((*first, *self.secondary_groups)))


class Group(Section):
    """One group. It has a folder `shared/<group>` that its members read and write."""

    gid: Gid = Field(description="Group number of the shared folder.")
    read_only_members: tuple[UserName, ...] = Field(
        default=(),
        description="Members who see the folder and cannot change it. In all else they are members like those who name "
        "the group in `users`.",
    )


def members(users: Mapping[str, User], groups: Mapping[str, Group]) -> dict[str, list[str]]:
    """Return {group: its members}, those who may only read last."""
    return {
        name: [*(user for user, given in users.items() if name in given.groups), *group.read_only_members]
        for name, group in groups.items()
    }


def numbers_are_unique(users: Mapping[str, User], groups: Mapping[str, Group]) -> Iterator[Problem]:
    """Two people with one uid, or two groups with one gid, would own each other's files."""
    yield from _repeated(("users", "uid"), {name: user.uid for name, user in users.items()})
    yield from _repeated(("groups", "gid"), {name: group.gid for name, group in groups.items()})


def _repeated(place: tuple[str, str], numbers: Mapping[str, int | None]) -> Iterator[Problem]:
    section, key = place
    seen: dict[int, str] = {}
    for name, number in numbers.items():
        if number is None:
            continue
        if number in seen:
            message = f"{number} belongs to {seen[number]} already: they would own each other's files"
            yield Problem((section, name, key), message)
        seen.setdefault(number, name)


def users_are_in_known_groups(users: Mapping[str, User], groups: Mapping[str, Group]) -> Iterator[Problem]:
    """A group that is not declared has no number and no folder."""
    for name, user in users.items():
        if user.primary_group is not None:
            yield from unknown_groups(("users", name), [user.primary_group], groups, key="primary_group", listed=False)
        yield from unknown_groups(("users", name), user.secondary_groups, groups, key="secondary_groups")


def readers_do_not_write(users: Mapping[str, User], groups: Mapping[str, Group]) -> Iterator[Problem]:
    """Somebody is a member who may write, or one who may not."""
    for name, group in groups.items():
        seen: set[str] = set()
        for place, user in enumerate(group.read_only_members):
            path = ("groups", name, "read_only_members", place)
            if user in users and name in users[user].groups:
                yield Problem(
                    path, f"{user} has {name} in `users` too, as a member who may write: remove one of the two"
                )
            if user in seen:
                yield Problem(path, f"{user} is there twice: remove one")
            seen.add(user)


def unknown_groups(
    path: tuple[str | int, ...],
    names: Iterable[str],
    groups: Mapping[str, Group],
    *,
    key: str = "groups",
    listed: bool = True,
) -> Iterator[Problem]:
    """Yield a problem for each name that is not declared in the section `groups`.

    Args:
        path: where the key stands.
        names: the names that were written there.
        groups: the declared groups.
        key: the key that holds the names.
        listed: whether the key holds a list, so that the place of the name belongs to the path.
    """
    for place, name in enumerate(names):
        if name in groups:
            continue
        known = f"known: {', '.join(groups)}" if groups else "none is declared"
        yield Problem(
            (*path, key, place) if listed else (*path, key),
            f'there is no group "{name}" in `groups` ({known}): declare it there, for example `{name}: {{gid: 1100}}`',
            nearest(name, groups),
        )
