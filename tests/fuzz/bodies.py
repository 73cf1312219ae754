"""Bodies for the Kubernetes API that nobody would send: shaped by the schema of a kind, and wrong in places."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bookmesh.kube.schema import kinds, nodes, schemas

ODD: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
        st.sampled_from(
            ["", "-1", "100%", "5Gi", "a/b", "default", "2026-01-01T00:00:00Z", "é" * 70, "\x00"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
_DEEPEST = 7
_NAMES = st.sampled_from(["a", "b", "web", "web", "c", "things.example.com", "", "A", "x" * 260])


@st.composite
def objects(draw: st.DrawFn, known: schemas.Schemas, kind: kinds.Kind) -> Any:
    """One body for a kind; most are objects of it, with some fields that are odd, missing or unknown."""
    try:
        root = known.root(kind.group, kind.version, kind.kind)
    except KeyError:
        return draw(ODD)
    body = _value(draw, root, 0, odds=draw(st.sampled_from((0, 0, 2, 10))))
    if not isinstance(body, dict):
        return body
    if draw(st.integers(0, 9)):
        body["apiVersion"], body["kind"] = kind.api_version, kind.kind
    if draw(st.integers(0, 9)):
        metadata = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
        body["metadata"] = {**metadata, "name": draw(_NAMES)}
        if kind.namespaced:
            body["metadata"]["namespace"] = "default"
    return body


def _value(draw: st.DrawFn, node: nodes.Node, depth: int, *, odds: int) -> Any:
    """A value for a place; in `odds` of 100 places it is not even of the right type."""
    if depth > _DEEPEST or draw(st.integers(0, 99)) < odds:
        return draw(ODD)
    if node.enum:
        return draw(st.sampled_from(node.enum))
    if node.type == "array":
        items = node.items
        return (
            [_value(draw, items, depth + 1, odds=odds) for _ in range(draw(st.integers(0, 2)))]
            if items
            else []
        )
    if node.properties:
        chosen = [*node.required, *draw(st.lists(st.sampled_from(sorted(node.properties)), max_size=3))]
        fields = {key: node.child(key) for key in chosen}
        return {
            key: _value(draw, child, depth + 1, odds=odds)
            for key, child in fields.items()
            if child is not None
        }
    if node.type == "object":
        inner = node.additional
        keys = draw(st.lists(st.text(max_size=5), max_size=2))
        return {key: _value(draw, inner, depth + 1, odds=odds) if inner else draw(ODD) for key in keys}
    return draw(_SCALARS.get(node.type, ODD))


_SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.one_of(st.integers(-1, 70000), st.integers()),
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "string": st.one_of(st.text(max_size=6), st.sampled_from(["a", "10.96.0.7", "80", "1Gi", "*/5 * * * *"])),
}
