from __future__ import annotations

import pytest

from bookinfo.service import answers


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("7", 7), ("-1", -1), ("2147483647", 2147483647)])
def test_number_is_a_product_id(text: str, expected: int) -> None:
    assert answers.parse_product_id(text) == expected


@pytest.mark.parametrize("text", ["", "abc", "1.0", "1 ", "2147483648", "9" * 5000, "٣", "0x1", "+1", "1\n"])
def test_anything_else_is_not(text: str) -> None:
    assert answers.parse_product_id(text) is None


def test_header_lines_end_as_they_have_to() -> None:
    assert answers.encode_fields({"location": "x", "etag": '"\xe9"'}) == b'location: x\r\netag: "\xe9"\r\n'
    assert answers.encode_fields({}) == b""


@pytest.mark.parametrize("value", ["a\r\nset-cookie: b=c", "a\nb", "a\rb", "a\0b", "a\x7fb"])
def test_a_value_cannot_begin_another_header(value: str) -> None:
    with pytest.raises(ValueError, match="cannot have the value"):
        answers.encode_fields({"location": value})


def test_what_is_no_latin_letter_is_replaced() -> None:
    assert answers.encode_fields({"x": "\u20ac"}) == b"x: ?\r\n"
