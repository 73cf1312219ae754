from __future__ import annotations

from typing import Any

import pytest

from bookmesh.release import subsets

EJECTION = {"consecutive5xxErrors": 0}
V1 = {"app": "reviews", "version": "v1", "of/v1": "true"}
V2 = {"app": "reviews", "version": "v2", "of/v2": "true"}
V3 = {"app": "reviews", "version": "v3", "of/v3": "true"}


def policy(*priorities: str, **more: Any) -> dict[str, Any]:
    setting = {"failoverPriority": list(priorities), **more}
    return {"loadBalancer": {"localityLbSetting": setting}, "outlierDetection": EJECTION}


def read(subset: dict[str, Any], *, host: str = "reviews", **rule: Any) -> subsets.Subset:
    spec = {"host": host, "subsets": [{"name": "v1", "labels": {"app": "reviews"}} | subset], **rule}
    return subsets.read([{"metadata": {"name": "any"}, "spec": spec}], "shop")["reviews", "v1"]


def test_a_subset_by_label_is_one_track() -> None:
    found = read({"labels": {"version": "v1"}}, host="reviews.shop.svc.cluster.local")
    assert (found.track, found.priorities) == ("v1", ())


def test_others_stand_in_while_the_track_has_no_ready_pod() -> None:
    found = read({"trafficPolicy": policy("of/v3=", "version=v1")})
    assert found.track == "v1"
    assert found.answering([V1, V2, V3]) == {"v1"}
    assert found.answering([V2, V3]) == {"v2"}, "v3 is for when there is nobody else"
    assert found.answering([V3]) == {"v3"}
    assert found.answering([{"version": "v9"}]) == frozenset(), "another application"
    assert found.answering([]) == frozenset()


def test_a_label_of_the_caller_does_not_matter() -> None:
    found = read({"trafficPolicy": policy("topology.kubernetes.io/zone", "version=v1")})
    assert found.priorities == (("version", "v1"),)


def test_the_policy_of_the_rule_holds_where_the_subset_has_none() -> None:
    assert read({}, trafficPolicy=policy("version=v1")).track == "v1"
    whole = {"outlierDetection": EJECTION, "loadBalancer": {"simple": "RANDOM"}}
    assert read({"trafficPolicy": policy("version=v2")}, trafficPolicy=whole).track == "v2"


def test_rules_for_one_host_are_joined_and_the_oldest_wins() -> None:
    def rule(created: str, **spec: Any) -> dict[str, Any]:
        return {
            "metadata": {"name": created, "creationTimestamp": created},
            "spec": {"host": "reviews", **spec},
        }

    rules = [
        rule("2026-01-03", subsets=[{"name": "v1", "labels": {"version": "late"}}]),
        rule("2026-01-02", trafficPolicy=policy("version=v2")),
        rule("2026-01-01", subsets=[{"name": "v1", "labels": {"version": "v1"}}, {"name": "v2"}]),
    ]
    found = subsets.read(rules, "shop")
    assert {name: subset.track for (_, name), subset in found.items()} == {"v1": "v2", "v2": "v2"}
    assert found["reviews", "v1"].labels == {"version": "v1"}


@pytest.mark.parametrize(
    "changed",
    [
        {"trafficPolicy": {"loadBalancer": policy("version=v1")["loadBalancer"]}},
        {"trafficPolicy": policy("version=v1", enabled=False)},
        {"trafficPolicy": policy("topology.kubernetes.io/zone")},
        {},
    ],
    ids=["nothing is ever ejected", "switched off", "only by place", "no policy"],
)
def test_without_failover_all_that_is_selected_answers(changed: dict[str, Any]) -> None:
    assert read(changed).track is None
    strict = read(changed | {"labels": {"version": "v1"}})
    assert (strict.track, strict.priorities) == ("v1", ())
