"""What is seen of mirrored objects, and what counts as changed when that changes."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.mesh.control.fake_kubernetes import FakeClient

from bookmesh.base.kubernetes import NAMESPACES, SERVICES, ObjectList, Resource
from bookmesh.mesh.control.discovering import Discovery, selected
from bookmesh.mesh.control.mirroring import Mirror
from bookmesh.mesh.model.gateway_api.gateways import LabelSelector, SelectorRequirement

ON = (LabelSelector(match_labels={"mesh": "on"}),)


def namespace(name: str, version: str = "1", **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "uid": name, "resourceVersion": version, "labels": labels}}


def service(where: str) -> dict[str, Any]:
    return {"metadata": {"name": "web", "namespace": where, "uid": where, "resourceVersion": "1"}}


class World:
    """Two mirrors of which a test says what they have."""

    def __init__(self) -> None:
        self.mirrors = {
            resource: Mirror(FakeClient(), resource, on_change=lambda: None)
            for resource in (NAMESPACES, SERVICES)
        }
        self.discovery = Discovery(self.mirrors.values())
        self.have(NAMESPACES, namespace("shop", mesh="on"), namespace("other"))
        self.have(SERVICES, service("shop"), service("other"))

    def have(self, resource: Resource, *objects: dict[str, Any]) -> None:
        self.mirrors[resource].replace(ObjectList(list(objects), "1"))

    def services(self) -> dict[str, bool]:
        """The namespaces whose service counts as changed, and whether it is seen."""
        return {key[0]: obj is not None for key, obj in self.discovery.take(SERVICES).items()}


@pytest.fixture
def world() -> World:
    return World()


def test_without_selectors_everything_is_seen(world: World) -> None:
    world.discovery.select(())
    assert world.services() == {"shop": True, "other": True}
    assert world.discovery.objects(SERVICES) is world.mirrors[SERVICES].objects()


def test_only_selected_namespaces_are_seen(world: World) -> None:
    world.have(SERVICES, service("shop"), service("other"), service("not-there-yet"))
    world.discovery.select(ON)
    assert world.services() == {"shop": True, "other": False, "not-there-yet": False}
    assert set(world.discovery.take(NAMESPACES)) == {("", "shop"), ("", "other")}
    found = world.discovery.objects(SERVICES)
    assert [each["metadata"]["namespace"] for each in found] == ["shop"]
    assert world.discovery.objects(SERVICES) is found


def test_objects_of_namespaces_that_come_and_go_count_as_changed(world: World) -> None:
    world.discovery.select(())
    world.services()
    world.discovery.select(ON)
    assert world.services() == {"other": False}
    world.have(NAMESPACES, namespace("shop", "2"), namespace("other", "2", mesh="on"))
    world.discovery.select(ON)
    assert world.services() == {"shop": False, "other": True}
    world.discovery.select(ON)
    assert world.services() == {}
    world.discovery.select(())
    assert world.services() == {"shop": True}


def test_one_of_several_selectors_is_enough() -> None:
    expression = SelectorRequirement(key="env", operator="In", values=("dev",))
    by_name = LabelSelector(match_labels={"kubernetes.io/metadata.name": "named"})
    selectors = (*ON, LabelSelector(match_expressions=(expression,)), by_name)
    existing = [
        namespace("a", mesh="on"),
        namespace("b", env="dev"),
        namespace("c", env="x"),
        namespace("named"),
    ]
    assert selected(selectors, existing) == {"a", "b", "named"}
    assert selected((), existing) is None
