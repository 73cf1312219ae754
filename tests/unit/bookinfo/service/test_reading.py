from __future__ import annotations

import itertools

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bookinfo.service import limits, reading
from bookinfo.service.requests import Request

GET = b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Y: z\r\n\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;note=1\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n"
)
STREAM = GET + POST + CHUNKED + GET
QUICK = settings(max_examples=150)


def read(*parts: bytes) -> tuple[list[Request], int | None]:
    """Feed parts; return the requests and the status of the refusal, if there is one."""
    reader = reading.RequestReader(("10.0.0.1", 5), ("10.0.0.2", 9080))
    found = [request for part in parts for request in reader.feed(part)]
    reader.close()
    return found, reader.refusal.error.status if reader.refusal else None


def told(request: Request) -> tuple[object, ...]:
    return (request.method, request.path, request.query, request.headers, request.body)


def test_a_request_is_told_with_all_that_was_sent() -> None:
    (request,), refused = read(GET)
    assert refused is None
    assert told(request) == ("GET", "/a", b"b=c", [(b"host", b"x"), (b"x-y", b"z")], b"")
    assert (request.version, request.is_kept_alive) == ("1.1", True)
    assert (request.client, request.server) == (("10.0.0.1", 5), ("10.0.0.2", 9080))


def test_requests_behind_each_other_come_out_in_order() -> None:
    found, refused = read(STREAM)
    assert refused is None
    assert [(request.path, request.body) for request in found] == [
        ("/a", b""),
        ("/p", b"hello"),
        ("/c", b"hello"),
        ("/a", b""),
    ]


@pytest.mark.parametrize("cut", range(1, len(STREAM)))
def test_it_does_not_matter_where_the_stream_is_cut(cut: int) -> None:
    found, refused = read(STREAM[:cut], STREAM[cut:])
    assert refused is None
    assert [told(request) for request in found] == [told(request) for request in read(STREAM)[0]]


@QUICK
@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=12))
def test_it_does_not_matter_into_how_many_pieces(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(STREAM)]
    found, refused = read(*(STREAM[a:b] for a, b in itertools.pairwise(places) if a < b))
    assert refused is None
    assert [told(request) for request in found] == [told(request) for request in read(STREAM)[0]]


def test_byte_by_byte_is_the_same() -> None:
    found, _ = read(*(bytes([byte]) for byte in STREAM))
    assert [told(request) for request in found] == [told(request) for request in read(STREAM)[0]]


def test_trailers_do_not_become_headers() -> None:
    (request,), _ = read(CHUNKED)
    assert b"x-trailer" not in request.fields


SMUGGLING = {
    "both": b"Content-Length: 6\r\nTransfer-Encoding: chunked",
    "both, the other way round": b"Transfer-Encoding: chunked\r\nContent-Length: 6",
    "two lengths": b"Content-Length: 6\r\nContent-Length: 5",
    "the same length twice": b"Content-Length: 6\r\nContent-Length: 6",
    "a list of lengths": b"Content-Length: 6, 6",
    "a length with a sign": b"Content-Length: +6",
    "a negative length": b"Content-Length: -6",
    "a length in hexadecimal": b"Content-Length: 0x6",
    "an empty length": b"Content-Length: ",
    "a length beyond all integers": b"Content-Length: 99999999999999999999999999",
    "blank before the colon": b"Content-Length : 6",
    "blank before the colon of the other": b"Transfer-Encoding : chunked",
    "not chunked": b"Transfer-Encoding: xchunked",
    "identity": b"Transfer-Encoding: identity",
    "chunked, but not last": b"Transfer-Encoding: chunked, identity",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "chunked, then identity": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "vertical tab": b"Transfer-Encoding:\x0bchunked",
    "folded line": b"Transfer-Encoding:\r\n chunked",
    "header before, folded": b"X: y\r\n Transfer-Encoding: chunked",
    "bare line feed": b"X: y\nTransfer-Encoding: chunked",
    "bare carriage return": b"X: y\rTransfer-Encoding: chunked",
    "NUL in a value": b"X: y\x00",
    "NUL in a name": b"X\x00: y",
    "no name": b": y",
    "no colon": b"Transfer-Encoding chunked",
    "another host": b"Host: other",
}


@pytest.mark.parametrize("lines", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_what_others_could_understand_otherwise_is_refused(lines: bytes) -> None:
    found, refused = read(
        b"POST / HTTP/1.1\r\nHost: x\r\n"
        + lines
        + b"\r\n\r\n0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    )
    assert found == []
    assert refused in {400, 501}


CHUNKS = {
    "hexadecimal with its prefix": b"0x3\r\nabc\r\n0\r\n\r\n",
    "line feeds alone": b"3\nabc\n0\n\n",
    "more than announced": b"3\r\nabcd\r\n0\r\n\r\n",
    "a size beyond all integers": b"fffffffffffffffff\r\nabc\r\n",
    "no size": b"\r\nabc\r\n0\r\n\r\n",
    "a negative size": b"-3\r\nabc\r\n",
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS.keys())
def test_chunks_of_another_form_are_refused(chunks: bytes) -> None:
    assert read(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks) == ([], 400)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"GET / HTTP/0.9\r\nHost: x\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 505),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"HTTP/1.1 200 OK\r\n\r\n", 400),
    ],
)
def test_what_this_server_does_not_speak_is_refused(sent: bytes, status: int) -> None:
    assert read(sent) == ([], status)


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", b""),
        (b"/a%20b?x=%20", "/a b", b"x=%20"),
        (b"/%ff", "/\ufffd", b""),
        (b"//double", "//double", b""),
        (b"http://host:1/a?b", "/a", b"b"),
        (b"/a#part", "/a", b""),
        (b"*", "*", b""),
    ],
)
def test_a_target_is_split(target: bytes, path: str, query: bytes) -> None:
    (request,), _ = read(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (request.path, request.query) == (path, query)


@pytest.mark.parametrize(
    ("line", "is_kept"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", False),
    ],
)
def test_whether_another_request_may_follow(line: bytes, is_kept: bool) -> None:
    (request,), refused = read(line)
    assert (request.is_kept_alive, refused) == (is_kept, None)


def test_nothing_is_read_behind_the_wish_for_another_protocol() -> None:
    upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
    found, refused = read(upgrade + GET, GET)
    assert [request.path for request in found] == ["/"]
    assert refused is None


def test_limits_count_exactly() -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\n"
    room = limits.MAX_HEADER_BYTES - len("hostx") - len("y")
    assert read(head + b"Y: " + b"v" * room + b"\r\n\r\n")[1] is None
    assert read(head + b"Y: " + b"v" * (room + 1) + b"\r\n\r\n")[1] == 431
    # Also for a request that does not begin where what was received does.
    assert read(GET + head + b"Y: " + b"v" * (room + 1) + b"\r\n\r\n")[1] == 431
    target = b"/" + b"t" * (limits.MAX_TARGET_BYTES - 1)
    assert read(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n")[1] is None
    assert read(b"GET " + target + b"t HTTP/1.1\r\nHost: x\r\n\r\n")[1] == 414
    most = b"".join(b"X-%d: y\r\n" % number for number in range(limits.MAX_HEADERS - 1))
    assert read(head + most + b"\r\n")[1] is None
    assert read(head + most + b"X: y\r\n\r\n")[1] == 431


def test_many_small_requests_at_once_are_not_one_large() -> None:
    many = GET * (2 * limits.MAX_HEAD_BYTES // len(GET))
    found, refused = read(many + b"GET / HT", b"TP/1.1\r\nHost: x\r\n\r\n")
    assert refused is None
    assert len(found) == many.count(b"GET") + 1


def test_a_body_is_bounded_however_it_comes() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\n"
    size = limits.MAX_BODY_BYTES
    whole = b"Content-Length: %d\r\n\r\n" % size + b"b" * size
    assert len(read(head + whole)[0][0].body) == size
    assert read(head + b"Content-Length: %d\r\n\r\n" % (size + 1))[1] == 413
    chunk = b"4000\r\n" + b"b" * 0x4000 + b"\r\n"
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    assert len(read(chunked, *[chunk] * 4, b"0\r\n\r\n")[0][0].body) == size
    assert read(chunked, *[chunk] * 4, b"1\r\nb\r\n")[1] == 413


def test_what_surrounds_chunks_is_bounded_too() -> None:
    note = b"1;" + b"n" * 8190 + b"\r\nb\r\n"
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    _, refused = read(head, *[note] * (limits.MAX_MESSAGE_BYTES // len(note) + 1))
    assert refused == 413


def test_one_byte_a_chunk_is_allowed() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    (request,), _ = read(head, *[b"1\r\nb\r\n" * 1024] * (limits.MAX_BODY_BYTES // 1024), b"0\r\n\r\n")
    assert len(request.body) == limits.MAX_BODY_BYTES


def test_a_head_without_end_is_not_kept() -> None:
    parts = [b"GET / HTTP/1.1\r\nX: ", *[b"y" * 8192] * (limits.MAX_HEAD_BYTES // 8192 + 1)]
    assert read(*parts) == ([], 431)


@pytest.mark.parametrize("expectation", [b"100-continue", b"100-Continue"])
def test_a_client_may_wait_before_it_sends_the_body(expectation: bytes) -> None:
    reader = reading.RequestReader()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: " + expectation + b"\r\n\r\n"
    assert reader.feed(head) == []
    assert reader.awaits_go_ahead
    (request,) = reader.feed(b"ab")
    assert (request.body, reader.awaits_go_ahead) == (b"ab", False)


def test_stages_follow_what_has_come() -> None:
    reader = reading.RequestReader()
    stages = [reader.stage]
    for part in (b"P", b"OST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n", b"a", b"b"):
        reader.feed(part)
        stages.append(reader.stage)
    assert stages == [reading.NEW, reading.HEAD, reading.BODY, reading.BODY, reading.BETWEEN]


def test_a_mistake_of_ours_is_not_blamed_on_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: object, **_options: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(limits, "check_head", broken)
    with pytest.raises(httptools.HttpParserCallbackError):
        read(GET)


pieces = st.sampled_from(
    [
        b"GET",
        b"POST",
        b" / HTTP/1.1",
        b" ",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\x00",
        b"Host: x",
        b"Content-Length: 3",
        b"Content-Length: 100000",
        b"Transfer-Encoding: chunked",
        b"Connection: close",
        b"Upgrade: websocket",
        b"Connection: upgrade",
        b"Expect: 100-continue",
        b"3\r\nabc",
        b"0\r\n\r\n",
        GET,
        POST,
        CHUNKED,
        CHUNKED[:80],
    ]
)


@settings(max_examples=600)
@given(st.lists(st.one_of(pieces, st.binary(max_size=20)), max_size=15))
def test_any_bytes_give_requests_or_a_refusal_and_never_an_exception(parts: list[bytes]) -> None:
    apart, refused_apart = read(*parts)
    together, refused_together = read(b"".join(parts))
    assert [told(request) for request in apart] == [told(request) for request in together]
    assert refused_apart == refused_together
