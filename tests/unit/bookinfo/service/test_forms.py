from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookinfo.service import forms
from bookinfo.service.answers import HttpError
from bookinfo.service.requests import Request

BOUNDARY = "multipart/form-data; boundary=xx"


def parse(body: bytes, content_type: str) -> dict[str, str]:
    request = Request("POST", "/", headers=[(b"content-type", content_type.encode("latin-1"))])
    request.body = body
    return forms.parse(request)


def part(value: bytes, *, disposition: bytes = b'form-data; name="a"') -> bytes:
    return b"--xx\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + value + b"\r\n"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=1&a=2", {"a": "1"}),
        (b"a=%C3%A9+x", {"a": "é x"}),
        ("a=é".encode(), {"a": "é"}),
        (b"a=&b", {"a": "", "b": ""}),
        (b"", {}),
    ],
)
def test_url_encoded_fields(body: bytes, fields: dict[str, str]) -> None:
    assert parse(body, "application/x-www-form-urlencoded") == fields
    assert parse(body, "Application/X-WWW-Form-Urlencoded; charset=utf-8") == fields


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (part(b"1") + b"--xx--\r\n", {"a": "1"}),
        (part(b"1") + b"--xx--", {"a": "1"}),
        (b"preamble\r\n" + part(b"1") + b"--xx--\r\nepilogue", {"a": "1"}),
        (part(b"1") + part(b"2") + b"--xx--", {"a": "1"}),
        (part(b"1") + part(b"2", disposition=b"form-data; name=b") + b"--xx--", {"a": "1", "b": "2"}),
        (part(b"", disposition=b'form-data; name=""') + b"--xx--", {"": ""}),
        (part(b"line\r\nline\r\n\r\n--x") + b"--xx--", {"a": "line\r\nline\r\n\r\n--x"}),
        (part("é".encode(), disposition=rb'form-data; name="a\"b"') + b"--xx--", {'a"b': "é"}),
        (b"--xx--", {}),
    ],
)
def test_multipart_fields(body: bytes, fields: dict[str, str]) -> None:
    assert parse(body, BOUNDARY) == fields
    assert parse(body, 'multipart/form-data; charset=utf-8; boundary="xx"') == fields


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"a=%ff", forms.URL_ENCODED, "utf-8"),
        (b"a=\xff", forms.URL_ENCODED, "utf-8"),
        (b"&".join([b"a=1"] * 21), forms.URL_ENCODED, "fields"),
        (part(b"1") + b"--xx--", "multipart/form-data", "boundary"),
        (part(b"1") + b"--xx--", "multipart/form-data; boundary=", "boundary"),
        (part(b"1"), BOUNDARY, "does not end"),
        (b"", BOUNDARY, "does not end"),
        (part(b"1") * 21 + b"--xx--", BOUNDARY, "more than 20 fields"),
        (part(b"\xff") + b"--xx--", BOUNDARY, "utf-8"),
        (part(b"1", disposition=b'form-data; name="a"; filename="x"') + b"--xx--", BOUNDARY, "files"),
        (part(b"1", disposition=b"form-data; name=a; filename*=utf-8''x") + b"--xx--", BOUNDARY, "files"),
        (part(b"1", disposition=b"form-data") + b"--xx--", BOUNDARY, "no name"),
        (b"--xx\r\n\r\n\r\n--xx--", BOUNDARY, "no name"),
        (b"--xx\r\nContent-Disposition: form-data; name=a\r\n--xx--", BOUNDARY, "no content"),
    ],
)
def test_what_cannot_be_read_is_400_with_the_reason(body: bytes, content_type: str, reason: str) -> None:
    with pytest.raises(HttpError, match=reason) as refused:
        parse(body, content_type)
    assert refused.value.status == 400


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json"])
def test_what_is_no_form_has_no_fields(content_type: str) -> None:
    assert parse(b"a=1", content_type) == {}


@settings(max_examples=200)
@given(
    content_type=st.sampled_from([BOUNDARY, forms.URL_ENCODED, "multipart/form-data; boundary=\xff"]),
    body=st.one_of(
        st.binary(max_size=80),
        st.lists(
            st.sampled_from(
                [b"--xx", b"\r\n", b"--", b"Content-Disposition: form-data; name=a", b'"', b"\\", b"\xff"]
            ),
            max_size=14,
        ).map(b"".join),
    ),
)
def test_any_body_is_fields_or_400(content_type: str, body: bytes) -> None:
    status = 200
    fields: dict[str, str] = {}
    try:
        fields = parse(body, content_type)
    except HttpError as error:
        status = error.status
    assert status in {200, 400}
    assert all(isinstance(value, str) for value in fields.values())
