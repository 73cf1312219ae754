"""
As whom a container runs: what the pod says, else what its image says, by the accounts that the image has. Pure.

The rules and the words are those of the kubelet and of containerd: the kubelet judges `runAsNonRoot` without looking
into the image, and names are looked up in the image's /etc/passwd and /etc/group when the container is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.node.sources import CreationError, SourceError


class User(NamedTuple):
    """A line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    home: str


class Group(NamedTuple):
    """A line of /etc/group."""

    name: str
    gid: int
    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Accounts:
    """Users and groups that an image knows, in the order of its files."""

    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom a process runs; None leaves it as it is. `groups` are further ones."""

    uid: int | None = None
    gid: int | None = None
    groups: tuple[int, ...] = field(default=())
    home: str = "/root"


def parse_accounts(passwd: str, group: str) -> Accounts:
    """Read /etc/passwd and /etc/group; a line that is none of theirs is passed over, as the C library does."""
    users = tuple(
        User(fields[0], int(fields[2]), int(fields[3]), fields[5])
        for fields in _fields(passwd, 7)
        if fields[2].isdecimal() and fields[3].isdecimal()
    )
    groups = tuple(
        Group(fields[0], int(fields[2]), frozenset(filter(None, fields[3].split(","))))
        for fields in _fields(group, 4)
        if fields[2].isdecimal()
    )
    return Accounts(users, groups)


def identity_for(
    container: JsonObject, pod: JsonObject, *, image_user: str, accounts: Accounts | None
) -> Identity:
    """
    Decide as whom a container runs.

    Args:
        image_user: as a Dockerfile's USER has it: user, uid, user:group, uid:gid; empty for root.
        accounts: of the image; None for a stand-in, whose user is nobody's business.

    Raises:
        SourceError: the pod wants no root and would get it. CreationError: the image does not know a name.
    """
    settings = {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
    wanted: int | None = settings.get("runAsUser")
    _refuse_root(settings, image_user, container=container, pod=pod)
    shared = _shared_groups(pod)
    if accounts is None:
        home = "/" if wanted else "/root"
        return Identity(wanted, settings.get("runAsGroup"), tuple(sorted(shared)), home)
    name, _, group = image_user.partition(":") if wanted is None else (str(wanted), "", "")
    user = _user(name or "0", accounts)
    if settings.get("runAsGroup") is not None:
        gid = settings["runAsGroup"]
    else:
        gid = _gid(group, accounts) if group else user.gid
    further = {one.gid for one in accounts.groups if user.name and user.name in one.members}
    if settings.get("supplementalGroupsPolicy") == "Strict":
        further = set()
    further |= shared
    return Identity(user.uid, gid, tuple(sorted(further - {gid})), user.home)


def _shared_groups(pod: JsonObject) -> set[int]:
    """The groups that all containers of a pod are in besides their own; volumes belong to one of them."""
    settings = pod["spec"].get("securityContext") or {}
    found = set(settings.get("supplementalGroups") or ())
    return found if settings.get("fsGroup") is None else {*found, settings["fsGroup"]}


def _refuse_root(
    settings: Mapping[str, object], image_user: str, *, container: JsonObject, pod: JsonObject
) -> None:
    if not settings.get("runAsNonRoot"):
        return
    metadata = pod["metadata"]
    of = f'(pod: "{metadata["name"]}_{metadata["namespace"]}({metadata["uid"]})", container: {container["name"]})'
    if (wanted := settings.get("runAsUser")) is not None:
        if wanted == 0:
            raise SourceError(f"container's runAsUser breaks non-root policy {of}")
        return
    name = image_user.partition(":")[0]
    if not name or (name.isdecimal() and int(name) == 0):
        raise SourceError(f"container has runAsNonRoot and image will run as root {of}")
    if not name.isdecimal():
        raise SourceError(
            f"container has runAsNonRoot and image has non-numeric user ({name}), cannot verify user is non-root {of}"
        )


def _user(name: str, accounts: Accounts) -> User:
    """Look a user up by name or number; a number that nobody has is a user without a name, in group 0."""
    if not name.isdecimal():
        for user in accounts.users:
            if user.name == name:
                return user
        raise _not_found("users", f'user "{name}" is not in the /etc/passwd')
    uid = int(name)
    found = next((user for user in accounts.users if user.uid == uid), None)
    return found or User("", uid, 0, "/" if uid else "/root")


def _gid(name: str, accounts: Accounts) -> int:
    if name.isdecimal():
        return int(name)
    for group in accounts.groups:
        if group.name == name:
            return group.gid
    raise _not_found("groups", f'group "{name}" is not in the /etc/group')


def _not_found(what: str, which: str) -> CreationError:
    """containerd does not say which one, and a path of its own besides."""
    return CreationError(f"failed to create containerd container: no {what} found: {which} of the image")


def _fields(text: str, count: int) -> Iterator[list[str]]:
    for line in text.splitlines():
        fields = line.strip().split(":")
        if len(fields) == count and fields[0] and not line.startswith("#"):
            yield fields
