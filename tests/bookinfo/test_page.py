"""The page: what Istio's tasks look for in it, and who is logged in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.bookinfo import asking, processes

FORM = {"content-type": "application/x-www-form-urlencoded"}
Start = Callable[..., processes.Process]


def log_in(page: str, name: str = "hermia", **headers: str) -> asking.Answer:
    body = f"username={name}&passwd=password"
    sent = {**FORM, "referer": f"{page}/productpage", **headers}
    return asking.ask(page, "/login", method="POST", headers=sent, body=body)


def session_of(answer: asking.Answer) -> str:
    """Return the cookie as a browser sends it back."""
    (line,) = [line for line in answer.cookies if line.startswith("session=")]
    return line.partition(";")[0]


def test_landmarks(page: str) -> None:
    answer = asking.ask(page, "/productpage")
    assert answer.status == 200
    assert answer.media_type == "text/html"
    text = answer.text
    assert "<title>Simple Bookstore App</title>" in text
    assert "The Comedy of Errors" in text
    assert "Book Details" in text
    assert "Book Reviews" in text
    assert "Reviews served by:" in text
    for name in ("Reviewer1", "Reviewer2"):
        assert name in text
    for fact in ("1234567890", "PublisherA", "200", "paperback", "English"):
        assert fact in text


def test_stars_have_the_markup_that_tests_look_for(page: str, ours: None) -> None:
    text = asking.ask(page, "/productpage").text
    assert len(re.findall("glyphicon glyphicon-star[ \"']", text)) == 9
    assert text.count("glyphicon glyphicon-star-empty") == 1
    assert "text-red-500" in text


@pytest.mark.parametrize("query", ["?u=normal", "?u=test"])
def test_the_links_of_the_entrance_lead_to_the_page(page: str, query: str) -> None:
    assert asking.ask(page, f"/productpage{query}").status == 200


def test_login_and_logout(page: str) -> None:
    assert "Sign in" in asking.ask(page, "/productpage").text
    answer = log_in(page)
    assert answer.status == 302
    assert answer.headers["location"].rstrip("/").endswith("productpage")
    cookie = session_of(answer)
    inside = asking.ask(page, "/productpage", headers={"cookie": cookie}).text
    assert "hermia" in inside
    assert "Sign out" in inside
    left = asking.ask(page, "/logout", headers={"cookie": cookie, "referer": f"{page}/productpage"})
    assert left.status == 302
    ended = session_of(left)
    assert ended != cookie
    assert "hermia" not in asking.ask(page, "/productpage", headers={"cookie": ended}).text


def test_the_session_is_for_the_browser_alone(page: str) -> None:
    (line,) = [line for line in log_in(page).cookies if line.startswith("session=")]
    assert "httponly" in line.lower()


def test_the_session_stays_on_this_site_and_is_secure_behind_https(page: str, ours: None) -> None:
    (line,) = log_in(page).cookies
    assert "samesite=lax" in line.lower()
    assert "secure" not in line.lower()
    (line,) = log_in(page, **{"x-forwarded-proto": "https"}).cookies
    assert "secure" in line.lower()


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://["},
    ],
)
def test_a_form_of_another_site_logs_nobody_in_or_out(page: str, ours: None, headers: dict[str, str]) -> None:
    refused = log_in(page, **headers)
    assert (refused.status, refused.cookies) == (403, ())
    assert asking.ask(page, "/logout", headers=headers).cookies == ()


def test_a_session_holds_for_every_replica_with_the_same_secret(start: Start, ours: None) -> None:
    one = start("productpage", HOSTNAME="one").url
    two = start("productpage", HOSTNAME="two").url
    other = start("productpage", HOSTNAME="three", SESSION_SECRET="another secret, as long").url
    cookie = {"cookie": session_of(log_in(one))}
    assert "hermia" in asking.ask(two, "/", headers=cookie).text
    assert "hermia" not in asking.ask(other, "/", headers=cookie).text


def test_without_a_secret_there_is_a_warning_and_a_random_one(start: Start, ours: None) -> None:
    one = start("productpage", SESSION_SECRET="")
    cookie = {"cookie": session_of(log_in(one.url))}
    assert "hermia" in asking.ask(one.url, "/", headers=cookie).text
    (warning,) = [line for line in one.log_lines() if line["level"] == "warning"]
    assert "SESSION_SECRET" in warning["message"]
    assert one.stop() == 0
    again = start("productpage", SESSION_SECRET="").url
    assert "hermia" not in asking.ask(again, "/", headers=cookie).text


@pytest.mark.parametrize("name", ["", "%20", "x" * 65, "a%0d%0ax:1", "%00", "%7f"])
def test_a_name_that_cannot_be_one_is_refused(page: str, ours: None, name: str) -> None:
    answer = log_in(page, name)
    assert (answer.status, answer.media_type, answer.cookies) == (400, "text/html", ())


def test_failing_backends_do_not_break_the_page(start: Start, ours: None) -> None:
    nobody = dict.fromkeys(("details", "reviews", "ratings"), "http://127.0.0.1:1")
    answer = asking.ask(start("productpage", **processes.wiring(**nobody)).url, "/productpage")
    assert answer.status == 200
    for sentence in (
        "Error fetching product details",
        "Sorry, product details are currently unavailable for this book.",
        "Error fetching product reviews",
        "Sorry, product reviews are currently unavailable for this book.",
    ):
        assert sentence in answer.text


def test_missing_ratings_are_told_on_the_page(start: Start, ours: None, deployment: Any) -> None:
    reviews = start("reviews", SERVICE_VERSION="v2", **processes.wiring(ratings="http://127.0.0.1:1")).url
    wires = processes.wiring(details=deployment.details, reviews=reviews, ratings="http://127.0.0.1:1")
    text = asking.ask(start("productpage", **wires).url, "/productpage").text
    assert text.count("Ratings service is currently unavailable") == 2


def test_pages_need_nothing_from_elsewhere(page: str, ours: None) -> None:
    answer = asking.ask(page, "/productpage")
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    links = re.findall(r'<link[^>]* href="([^"]+)"', answer.text)
    assert links
    for link in links:
        assert asking.ask(page, f"/{link}").status == 200
