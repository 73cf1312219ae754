"""Strategic merge, directive by directive; `tests/clients` compares it with Go at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bookmesh.base.kubernetes import copy_json
from bookmesh.kube.schema import kinds, patching, schemas

Patched = Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]


@pytest.fixture
def patched(loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]) -> Patched:
    """Patch the spec of a pod; neither input is touched."""

    def patch(spec: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
        before = copy_json({"spec": spec, "change": change})
        outcome = patching.apply_strategic_merge_patch(
            loaded, kind_of("Pod"), {"spec": spec}, {"spec": change}
        )
        assert {"spec": spec, "change": change} == before
        result: dict[str, Any] = outcome["spec"]
        return result

    return patch


def named(*names: str) -> list[dict[str, Any]]:
    return [{"name": name} for name in names]


def test_elements_are_merged_by_their_key(patched: Patched) -> None:
    spec = {"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b", "image": "1"}]}
    change = {"containers": [{"name": "a", "image": "2"}]}
    assert patched(spec, change)["containers"] == [
        {"name": "a", "image": "2", "args": ["x"]},
        {"name": "b", "image": "1"},
    ]


def test_new_elements_come_first(patched: Patched) -> None:
    assert patched({"containers": named("a", "b")}, {"containers": named("c")})["containers"] == named(
        "c", "a", "b"
    )


def test_an_order_is_obeyed(patched: Patched) -> None:
    change = {"containers": named("c"), "$setElementOrder/containers": named("a", "c", "b")}
    assert patched({"containers": named("a", "b")}, change)["containers"] == named("a", "c", "b")


def test_an_order_alone_rearranges(patched: Patched) -> None:
    change = {"$setElementOrder/containers": named("b", "a")}
    assert patched({"containers": named("a", "b")}, change)["containers"] == named("b", "a")


def test_elements_that_only_the_server_has_keep_their_place(patched: Patched) -> None:
    change = {"$setElementOrder/containers": named("c", "a")}
    assert patched({"containers": named("x", "a", "c")}, change)["containers"] == named("x", "c", "a")


def test_an_order_must_fit_the_patch(patched: Patched) -> None:
    with pytest.raises(patching.PatchError):
        patched({}, {"containers": named("a", "b"), "$setElementOrder/containers": named("b", "a")})
    with pytest.raises(patching.PatchError):
        patched({}, {"containers": named("a"), "$setElementOrder/containers": named("b")})


def test_elements_are_deleted_by_key(patched: Patched) -> None:
    change = {"containers": [{"name": "a", "$patch": "delete"}, {"name": "none", "$patch": "delete"}]}
    assert patched({"containers": named("a", "b")}, change)["containers"] == named("b")


def test_a_list_is_replaced_on_demand(patched: Patched) -> None:
    change = {"containers": [{"$patch": "replace"}, {"name": "z"}]}
    assert patched({"containers": named("a", "b")}, change)["containers"] == named("z")


def test_lists_without_strategy_replace(patched: Patched) -> None:
    spec = {"tolerations": [{"key": "a"}], "containers": [{"name": "a", "args": ["x", "y"]}]}
    change = {"tolerations": [{"key": "b"}], "containers": [{"name": "a", "args": ["z"]}]}
    assert patched(spec, change) == {
        "tolerations": [{"key": "b"}],
        "containers": [{"name": "a", "args": ["z"]}],
    }


def test_objects_merge_replace_and_vanish(patched: Patched) -> None:
    spec = {"nodeSelector": {"a": "1", "b": "2"}}
    assert patched(spec, {"nodeSelector": {"b": None, "c": "3"}})["nodeSelector"] == {"a": "1", "c": "3"}
    assert patched(spec, {"nodeSelector": {"$patch": "replace", "c": "3"}})["nodeSelector"] == {"c": "3"}
    assert patched(spec, {"nodeSelector": {"$patch": "delete"}})["nodeSelector"] == {}
    assert patched(spec, {"nodeSelector": None}) == {}
    assert patched({}, {"nodeSelector": {"$patch": "replace", "c": "3"}}) == {}


def test_retained_keys_push_the_others_out(patched: Patched) -> None:
    spec = {"volumes": [{"name": "v", "emptyDir": {}}]}
    change = {"volumes": [{"name": "v", "$retainKeys": ["name", "configMap"], "configMap": {"name": "c"}}]}
    assert patched(spec, change)["volumes"] == [{"name": "v", "configMap": {"name": "c"}}]


def test_retained_keys_must_name_what_the_patch_sets(patched: Patched) -> None:
    change = {"volumes": [{"name": "v", "$retainKeys": ["name"], "configMap": {"name": "c"}}]}
    with pytest.raises(patching.PatchError, match="configMap"):
        patched({}, change)


def test_a_deployment_strategy_changes_its_type(
    loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]
) -> None:
    current = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    outcome = patching.apply_strategic_merge_patch(loaded, kind_of("Deployment"), current, patch)
    assert outcome["spec"]["strategy"] == {"type": "Recreate"}


def test_lists_of_texts_are_sets(loaded: schemas.Schemas, kind_of: Callable[[str], kinds.Kind]) -> None:
    current = {"metadata": {"finalizers": ["a", "b"]}}
    added = {"metadata": {"finalizers": ["c", "a"]}}
    removed = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    kind = kind_of("Pod")
    assert patching.apply_strategic_merge_patch(loaded, kind, current, added)["metadata"]["finalizers"] == [
        "c",
        "a",
        "b",
    ]
    assert patching.apply_strategic_merge_patch(loaded, kind, current, removed)["metadata"]["finalizers"] == [
        "b"
    ]


def test_directives_in_new_elements_are_carried_out(patched: Patched) -> None:
    env = [{"name": "X", "$patch": "delete"}, {"name": "Y", "value": "1"}]
    change = {"containers": [{"name": "n", "env": env, "$setElementOrder/env": [{"name": "Y"}]}]}
    assert patched({}, change)["containers"] == [{"name": "n", "env": [{"name": "Y", "value": "1"}]}]


@pytest.mark.parametrize(
    "change",
    [
        {"containers": [{"image": "no key"}]},
        {"containers": ["a"]},
        {"containers": [{"name": "a", "$patch": "invent"}]},
        {"nodeSelector": {"$patch": "invent"}},
        {"$retainKeys": "x"},
        {"$setElementOrder/containers": "x", "containers": []},
        {"$deleteFromPrimitiveList/x": 1},
    ],
)
def test_nonsense_is_refused(patched: Patched, change: dict[str, Any]) -> None:
    with pytest.raises(patching.PatchError):
        patched({"containers": named("a"), "nodeSelector": {"a": "b"}}, change)
