from __future__ import annotations

import pytest

from bookinfo.service import answers


@pytest.mark.parametrize(("text", "expected"), [("0", 0), ("7", 7), ("-1", -1), ("2147483647", 2147483647)])
def test_number_is_a_product_id(text: str, expected: int) -> None:
    assert answers.parse_product_id(text) == expected


@pytest.mark.parametrize("text", ["", "abc", "1.0", "1 ", "2147483648", "9" * 5000, "٣", "0x1", "+1", "1\n"])
def test_anything_else_is_not(text: str) -> None:
    assert answers.parse_product_id(text) is None
