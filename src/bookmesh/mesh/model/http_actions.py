"""What a rule of a VirtualService does with a request, besides where it sends it: redirect, answer, rewrite, retry."""

from __future__ import annotations

import base64
from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model import expressions
from bookmesh.mesh.model.base import Duration, HeaderText, Model, PortNumber, check_lasting
from bookmesh.mesh.model.faults import HttpStatus
from bookmesh.mesh.model.matching import Destination, Percent, StringMatch


class HttpRedirect(Model, frozen=True):
    """
    Answer with a redirection in place of forwarding.

    uri: The new path; the query is kept.
    prefix_rewrite: What replaces the matched prefix of the path.
    authority: The new host.
    port: The new port.
    derive_port: Where the port comes from when none is given.
    scheme: The new scheme.
    redirect_code: The status code; 301 without it.
    """

    uri: HeaderText = ""
    prefix_rewrite: HeaderText = ""
    authority: HeaderText = ""
    port: PortNumber | None = None
    derive_port: Literal["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"] | None = None
    scheme: HeaderText = ""
    redirect_code: Literal[0, 301, 302, 303, 307, 308] = 0

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("port", "derive_port"),)


class HttpBody(Model, frozen=True):
    """
    The body of a fixed response.

    string: The body as text.
    bytes: The body in base64.
    """

    string: str | None = None
    bytes: str | None = None

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("string", "bytes"),)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.bytes is not None:
            base64.b64decode(self.bytes, validate=True)


class HttpDirectResponse(Model, frozen=True):
    """
    Answer with a fixed response in place of forwarding.

    status: The status code.
    body: The body; at most 1 MB.
    """

    status: HttpStatus
    body: HttpBody | None = None


class RegexRewrite(Model, frozen=True):
    """
    Rewrite a path by regular expression.

    match: An RE2 expression.
    rewrite: What replaces each match; \\1 stands for the first group.
    """

    match: str = ""
    rewrite: HeaderText = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        expressions.check_rewrite(self.match, self.rewrite)


class HttpRewrite(Model, frozen=True):
    """
    Changes to the request line before the request is forwarded.

    uri: What replaces the matched path or prefix.
    authority: What replaces the Host header.
    uri_regex_rewrite: Rewriting of the path by regular expression.
    """

    uri: HeaderText = ""
    authority: HeaderText = ""
    uri_regex_rewrite: RegexRewrite | None = None


class HttpRetry(Model, frozen=True):
    """
    How failed requests are tried again.

    attempts: How often a request is retried after its first try; 0 switches retries off.
    per_try_timeout: The timeout of each try; without it that of the route.
    retry_on: Conditions, separated by commas; numbers are status codes.
    backoff: The base interval between tries.
    retry_remote_localities: Whether retries go to other localities as well.
    retry_ignore_previous_hosts: Whether retries avoid hosts that failed; true without it.
    """

    attempts: Annotated[int, msgspec.Meta(ge=0, le=2147483647)] = 0
    per_try_timeout: Duration | None = None
    retry_on: str = ""
    backoff: Duration | None = None
    retry_remote_localities: bool | None = None
    retry_ignore_previous_hosts: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_lasting(perTryTimeout=self.per_try_timeout, backoff=self.backoff)


class HttpMirrorPolicy(Model, frozen=True):
    """
    Send a copy of requests to another destination and ignore its answers.

    destination: Where the copies go.
    percentage: How many of the requests; all without it.
    """

    destination: Destination
    percentage: Percent | None = None


class CorsPolicy(Model, frozen=True):
    """
    Cross-origin resource sharing.

    allow_origins: Origins that may read responses.
    allow_origin: Origins as exact strings; older spelling.
    allow_methods: Content of Access-Control-Allow-Methods.
    allow_headers: Content of Access-Control-Allow-Headers.
    expose_headers: Content of Access-Control-Expose-Headers.
    max_age: How long a preflight answer may be cached.
    allow_credentials: Whether requests may carry credentials.
    unmatched_preflights: Whether preflight requests of other origins are forwarded.
    """

    allow_origins: tuple[StringMatch, ...] = ()
    allow_origin: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: Literal["UNSPECIFIED", "FORWARD", "IGNORE"] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for origin in self.allow_origins:
            if not (origin.exact or origin.prefix or origin.regex):
                raise ValueError("each of allowOrigins needs exact, prefix or regex, which must not be empty")
