"""The subresource `serviceaccounts/{name}/token`: a `TokenRequest` answered with a signed token."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, Final, Protocol

from bookmesh.base.kubernetes import NODES, PODS, SECRETS, JsonObject, conflict, copy_json, not_found
from bookmesh.kube.api import metadata, statuses, verbs
from bookmesh.kube.store import records

_BINDING: Final = {"Node": NODES, "Pod": PODS, "Secret": SECRETS}
_USUAL_LIFE_S: Final = 3600
_SHORTEST_LIFE_S: Final = 600
_LONGEST_LIFE_S: Final = 1 << 32


class TokenIssuer(Protocol):
    """A port: who signs the tokens of service accounts."""

    def issue(
        self,
        *,
        namespace: str,
        service_account: str,
        bound: JsonObject | None,
        audiences: Sequence[str],
        expiration_s: int,
    ) -> tuple[str, datetime.datetime]:
        """
        Return a JWT and the UTC time at which it ends; no audiences means the API server.

        With a `bound` object it is good only while that is there, and without one while the account is.
        """
        ...


def request_token(over: verbs.Verbs, tokens: TokenIssuer, account: JsonObject, body: Any) -> JsonObject:
    """
    Answer a `TokenRequest` for an existing service account.

    Raises:
        ApiError: 404 when it shall be bound to an object that is not there, 422 for a life time that is not allowed.
    """
    request = copy_json(body) if isinstance(body, dict) else {}
    fields, spec = account["metadata"], request.get("spec") or {}
    life_s = spec.get("expirationSeconds")
    life_s = _USUAL_LIFE_S if life_s is None else life_s
    if (
        isinstance(life_s, bool)
        or not isinstance(life_s, int)
        or not _SHORTEST_LIFE_S <= life_s <= _LONGEST_LIFE_S
    ):
        message = f"Invalid value: {life_s}: may not specify a duration less than 10 minutes or more than 2^32 seconds"
        cause = statuses.Cause("spec.expirationSeconds", "FieldValueInvalid", message)
        raise statuses.invalid(group="authentication.k8s.io", kind="TokenRequest", name="", causes=[cause])
    token, end = tokens.issue(
        namespace=fields["namespace"],
        service_account=fields["name"],
        bound=_bound(over, fields["namespace"], spec.get("boundObjectRef")),
        audiences=tuple(spec.get("audiences") or ()),
        expiration_s=life_s,
    )
    return {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "metadata": {
            "name": fields["name"],
            "namespace": fields["namespace"],
            "creationTimestamp": metadata.timestamp(over.clock()),
        },
        "spec": {**spec, "expirationSeconds": life_s},
        "status": {"token": token, "expirationTimestamp": metadata.timestamp(end)},
    }


def _bound(over: verbs.Verbs, namespace: str, reference: JsonObject | None) -> JsonObject | None:
    """The object that a token is bound to."""
    if not reference:
        return None
    resource = _BINDING.get(reference.get("kind", ""))
    if resource is None:
        raise statuses.bad_request(
            f"cannot bind a token to an object of kind {reference.get('kind')!r}, only to a Pod, Secret or Node"
        )
    name = reference.get("name", "")
    place = records.GroupResource("", resource.plural)
    stored = over.store.get(place, "" if resource == NODES else namespace, name)
    if stored is None:
        raise not_found(resource, name)
    uid = stored.object["metadata"]["uid"]
    if (reference.get("uid") or uid) != uid:
        why = f"the UID in the bound object reference ({reference['uid']}) does not match the UID in record"
        raise conflict(resource, name, f"{why}. The object might have been deleted and then recreated")
    return {**stored.object, "kind": reference["kind"]}
