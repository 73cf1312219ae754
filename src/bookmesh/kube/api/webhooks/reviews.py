"""AdmissionReviews: the question about a request, and what an answer means."""

from __future__ import annotations

import base64
import binascii
import uuid
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bookmesh.base.kubernetes import ApiError, JsonObject, Resource
from bookmesh.kube.api import admission
from bookmesh.kube.schema import patching

VERSION: Final = "admission.k8s.io/v1"
_SCALE: Final = Resource("autoscaling", "v1", "scales")


class InvalidAnswerError(Exception):
    """An answer that is not one to the question."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a webhook answered: `patch` is a JSON patch, empty when nothing is to change."""

    is_allowed: bool
    status: JsonObject
    patch: list[JsonObject]
    warnings: tuple[str, ...]


def question(request: admission.AdmissionRequest, resource: Resource) -> JsonObject:
    """The `request` of an AdmissionReview, about the request in the version that a webhook wants to hear of."""
    asked = {
        "uid": str(uuid.uuid4()),
        "kind": _kind(request, resource),
        "resource": {"group": resource.group, "version": resource.version, "resource": resource.plural},
        "requestKind": _kind(request, request.resource),
        "requestResource": {
            "group": request.resource.group,
            "version": request.resource.version,
            "resource": request.resource.plural,
        },
        "name": request.name,
        "operation": request.operation,
        "userInfo": {"username": request.user.name, "groups": list(request.user.groups)},
        "object": None if request.operation == "DELETE" else _shown(request, resource, request.object),
        "oldObject": _shown(request, resource, request.old) if request.old else None,
        "dryRun": request.dry_run,
        "options": request.options or None,
    }
    if request.namespace:
        asked["namespace"] = request.namespace
    if request.subresource:
        asked["subResource"] = asked["requestSubResource"] = request.subresource
    return asked


def _kind(request: admission.AdmissionRequest, resource: Resource) -> JsonObject:
    about = _SCALE if request.subresource == "scale" else resource
    return {"group": about.group, "version": about.version, "kind": request.kind}


def _shown(request: admission.AdmissionRequest, resource: Resource, obj: JsonObject) -> JsonObject:
    """The object in the version of `resource`; nothing else differs between versions."""
    if request.subresource == "scale" or request.operation == "CONNECT":
        return obj
    return {**obj, "apiVersion": resource.api_version, "kind": request.kind}


def parse_answer(body: bytes, uid: str) -> Verdict:
    """
    Read the body of an answer.

    Raises:
        InvalidAnswerError: it is not an AdmissionReview v1 with a response to the question `uid`.
    """
    try:
        review = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidAnswerError(f"couldn't get version/kind; json parse error: {error}") from error
    found = (review.get("apiVersion"), review.get("kind")) if isinstance(review, dict) else (None, None)
    if found != (VERSION, "AdmissionReview"):
        shown = f"{found[0] or ''}, Kind={found[1] or ''}"
        raise InvalidAnswerError(f"expected webhook response of {VERSION}, Kind=AdmissionReview, got {shown}")
    response = review.get("response")
    if not isinstance(response, dict):
        raise InvalidAnswerError("webhook response was absent")
    if response.get("uid") != uid:
        raise InvalidAnswerError(f'expected response.uid="{uid}", got "{response.get("uid", "")}"')
    status, warnings = response.get("status"), response.get("warnings")
    return Verdict(
        response.get("allowed") is True,
        status if isinstance(status, dict) else {},
        _patch_of(response),
        tuple(str(text) for text in warnings) if isinstance(warnings, list) else (),
    )


def _patch_of(response: JsonObject) -> list[JsonObject]:
    text, kind = response.get("patch"), response.get("patchType")
    if not text:
        if kind:
            raise InvalidAnswerError("webhook returned response.patchType but not response.patch")
        return []
    if kind != "JSONPatch":
        raise InvalidAnswerError(f'webhook returned invalid response.patchType of "{kind or ""}"')
    try:
        patch: Any = orjson.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise InvalidAnswerError(f"webhook returned a response.patch that cannot be read: {error}") from error
    if not isinstance(patch, list):
        raise InvalidAnswerError("webhook returned a response.patch that is no JSON patch")
    return patch


def patched(obj: JsonObject, patch: list[JsonObject]) -> JsonObject:
    """The object with the patch applied; raises `InvalidAnswerError`."""
    try:
        result = patching.apply_json_patch(obj, patch)
    except patching.PatchError as error:
        raise InvalidAnswerError(str(error)) from error
    if not isinstance(result, dict) or not isinstance(result.get("metadata"), dict):
        raise InvalidAnswerError("the patch leaves no object")
    return result


def denial(name: str, status: JsonObject) -> ApiError:
    """The refusal of a webhook: its own code, reason and words, with its name before them."""
    code, reason = status.get("code"), str(status.get("reason") or "")
    code = code if isinstance(code, int) and code >= 400 else 400
    text = status.get("message") or reason
    said = f": {text}" if text else " without explanation"
    details = status.get("details")
    return ApiError(
        code,
        reason,
        f'admission webhook "{name}" denied the request{said}',
        details=details if isinstance(details, dict) else None,
    )
