from __future__ import annotations

import pytest

from bookinfo.details import settings
from bookinfo.service.settings import Environment, SettingError


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"ENABLE_EXTERNAL_BOOK_SERVICE": "false", "DO_NOT_ENCRYPT": "true"}, None),
        ({"ENABLE_EXTERNAL_BOOK_SERVICE": "true"}, "https://www.googleapis.com"),
        ({"ENABLE_EXTERNAL_BOOK_SERVICE": "true", "DO_NOT_ENCRYPT": "false"}, "https://www.googleapis.com"),
        ({"ENABLE_EXTERNAL_BOOK_SERVICE": "true", "DO_NOT_ENCRYPT": "true"}, "http://www.googleapis.com"),
    ],
)
def test_where_books_come_from(variables: dict[str, str], expected: str | None) -> None:
    assert settings.read(Environment(variables)).book_service_url == expected


@pytest.mark.parametrize("variable", ["ENABLE_EXTERNAL_BOOK_SERVICE", "DO_NOT_ENCRYPT"])
def test_neither_true_nor_false_is_refused(variable: str) -> None:
    with pytest.raises(SettingError, match=f"^environment variable {variable} is 'perhaps'"):
        settings.read(Environment({variable: "perhaps"}))
