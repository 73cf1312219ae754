"""Expressions ask what the user of a request may do."""

from __future__ import annotations

from tests.unit.kube.api.policies import worlds

from bookmesh.kube.api import authentication, authorization, consulting, verbs


def test_the_user_of_the_request_or_an_account_is_asked_about(over: verbs.Verbs) -> None:
    admin = authentication.User("root", (authorization.MASTERS,))
    asked = worlds.request(user=admin)
    variable = consulting.variable_for(asked)
    assert variable["requestResource"]["resource"] == "configmaps"
    check = consulting.functions_for(authorization.Authorizer(over.store), asked)["check"]
    assert check(variable["requestResource"], "get")["allowed"] is True
    account = {**variable["requestResource"], "account": "system:serviceaccount:default:x"}
    assert check(account, "get")["allowed"] is False
