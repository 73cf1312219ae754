"""
The audit log: what was asked of the server by whom, and what it answered, as an audit policy wants it.

One JSON line an event (`audit.k8s.io/v1` Event), at the stages `RequestReceived`, `ResponseStarted` (only of what
goes on for long: watches, logs, streams) and `ResponseComplete`. A request without good credentials is not written.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import web

from bookmesh.base.kubernetes import ApiError, JsonObject
from bookmesh.kube.api import acting, authentication, authorization, decoding, metadata, notes, paths
from bookmesh.kube.schema import audit_policies

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
IMPERSONATED: Final = web.RequestKey("impersonated", authentication.User)
"""Who somebody else stands in for."""

_LOG = logging.getLogger(__name__)
_LASTING: Final = frozenset({"attach", "exec", "log", "portforward", "proxy"})
_OF_STATUS: Final = ("metadata", "status", "message", "reason", "details", "code")


class File:
    """Appends lines to a file; a line that cannot be written is told once in the server's own log."""

    def __init__(self, path: Path) -> None:
        """Raises OSError when the file cannot be written."""
        self._path = path
        self._file = path.open("ab", buffering=0)
        self._is_told = False

    def write(self, line: bytes) -> None:
        """Append one line."""
        try:
            self._file.write(line + b"\n")
        except OSError as error:
            if not self._is_told:
                _LOG.error("the audit log %s cannot be written: %s", self._path, error)
            self._is_told = True

    def close(self) -> None:
        """Write no more."""
        self._file.close()


class _Entry:
    """What is known of one request so far."""

    def __init__(
        self,
        request: web.Request,
        user: authentication.User,
        action: authorization.Action,
        treatment: audit_policies.Treatment,
    ) -> None:
        self.id = request.headers.get("Audit-Id") or str(uuid.uuid4())
        self.treatment, self.received = treatment, ""
        self.is_lasting = action.verb == "watch" or action.subresource in _LASTING
        self.status: JsonObject = {}
        self._request, self._user, self._action = request, user, action
        self._about = _about(request, action)
        self._objects: JsonObject = {}
        self._annotations = notes.begin()

    async def fill(self, response: web.Response) -> None:
        """Take in what was asked and what is answered."""
        self.status = {"metadata": {}, "code": response.status}
        answer = _json_of(response)
        if isinstance(answer, dict) and answer.get("kind") == "Status":
            self.status = {key: answer[key] for key in _OF_STATUS if key in answer}
            self.status["code"] = response.status
        question = await self._question() if self._about else None
        if isinstance(question, dict) and isinstance(question.get("metadata"), dict):
            self._name(question["metadata"])
        if self.treatment.includes("Request") and question is not None:
            self._objects["requestObject"] = self._shown(question)
        if self.treatment.includes("RequestResponse") and answer is not None and self._about:
            self._objects["responseObject"] = self._shown(answer)

    def event(self, stage: audit_policies.Stage, now: str) -> JsonObject:
        """Return the event of one stage."""
        request = self._request
        impersonated = request.get(IMPERSONATED)
        is_over = stage != "RequestReceived"
        return {
            "kind": "Event",
            "apiVersion": audit_policies.API_VERSION,
            "level": self.treatment.level,
            "auditID": self.id,
            "stage": stage,
            "requestURI": request.raw_path,
            "verb": self._action.verb,
            "user": _shown_user(self._user),
            **({"impersonatedUser": _shown_user(impersonated)} if impersonated else {}),
            "sourceIPs": _sources(request),
            "userAgent": request.headers.get("User-Agent", ""),
            **({"objectRef": self._about} if self._about else {}),
            **({"responseStatus": self.status} if is_over and self.status else {}),
            **(self._objects if stage == "ResponseComplete" else {}),
            "requestReceivedTimestamp": self.received,
            "stageTimestamp": now,
            **({"annotations": self._annotations} if is_over and self._annotations else {}),
        }

    async def _question(self) -> Any:
        """What was sent, decoded; None where nothing was, or nothing that anybody could read."""
        request = self._request
        if request.method not in ("POST", "PUT", "PATCH", "DELETE"):
            return None
        content_type = request.headers.get("Content-Type", "")
        try:
            content = await request.read()
            if not content:
                return None
            if request.method != "PATCH":
                return decoding.decode_body(content, content_type)
            if decoding.is_apply(content_type):
                return decoding.decode_configuration(content)
            return decoding.decode_patch(content, content_type)[1]
        except (ApiError, web.HTTPRequestEntityTooLarge, ConnectionResetError):
            return None

    def _name(self, fields: JsonObject) -> None:
        """Say which object it is where the path did not."""
        for key in ("namespace", "name", "uid", "resourceVersion"):
            if not self._about.get(key) and isinstance(value := fields.get(key), str) and value:
                self._about[key] = value

    def _shown(self, obj: Any) -> Any:
        if self.treatment.has_managed_fields or not isinstance(obj, dict):
            return obj
        if isinstance(items := obj.get("items"), list):
            return {**obj, "items": [_without_managed_fields(each) for each in items]}
        return _without_managed_fields(obj)


_ENTRY: Final = web.RequestKey("audit", _Entry)


class Auditor:
    """Writes down requests as a policy says."""

    def __init__(
        self,
        policy: audit_policies.Policy,
        write: Callable[[bytes], None],
        *,
        clock: metadata.Clock = metadata.utc_now,
    ) -> None:
        """`write` takes one event, without the end of its line."""
        self._policy, self._write, self._clock = policy, write, clock

    @web.middleware
    async def watch(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Write the events of a request; it is known by now who makes it, and not yet whether they may."""
        user, action = request[authentication.USER], acting.action_of(request)
        treatment = self._policy.treatment_of(_asked(user, action))
        if treatment.level == "None":
            return await handler(request)
        entry = _Entry(request, user, action, treatment)
        request[_ENTRY] = entry
        self._tell(entry, "RequestReceived")
        try:
            response = await handler(request)
        except BaseException:
            self._tell(entry, "ResponseComplete")
            raise
        if isinstance(response, web.Response) and not response.prepared:
            await entry.fill(response)
            if entry.is_lasting:
                self._tell(entry, "ResponseStarted")
            response.headers["Audit-Id"] = entry.id
        self._tell(entry, "ResponseComplete")
        return response

    async def on_prepare(self, request: web.Request, response: web.StreamResponse) -> None:
        """A stream tells its code here, before anything of it is sent."""
        entry = request.get(_ENTRY)
        if entry is None or isinstance(response, web.Response):
            return
        response.headers["Audit-Id"] = entry.id
        entry.status = {"metadata": {}, "code": response.status}
        if entry.is_lasting:
            self._tell(entry, "ResponseStarted")

    def _tell(self, entry: _Entry, stage: audit_policies.Stage) -> None:
        now = metadata.micro_timestamp(self._clock())
        entry.received = entry.received or now
        if stage not in entry.treatment.omitted:
            self._write(orjson.dumps(entry.event(stage, now)))


def _asked(user: authentication.User, action: authorization.Action) -> audit_policies.Asked:
    return audit_policies.Asked(
        user.name,
        user.groups,
        action.verb,
        group=action.group,
        resource=action.resource,
        subresource=action.subresource,
        namespace=action.namespace,
        name=action.name,
        path=action.path,
    )


def _about(request: web.Request, action: authorization.Action) -> JsonObject:
    """The object as its path names it; empty for a path that names none."""
    if action.path:
        return {}
    found = {
        "resource": action.resource,
        "namespace": action.namespace,
        "name": action.name,
        "apiGroup": action.group,
        "apiVersion": paths.parse(request.rel_url.raw_path).version,
        "subresource": action.subresource,
    }
    return {key: value for key, value in found.items() if value}


def _sources(request: web.Request) -> list[str]:
    forwarded = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    return [each for each in (*forwarded, request.headers.get("X-Real-Ip", ""), request.remote or "") if each]


def _shown_user(user: authentication.User) -> JsonObject:
    return {"username": user.name, "groups": list(user.groups)}


def _json_of(response: web.Response) -> Any:
    if response.content_type != "application/json" or not isinstance(response.body, bytes):
        return None
    return orjson.loads(response.body)


def _without_managed_fields(obj: Any) -> Any:
    if not isinstance(obj, dict) or not isinstance(fields := obj.get("metadata"), dict):
        return obj
    return {**obj, "metadata": {key: value for key, value in fields.items() if key != "managedFields"}}
