"""
httpbin's endpoints that answer as the path asks: a status, a delay, a redirect, cookies, a log-in, bytes.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import html
import json
import math
import random
import re
import uuid
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from bookmesh.lab.standins import echoing

MAX_DELAY_S: Final = 10.0
MAX_BYTES: Final = 100 * 1024

SECONDS_BY_UNIT: Final = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|ms|s|m|h)")

TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A header's or a cookie's name."""

SAMPLE_JSON: Final = {
    "slideshow": {
        "author": "A teacher",
        "date": "date of publication",
        "slides": [
            {"title": "Meshes", "type": "all"},
            {"items": ["A proxy beside each program", "One place to decide"], "title": "Why", "type": "all"},
        ],
        "title": "A slide show",
    }
}

SAMPLE_HTML: Final = """<!DOCTYPE html>
<html>
  <head><title>A page</title></head>
  <body>
    <h1>Herman Melville - Moby-Dick</h1>
    <p>The chapter itself is in the library; this page is here so that a client has some HTML to ask for.</p>
  </body>
</html>
"""


async def response_headers(request: Request) -> Response:
    """Send every query argument as a response header, and say so in the body."""
    wanted = echoing.arguments(request)
    content_type = wanted.setdefault("Content-Type", [echoing.JSON_TYPE])[0]
    is_harmless = content_type.startswith(("application/json", "text/plain", "application/octet-stream"))
    shown = (
        wanted if is_harmless else {html.escape(n): [html.escape(v) for v in vs] for n, vs in wanted.items()}
    )
    body = json.dumps(dict(sorted(shown.items())), indent=2, ensure_ascii=False) + "\n"
    response = Response(body.encode("utf-8", "replace"))
    for name, values in wanted.items():
        for value in values:
            if not TOKEN.fullmatch(name) or not is_header_value(value):
                return echoing.failure(400, f"{name!r} cannot be a response header")
            response.headers.append(name, value)
    return response


def is_header_value(text: str) -> bool:
    return all(" " <= character <= "\xff" and character != "\x7f" for character in text)


async def status(request: Request) -> Response:
    """Answer with a status, or with one of several by weight (`200:3,503:1`)."""
    choices: list[tuple[int, float]] = []
    for choice in request.path_params["codes"].split(","):
        code, _, weight = choice.partition(":")
        if not re.fullmatch(r"[1-5][0-9][0-9]", code):
            return echoing.failure(
                400, f"invalid status code: {code!r} is not a number in the range [100, 599]"
            )
        if weight and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", weight):
            return echoing.failure(400, f"invalid weight value: {weight!r}")
        choices.append((int(code), float(weight or 1)))
    codes, weights = zip(*choices, strict=True)
    if sum(weights) <= 0:
        return echoing.failure(400, "the weights add up to nothing")
    return status_answer(random.choices(codes, weights)[0])  # noqa: S311 - a test tool's dice


def status_answer(code: int) -> Response:
    """Return what a status comes with: a place to go, a way to log in, a teapot's words."""
    headers = {"content-type": echoing.TEXT_TYPE}
    body = ""
    if code in {301, 302, 303, 305, 307}:
        headers["location"] = "/redirect/1"
    elif code in {300, 308}:
        headers["location"] = "/get"
    elif code == 401:
        headers["www-authenticate"] = 'Basic realm="Fake Realm"'
    elif code == 407:
        headers["proxy-authenticate"] = 'Basic realm="Fake Realm"'
    elif code == 418:
        headers["x-more-info"] = "http://tools.ietf.org/html/rfc2324"
        body = "I'm a teapot!"
    return Response(body, code, headers)


def parse_delay(text: str) -> float | None:
    """Return seconds from `1.5` or a Go duration such as `1m30s` or `250ms`; None if it is neither."""
    if re.fullmatch(r"[0-9]*\.?[0-9]+", text):
        return float(text)
    parts = DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * SECONDS_BY_UNIT[unit] for number, unit in parts)


async def delay(request: Request) -> Response:
    seconds = parse_delay(request.path_params["duration"])
    if seconds is None or not math.isfinite(seconds) or seconds > MAX_DELAY_S:
        return echoing.failure(400, f"invalid duration: expected seconds from 0 to {MAX_DELAY_S:g}")
    await asyncio.sleep(seconds)
    return await echoing.with_body(request)


def redirect_count(request: Request) -> int | None:
    text = request.path_params["count"]
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,5}", text) else None


def found(location: str, status: int = 302) -> Response:
    return Response(status_code=status, headers={"location": location})


async def redirect(request: Request) -> Response:
    """Redirect as often as the path says, then to `/get`; by relative URLs unless `absolute=true`."""
    if request.query_params.get("absolute", "").lower() == "true":
        return await absolute_redirect(request)
    count = redirect_count(request)
    if count is None:
        return echoing.failure(400, "redirect count must be a number > 0")
    return found("/get" if count == 1 else f"/relative-redirect/{count - 1}")


async def absolute_redirect(request: Request) -> Response:
    count = redirect_count(request)
    if count is None:
        return echoing.failure(400, "redirect count must be a number > 0")
    return found(echoing.base_url(request) + ("/get" if count == 1 else f"/absolute-redirect/{count - 1}"))


async def redirect_to(request: Request) -> Response:
    url = request.query_params.get("url", "")
    code = request.query_params.get("status_code", "302")
    if not url or not is_header_value(url):
        return echoing.failure(400, "missing or unusable query parameter: url")
    if not re.fullmatch(r"3[0-9][0-9]", code):
        return echoing.failure(400, f"invalid status code: {code!r} is not in the range [300, 399]")
    return found(url, int(code))


async def cookies(request: Request) -> Response:
    return echoing.json_answer(dict(sorted(request.cookies.items())))


async def set_cookies(request: Request) -> Response:
    response = found("/cookies")
    for name, value in request.query_params.items():
        if not TOKEN.fullmatch(name):
            return echoing.failure(400, f"{name!r} cannot be a cookie's name")
        response.set_cookie(name, value, path=None, httponly=True, samesite=None)
    return response


async def delete_cookies(request: Request) -> Response:
    response = found("/cookies")
    for name in request.query_params:
        if not TOKEN.fullmatch(name):
            return echoing.failure(400, f"{name!r} cannot be a cookie's name")
        response.set_cookie(name, "", max_age=0, path=None, httponly=True, samesite=None)
    return response


def credentials(request: Request) -> tuple[str, str]:
    """Return user and password of HTTP basic authentication; empty if there are none."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password


async def basic_auth(request: Request) -> Response:
    user, password = credentials(request)
    wanted = (request.path_params["user"], request.path_params["password"])
    is_right = (user, password) == wanted
    headers = None if is_right else {"www-authenticate": 'Basic realm="Fake Realm"'}
    answer = {"authenticated": is_right, "user": user, "authorized": is_right}
    return echoing.json_answer(answer, 200 if is_right else 401, headers)


async def random_bytes(request: Request) -> Response:
    """Send up to 100 KiB of bytes, the same for the same `seed`."""
    text, seed = request.path_params["count"], request.query_params.get("seed")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        return echoing.failure(400, f"invalid byte count: {text!r}")
    if seed is not None and not re.fullmatch(r"-?[0-9]{1,19}", seed):
        return echoing.failure(400, f"invalid seed: {seed!r}")
    dice = random.Random(None if seed is None else int(seed))  # noqa: S311 - a test tool's dice
    return Response(dice.randbytes(min(int(text), MAX_BYTES)), media_type=echoing.BINARY_TYPE)


async def sample_html(_request: Request) -> Response:
    return Response(SAMPLE_HTML, media_type=echoing.HTML_TYPE)


async def sample_json(_request: Request) -> Response:
    return echoing.json_answer(SAMPLE_JSON)


async def random_uuid(_request: Request) -> Response:
    return echoing.json_answer({"uuid": str(uuid.uuid4())})
