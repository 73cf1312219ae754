"""Whom a token stands for, and whether it still does: it ends with its account, and with what it is bound to."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, Final

from bookmesh.kube.store import records
from bookmesh.kube.store import store as stores
from bookmesh.lab import tokens

_ACCOUNTS: Final = records.GroupResource("", "serviceaccounts")
_BINDING: Final = {"node": "nodes", "pod": "pods", "secret": "secrets"}


def reader(issuer: tokens.TokenIssuer, store: stores.Store) -> Callable[[str], str | None]:
    """Make what tells the user name of a bearer token, None for one that is not good or no longer."""

    def user_for(token: str) -> str | None:
        claims = issuer.claims_of(token)
        return claims["sub"] if claims is not None and is_kept(store, claims) else None

    return user_for


def is_kept(store: stores.Store, claims: dict[str, Any]) -> bool:
    """Whether the account that a token names, and the object that it is bound to, are those of when it was made."""
    kept = claims["kubernetes.io"]
    account = store.get(_ACCOUNTS, kept["namespace"], kept["serviceaccount"]["name"])
    if account is None or _created(account) > claims["iat"]:
        return False
    for key, plural in _BINDING.items():
        if key in kept:
            place = "" if key == "node" else kept["namespace"]
            stored = store.get(records.GroupResource("", plural), place, kept[key]["name"])
            if stored is None or stored.object["metadata"]["uid"] != kept[key]["uid"]:
                return False
    return True


def _created(stored: records.Stored) -> float:
    text: str = stored.object["metadata"]["creationTimestamp"]
    return datetime.datetime.fromisoformat(text).timestamp()
