"""Users of certificates and tokens."""

from __future__ import annotations

from unittest import mock

import pytest
from tests.unit.kube.api.conftest import request_for

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import authentication


async def test_certificate_names_user_and_groups() -> None:
    subject = ((("organizationName", "system:masters"),), (("commonName", "admin"),))
    request = request_for("GET", "/api")
    assert isinstance(request.transport, mock.Mock)
    request.transport.get_extra_info.side_effect = lambda name, default=None: {"subject": subject}
    user = authentication.Authenticator().authenticate(request)
    assert user == authentication.User("admin", ("system:masters", "system:authenticated"))


async def test_token_of_a_service_account_has_its_groups() -> None:
    found = authentication.Authenticator(user_for_token=lambda token: f"system:serviceaccount:shop:{token}")
    user = found.authenticate(request_for("GET", "/api", headers={"Authorization": "bearer web"}))
    assert user.name == "system:serviceaccount:shop:web"
    assert user.groups[:2] == ("system:serviceaccounts", "system:serviceaccounts:shop")


async def test_nobody_without_credentials() -> None:
    with pytest.raises(ApiError) as refusal:
        authentication.Authenticator().authenticate(request_for("GET", "/api"))
    assert refusal.value.code == 401
    assert (
        authentication.Authenticator().authenticate(request_for("GET", "/livez")) == authentication.ANONYMOUS
    )
