"""Named formats: `format.dns1123Label().validate(text)` gives what is wrong with a text, or nothing."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from bookmesh.kube.schema import names
from bookmesh.kube.schema.expressions import urls
from bookmesh.kube.schema.expressions.engine import OptionalValue

_KIND: Final = "kubernetes.NamedFormat"
_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _prefix(check: Callable[[str], str]) -> Callable[[str], str]:
    """The start of generated names may end in a dash."""
    return lambda text: check(text[:-1] + "a" if text.endswith("-") and len(text) > 1 else text)


def _by(parse: Callable[[str], object], what: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            parse(text)
        except (ValueError, binascii.Error):
            return what
        return ""

    return check


def _uuid(text: str) -> str:
    return (
        ""
        if re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", text)
        else "does not match the UUID"
    )


def _date_time(text: str) -> str:
    wrong = _by(datetime.datetime.fromisoformat, "invalid datetime")(text)
    return wrong if _DATE_TIME.fullmatch(text) else "invalid datetime"


_FORMATS: Final[Mapping[str, Callable[[str], str]]] = {
    "dns1123Label": names.dns_label,
    "dns1123Subdomain": names.dns_subdomain,
    "dns1035Label": names.dns_label_1035,
    "qualifiedName": names.qualified_name,
    "dns1123LabelPrefix": _prefix(names.dns_label),
    "dns1123SubdomainPrefix": _prefix(names.dns_subdomain),
    "dns1035LabelPrefix": _prefix(names.dns_label_1035),
    "labelValue": names.label_value,
    "uri": _by(urls.parse, "invalid URI"),
    "uuid": _uuid,
    "byte": _by(lambda text: base64.b64decode(text, validate=True), "invalid base64"),
    "date": _by(datetime.date.fromisoformat, "invalid date"),
    "datetime": _date_time,
}


def named(name: str) -> OptionalValue:
    """The format of a name, if there is one."""
    return OptionalValue.of(_format(name)) if name in _FORMATS else OptionalValue.none()


def _format(name: str) -> dict[str, Any]:
    return {"type": _KIND, "name": name}


def validate(wanted: Mapping[str, Any], text: str) -> OptionalValue:
    """What is wrong with a text; no value when nothing is."""
    wrong = _FORMATS[wanted["name"]](text)
    return OptionalValue.of([wrong]) if wrong else OptionalValue.none()


def _maker(name: str) -> Callable[[], dict[str, Any]]:
    return lambda: _format(name)


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "format.named": named,
    "validate": validate,
    **{f"format.{name}": _maker(name) for name in _FORMATS},
}
