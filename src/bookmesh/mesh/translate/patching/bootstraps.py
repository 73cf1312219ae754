"""The file an Envoy starts from. What is changed later has no effect on an Envoy that runs."""

from __future__ import annotations

from google.protobuf import json_format

from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.snapshot import envoy_filters
from bookmesh.mesh.translate.patching import applying, merging
from bookmesh.mesh.wire import decoding

_APPLY_TO = "BOOTSTRAP"


def patch(bootstrap: JsonObject, patches: tuple[envoy_filters.Patch, ...], *, is_router: bool) -> JsonObject:
    """Give the bootstrap with all changes merged into it; the very same one when there are none."""
    values = applying.read_values(patches)
    contexts = ("GATEWAY",) if is_router else ("SIDECAR_OUTBOUND", "SIDECAR_INBOUND")
    changes = [
        values[patch]
        for patch in patches
        if patch.apply_to == _APPLY_TO
        and patch.operation == "MERGE"
        and patch.context in ("ANY", *contexts)
        and patch in values
    ]
    if not changes:
        return bootstrap
    message = decoding.decode(_APPLY_TO, bootstrap).message
    for change in changes:
        merging.merge(message, change)
    return json_format.MessageToDict(message, preserving_proto_field_name=True)
