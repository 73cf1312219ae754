"""Gives every namespace what its pods count on: the ServiceAccount `default` and the cluster's root certificate."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bookmesh.base.kubernetes import CONFIG_MAPS, NAMESPACES, SERVICE_ACCOUNTS, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, owners, runner

NAME = "service-account-controller"
DEFAULT = "default"
ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION = "The certificate that pods trust when they call the API server by its address in the cluster."


@dataclass(frozen=True, slots=True)
class Seen:
    """What the namespace has by the two names; `ca_pem`: what the ConfigMap shall say."""

    ca_pem: str
    service_account: JsonObject | None
    root_ca: JsonObject | None


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Make what is missing in one namespace, and mend a changed root certificate."""
    if owners.is_being_deleted(desired):
        return ()
    namespace = desired["metadata"]["name"]
    wanted: list[actions.Action] = []
    if seen.service_account is None:
        body = {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": {"name": DEFAULT, "namespace": namespace},
        }
        wanted.append(actions.Create(SERVICE_ACCOUNTS, body))
    data = {"ca.crt": seen.ca_pem}
    if seen.root_ca is None:
        wanted.append(actions.Create(CONFIG_MAPS, _root_ca(namespace, data)))
    elif seen.root_ca.get("data") != data:
        wanted.append(actions.Update(CONFIG_MAPS, {**seen.root_ca, "data": data}))
    return tuple(wanted)


def _root_ca(namespace: str, data: dict[str, str]) -> JsonObject:
    annotations = {"kubernetes.io/description": _DESCRIPTION}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": ROOT_CA, "namespace": namespace, "annotations": annotations},
        "data": data,
    }


def _namespace_of(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    metadata = change.object["metadata"]
    if metadata["name"] not in (DEFAULT, ROOT_CA) or change.type == "ADDED":
        return ()
    return (runner.Key(NAMESPACES, "", metadata["namespace"]),)


def controller(*, ca_pem: str) -> runner.Controller:
    """Declare the controller that hands out this certificate (PEM)."""

    async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
        return Seen(
            ca_pem,
            view.caches.of(SERVICE_ACCOUNTS).get(key.name, DEFAULT),
            view.caches.of(CONFIG_MAPS).get(key.name, ROOT_CA),
        )

    return runner.Controller(
        name=NAME,
        watches=(
            runner.own_keys(NAMESPACES),
            runner.Watch(SERVICE_ACCOUNTS, _namespace_of),
            runner.Watch(CONFIG_MAPS, _namespace_of),
        ),
        observe=observe,
        reconcile=reconcile,
    )
