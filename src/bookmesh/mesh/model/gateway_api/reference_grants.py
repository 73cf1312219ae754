"""ReferenceGrant (gateway.networking.k8s.io): who may refer to objects of this namespace from another one."""

from __future__ import annotations

from typing import Annotated

import msgspec

from bookmesh.mesh.model.base import Model


class GrantFrom(Model, frozen=True):
    """
    Who may refer.

    group: The API group of the kind.
    kind: The kind.
    namespace: The namespace.
    """

    group: str
    kind: str
    namespace: str


class GrantTo(Model, frozen=True):
    """
    To what they may refer.

    group: The API group of the kind; "" is the core group.
    kind: The kind.
    name: One object; all without it.
    """

    group: str
    kind: str
    name: str = ""


class ReferenceGrant(Model, frozen=True):
    """
    Permission to refer to objects of the grant's namespace from other namespaces.

    from_: Who may refer.
    to: To what they may refer.
    """

    to: Annotated[tuple[GrantTo, ...], msgspec.Meta(min_length=1)]
    from_: Annotated[tuple[GrantFrom, ...], msgspec.Meta(min_length=1)] = msgspec.field(name="from")
