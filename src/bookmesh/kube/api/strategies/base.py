"""The behaviour of a kind that has no special one."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import authentication


class Strategy:
    """Every method has a neutral default; a kind overrides what it needs. `obj` is the caller's own copy."""

    def prepare_create(self, obj: JsonObject) -> None:
        """Fill in fields of a new object, after defaulting and before admission."""

    def prepare_update(self, obj: JsonObject, old: JsonObject) -> None:
        """Carry over or fill in fields of a changed object, after defaulting and before admission."""

    def record_user(self, obj: JsonObject, user: authentication.User) -> None:
        """Write down who makes a new object, before anything else is done to it."""

    def prepare_part(self, obj: JsonObject, part: str) -> None:
        """Fill in fields after a write through a subresource (status, approval ...)."""

    def allocate(self, obj: JsonObject, old: JsonObject | None) -> None:
        """
        Take scarce values (addresses, ports), after validation.

        Raises:
            ApiError: 422 when a wanted value is taken or out of range.
        """

    def warnings(self, obj: JsonObject) -> tuple[str, ...]:
        """What whoever writes an object should know, such as that it does not act here."""
        return ()

    def check_delete(self, obj: JsonObject) -> None:
        """Refuse the deletion of an object that must stay, with an `ApiError`."""

    def grace_s(self, obj: JsonObject, wanted: int | None) -> int:
        """Seconds between the wish to delete and the end; 0 removes the object at once."""
        return 0

    def begin_deletion(self, obj: JsonObject) -> None:
        """Mark an object that stays for a while although it is being deleted."""

    def is_held(self, obj: JsonObject) -> bool:
        """Whether something besides `metadata.finalizers` keeps a deleted object."""
        return False
