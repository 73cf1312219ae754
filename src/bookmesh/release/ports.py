"""What carrying out a plan needs of the world: a cluster to look at, and Helm."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bookmesh.base.kubernetes import JsonObject
from bookmesh.release.contracts import ReleaseId
from bookmesh.release.files import Wanted


class HelmFailedError(Exception):
    """Helm refused or did not finish; the message is Helm's."""


class NotInstalledError(HelmFailedError):
    """There is no such release, or no such revision of it."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A release that is in the cluster; `manifest` are the objects of its current revision."""

    release: ReleaseId
    revision: int
    manifest: tuple[JsonObject, ...]
    is_deployed: bool
    """Whether the last action on it came to a good end."""


class Cluster(Protocol):
    """Raises `ClusterFailedError` when it does not answer."""

    def objects(self, namespace: str) -> list[JsonObject]:
        """All Deployments, Pods, Services, VirtualServices and HTTPRoutes of a namespace."""
        ...

    def create(self, release: ReleaseId, obj: JsonObject) -> None:
        """Create an object, or bring it in line, as if Helm had done so for this release."""
        ...

    def delete(self, namespace: str, obj: JsonObject) -> None:
        """Delete an object, if it is there."""
        ...

    def lock(self, namespace: str, holder: str) -> AbstractContextManager[None]:
        """
        Be the only one who changes releases of a namespace.

        Raises:
            BookmeshError: BM0607, somebody else is.
        """
        ...


class ClusterFailedError(Exception):
    """The cluster did not answer as expected; the message is for people."""


class Helm(Protocol):
    """Every method raises `HelmFailedError`."""

    def render(self, wanted: Wanted) -> list[JsonObject]:
        """The objects that an upgrade would install, without hooks."""
        ...

    def installed(self, namespace: str) -> Sequence[Installed]: ...

    def apply(self, wanted: Wanted) -> int:
        """Install or upgrade, without waiting for pods; return the new revision."""
        ...

    def manifest(self, release: ReleaseId, revision: int) -> list[JsonObject]:
        """The objects of an older revision."""
        ...

    def roll_back(self, release: ReleaseId, revision: int) -> None: ...

    def uninstall(self, release: ReleaseId) -> None: ...
