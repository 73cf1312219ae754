"""Small structures that several kinds use: string matches, percentages, ports, destinations, headers, selectors."""

from __future__ import annotations

from typing import Annotated

import msgspec

from bookmesh.mesh.model import expressions, formats
from bookmesh.mesh.model.base import HeaderName, HeaderText, HostName, Model, PortNumber, SubsetName


class StringMatch(Model, frozen=True):
    """
    How a string must look; case-sensitive. Without any of the fields only presence is asked for.

    exact: The whole string.
    prefix: How the string starts.
    regex: An RE2 expression for the whole string.
    """

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return (("exact", "prefix", "regex"),)

    def check_not_empty(self, name: str) -> None:
        """
        Make sure that the condition of a field asks for something; only of a path any prefix may be asked.

        Raises:
            ValueError: the prefix is empty.
        """
        if self.prefix == "":
            raise ValueError(f"the prefix of {name} must not be empty")

    def __post_init__(self) -> None:
        super().__post_init__()
        # Istio takes a bare asterisk for "any value".
        if self.regex is not None and self.regex != "*":
            expressions.check(self.regex)


class Percent(Model, frozen=True):
    """
    A share of requests.

    value: From 0.0 to 100.0.
    """

    value: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0.0


class PortSelector(Model, frozen=True):
    """
    A port by number.

    number: The port of the service, not of the container.
    """

    number: PortNumber = 0


class Destination(Model, frozen=True):
    """
    A service, or a part of one, that receives traffic.

    host: The service's name: short (resolved in the namespace of the rule), or fully qualified.
    subset: The name of a subset in a DestinationRule of the host.
    port: The port of the service; may be left out when it has only one.
    """

    host: HostName
    subset: SubsetName = ""
    port: PortSelector | None = None


class HeaderOperations(Model, frozen=True):
    """
    What happens to headers, by lower-case name.

    set: Headers that get this value, whatever they had.
    add: Headers to which this value is added.
    remove: Headers that are dropped.
    """

    set: dict[HeaderName, HeaderText] = {}
    add: dict[HeaderName, HeaderText] = {}
    remove: tuple[HeaderName, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        for value in (*self.set.values(), *self.add.values()):
            formats.check(value)


class Headers(Model, frozen=True):
    """
    Changes to the headers of a message.

    request: Changes before the request is forwarded.
    response: Changes before the response is returned.
    """

    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


class WorkloadSelector(Model, frozen=True):
    """
    Workloads by label.

    match_labels: Labels the pods must have.
    """

    match_labels: dict[str, str] = {}


class LabelSelector(Model, frozen=True):
    """
    Workloads by label.

    labels: Labels the workloads must have.
    """

    labels: dict[str, str] = {}
