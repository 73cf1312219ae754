"""Istio YAML decides what the page shows, through the ingress gateway and real Envoys."""

from __future__ import annotations

import collections
import time
from typing import Any

import pytest
from tests.lab import labs

pytestmark = pytest.mark.lab


def test_all_v1_shows_no_stars(bookinfo: labs.Lab) -> None:
    bookinfo.apply_sample("routes-50-v3.yaml")
    anonymous = labs.Visitor(bookinfo.page)
    labs.wait_until(lambda: anonymous.stars() == "red", what="red stars before the change")
    bookinfo.apply_sample("routes-all-v1.yaml")
    # While half of the pages have red stars, 30 without any come in a row once in a thousand million times.
    labs.wait_until(
        lambda: all(anonymous.stars() == "none" for _ in range(30)), what="no stars after the change"
    )
    assert collections.Counter(anonymous.stars() for _ in range(50)) == {"none": 50}


def test_jason_sees_black_stars_and_others_none(bookinfo: labs.Lab) -> None:
    bookinfo.apply_sample("routes-all-v1.yaml")
    jason, anonymous = labs.Visitor(bookinfo.page, "jason"), labs.Visitor(bookinfo.page)
    labs.wait_until(lambda: jason.stars() == "none", what="no stars before the change")
    bookinfo.apply_sample("routes-jason-v2.yaml")
    labs.wait_until(lambda: jason.stars() == "black", what="black stars for jason")
    assert collections.Counter(jason.stars() for _ in range(50)) == {"black": 50}
    assert collections.Counter(anonymous.stars() for _ in range(20)) == {"none": 20}


def test_half_of_the_requests_go_to_v3(bookinfo: labs.Lab) -> None:
    bookinfo.apply_sample("routes-all-v1.yaml", "routes-50-v3.yaml")
    anonymous = labs.Visitor(bookinfo.page)
    labs.wait_until(lambda: anonymous.stars() == "red", what="red stars")
    seen = collections.Counter(anonymous.stars() for _ in range(400))
    assert set(seen) == {"none", "red"}
    # Binomial(400, 1/2): a fair split is outside of this once in 8,000,000 runs.
    assert 148 <= seen["red"] <= 252, seen


def test_delay_for_jason_shows_the_well_known_error(bookinfo: labs.Lab) -> None:
    bookinfo.apply_sample("routes-all-v1.yaml", "routes-jason-v2.yaml")
    jason, anonymous = labs.Visitor(bookinfo.page, "jason"), labs.Visitor(bookinfo.page)
    labs.wait_until(lambda: jason.stars() == "black", what="black stars before the fault")
    bookinfo.apply_sample("fault-delay.yaml")
    labs.wait_until(
        lambda: "product reviews are currently unavailable" in jason.read(), what="the error", within_s=30
    )

    def took_s() -> float:
        began = time.monotonic()
        assert "Sorry, product reviews are currently unavailable for this book." in jason.read()
        took_s = time.monotonic() - began
        assert took_s > 5.5, "two attempts of 3 s each"
        return took_s

    # Once at least it is not much longer: a busy machine may add to it.
    labs.wait_until(lambda: took_s() < 8.5, within_s=40, what="two attempts, and no more")
    assert "currently unavailable" not in anonymous.read()
    bookinfo.apply_sample("routes-all-v1.yaml")


def test_abort_for_jason_shows_that_ratings_are_unavailable(bookinfo: labs.Lab) -> None:
    bookinfo.apply_sample("routes-all-v1.yaml", "routes-jason-v2.yaml")
    jason, anonymous = labs.Visitor(bookinfo.page, "jason"), labs.Visitor(bookinfo.page)
    labs.wait_until(lambda: jason.stars() == "black", what="black stars before the fault")
    bookinfo.apply_sample("fault-abort.yaml")
    labs.wait_until(lambda: "Ratings service is currently unavailable" in jason.read(), what="the error")
    assert "Ratings service is currently unavailable" not in anonymous.read()
    bookinfo.apply_sample("routes-all-v1.yaml")


def test_a_missing_subset_is_reported_with_code_place_and_hint(bookinfo: labs.Lab) -> None:
    labs.wait_until(
        lambda: not any(f["code"] == "BM0203" for f in bookinfo.status()["findings"]), what="nothing missing"
    )
    bookinfo.apply(
        """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews}
spec:
  hosts: [reviews]
  http:
  - route:
    - destination: {host: reviews, subset: v4}
"""
    )
    labs.wait_until(
        lambda: any(f["code"] == "BM0203" for f in bookinfo.status()["findings"]), what="the finding"
    )
    (finding,) = [f for f in bookinfo.status()["findings"] if f["code"] == "BM0203"]
    assert "v4" in finding["message"]
    assert "spec.http[0].route[0].destination.subset" in finding["where"]
    assert "v1, v2, v3" in finding["known"]
    assert finding["hint"]
    text = bookinfo.bookmesh("status", check=False)
    assert text.returncode == 1
    assert "error[BM0203]" in text.stdout
    labs.wait_until(
        lambda: "BM0203" in bookinfo.kubectl("describe", "virtualservice", "reviews").stdout,
        what="an event or a condition",
    )
    bookinfo.apply_sample("routes-all-v1.yaml")
    labs.wait_until(
        lambda: not any(f["code"] == "BM0203" for f in bookinfo.status()["findings"]), what="mended"
    )
    labs.wait_until(
        lambda: "BM0203" not in str(bookinfo.get("virtualservice", "reviews")["status"]),
        what="a clean status",
    )


def test_a_missing_gateway_is_reported(bookinfo: labs.Lab) -> None:
    bookinfo.apply(
        """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: nowhere}
spec:
  hosts: [nowhere.example.com]
  gateways: [no-such-gateway]
  http:
  - route:
    - destination: {host: reviews}
"""
    )
    labs.wait_until(
        lambda: any(f["code"] == "BM0204" for f in bookinfo.status()["findings"]), what="the finding"
    )
    bookinfo.kubectl("delete", "virtualservice", "nowhere")
    labs.wait_until(
        lambda: not any(f["code"] == "BM0204" for f in bookinfo.status()["findings"]), what="gone"
    )


def test_a_version_that_no_envoy_would_take_leaves_the_one_before_in_force(bookinfo: labs.Lab) -> None:
    """A regular expression that the schema lets pass and Envoy's engine does not compile."""
    bookinfo.apply(
        """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: ratings}
spec:
  hosts: [ratings]
  http:
  - match:
    - uri: {regex: "(?=never)"}
    route:
    - destination: {host: ratings, subset: v1}
  - fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    route:
    - destination: {host: ratings, subset: v1}
"""
    )

    def refusals() -> list[dict[str, Any]]:
        return [f for f in bookinfo.status()["findings"] if "(?=never)" in f["message"]]

    (finding,) = labs.wait_until(refusals, what="the refusal")
    assert (finding["code"], "what it said before is in force" in finding["hint"]) == ("BM0201", True)
    assert "ratings" in str(finding["subject"])
    labs.wait_until(
        lambda: "(?=never)" in bookinfo.kubectl("describe", "virtualservice", "ratings").stdout,
        what="an event or a condition",
    )
    ratings = bookinfo.page.replace("/productpage", "/api/v1/products/0/ratings")
    assert labs.request(ratings).status == 200
    bookinfo.apply_sample("routes-all-v1.yaml")
    labs.wait_until(lambda: not refusals(), what="mended")
