"""What all kinds have in common: the base structure, field types, and the marks on fields."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from bookmesh.base import durations

NOT_ACTED_ON: Final = msgspec.Meta(extra={"acted_on": False})


def defaulted(value: Any) -> msgspec.Meta:
    """Mark a field that an API server fills in; the structure has the same default."""
    return msgspec.Meta(extra_json_schema={"default": value})


def whole(pattern: str) -> msgspec.Meta:
    """Ask for text that matches as a whole: Python's `$` would also take a newline after it."""
    return msgspec.Meta(pattern=rf"^{pattern}\Z", extra_json_schema={"pattern": f"^{pattern}$"})


UInt32 = Annotated[int, msgspec.Meta(ge=0, le=4294967295)]
Int32 = Annotated[int, msgspec.Meta(ge=-2147483648, le=2147483647)]
# How many of something, where Istio's type has a sign.
Count = Annotated[int, msgspec.Meta(ge=0, le=2147483647)]
PortNumber = Annotated[int, msgspec.Meta(ge=0, le=65535)]
# What no name can have is refused, so that names can be parts of others; more than that is not asked.
HostName = Annotated[str, msgspec.Meta(min_length=1, max_length=255), whole(r"\*?[A-Za-z0-9_.:-]*")]
# Where names of TLS are compared, a wildcard stands for whole labels: Envoy takes no `*part.example.com`.
WholeHostName = Annotated[
    str, msgspec.Meta(min_length=1, max_length=255), whole(r"(\*|(\*\.)?[A-Za-z0-9_.:-]+)")
]
ScopedHost = Annotated[str, msgspec.Meta(min_length=1), whole(r"[A-Za-z0-9_.*:~/-]+")]
# A name as HTTP has it, or one of HTTP/2's own, which begin with a colon.
HeaderName = Annotated[str, whole(r":?[A-Za-z0-9!#$%&'*+.^_`|~-]+")]
# What may stand in a line of a request: a path, an authority, the value of a header.
HeaderText = Annotated[str, whole(r"[^\x00\r\n]*")]
SubsetName = Annotated[str, msgspec.Meta(max_length=63), whole(r"([A-Za-z0-9][A-Za-z0-9_.-]*)?")]
Duration = Annotated[str, whole(r"([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+")]
SHORTEST_S: Final = 0.001
"""What Istio and Envoy take where a duration must be some time."""


class Model(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """
    One object of the API; unknown fields are errors.

    `one_of()` names groups of fields of which at most one may be set. In docstrings, lines `field: text` after the
    first paragraph document the fields.
    """

    @classmethod
    def one_of(cls) -> tuple[tuple[str, ...], ...]:
        return ()

    def __post_init__(self) -> None:
        for group in self.one_of():
            present = [name for name in group if getattr(self, name) is not None]
            if len(present) > 1:
                yaml = dict(zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True))
                known, found = (", ".join(yaml[name] for name in names) for names in (group, present))
                raise ValueError(f"at most one of {known} may be set, not {found}")


class Metadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The parts of an object's metadata that decide anything. `creation_timestamp` is RFC 3339, "" when unknown."""

    name: str
    namespace: str = "default"
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    creation_timestamp: str = ""
    resource_version: str = ""
    uid: str = ""


def check_lasting(**fields: str | None) -> None:
    """
    Make sure that durations, by the names of their fields, last for some time.

    Raises:
        ValueError: one is shorter than a millisecond.
    """
    for name, text in fields.items():
        if text is not None and durations.parse_duration_s(text) < SHORTEST_S:
            raise ValueError(f"{name} must be at least 1ms")


def is_set(model: Model, name: str) -> bool:
    """Whether a field differs from its default, which is what "written in the YAML" comes down to."""
    value: Any = getattr(model, name)
    return value is not None and value not in ((), {}, "", False)
