"""
What objects of the Gateway API must not say, beyond types and bounds: rules in their CRDs, CEL and a message each.

The API server refuses with them what a cluster with the official CRDs refuses. A path leads from the root of a schema
to where a rule stands; `[]` goes to the elements of a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from bookmesh.base.kubernetes import JsonObject


class Rule(NamedTuple):
    """An expression about the value where it stands, and what is said when it is false."""

    expression: str
    message: str


_FILTER_FIELDS: Final = {
    "CORS": "cors",
    "ExtensionRef": "extensionRef",
    "RequestHeaderModifier": "requestHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "URLRewrite": "urlRewrite",
}
_GRPC_FILTERS: Final = ("ExtensionRef", "RequestHeaderModifier", "RequestMirror", "ResponseHeaderModifier")
_REPEATABLE: Final = frozenset({"ExtensionRef", "RequestMirror"})
_PLAIN_PATHS: Final = "self.type == 'RegularExpression' || "
_PATH: Final = (
    Rule(f"{_PLAIN_PATHS}self.value.startsWith('/')", "a path must start with '/'"),
    Rule(
        f"{_PLAIN_PATHS}!['//', '/./', '/../', '%2f', '%2F', '#'].exists(part, self.value.contains(part))",
        "a path must not contain '//', '/./', '/../', '%2f' or '#'",
    ),
    Rule(
        f"{_PLAIN_PATHS}!(self.value.endsWith('/..') || self.value.endsWith('/.'))",
        "a path must not end with '/..' or '/.'",
    ),
    Rule(
        _PLAIN_PATHS + r"self.value.matches('^([-A-Za-z0-9/._~!$&()*+,;=:@\']|%[0-9a-fA-F]{2})+$')",
        "a path must have no characters but those of paths in URLs",
    ),
)
_DIFFERENT_NAMES: Final = (
    Rule("self.all(one, self.exists_one(other, other.name == one.name))", "names must be different"),
)
_HEADER: Final = (
    Rule(r"self.name.matches('^[-A-Za-z0-9!#$%&*+.^_`|~\']+$')", "the name must be one of a header"),
)
_PATH_CHANGE: Final = (
    Rule(
        "has(self.replaceFullPath) == (self.type == 'ReplaceFullPath') && "
        "has(self.replacePrefixMatch) == (self.type == 'ReplacePrefixMatch')",
        "the field that type names must be set, and no other",
    ),
)
_BACKEND: Final = (
    Rule("self.group != '' || self.kind != 'Service' || has(self.port)", "a Service needs a port"),
    Rule(
        "self.group == '' || !format.dns1123Subdomain().validate(self.group).hasValue()",
        "group must be the name of an API group",
    ),
    Rule("self.kind.matches('^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$')", "kind must be the name of a kind"),
)
_TIMEOUTS: Final = (
    Rule(
        "!has(self.request) || !has(self.backendRequest) || duration(self.request) == duration('0s') || "
        "duration(self.backendRequest) <= duration(self.request)",
        "backendRequest must not be longer than request",
    ),
)
_ONE_PREFIX: Final = (
    "self.?matches.orValue([]).size() == 1 && "
    "self.matches[0].?path.optMap(p, p.type == 'PathPrefix').orValue(false)"
)
_PARENTS: Final = (
    Rule(
        "self.all(one, self.exists_one(other, one.group == other.group && one.kind == other.kind && "
        "one.name == other.name && one.?__namespace__.orValue('') == other.?__namespace__.orValue('') && "
        "one.?sectionName.orValue('') == other.?sectionName.orValue('') && "
        "one.?port.orValue(0) == other.?port.orValue(0)))",
        "references to one parent must differ in sectionName or port",
    ),
)
_LISTENERS: Final = (
    Rule(
        "self.all(l, !(l.protocol in ['HTTP', 'TCP', 'UDP']) || !has(l.tls))", "HTTP, TCP and UDP have no tls"
    ),
    Rule(
        "self.all(l, l.protocol != 'HTTPS' || !has(l.tls) || l.tls.mode == 'Terminate')",
        "the tls mode of HTTPS must be Terminate",
    ),
    Rule("self.all(l, l.protocol != 'TLS' || has(l.tls))", "TLS needs tls"),
    Rule(
        "self.all(l, !(l.protocol in ['TCP', 'UDP']) || l.?hostname.orValue('') == '')",
        "TCP and UDP have no hostname",
    ),
    *_DIFFERENT_NAMES,
    Rule(
        "self.all(l, !format.dns1123Subdomain().validate(l.name).hasValue())",
        "names of listeners must be those of objects",
    ),
    Rule(
        "self.all(one, self.exists_one(other, one.port == other.port && one.protocol == other.protocol && "
        "one.?hostname.orValue('') == other.?hostname.orValue('')))",
        "listeners must differ in port, protocol or hostname",
    ),
)
_LISTENER_TLS: Final = (
    Rule(
        "self.mode != 'Terminate' || self.?certificateRefs.orValue([]).size() > 0 || "
        "self.?options.orValue({}).size() > 0",
        "mode Terminate needs certificateRefs or options",
    ),
)
_ADDRESSES: Final = (
    Rule(
        "self.all(one, !has(one.value) || self.exists_one(other, one.type == other.type && "
        "has(other.value) && one.value == other.value))",
        "addresses must be different",
    ),
    Rule("self.all(a, a.type != 'IPAddress' || !has(a.value) || isIP(a.value))", "an IPAddress must be one"),
)


def _filter(types: Iterable[str]) -> tuple[Rule, ...]:
    """The field of a filter's type is set, and no other one."""
    fields = ", ".join(f"'{each}': has(self.{_FILTER_FIELDS[each]})" for each in sorted(types))
    return (
        Rule(
            f"{{{fields}}}.all(type, is_set, is_set == (self.type == type))",
            "the field of the filter's type must be set, and no other",
        ),
    )


def _filters(types: Iterable[str]) -> tuple[Rule, ...]:
    once = ", ".join(f"'{each}'" for each in sorted(types) if each not in _REPEATABLE)
    return (
        Rule(
            f"[{once}].all(type, self.filter(f, f.type == type).size() <= 1)",
            "each type of filter but RequestMirror and ExtensionRef may be there once",
        ),
    )


def _prefix_for(change: str, what: str) -> Rule:
    return Rule(
        f"!self.?filters.orValue([]).exists(f, f.?{change}.?path.optMap(p, p.type == 'ReplacePrefixMatch')"
        f".orValue(false)) || ({_ONE_PREFIX})",
        f"{what} with replacePrefixMatch needs exactly one match, with a PathPrefix",
    )


def _header_changes(place: str) -> dict[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for modifier in ("requestHeaderModifier", "responseHeaderModifier"):
        for change in ("add", "set"):
            found[f"{place}[].{modifier}.{change}"] = _DIFFERENT_NAMES
            found[f"{place}[].{modifier}.{change}[]"] = _HEADER
    return found


def _http_filters(place: str) -> dict[str, tuple[Rule, ...]]:
    """Rules of filters at one place of HTTPRoutes."""
    both = Rule(
        "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))",
        "RequestRedirect and URLRewrite cannot be used together",
    )
    return {
        place: (both, *_filters(_FILTER_FIELDS)),
        f"{place}[]": _filter(_FILTER_FIELDS),
        f"{place}[].requestRedirect.path": _PATH_CHANGE,
        f"{place}[].urlRewrite.path": _PATH_CHANGE,
        **_header_changes(place),
        f"{place}[].requestMirror.backendRef": _BACKEND,
        f"{place}[].requestMirror.fraction": (
            Rule("self.numerator <= self.denominator", "numerator must not be larger than denominator"),
        ),
    }


def _grpc_filters(place: str) -> dict[str, tuple[Rule, ...]]:
    return {
        place: _filters(_GRPC_FILTERS),
        f"{place}[]": _filter(_GRPC_FILTERS),
        **_header_changes(place),
        f"{place}[].requestMirror.backendRef": _BACKEND,
    }


RULES: Final[Mapping[str, Mapping[str, tuple[Rule, ...]]]] = {
    "Gateway": {
        "spec.addresses": _ADDRESSES,
        "spec.listeners": _LISTENERS,
        "spec.listeners[].tls": _LISTENER_TLS,
    },
    "GRPCRoute": {
        "spec.parentRefs": _PARENTS,
        "spec.rules[].backendRefs[]": _BACKEND,
        **_grpc_filters("spec.rules[].filters"),
        **_grpc_filters("spec.rules[].backendRefs[].filters"),
    },
    "HTTPRoute": {
        "spec.parentRefs": _PARENTS,
        "spec.rules[]": (
            Rule(
                "self.?backendRefs.orValue([]).size() == 0 || "
                "!self.?filters.orValue([]).exists(f, has(f.requestRedirect))",
                "RequestRedirect and backendRefs cannot be used together",
            ),
            _prefix_for("requestRedirect", "RequestRedirect"),
            _prefix_for("urlRewrite", "URLRewrite"),
        ),
        "spec.rules[].backendRefs[]": _BACKEND,
        "spec.rules[].matches[].headers": _DIFFERENT_NAMES,
        "spec.rules[].matches[].headers[]": _HEADER,
        "spec.rules[].matches[].path": _PATH,
        "spec.rules[].matches[].queryParams": _DIFFERENT_NAMES,
        "spec.rules[].timeouts": _TIMEOUTS,
        **_http_filters("spec.rules[].filters"),
        **_http_filters("spec.rules[].backendRefs[].filters"),
    },
    "TCPRoute": {"spec.parentRefs": _PARENTS, "spec.rules[].backendRefs[]": _BACKEND},
    "TLSRoute": {"spec.parentRefs": _PARENTS, "spec.rules[].backendRefs[]": _BACKEND},
}
"""By kind and path."""


def add(schema: JsonObject, kind: str) -> None:
    """Put the rules of a kind into the schema of its objects; raises KeyError for a path that is not there."""
    for path, rules in RULES.get(kind, {}).items():
        place = schema
        for step in path.split("."):
            place = place["properties"][step.removesuffix("[]")]
            if step.endswith("[]"):
                place = place["items"]
        place["x-kubernetes-validations"] = [
            {"rule": each.expression, "message": each.message} for each in rules
        ]
