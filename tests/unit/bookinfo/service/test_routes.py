from __future__ import annotations

import pytest

from bookinfo.service import answers
from bookinfo.service.routes import Route, Routes


def named(path: str, *methods: str) -> Route:
    return Route(path, lambda _request: answers.text(path), methods or ("GET",))


TABLE = Routes(
    [
        named("/"),
        named("/books"),
        named("/books/{book_id}"),
        named("/books/{book_id}", "POST"),
        named("/books/{book_id}/reviews/{number}"),
        named("/a.b"),
    ]
)


@pytest.mark.parametrize(
    ("path", "found", "parameters"),
    [
        ("/", "/", {}),
        ("/books", "/books", {}),
        ("/books/7", "/books/{book_id}", {"book_id": "7"}),
        ("/books/a b\n", "/books/{book_id}", {"book_id": "a b\n"}),
        ("/books/7/reviews/x", "/books/{book_id}/reviews/{number}", {"book_id": "7", "number": "x"}),
        ("/a.b", "/a.b", {}),
    ],
)
def test_a_path_leads_to_its_endpoint(path: str, found: str, parameters: dict[str, str]) -> None:
    match = TABLE.find(path)
    assert match is not None
    assert (match[0].path, match[1]) == (found, parameters)


@pytest.mark.parametrize(
    "path", ["", "*", "/books/", "//books", "/books//", "/books/7/", "/books/7/8", "/axb", "/BOOKS"]
)
def test_other_paths_lead_nowhere(path: str) -> None:
    assert TABLE.find(path) is None


def test_methods_of_a_path_are_gathered_and_get_is_head_as_well() -> None:
    match = TABLE.find("/books/7")
    assert match is not None
    assert set(match[0].handlers) == {"GET", "HEAD", "POST"}
    assert match[0].allow == "GET, HEAD, OPTIONS, POST"


def test_the_first_route_counts() -> None:
    first, second = named("/x"), named("/x")
    match = Routes([first, second]).find("/x")
    assert match is not None
    assert match[0].handlers["GET"] is first.handler
