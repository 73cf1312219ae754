"""
What makes no sense in the options of a request, alone or together: 422 with every cause, in a real server's words.

Options of reads and writes are parameters of the query; those of a deletion are its body, or parameters without one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from multidict import MultiMapping

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api import statuses
from bookmesh.kube.schema import causes

_GROUP: Final = "meta.k8s.io"
_KINDS: Final = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}
_LONGEST_MANAGER: Final = 128
_VALIDATIONS: Final = ("", "Ignore", "Strict", "Warn")
_PROPAGATIONS: Final = ("Foreground", "Background", "Orphan")
_INCLUDED: Final = ("", "Metadata", "Object", "None")
# Fields of DeleteOptions, and what Go calls the types that they have to have.
_DELETE_TYPES: Final[dict[str, tuple[type, str]]] = {
    "dryRun": (list, "[]string"),
    "gracePeriodSeconds": (int, "int64"),
    "orphanDependents": (bool, "bool"),
    "preconditions": (dict, "v1.Preconditions"),
    "propagationPolicy": (str, "v1.DeletionPropagation"),
}


def check_write(query: MultiMapping[str], method: str, *, is_apply: bool = False) -> None:
    """Refuse parameters of a POST, PUT or PATCH; `is_apply` is the PATCH of server-side apply."""
    found: list[causes.Cause] = []
    manager = query.get("fieldManager", "")
    if is_apply and not manager:
        found.append(causes.required("fieldManager", "is required for apply patch"))
    if method == "PATCH" and not is_apply and "force" in query:
        found.append(causes.forbidden("force", "may not be specified for non-apply patch"))
    found += _check_manager(manager)
    found += _check_dry_run(query.getall("dryRun", []))
    validation = query.get("fieldValidation", "")
    if validation not in _VALIDATIONS:
        found.append(causes.not_supported("fieldValidation", validation, _VALIDATIONS))
    _refuse(_KINDS.get(method, "CreateOptions"), found)


def check_list(query: MultiMapping[str]) -> None:
    """Refuse parameters of a list."""
    match, version = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    found: list[causes.Cause] = []
    if match:
        if not version:
            why = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            found.append(causes.forbidden("resourceVersionMatch", why))
        found += _check_continued(query)
        if match not in ("Exact", "NotOlderThan"):
            found.append(causes.not_supported("resourceVersionMatch", match, ("Exact", "NotOlderThan", "")))
        if match == "Exact" and version == "0":
            why = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            found.append(causes.forbidden("resourceVersionMatch", why))
    if query.get("sendInitialEvents"):
        found.append(causes.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    _refuse("ListOptions", found)


def check_watch(query: MultiMapping[str]) -> None:
    """Refuse parameters of a watch."""
    match, sends = query.get("resourceVersionMatch", ""), bool(query.get("sendInitialEvents"))
    found: list[causes.Cause] = []
    if sends and match != "NotOlderThan":
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        found.append(causes.forbidden("resourceVersionMatch", why))
    if match and not sends:
        why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        found.append(causes.forbidden("resourceVersionMatch", why))
    if match not in ("", "NotOlderThan"):
        found.append(causes.not_supported("resourceVersionMatch", match, ("NotOlderThan",)))
    found += _check_continued(query) if match else []
    _refuse("ListOptions", found)


def check_delete(options: JsonObject) -> None:
    """Refuse a DeleteOptions object: with 400 where it is none, with 422 what makes no sense in it."""
    _check_delete_types(options)
    found: list[causes.Cause] = []
    propagation = options.get("propagationPolicy")
    if options.get("orphanDependents") is not None and propagation is not None:
        why = "orphanDependents and deletionPropagation cannot be both set"
        found.append(causes.invalid("propagationPolicy", propagation, why))
    if propagation is not None and propagation not in _PROPAGATIONS:
        found.append(causes.not_supported("propagationPolicy", propagation, (*_PROPAGATIONS, "nil")))
    found += _check_dry_run(options.get("dryRun") or [])
    _refuse("DeleteOptions", found)


def included(query: MultiMapping[str]) -> str:
    """What rows of a table carry besides their cells (`includeObject`); raises 400 for what does not exist."""
    wanted = query.get("includeObject", "")
    if wanted not in _INCLUDED:
        why = f"includeObject: Invalid value: {causes.quoted(wanted)}: must be 'Metadata', 'Object', 'None', or empty"
        raise statuses.bad_request(f"Unable to convert to Table as requested: {why}")
    return wanted or "Metadata"


def _check_manager(manager: str) -> Iterable[causes.Cause]:
    if len(manager.encode()) > _LONGEST_MANAGER:
        yield causes.too_long("fieldManager", _LONGEST_MANAGER)
    position = 0
    for letter in manager:
        if not letter.isprintable():
            why = f"invalid character U+{ord(letter):04X} (at position {position})"
            yield causes.invalid("fieldManager", manager, why)
        position += len(letter.encode(errors="replace"))


def _check_dry_run(values: Sequence[str]) -> list[causes.Cause]:
    if all(value == "All" for value in values):
        return []
    listed = ", ".join(map(causes.quoted, values))
    why = f'Unsupported value: []string{{{listed}}}: supported values: "All"'
    return [causes.Cause("dryRun", "FieldValueNotSupported", why)]


def _check_continued(query: MultiMapping[str]) -> list[causes.Cause]:
    if not query.get("continue"):
        return []
    why = "resourceVersionMatch is forbidden when continue is provided"
    return [causes.forbidden("resourceVersionMatch", why)]


def _check_delete_types(options: JsonObject) -> None:
    kind = options.get("kind") or "DeleteOptions"
    if kind != "DeleteOptions":
        version = options.get("apiVersion", "")
        raise statuses.bad_request(
            f"no kind {causes.quoted(kind)} is registered for version {causes.quoted(version)}"
        )
    preconditions = options.get("preconditions")
    texts = list(preconditions.values()) if isinstance(preconditions, dict) else []
    texts += options["dryRun"] if isinstance(options.get("dryRun"), list) else []
    for field, value, (wanted, name) in (
        *((field, options.get(field), known) for field, known in _DELETE_TYPES.items()),
        *(("", text, (str, "string")) for text in texts),
    ):
        is_number = wanted is int and isinstance(value, bool)
        if value is not None and (is_number or not isinstance(value, wanted)):
            place = f"Go struct field DeleteOptions.{field}" if field else "Go value"
            why = f"json: cannot unmarshal {causes.type_name(value)} into {place} of type {name}"
            raise statuses.bad_request(why)


def _refuse(kind: str, found: Sequence[causes.Cause]) -> None:
    if found:
        raise statuses.invalid(group=_GROUP, kind=kind, name="", causes=found)
