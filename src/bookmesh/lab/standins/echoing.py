"""
What httpbin says about a request: headers, arguments, origin, URL and body, in go-httpbin's JSON shapes.

Header values are lists under canonical names (`X-Forwarded-For`), the host is among them, names are sorted.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

JSON_TYPE: Final = "application/json; charset=utf-8"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
HTML_TYPE: Final = "text/html; charset=utf-8"
BINARY_TYPE: Final = "application/octet-stream"

CLIENT_ADDRESS_HEADERS: Final = ("fly-client-ip", "cf-connecting-ip", "fastly-client-ip", "true-client-ip")

STATUS_TEXTS: Final = {
    400: "Bad Request",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    501: "Not Implemented",
}

Multi = dict[str, list[str]]
"""Values by name, names sorted, values in order of arrival."""


def json_answer(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return indented JSON with a newline at its end."""
    body = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    return Response(body.encode("utf-8", "replace"), status, headers, media_type=JSON_TYPE)


def group(pairs: Iterable[tuple[str, str]]) -> Multi:
    """Collect pairs by name."""
    found: Multi = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return dict(sorted(found.items()))


def canonical(name: str) -> str:
    """Return a header name the way Go writes it: `x-b3-traceid` becomes `X-B3-Traceid`."""
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def header_values(request: Request) -> Multi:
    return group((canonical(name), value) for name, value in request.headers.items())


def arguments(request: Request) -> Multi:
    query = request.scope["query_string"].decode("latin-1")
    return group(parse_qsl(query, keep_blank_values=True))


def origin(request: Request) -> str:
    """Return the client's address: what the proxies in between said first, else the peer of the connection."""
    for name in CLIENT_ADDRESS_HEADERS:
        if name in request.headers:
            return request.headers[name]
    forwarded = request.headers.get("x-forwarded-for", "").split(",")[0].strip()
    if forwarded:
        return forwarded
    peer = request.client.host if request.client else ""
    return peer.removeprefix("::ffff:")


def scheme(request: Request) -> str:
    for name in ("x-forwarded-proto", "x-forwarded-protocol"):
        if request.headers.get(name):
            return request.headers[name]
    return "https" if request.headers.get("x-forwarded-ssl") == "on" else "http"


def base_url(request: Request) -> str:
    return f"{scheme(request)}://{request.headers.get('host', '')}"


def full_url(request: Request) -> str:
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1")
    return f"{base_url(request)}{path}" + (f"?{query}" if query else "")


def describe(request: Request) -> dict[str, Any]:
    """Return what `/get` answers."""
    return {
        "args": arguments(request),
        "headers": header_values(request),
        "method": request.method,
        "origin": origin(request),
        "url": full_url(request),
    }


async def describe_with_body(request: Request) -> dict[str, Any]:
    """
    Return what `/post` and `/anything` answer.

    Raises:
        ValueError: the body is not what its content type promises.
    """
    answer: dict[str, Any] = {**describe(request), "data": "", "files": {}, "form": {}, "json": None}
    body = await request.body()
    if not body:
        return answer
    content_type = request.headers.get("content-type", "").partition(";")[0]
    answer["data"] = body.decode("utf-8", "replace")
    if content_type == "application/json":
        answer["json"] = json.loads(body)
    elif content_type == "application/x-www-form-urlencoded":
        answer["form"] = group(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    elif content_type == "multipart/form-data":
        answer["form"], answer["files"] = await read_multipart(request)
    elif content_type not in {"text/html", "text/plain"}:
        encoded = base64.urlsafe_b64encode(body).decode("ascii")
        answer["data"] = f"data:{content_type or BINARY_TYPE};base64,{encoded}"
    return answer


async def read_multipart(request: Request) -> tuple[Multi, Multi]:
    """Return the fields and the contents of the files of a form."""
    fields: list[tuple[str, str]] = []
    files: list[tuple[str, str]] = []
    async with request.form() as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                files.append((name, (await value.read()).decode("utf-8", "replace")))
            else:
                fields.append((name, value))
    return group(fields), group(files)


async def with_body(request: Request) -> Response:
    """Answer with what the request and its body were."""
    try:
        return json_answer(await describe_with_body(request))
    except ValueError as error:
        return failure(400, f"error parsing request body: {error}")


def failure(code: int, detail: str = "") -> Response:
    """Return the error shape of the original."""
    answer = {"status_code": code, "error": STATUS_TEXTS.get(code, "Error")}
    return json_answer({**answer, "detail": detail} if detail else answer, code)
