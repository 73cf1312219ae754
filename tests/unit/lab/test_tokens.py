from __future__ import annotations

import datetime
from pathlib import Path

import jwt
import pytest

from bookmesh.lab import credentials, tokens


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> tokens.TokenIssuer:
    made = credentials.ensure(tmp_path_factory.mktemp("pki") / "pki", addresses=("127.0.0.1",))
    return tokens.TokenIssuer(made.token_key)


def issue(issuer: tokens.TokenIssuer, *, audiences: tuple[str, ...] = (), expiration_s: int = 3600) -> str:
    pod = {"metadata": {"name": "reviews-v1-abc", "uid": "u-1"}}
    token, _ = issuer.issue(
        namespace="default",
        service_account="bookinfo-reviews",
        bound=pod,
        audiences=audiences,
        expiration_s=expiration_s,
    )
    return token


def test_a_token_names_its_service_account(issuer: tokens.TokenIssuer) -> None:
    assert (issuer.claims_of(issue(issuer)) or {})["sub"] == "system:serviceaccount:default:bookinfo-reviews"


def test_claims_bind_the_token_to_its_pod(issuer: tokens.TokenIssuer) -> None:
    claims = jwt.decode(issue(issuer), options={"verify_signature": False})
    assert claims["kubernetes.io"]["pod"] == {"name": "reviews-v1-abc", "uid": "u-1"}
    assert claims["iss"] == "https://kubernetes.default.svc.cluster.local"


def test_a_token_for_somebody_else_is_not_accepted(issuer: tokens.TokenIssuer) -> None:
    assert issuer.claims_of(issue(issuer, audiences=("istio-ca",))) is None


def test_a_token_of_another_lab_is_not_accepted(issuer: tokens.TokenIssuer, tmp_path: Path) -> None:
    other = tokens.TokenIssuer(credentials.ensure(tmp_path / "pki", addresses=("127.0.0.1",)).token_key)
    assert issuer.claims_of(issue(other)) is None
    assert issuer.claims_of("not.a.token") is None


def test_a_token_lives_ten_minutes_at_least(issuer: tokens.TokenIssuer) -> None:
    _, expires = issuer.issue(namespace="d", service_account="s", bound=None, audiences=(), expiration_s=1)
    left = expires - datetime.datetime.now(datetime.UTC)
    assert datetime.timedelta(minutes=9) < left <= datetime.timedelta(minutes=10)
