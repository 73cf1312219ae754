"""What routes do to requests on their way: filters of HTTPRoute and GRPCRoute."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from bookmesh.mesh.model.base import Model, PortNumber, defaulted
from bookmesh.mesh.model.gateway_api.references import BackendObjectReference, Hostname, LocalObjectReference


class HttpHeader(Model, frozen=True):
    """
    A header.

    name: Its name; case does not matter.
    value: Its value.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    value: str


class HeaderModifier(Model, frozen=True):
    """
    Changes to headers.

    set: Headers that get this value, whatever they had.
    add: Headers to which this value is added.
    remove: Headers that are dropped.
    """

    set: tuple[HttpHeader, ...] = ()
    add: tuple[HttpHeader, ...] = ()
    remove: tuple[str, ...] = ()


class Fraction(Model, frozen=True):
    """
    A share as a fraction.

    numerator: Above the line.
    denominator: Below the line.
    """

    numerator: Annotated[int, msgspec.Meta(ge=0)]
    denominator: Annotated[Annotated[int, msgspec.Meta(ge=1)], defaulted(100)] = 100


class RequestMirror(Model, frozen=True):
    """
    Send a copy of requests to another service and ignore its answers.

    backend_ref: Where the copies go.
    percent: How many of the requests; all without it.
    fraction: How many of the requests, as a fraction.
    """

    backend_ref: BackendObjectReference
    percent: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    fraction: Fraction | None = None

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("percent", "fraction"),)


class PathModifier(Model, frozen=True):
    """
    A change of the path.

    type: What is replaced.
    replace_full_path: What replaces the whole path.
    replace_prefix_match: What replaces the prefix that matched.
    """

    type: Literal["ReplaceFullPath", "ReplacePrefixMatch"]
    replace_full_path: str | None = None
    replace_prefix_match: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        wanted, other = self.replace_full_path, self.replace_prefix_match
        if self.type == "ReplacePrefixMatch":
            wanted, other = other, wanted
        if wanted is None or other is not None:
            field = self.type[:1].lower() + self.type[1:]
            raise ValueError(f"type {self.type} needs {field} and nothing else")


class RequestRedirect(Model, frozen=True):
    """
    Answer with a redirection in place of forwarding.

    scheme: The new scheme.
    hostname: The new host.
    path: The new path.
    port: The new port; by default that of the new scheme, else the one of the listener.
    status_code: The status code.
    """

    scheme: Literal["http", "https"] | None = None
    hostname: Hostname | None = None
    path: PathModifier | None = None
    port: PortNumber | None = None
    status_code: Annotated[Literal[301, 302], defaulted(302)] = 302


class UrlRewrite(Model, frozen=True):
    """
    Changes to the request line before the request is forwarded.

    hostname: What replaces the Host header.
    path: What replaces the path.
    """

    hostname: Hostname | None = None
    path: PathModifier | None = None


class Cors(Model, frozen=True):
    """
    Cross-origin resource sharing.

    allow_origins: Origins that may read responses; may contain wildcards.
    allow_credentials: Whether requests may carry credentials.
    allow_methods: Content of Access-Control-Allow-Methods.
    allow_headers: Content of Access-Control-Allow-Headers.
    expose_headers: Content of Access-Control-Expose-Headers.
    max_age: How long a preflight answer may be cached, in seconds.
    """

    allow_origins: tuple[str, ...] = ()
    allow_credentials: bool | None = None
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: Annotated[Annotated[int, msgspec.Meta(ge=1)], defaulted(5)] = 5


class HttpRouteFilter(Model, frozen=True):
    """
    What an HTTPRoute does to requests on their way.

    type: Which of the others is meant.
    request_header_modifier: Changes to headers of the request.
    response_header_modifier: Changes to headers of the response.
    request_mirror: Send copies elsewhere.
    request_redirect: Answer with a redirection.
    url_rewrite: Change the request line.
    cors: Cross-origin resource sharing.
    extension_ref: An extension; none is supported.
    """

    type: Literal[
        "RequestHeaderModifier",
        "ResponseHeaderModifier",
        "RequestMirror",
        "RequestRedirect",
        "URLRewrite",
        "ExtensionRef",
        "CORS",
    ]
    request_header_modifier: HeaderModifier | None = None
    response_header_modifier: HeaderModifier | None = None
    request_mirror: RequestMirror | None = None
    request_redirect: RequestRedirect | None = None
    url_rewrite: UrlRewrite | None = None
    cors: Cors | None = None
    extension_ref: LocalObjectReference | None = None


class GrpcRouteFilter(Model, frozen=True):
    """
    What a GRPCRoute does to requests on their way.

    type: Which of the others is meant.
    request_header_modifier: Changes to headers of the request.
    response_header_modifier: Changes to headers of the response.
    request_mirror: Send copies elsewhere.
    extension_ref: An extension; none is supported.
    """

    type: Literal["RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "ExtensionRef"]
    request_header_modifier: HeaderModifier | None = None
    response_header_modifier: HeaderModifier | None = None
    request_mirror: RequestMirror | None = None
    extension_ref: LocalObjectReference | None = None
