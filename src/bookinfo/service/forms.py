"""
The fields of a posted form, in both encodings that browsers use.

A body is small and complete when it gets here (see `limits`), so it is cut in one go. Files are not accepted.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl

from bookinfo.service.answers import HttpError
from bookinfo.service.requests import Request

MOST_FIELDS: Final = 20

URL_ENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"

BOUNDARY: Final = re.compile(r';\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)
PARAMETER: Final = re.compile(r';\s*([a-z*]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))', re.IGNORECASE)


def parse(request: Request) -> dict[str, str]:
    """
    Return the fields by name; of a repeated one the first. A body that is no form has none.

    Raises:
        HttpError: 400, with the reason.
    """
    content_type = request.header("content-type") or ""
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == URL_ENCODED:
            pairs = parse_qsl(
                request.body.decode("utf-8"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MOST_FIELDS,
            )
        elif kind == MULTIPART:
            pairs = parse_multipart(request.body, content_type)
        else:
            pairs = []
    except ValueError as error:  # text that is not UTF-8 is one as well
        raise HttpError(400, f"the form cannot be read: {error}") from error
    return dict(reversed(pairs))


def parse_multipart(body: bytes, content_type: str) -> list[tuple[str, str]]:
    """
    Return the fields of a body of type multipart/form-data (RFC 7578), in order.

    Raises:
        ValueError: with the reason; a file is one.
    """
    found = BOUNDARY.search(content_type)
    if found is None:
        raise ValueError("it has no boundary")
    delimiter = b"\r\n--" + (found[1] or found[2]).encode("latin-1")
    parts = (b"\r\n" + body).split(delimiter)
    if len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise ValueError("it does not end")
    if len(parts) - 2 > MOST_FIELDS:
        raise ValueError(f"it has more than {MOST_FIELDS} fields")
    return [parse_part(part) for part in parts[1:-1]]


def parse_part(part: bytes) -> tuple[str, str]:
    """
    Return name and value of what stands between two boundaries.

    Raises:
        ValueError: with the reason.
    """
    head, end, value = part.partition(b"\r\n\r\n")
    if not end:
        raise ValueError("a field has no content")
    for line in head.decode("utf-8").split("\r\n"):
        name, _, disposition = line.partition(":")
        if name.strip().lower() != "content-disposition":
            continue
        parameters = {
            key.lower(): re.sub(r"\\(.)", r"\1", quoted) or plain
            for key, quoted, plain in PARAMETER.findall(disposition)
        }
        if parameters.keys() & {"filename", "filename*"}:
            raise ValueError("files are not accepted")
        if "name" in parameters:
            return parameters["name"], value.decode("utf-8")
    raise ValueError("a field has no name")
