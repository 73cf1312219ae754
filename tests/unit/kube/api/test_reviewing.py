"""Reviews over HTTP."""

from __future__ import annotations

import pytest
from tests.unit.kube.api.conftest import Send, decoded


@pytest.mark.parametrize("kind", ["selfsubjectaccessreviews", "selfsubjectrulesreviews"])
async def test_access_reviews_allow(send: Send, kind: str) -> None:
    response = await send("POST", f"/apis/authorization.k8s.io/v1/{kind}", body={"spec": {}})
    assert response.status == 201
    status = decoded(response)["status"]
    assert status.get("allowed") or status["resourceRules"]


async def test_who_am_i(send: Send) -> None:
    response = await send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", body={})
    assert decoded(response)["status"]["userInfo"]["username"] == "somebody"
