"""Objects that give a policy its parameters: by name, or all that a selector chooses."""

from __future__ import annotations

from bookmesh.base.kubernetes import JsonObject
from bookmesh.kube.api.policies import definitions
from bookmesh.kube.schema import conversions, kinds
from bookmesh.kube.schema.semantics import workloads
from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores


class ConfigurationError(Exception):
    """A policy or binding that cannot be used as it is."""


def find(
    store: stores.Store,
    known: kinds.Kinds,
    policy: definitions.Policy,
    binding: definitions.Binding,
    namespace: str,
) -> list[JsonObject | None]:
    """
    Find the parameters with which a policy is evaluated, once for each; None stands for none.

    `namespace` is the request's, in which parameters are looked for that the binding does not place elsewhere.

    Raises:
        ConfigurationError: their kind is not served, or there are none and the binding denies that.
    """
    wanted, reference = policy.spec.get("paramKind"), binding.spec.get("paramRef")
    if not wanted or not reference:
        return [None]
    group, _, version = wanted["apiVersion"].rpartition("/")
    kind = known.by_kind(group, version, wanted["kind"])
    if kind is None:
        shown = f"{wanted['apiVersion']}, Kind={wanted['kind']}"
        raise ConfigurationError(f"paramKind kind `{shown}` not known")
    place = _place(kind, reference, namespace)
    found = _chosen(store, kind, reference, place)
    if not found and reference.get("parameterNotFoundAction") == "Deny":
        raise ConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction")
    return [conversions.convert(each.object, kind.api_version) for each in found]


def _place(kind: kinds.Kind, reference: JsonObject, namespace: str) -> str:
    own: str = reference.get("namespace") or ""
    if not kind.namespaced:
        if own:
            raise ConfigurationError(
                "paramRef.namespace must not be provided for a cluster-scoped `paramKind`"
            )
        return ""
    if not own and not namespace:
        raise ConfigurationError(
            "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
        )
    return own or namespace


def _chosen(store: stores.Store, kind: kinds.Kind, reference: JsonObject, place: str) -> list[records.Stored]:
    resource = records.GroupResource(*kind.storage)
    if reference.get("name"):
        stored = store.get(resource, place, reference["name"])
        return [stored] if stored else []
    selector = reference.get("selector") or {}
    return [
        each
        for each in store.list(resource, place)
        if workloads.selector_matches(selector, each.object["metadata"].get("labels") or {})
    ]
