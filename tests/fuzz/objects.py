"""
Configuration objects nobody would write: from the schemas of all kinds, and from valid objects with something changed.

Strings come out of a pool of words that mean something somewhere (hosts, subsets, ports, paths, regular expressions,
durations) or nothing at all, so that objects refer to each other often enough to reach deep. Many are no regular
expressions, or none of RE2's.
"""

from __future__ import annotations

import copy
import functools
import itertools
from typing import Any

import yaml
from hypothesis import strategies as st
from tests.golden.translate import worlds

from bookmesh.mesh.model import kinds, schemas

WORDS = (
    *(
        "reviews",
        "reviews.default.svc.cluster.local",
        "ratings",
        "details",
        "*",
        "*.default.svc.cluster.local",
    ),
    *(
        "api.example.com",
        "*.example.com",
        "other/reviews",
        "./*",
        "*/*",
        "~/*",
        "mesh",
        "public",
        "default/public",
    ),
    *(
        "v1",
        "v2",
        "v3",
        "app",
        "istio",
        "ingressgateway",
        "version",
        "http",
        "https",
        "tcp",
        "tls",
        "grpc",
        "HTTP",
    ),
    *(
        "/",
        "/reviews",
        "/reviews/",
        "/[a-z",
        ".*",
        "[0-9]+",
        "^a$",
        "\\1",
        "%REQ(x)%",
        "x-user",
        ":authority",
    ),
    *(
        "1s",
        "0s",
        "10ms",
        "1h",
        "0.5s",
        "10.0.0.0/8",
        "10.244.0.7",
        "1.2.3.4/33",
        "::1",
        "unix:///a",
        "a b",
        "é",
    ),
    *(
        "",
        " ",
        "x" * 300,
        "default",
        "region/zone",
        "eu/*",
        "GET",
        "cluster.local",
        "spiffe://a/b",
        "UNAVAILABLE",
    ),
    *(
        "cancelled",
        "5xx,reset",
        "200",
        "503",
        "*.com",
        "a.b",
        ".",
        "-",
        "_",
        "|",
        "\n",
        "\0",
        "{",
        "%",
        "100%",
    ),
    *("(", "(a)(b)", "\\2", "a{1001}", "(?=a)", "(?P<x>a)|b", "a**", "[[:word:]]+", "\\C", "(?i)x", "\\pN"),
)
NUMBERS = (0, 1, 2, 79, 80, 443, 503, 9080, 15001, 15006, 65535, 100, 599, 4294967295)
# Fields without which most objects say nothing.
USUAL = frozenset({"hosts", "http", "route", "destination", "host", "servers", "port", "number", "subset"})
ODD = (None, {}, [], "", 0, -1, True, "x", 1.5, 1e30, 2**63 - 1, [None], {"a": {"b": []}}, "nan")


def kind_names() -> list[str]:
    return [kind.kind for kind in kinds.KINDS]


@functools.cache
def schema_of(kind: str) -> dict[str, Any]:
    return schemas.schema_for(next(k.spec for k in kinds.KINDS if k.kind == kind))


@functools.cache
def specs(kind: str) -> st.SearchStrategy[Any]:
    """Specs that fit the schema of a kind, mostly small."""
    return _values(schema_of(kind), depth=0)


_KNOWN: dict[tuple[int, int], tuple[dict[str, Any], st.SearchStrategy[Any]]] = {}


def _values(schema: dict[str, Any], *, depth: int) -> st.SearchStrategy[Any]:
    """The strategy for a part of a schema; made once, since making them takes longer than drawing from them."""
    found = _KNOWN.get((id(schema), depth))
    if found is None:
        found = _KNOWN[id(schema), depth] = (schema, _new_values(schema, depth=depth))
    return found[1]


def _new_values(schema: dict[str, Any], *, depth: int) -> st.SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "object" if "properties" in schema:
            return _objects(schema, depth=depth)
        case "object":
            inner = schema.get("additionalProperties")
            values = _values(inner, depth=depth + 1) if isinstance(inner, dict) else st.sampled_from(WORDS)
            return st.dictionaries(st.sampled_from(WORDS), values, max_size=2)
        case "array":
            least = schema.get("minItems", 0)
            return st.lists(_values(schema["items"], depth=depth + 1), min_size=least, max_size=max(least, 2))
        case "string" if "pattern" in schema:
            return st.sampled_from(("1s", "10ms", "0s", "0.5s", "1h1m"))
        case "string":
            return st.sampled_from(WORDS)
        case "integer":
            low, high = schema.get("minimum", -(2**31)), schema.get("maximum", 2**31 - 1)
            return st.sampled_from([number for number in NUMBERS if low <= number <= high])
        case "number":
            return st.sampled_from((0.0, 0.5, 1.0, 50.0, 99.9, 100.0, 1e9))
        case "boolean":
            return st.booleans()
        case _:
            return st.sampled_from(ODD)


def _objects(schema: dict[str, Any], *, depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Required fields always, and a few of the others; of those that exclude each other any number, seldom more."""
    properties, required = schema["properties"], set(schema.get("required", ()))
    optional = sorted(properties.keys() - required)

    @functools.cache
    def fill(chosen: frozenset[str], is_usual: bool) -> st.SearchStrategy[dict[str, Any]]:
        names = required | chosen | (USUAL & properties.keys() if is_usual else set())
        return st.fixed_dictionaries(
            {name: _values(properties[name], depth=depth + 1) for name in sorted(names)}
        )

    most = min(len(optional), 4 if depth == 0 else 2 if depth < 5 else 0)
    some = st.lists(st.sampled_from(optional), unique=True, max_size=most) if most else st.just([])
    return st.tuples(some, st.integers(0, 9)).flatmap(lambda drawn: fill(frozenset(drawn[0]), drawn[1] > 0))


@functools.cache
def seeds() -> tuple[dict[str, Any], ...]:
    """The valid objects of the mesh's kinds in all golden cases."""
    documents = itertools.chain.from_iterable(
        yaml.safe_load_all(path.read_text()) for path in worlds.cases(worlds.HERE)
    )
    known = kind_names()
    return tuple(d for d in documents if d and d.get("kind") in known)


def paths_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(p for key, item in items for p in paths_in(item, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn, *, kind: str = "") -> dict[str, Any]:
    """A valid object (of one kind) in which up to three places were dropped, doubled, or given another value."""
    obj = copy.deepcopy(draw(st.sampled_from([seed for seed in seeds() if kind in ("", seed["kind"])])))
    obj.setdefault("spec", {})
    for _ in range(draw(st.integers(0, 3))):
        places = paths_in(obj["spec"])
        if not places:
            break
        *above, key = draw(st.sampled_from(places))
        parent = functools.reduce(lambda value, step: value[step], above, obj["spec"])
        match draw(st.sampled_from(("same type",) * 6 + ("drop", "double", "odd"))):
            case "drop":
                del parent[key]
            case "double" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[key]))
            case "odd":
                parent[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case _ if isinstance(parent[key], bool):
                parent[key] = not parent[key]
            case _ if isinstance(parent[key], int):
                parent[key] = draw(st.sampled_from(NUMBERS))
            case _ if isinstance(parent[key], str):
                parent[key] = draw(st.sampled_from(WORDS))
    return obj


@st.composite
def generated(draw: st.DrawFn) -> dict[str, Any]:
    """An object that fits its schema."""
    kind = draw(st.sampled_from(kinds.KINDS))
    return {
        "apiVersion": f"{kind.group}/{kind.versions[0]}",
        "kind": kind.kind,
        "metadata": {"name": draw(st.sampled_from(("reviews", "public", "x")))},
        "spec": draw(specs(kind.kind)),
    }


_CONNECTION_MANAGER: dict[str, Any] = {
    "filterChain": {"filter": {"name": "envoy.filters.network.http_connection_manager"}}
}
_LUA = {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
    "default_source_code": {"inline_string": "function ("},
}
# Each reads well, and no Envoy takes what it makes.
REFUSED_PATCHES: tuple[dict[str, Any], ...] = (
    {
        "applyTo": "HTTP_ROUTE",
        "patch": {"operation": "MERGE", "value": {"match": {"safe_regex": {"regex": "("}}}},
    },
    {
        "applyTo": "HTTP_FILTER",
        "match": {"listener": _CONNECTION_MANAGER},
        "patch": {"operation": "INSERT_FIRST", "value": {"name": "lua", "typed_config": _LUA}},
    },
    {
        "applyTo": "CLUSTER",
        "match": {"cluster": {"service": "reviews.default.svc.cluster.local"}},
        "patch": {"operation": "MERGE", "value": {"type": "STATIC"}},
    },
)


@st.composite
def refused_patches(draw: st.DrawFn) -> dict[str, Any]:
    """EnvoyFilters of which each patch makes something that Envoy refuses."""
    return {
        "apiVersion": "networking.istio.io/v1alpha3",
        "kind": "EnvoyFilter",
        "metadata": {"name": "refused"},
        "spec": {"configPatches": draw(st.lists(st.sampled_from(REFUSED_PATCHES), min_size=1, max_size=2))},
    }


def patches() -> st.SearchStrategy[dict[str, Any]]:
    """EnvoyFilters: valid ones with something changed, and some that must be refused."""
    return st.one_of(mutated(kind="EnvoyFilter"), mutated(kind="EnvoyFilter"), refused_patches())


def objects() -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(mutated(), generated())
