"""Server-side apply between the verbs and the account: which part of a configuration counts, and refusals."""

from __future__ import annotations

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import accounting, scaling, statuses
from bookmesh.kube.schema import kinds as kinds_module
from bookmesh.kube.schema import schemas as schemas_module
from bookmesh.kube.schema.ownership import applying, managers, typed


def check_configuration(kind: kinds_module.Kind, configuration: object) -> None:
    """Refuse, with 400, what cannot be applied to an object of this kind."""
    if not isinstance(configuration, dict):
        raise statuses.bad_request("the applied configuration is not an object")
    version = configuration.get("apiVersion")
    if version != kind.api_version:
        raise statuses.bad_request(
            "Incorrect version specified in apply patch. "
            f"Specified patch version: {version}, expected: {kind.api_version}"
        )
    if (configuration.get("metadata") or {}).get("managedFields") is not None:
        raise statuses.bad_request("metadata.managedFields must be nil")


def from_scale(kind: kinds_module.Kind, name: str, scale: object) -> JsonObject:
    """The configuration of an object that an applied `Scale` stands for."""
    replicas = (scale.get("spec") or {}).get("replicas") if isinstance(scale, dict) else None
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        raise statuses.bad_request("the applied configuration is not a Scale with spec.replicas")
    whole = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}
    return scaling.with_replicas(kind, whole, replicas)


def part_of(kind: kinds_module.Kind, configuration: JsonObject, subresource: str) -> JsonObject:
    """The part of a configuration that is about the object, or about its status."""
    if subresource == "status":
        kept = {"apiVersion", "kind", "status"}
        fields = configuration.get("metadata") or {}
        names = {key: fields[key] for key in ("name", "namespace", "uid", "resourceVersion") if key in fields}
        return {
            **{key: value for key, value in configuration.items() if key in kept},
            "metadata": names,
        }
    if "status" in kind.subresources:
        return {key: value for key, value in configuration.items() if key != "status"}
    return configuration


def merge(
    schemas: schemas_module.Schemas,
    kind: kinds_module.Kind,
    stored: JsonObject | None,
    wanted: JsonObject,
    *,
    writer: managers.Writer,
    force: bool,
    now: str,
) -> applying.Applied:
    """
    Work out what an object becomes when `writer` applies `wanted` to it, and who owns which of its fields then.

    Args:
        stored: the object as it is; None when there is none.
        force: whether fields that others own are taken from them.
        now: the time that is written down, RFC 3339.

    Raises:
        ApiError: 409, others own fields; 400, lists of the configuration make no sense.
    """
    live = accounting.without(stored) if stored is not None else {}
    entries = accounting.entries_of(stored) if stored is not None else ()
    root = schemas.root(kind.group, kind.version, kind.kind)
    try:
        return applying.apply(root, live, wanted, writer=writer, entries=entries, force=force, now=now)
    except applying.ConflictError as error:
        raise _conflict(error) from error
    except typed.ElementError as error:
        raise _malformed(kind, wanted["metadata"], error) from error


def _malformed(kind: kinds_module.Kind, fields: JsonObject, why: Exception) -> ApiError:
    """400 for a configuration whose lists make no sense."""
    place = f"{fields.get('namespace', '')}/{fields['name']}; {kind.api_version}, Kind={kind.kind}"
    return statuses.bad_request(f"failed to create typed patch object ({place}): {why}")


def _conflict(error: applying.ConflictError) -> ApiError:
    """409 with every field that somebody else owns."""
    conflicts = error.conflicts
    causes = [
        {
            "reason": "FieldManagerConflict",
            "message": f"conflict with {_owner(each.owner)}",
            "field": each.path,
        }
        for each in conflicts
    ]
    if len(conflicts) == 1:
        text = f"1 conflict: conflict with {_owner(conflicts[0].owner)}: {conflicts[0].path}"
    else:
        lines: list[str] = []
        for owner in dict.fromkeys(_owner(each.owner) for each in conflicts):
            lines.append(f"conflicts with {owner}:")
            lines += [f"- {each.path}" for each in conflicts if _owner(each.owner) == owner]
        text = f"{len(conflicts)} conflicts: " + "\n".join(lines)
    return ApiError(409, "Conflict", f"Apply failed with {text}", details={"causes": causes})


def _owner(entry: managers.Entry) -> str:
    writer = entry.writer
    text = f'"{writer.manager}"'
    if writer.subresource:
        text += f' with subresource "{writer.subresource}"'
    if writer.operation == "Update":
        text += f" using {writer.api_version}"
    return text
