"""Tokens end with what they are bound to."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bookmesh.base import kubernetes
from bookmesh.base.kubernetes import JsonObject, Resource
from bookmesh.kube.api import verbs
from bookmesh.kube.schema import kinds, schemas
from bookmesh.kube.store import store
from bookmesh.lab import bound_tokens, credentials, tokens

USER = "system:serviceaccount:default:web"
FIELDS = {"name": "web", "namespace": "default"}
BODIES: dict[Resource, JsonObject] = {
    kubernetes.PODS: {"spec": {"containers": [{"name": "main", "image": "httpbin"}]}},
    kubernetes.SECRETS: {},
    kubernetes.NODES: {},
}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> tokens.TokenIssuer:
    made = credentials.ensure(tmp_path_factory.mktemp("pki") / "pki", addresses=("127.0.0.1",))
    return tokens.TokenIssuer(made.token_key)


@pytest.fixture
def over() -> Iterator[verbs.Verbs]:
    objects = store.Store.open(None)
    found = verbs.Verbs(objects, kinds.Kinds(), schemas.Schemas.load())
    found.create(kubernetes.NAMESPACES, {"metadata": {"name": "default"}})
    found.create(kubernetes.SERVICE_ACCOUNTS, {"metadata": FIELDS})
    yield found
    objects.close()


def issue(issuer: tokens.TokenIssuer, bound: JsonObject | None = None) -> str:
    token, _ = issuer.issue(
        namespace="default", service_account="web", bound=bound, audiences=(), expiration_s=600
    )
    return token


def test_a_token_ends_with_its_account(issuer: tokens.TokenIssuer, over: verbs.Verbs) -> None:
    user_for = bound_tokens.reader(issuer, over.store)
    token = issue(issuer)
    assert user_for(token) == USER
    over.delete(kubernetes.SERVICE_ACCOUNTS, "web", "default")
    assert user_for(token) is None
    assert user_for("not.a.token") is None


def test_an_account_that_was_made_anew_is_another_one(issuer: tokens.TokenIssuer, over: verbs.Verbs) -> None:
    claims: dict[str, Any] = issuer.claims_of(issue(issuer)) or {}
    assert bound_tokens.is_kept(over.store, claims)
    earlier = claims["iat"] - datetime.timedelta(hours=1).total_seconds()
    assert not bound_tokens.is_kept(over.store, {**claims, "iat": earlier})


@pytest.mark.parametrize("resource", BODIES, ids=lambda each: each.plural)
def test_a_token_ends_with_what_it_is_bound_to(
    issuer: tokens.TokenIssuer, over: verbs.Verbs, resource: Resource
) -> None:
    user_for: Callable[[str], str | None] = bound_tokens.reader(issuer, over.store)
    namespace = "" if resource == kubernetes.NODES else "default"
    fields = {"name": "web", "namespace": namespace} if namespace else {"name": "web"}
    made = over.create(resource, {"metadata": fields, **BODIES[resource]}).object
    token = issue(issuer, made)
    assert user_for(token) == USER
    place = kinds.Kinds().by_resource(resource)
    assert place is not None
    over.store.delete(bound_tokens.records.GroupResource(*place.storage), namespace, "web")
    assert user_for(token) is None
    over.create(resource, {"metadata": fields, **BODIES[resource]})
    assert user_for(token) is None


def test_a_lasting_token_ends_with_its_secret(issuer: tokens.TokenIssuer, over: verbs.Verbs) -> None:
    user_for = bound_tokens.reader(issuer, over.store)
    secret = over.create(kubernetes.SECRETS, {"metadata": {"name": "t", "namespace": "default"}}).object
    token = issuer.issue_lasting("default", "web", secret)
    assert user_for(token) == USER
    over.delete(kubernetes.SECRETS, "t", "default")
    assert user_for(token) is None
