"""The subresources of a pod that are streams: its log, and what webhooks may refuse: exec, attach, port-forward."""

from __future__ import annotations

from typing import Final

from aiohttp import web
from multidict import MultiMapping

from bookmesh.base.kubernetes import PODS, JsonObject
from bookmesh.base.pods import PodStreams
from bookmesh.kube.api import admission, authentication, logs, paths, portforwarding, queries, streaming
from bookmesh.kube.schema import kinds

SERVED: Final = frozenset({"attach", "exec", "log", "portforward"})


async def serve(
    request: web.Request,
    part: kinds.Subresource,
    path: paths.Path,
    pod: JsonObject,
    *,
    streams: PodStreams,
    webhooks: admission.Admission,
) -> web.StreamResponse:
    """Answer a request on one of `SERVED`; `webhooks` hear of connections before they are made."""
    if part.name == "log":
        return await logs.serve(request, pod, streams)
    await _admit(request, part, path, webhooks)
    if part.name == "exec":
        return await streaming.serve_exec(request, pod, streams)
    if part.name == "attach":
        return await streaming.serve_attach(request, pod, streams)
    return await portforwarding.serve(request, pod, streams)


async def _admit(
    request: web.Request, part: kinds.Subresource, path: paths.Path, webhooks: admission.Admission
) -> None:
    """Webhooks may refuse a stream into a pod."""
    group, version, kind = part.body
    connection = admission.AdmissionRequest(
        operation="CONNECT",
        resource=PODS,
        namespace=path.namespace,
        name=path.name,
        object={
            "kind": kind,
            "apiVersion": f"{group}/{version}" if group else version,
            **_options(request.query),
        },
        kind=kind,
        subresource=part.name,
        user=request[authentication.USER],
    )
    await webhooks.mutate(connection)
    await webhooks.validate(connection)


def _options(query: MultiMapping[str]) -> JsonObject:
    """The query of exec, attach or port-forward as the object that webhooks see."""
    flags = ("stdin", "stdout", "stderr", "tty")
    found: JsonObject = {key: True for key in flags if queries.is_true(query, key)}
    if "container" in query:
        found["container"] = query["container"]
    if "command" in query:
        found["command"] = query.getall("command")
    return found
