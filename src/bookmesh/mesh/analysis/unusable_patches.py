"""BM0242 and BM0243: changes of EnvoyFilters that cannot be made, or not all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bookmesh.base.findings import Finding
from bookmesh.mesh.model import envoy_filters as models
from bookmesh.mesh.snapshot import envoy_filters
from bookmesh.mesh.snapshot import snapshot as snapshots
from bookmesh.mesh.wire import decoding

_HINT: Final = "the other changes of the object are in force"
_MERGES: Final = frozenset({"MERGE", "MERGE_AND_REPLACE_LIST"})
_INSERTS: Final = frozenset({"INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"})
_IN_LISTS: Final = _MERGES | _INSERTS | {"ADD", "REMOVE", "REPLACE"}
# What can be done to which part. An insertion where there is no order adds, as with Istio.
_OPERATIONS: Final = {
    "LISTENER": _MERGES | _INSERTS | {"ADD", "REMOVE"},
    "LISTENER_FILTER": _IN_LISTS,
    "FILTER_CHAIN": _MERGES | _INSERTS | {"ADD", "REMOVE"},
    "NETWORK_FILTER": _IN_LISTS,
    "HTTP_FILTER": _IN_LISTS,
    "ROUTE_CONFIGURATION": _MERGES,
    "VIRTUAL_HOST": _MERGES | _INSERTS | {"ADD", "REMOVE", "REPLACE"},
    "HTTP_ROUTE": _MERGES | _INSERTS | {"ADD", "REMOVE"},
    "CLUSTER": _MERGES | _INSERTS | {"ADD", "REMOVE"},
    "BOOTSTRAP": frozenset({"MERGE"}),
}


def check(snapshot: snapshots.MeshSnapshot) -> Iterator[Finding]:
    for parsed in snapshot.configs.of(models.EnvoyFilter):
        if isinstance(parsed.spec, models.EnvoyFilter):
            for patch in envoy_filters.patches_in(parsed, parsed.spec):
                yield from _check_patch(patch)


def _check_patch(patch: envoy_filters.Patch) -> Iterator[Finding]:
    possible = _OPERATIONS.get(patch.apply_to)
    if possible is None:
        known = ", ".join(_OPERATIONS)
        yield _finding(
            patch, f"applies to {patch.apply_to}, which this mesh does not change", "applyTo", known
        )
    elif patch.context == "WAYPOINT":
        yield _finding(patch, "is for waypoints, and there are none here", "match.context")
    elif patch.operation not in possible:
        what = f"cannot {patch.operation} a {patch.apply_to}"
        yield _finding(patch, what, "patch.operation", ", ".join(sorted(possible)))
    else:
        yield from _check_value(patch)


def _check_value(patch: envoy_filters.Patch) -> Iterator[Finding]:
    value = patch.config.patch.value if patch.config.patch is not None else None
    if value is None:
        return
    try:
        decoded = decoding.decode(patch.apply_to, value)
    except decoding.UnknownTypeError as error:
        yield Finding(
            code="BM0242",
            message=f'{patch.ref} uses type "{error.type_url}", which Envoy does not have',
            subject=patch.ref,
            where=f"{patch.where}.patch.value",
            known="types of Envoy's API v3, such as type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
            hint=f"correct the @type; types with .v2. in their names are gone; {_HINT}",
        )
        return
    except ValueError as error:
        yield _finding(patch, f"has a value that cannot be read: {error}", "patch.value")
        return
    if decoded.left_out:
        what = f"has a value of which a part is left out: {decoded.left_out}"
        yield _finding(patch, what, "patch.value", is_error=False)


def _finding(
    patch: envoy_filters.Patch, what: str, where: str, known: str = "", *, is_error: bool = True
) -> Finding:
    return Finding(
        code="BM0243",
        message=f"{patch.ref} {what}",
        subject=patch.ref,
        where=f"{patch.where}.{where}",
        known=known,
        hint=_HINT,
        severity="error" if is_error else "warning",
    )
