"""
Fills Secrets of type `kubernetes.io/service-account-token`: the old way to a token, which does not end.

The annotation `kubernetes.io/service-account.name` names the account. Such a Secret whose account is not there, or has
gone, is deleted.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from bookmesh.base.kubernetes import SECRETS, SERVICE_ACCOUNTS, JsonObject, Resource
from bookmesh.kube.controllers import actions, informers, owners, runner

NAME: Final = "service-account-token-controller"
TYPE: Final = "kubernetes.io/service-account-token"
ACCOUNT: Final = "kubernetes.io/service-account.name"
ACCOUNT_UID: Final = "kubernetes.io/service-account.uid"

IssueToken = Callable[[str, str, JsonObject], str]
"""Signs a token for the account (namespace, name) that lasts as long as a Secret."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The account, None when there is none; the certificate pods trust (PEM); and who signs."""

    account: JsonObject | None
    ca_pem: str
    issue: IssueToken


def reconcile(desired: JsonObject, seen: Seen) -> actions.Actions:
    """Put into one Secret what it lacks."""
    metadata, name = desired["metadata"], account_of(desired)
    if not name or owners.is_being_deleted(desired):
        return ()
    account = seen.account
    known_uid = (metadata.get("annotations") or {}).get(ACCOUNT_UID)
    if account is None or known_uid not in (None, account["metadata"]["uid"]):
        return (actions.delete_of(SECRETS, desired),)
    wanted = {"ca.crt": seen.ca_pem, "namespace": metadata["namespace"]}
    data = {key: base64.b64encode(text.encode()).decode() for key, text in wanted.items()}
    current = desired.get("data") or {}
    missing = {key: text for key, text in data.items() if current.get(key) != text}
    if not current.get("token"):
        token = seen.issue(metadata["namespace"], name, desired)
        missing["token"] = base64.b64encode(token.encode()).decode()
    if not missing and known_uid:
        return ()
    annotations = {ACCOUNT_UID: account["metadata"]["uid"]}
    return (actions.patch_of(SECRETS, desired, {"metadata": {"annotations": annotations}, "data": missing}),)


def account_of(secret: JsonObject) -> str:
    """The account a Secret holds a token of; "" for a Secret that holds something else."""
    if secret.get("type") != TYPE:
        return ""
    name: str = (secret["metadata"].get("annotations") or {}).get(ACCOUNT, "")
    return name


def _of_account(
    change: informers.Change, source: Resource, caches: informers.Informers
) -> Iterable[runner.Key]:
    if change.type == "MODIFIED":
        return ()
    metadata = change.object["metadata"]
    return [
        runner.key_of(SECRETS, secret)
        for secret in caches.of(SECRETS).in_namespace(metadata["namespace"])
        if account_of(secret) == metadata["name"]
    ]


def controller(*, ca_pem: str, issue: IssueToken) -> runner.Controller:
    """Declare the controller."""

    async def observe(key: runner.Key, desired: JsonObject, view: runner.View) -> Seen:
        return Seen(view.caches.of(SERVICE_ACCOUNTS).get(key.namespace, account_of(desired)), ca_pem, issue)

    return runner.Controller(
        name=NAME,
        watches=(runner.own_keys(SECRETS), runner.Watch(SERVICE_ACCOUNTS, _of_account)),
        observe=observe,
        reconcile=reconcile,
    )
