from __future__ import annotations

from bookmesh.tasks import curling
from bookmesh.tasks import format as formats

MARK = "--mark"


def test_a_request_becomes_a_configuration() -> None:
    request = formats.Request(
        url='http://x/a?b="c"', method="POST", headers={"A": "b"}, body="d\ne", n=2, timeout="1.5s"
    )
    config = curling.build_config(request, MARK).splitlines()
    assert config.count('url = "http://x/a?b=\\"c\\""') == 2
    assert 'request = "POST"' in config
    assert 'header = "A: b"' in config
    assert 'data-raw = "d\\ne"' in config
    assert "max-time = 1.5" in config
    assert "include" in config


def test_head_has_no_body_to_wait_for() -> None:
    assert "head" in curling.build_config(formats.Request(url="http://x", method="HEAD"), MARK).splitlines()


def test_concurrent_requests_throw_bodies_away() -> None:
    config = curling.build_config(formats.Request(url="http://x", n=3, concurrency=2), MARK).splitlines()
    assert config.count('output = "/dev/null"') == 3
    assert "parallel-max = 2" in config
    assert "include" not in config


def test_output_becomes_exchanges() -> None:
    output = (
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nServer: envoy\r\nX-A: b: c\r\n\r\n"
        f"hello\n\n{MARK} 200 0.25 0 \n"
        f"\n{MARK} 000 0.5 28 Operation timed out\n"
    )
    good, bad = curling.parse_output(output, MARK, formats.Request(url="http://x"))
    assert (good.status, good.body, good.took_s, good.error) == (200, "hello\n", 0.25, "")
    assert good.headers == {"server": "envoy", "x-a": "b: c"}
    assert (bad.status, bad.error) == (0, "curl exit code 28: Operation timed out")


def test_what_is_no_answer_gives_no_exchange() -> None:
    assert curling.parse_output("sh: curl: not found\n", MARK, formats.Request(url="http://x")) == ()
