"""Endpoints: status, content type and JSON, as Istio's sample has them."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from tests.bookinfo import asking, processes

Golden = Callable[[str, Any], None]
Start = Callable[..., processes.Process]

SENTENCE = "Sorry, product {} are currently unavailable for this book."


def check_json(answer: asking.Answer, status: int = 200) -> Any:
    assert answer.status == status, answer.body
    assert answer.media_type == "application/json"
    return answer.json


def test_details(details: str, golden: Golden) -> None:
    golden("details", check_json(asking.ask(details, "/details/0")))


def test_details_of_another_product_bear_its_id(details: str) -> None:
    assert check_json(asking.ask(details, "/details/7"))["id"] == 7


def test_reviews(reviews: str, reviews_version: str, golden: Golden) -> None:
    answer = check_json(asking.ask(reviews, "/reviews/0"))
    golden(f"reviews-{reviews_version}", answer)
    stars = {
        "v1": [None, None],
        "v2": [{"stars": 5, "color": "black"}, {"stars": 4, "color": "black"}],
        "v3": [{"stars": 5, "color": "red"}, {"stars": 4, "color": "red"}],
    }
    assert [review.get("rating") for review in answer["reviews"]] == stars[reviews_version]


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_reviews_without_their_ratings(version: str, start: Start, ours: None, golden: Golden) -> None:
    nobody = processes.wiring(ratings="http://127.0.0.1:1")
    url = start("reviews", SERVICE_VERSION=version, HOSTNAME=f"reviews-{version}", **nobody).url
    answer = check_json(asking.ask(url, "/reviews/0"))
    golden(f"reviews-{version}-without-ratings", answer)
    errors = [review["rating"] for review in answer["reviews"]]
    assert errors == [{"error": "Ratings service is currently unavailable"}] * 2


def test_reviews_name_pod_and_cluster(start: Start, ours: None) -> None:
    named = start("reviews", HOSTNAME="reviews-v1-abc", CLUSTER_NAME="east")
    answer = asking.ask(named.url, "/reviews/0").json
    assert (answer["podname"], answer["clustername"]) == ("reviews-v1-abc", "east")


def test_ratings(ratings: str, golden: Golden) -> None:
    golden("ratings", check_json(asking.ask(ratings, "/ratings/0")))


def test_posted_ratings_are_kept_for_that_product(ratings: str, golden: Golden) -> None:
    posted = asking.ask(
        ratings,
        "/ratings/123",
        method="POST",
        headers={"content-type": "application/json"},
        body='{"Reviewer1": 1, "Reviewer2": 2}',
    )
    if posted.status == 501:
        pytest.skip("ratings with a database takes no posts")
    golden("ratings-posted", check_json(posted))
    assert check_json(asking.ask(ratings, "/ratings/123")) == posted.json
    assert check_json(asking.ask(ratings, "/ratings/0"))["ratings"] == {"Reviewer1": 5, "Reviewer2": 4}


def test_a_body_that_is_no_json_is_refused_and_changes_nothing(ratings: str) -> None:
    before = asking.ask(ratings, "/ratings/0").json
    answer = asking.ask(ratings, "/ratings/0", method="POST", body="{")
    assert check_json(answer, 400)["error"] == "please provide valid ratings JSON"
    assert asking.ask(ratings, "/ratings/0").json == before


@pytest.mark.parametrize("body", ["[]", "5", '{"Reviewer1": 6}', '{"Reviewer1": "5"}', '{"": 1}', ""])
def test_ratings_of_another_shape_are_refused_with_the_reason(ratings: str, ours: None, body: str) -> None:
    answer = check_json(asking.ask(ratings, "/ratings/0", method="POST", body=body), 400)
    assert answer["error"] == "please provide valid ratings JSON"
    assert answer["reason"]


@pytest.mark.parametrize(
    ("service", "path", "status"),
    [
        ("details", "/details/abc", (400,)),
        ("ratings", "/ratings/abc", (400, 404)),  # the sample's routes know digits only
        ("v1", "/reviews/abc", (404,)),
    ],
)
def test_what_is_no_number_is_refused(
    deployment: Any, service: str, path: str, status: tuple[int, ...]
) -> None:
    url = deployment.reviews.get(service) or getattr(deployment, service, None)
    if url is None:
        pytest.skip(f"{service} is not named")
    answer = asking.ask(url, path)
    assert answer.status in status
    if deployment.is_ours:
        assert "please provide numeric product id" in answer.json["error"].lower()


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("details", {"status": "Details is healthy"}),
        ("ratings", {"status": "Ratings is healthy"}),
        ("v1", {"status": "Reviews is healthy"}),
    ],
)
def test_health(deployment: Any, service: str, expected: dict[str, str]) -> None:
    url = deployment.reviews.get(service) or getattr(deployment, service, None)
    if url is None:
        pytest.skip(f"{service} is not named")
    assert check_json(asking.ask(url, "/health")) == expected


def test_health_of_the_page(page: str, deployment: Any) -> None:
    answer = asking.ask(page, "/health")
    if answer.status == 404 and not deployment.is_ours:
        pytest.skip("behind a gateway that does not show /health")
    assert (answer.status, answer.text) == (200, "Product page is healthy")


def test_api_products(page: str, golden: Golden) -> None:
    golden("api-products", check_json(asking.ask(page, "/api/v1/products")))


@pytest.mark.parametrize("path", ["", "/reviews", "/ratings"])
def test_api_of_a_product(page: str, golden: Golden, deployment: Any, path: str) -> None:
    answer = check_json(asking.ask(page, f"/api/v1/products/0{path}"))
    if path == "/reviews" and not deployment.is_ours:
        assert set(answer) >= {"id", "reviews"}  # any version may have answered
        return
    golden("api-product" + path.replace("/", "-"), answer)


@pytest.mark.parametrize("path", ["", "/reviews", "/ratings"])
def test_api_refuses_what_is_no_number(page: str, path: str) -> None:
    answer = asking.ask(page, f"/api/v1/products/abc{path}")
    assert 400 <= answer.status < 500
    assert set(check_json(answer, answer.status)) == {"error"}


@pytest.mark.parametrize(
    ("path", "name"), [("", "details"), ("/reviews", "reviews"), ("/ratings", "ratings")]
)
def test_api_of_a_backend_that_is_down(
    start: Start, ours: None, golden: Golden, path: str, name: str
) -> None:
    nobody = dict.fromkeys(("details", "reviews", "ratings"), "http://127.0.0.1:1")
    url = start("productpage", **processes.wiring(**nobody)).url
    answer = check_json(asking.ask(url, f"/api/v1/products/0{path}"), 500)
    golden(f"api-{name}-down", answer)
    assert answer == {"error": SENTENCE.format(name)}


def connections_to(server: socket.socket) -> int:
    """How many there were to a server that accepts none by itself."""
    server.setblocking(False)
    found = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            found += 1
    return found


def test_the_deliberate_bug_takes_six_seconds(start: Start, ours: None) -> None:
    """Reviews v2 would wait 10 s for ratings; productpage gives up after twice 3 s."""
    with processes.neighbour() as hanging, processes.neighbour() as quick:
        quick.answer = b"{}"
        with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never answers
            wires = processes.wiring(
                details=quick.url, reviews=f"http://127.0.0.1:{silent.getsockname()[1]}", ratings=hanging.url
            )
            url = start("productpage", **wires).url
            began = time.monotonic()
            text = asking.ask(url, "/productpage").text
            assert time.monotonic() - began > 5.9, "two attempts of 3 s each"
            assert connections_to(silent) == 2, "no third attempt"
    assert SENTENCE.format("reviews") in text


@pytest.mark.parametrize(
    "path", ["/nowhere", "/api/v1/nowhere", "/static/nowhere.css", "/productpage/", "/details"]
)
def test_unknown_path_is_404(page: str, path: str) -> None:
    assert asking.ask(page, path).status == 404


@pytest.mark.parametrize("service", ["details", "ratings", "v1", "v2", "v3"])
def test_unknown_path_of_a_leaf_is_404(deployment: Any, service: str) -> None:
    url = deployment.reviews.get(service) or getattr(deployment, service, None)
    if url is None:
        pytest.skip(f"{service} is not named")
    answer = asking.ask(url, "/nowhere")
    assert answer.status == 404
    if deployment.is_ours:
        assert check_json(answer, 404) == {"error": "Not Found"}


METHODS = [
    ("page", "/productpage", "GET, HEAD, OPTIONS"),
    ("page", "/login", "OPTIONS, POST"),
    ("page", "/api/v1/products/0/reviews", "GET, HEAD, OPTIONS"),
    ("details", "/details/0", "GET, HEAD, OPTIONS"),
    ("ratings", "/ratings/0", "GET, HEAD, OPTIONS, POST"),
    ("v1", "/reviews/0", "GET, HEAD, OPTIONS"),
]


@pytest.mark.parametrize(("service", "path", "allowed"), METHODS)
def test_wrong_method_is_405_and_options_tells_the_right_ones(
    deployment: Any, ours: None, service: str, path: str, allowed: str
) -> None:
    url = deployment.reviews.get(service) or getattr(deployment, service)
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(allowed.split(", ")):
        wrong = asking.ask(url, path, method=method)
        assert (wrong.status, wrong.headers["allow"]) == (405, allowed), method
    options = asking.ask(url, path, method="OPTIONS")
    assert (options.status, options.headers["allow"], options.body) == (204, allowed, b"")
    assert asking.ask(url, "/nowhere", method="OPTIONS").status == 404


@pytest.mark.parametrize(("service", "path", "allowed"), [each for each in METHODS if "HEAD" in each[2]])
def test_head_is_get_without_the_body(
    deployment: Any, ours: None, service: str, path: str, allowed: str
) -> None:
    url = deployment.reviews.get(service) or getattr(deployment, service)
    got, head = asking.ask(url, path), asking.ask(url, path, method="HEAD")
    assert (head.status, head.body) == (got.status, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize(
    "path", ["/%E2%82%AC", "/%D9%A3", "/%00", "/0%20", "/%2e%2e%2fhealth", "/%ff", "/1e3"]
)
def test_odd_ids_are_refused(deployment: Any, ours: None, path: str) -> None:
    for url in (deployment.details + "/details", deployment.ratings + "/ratings"):
        assert asking.ask(url, path).status in {400, 404}
    assert asking.ask(deployment.reviews["v1"] + "/reviews", path).status == 404
    assert asking.ask(deployment.page + "/api/v1/products", path).status in {400, 404}


def test_answers_say_which_version_and_pod_gave_them(deployment: Any, ours: None) -> None:
    answer = asking.ask(deployment.reviews["v2"], "/reviews/0")
    assert answer.headers["bookinfo-version"] == "v2"
    assert answer.headers["bookinfo-pod"]
