from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bookmesh.tasks import checking
from bookmesh.tasks import format as formats
from bookmesh.tasks.records import Exchange, Observation, Verdict


def judge(observation: Observation, **expectation: Any) -> tuple[Verdict, ...]:
    return checking.check(msgspec.convert({"name": "e", **expectation}, formats.Expectation), observation)


def answers(*exchanges: Exchange, **checks: Any) -> tuple[Verdict, ...]:
    request = {"url": "http://x", "n": max(2, len(exchanges))}
    return judge(Observation(exchanges=exchanges), request=request, **checks)


def answer(**fields: Any) -> Exchange:
    return Exchange("GET", "http://x", **{"status": 200, "took_s": 0.1, **fields})


def holds(verdicts: tuple[Verdict, ...]) -> bool:
    assert verdicts
    return all(verdict.holds for verdict in verdicts)


def test_a_probe_that_could_not_be_made_holds_nothing() -> None:
    assert judge(Observation(error="no pod"), logs={"of": "x"}, output={"lacks": "a"}) == (
        Verdict(False, "no pod"),
    )


def test_status_is_that_of_every_answer() -> None:
    assert holds(answers(answer(), answer(), status=200))
    (verdict,) = answers(answer(), answer(status=503, body="no\nhealthy"), status=200)
    assert verdict == Verdict(False, "status 200: got 503 no healthy")


def test_one_request_without_an_answer_fails_all_checks() -> None:
    (verdict,) = answers(answer(), answer(status=0, error="reset"), status=200)
    assert verdict == Verdict(False, "1 of 2 requests got no answer: reset")


def test_refused_means_that_nothing_answers() -> None:
    assert holds(answers(answer(status=0, error="reset"), refused=True))
    assert not holds(answers(answer(), refused=True))
    assert holds(answers(answer(), refused=False))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("istio-envoy", True),
        ("envoy", False),
        ({"contains": "envoy"}, True),
        ({"matches": "^is"}, True),
        (None, False),
    ],
)
def test_headers_are_compared_without_regard_to_case_of_names(wanted: Any, expected: bool) -> None:
    verdicts = answers(answer(headers={"server": "istio-envoy"}), headers={"Server": wanted})
    assert holds(verdicts) == expected


def test_a_header_that_must_not_be_there() -> None:
    assert holds(answers(answer(), headers={"x-a": None}))
    assert not holds(answers(answer(), headers={"x-a": "1"}))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"contains": "book"}, True),
        ({"contains": ["book", "none"]}, False),
        ({"lacks": "star"}, True),
        ({"lacks": "book"}, False),
        ({"matches": "b.{2}k"}, True),
        ({"equals": "book"}, False),
        ({"json": {"a.b[0]": "book"}}, True),
        ({"json": {'["a"].b[0]': "book"}}, True),
        ({"json": {"a.b[1]": None}}, False),
        ({"json": {"a": 1}}, False),
    ],
)
def test_bodies_are_compared(wanted: dict[str, Any], expected: bool) -> None:
    assert holds(answers(answer(body='{"a": {"b": ["book"]}}'), body=wanted)) == expected


def test_a_body_that_is_no_json_is_told() -> None:
    verdicts = answers(answer(body='{"a": 1}'), answer(body="<html>"), body={"json": {"a": 1}})
    assert [(verdict.holds, verdict.text) for verdict in verdicts] == [(False, "body is JSON: got <html>")]


def test_latency_is_of_the_fastest_and_the_slowest() -> None:
    pair = (answer(took_s=1.0), answer(took_s=2.0))
    assert holds(answers(*pair, latency={"at_least": "1s", "at_most": "2s"}))
    assert not holds(answers(*pair, latency={"at_least": "1.1s"}))
    assert not holds(answers(*pair, latency={"at_most": "1.9s"}))


def versions(**counts: int) -> tuple[Exchange, ...]:
    return tuple(
        answer(body=f'{{"podname": "reviews-{name}-abc"}}', headers={"x-v": name})
        for name, count in counts.items()
        for _ in range(count)
    )


BY = {"json": "podname", "regex": "reviews-(v[0-9])"}


def test_a_split_within_chance_holds_and_has_bars() -> None:
    (verdict,) = answers(*versions(v1=97, v3=103), split={"by": BY, "weights": {"v1": 1, "v3": 1}})
    assert verdict.holds
    assert verdict.text == (
        "v1 97 (allowed 76…124), v3 103 (allowed 76…124); n = 200, confidence 0.999, seed: the proxy's own"
    )
    assert [(bar.name, bar.seen) for bar in verdict.bars] == [("v1", 97), ("v3", 103)]


def test_a_split_out_of_chance_fails() -> None:
    assert not holds(answers(*versions(v1=60, v3=140), split={"by": BY, "weights": {"v1": 1, "v3": 1}}))


def test_an_answer_nobody_asked_for_fails_a_split() -> None:
    (verdict,) = answers(*versions(v1=99, v2=1), split={"by": BY, "weights": {"v1": 1}})
    assert not verdict.holds
    assert "v2 1 (not expected)" in verdict.text
    assert "confidence" not in verdict.text


def test_least_counts_need_no_shares() -> None:
    assert holds(answers(*versions(v1=1, v2=5), split={"by": BY, "at_least": {"v1": 1, "v2": 1}}))
    assert not holds(answers(*versions(v2=5), split={"by": BY, "at_least": {"v1": 1, "v2": 1}}))


def test_answerers_are_told_apart() -> None:
    one = answer(body='{"podname": "reviews-v1-abc"}', headers={"x-v": "v9"}, status=418)
    assert checking.answerer("status", one) == "418"
    assert checking.answerer(formats.By(header="X-V"), one) == "v9"
    assert checking.answerer(formats.By(regex="v[0-9]"), one) == "v1"
    assert checking.answerer(formats.By(json="podname"), one) == "reviews-v1-abc"
    assert checking.answerer(formats.By(json="none"), one) == "status 418, not told"
    assert checking.answerer(formats.By(json="a"), answer(body="text")) == "status 200, not told"


def test_outputs_counts_and_exit_codes() -> None:
    log = Observation(text="GET /a\nGET /b\nGET /a", exit=1)
    assert holds(judge(log, logs={"of": "x"}, count={"lines": "/a", "at_least": 2, "at_most": 2}))
    assert not holds(judge(log, logs={"of": "x"}, count={"lines": "/b", "at_least": 2}))
    assert holds(judge(log, exec={"of": "x", "command": ["c"]}, exit=1, output={"contains": "/b"}))
    assert not holds(judge(log, exec={"of": "x", "command": ["c"]}, exit=0))
    assert holds(judge(log, exec={"of": "x", "command": ["c"]}, exit=[1, 2]))
    assert not holds(judge(log, exec={"of": "x", "command": ["c"]}, exit=[0, 2]))


def test_a_statistic_that_is_not_there_counts_as_zero() -> None:
    stats = {"of": "x", "name": "a"}
    assert holds(judge(Observation(value=5.0), stats=stats, value={"at_least": 5}))
    assert not holds(judge(Observation(), stats=stats, value={"at_least": 1}))
    assert holds(judge(Observation(), stats=stats, value={"at_most": 0}))


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(
        x509.Name([]), x509.Name([]), key.public_key(), 1, now, now + datetime.timedelta(days=1)
    )
    names = x509.SubjectAlternativeName([x509.DNSName("a.example")])
    return builder.add_extension(names, critical=True).sign(key, hashes.SHA256())


def test_certificate_facts(certificate: x509.Certificate) -> None:
    shown = answer(certificate=certificate.public_bytes(serialization.Encoding.DER))
    sha = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
    assert holds(answers(shown, certificate={"san": "a.example", "sha256": sha}))
    assert not holds(answers(shown, certificate={"san": "b.example"}))
    assert not holds(answers(shown, certificate={"sha256": "00"}))
    assert not holds(answers(answer(), certificate={"san": "a.example"}))
