"""From a request to what it wants to do, in the words of RBAC; and to whom it is done as."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import authentication, authorization, paths, queries, statuses

_VERBS: Final = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
# A stream is opened with GET by some clients and with POST by others; it is one thing to allow.
_STREAMS: Final = frozenset({"attach", "exec", "portforward"})


def action_of(request: web.Request) -> authorization.Action:
    """What the request wants to do."""
    try:
        path = paths.parse(request.rel_url.raw_path)
    except ApiError:
        path = None
    verb = _VERBS.get(request.method, request.method.lower())
    if path is None or path.resource is None:
        return authorization.Action(verb, path=request.rel_url.path)
    resource = path.resource
    if path.subresource in _STREAMS:
        verb = "create"
    elif not path.name and verb == "get":
        verb = "watch" if queries.is_true(request.query, "watch") else "list"
    elif not path.name and verb == "delete":
        verb = "deletecollection"
    namespace, name = path.namespace, path.name
    if not resource.group and resource.plural == "namespaces" and name:
        namespace = name
    return authorization.Action(verb, resource.group, resource.plural, path.subresource, namespace, name)


def impersonated(
    request: web.Request, user: authentication.User, authorizer: authorization.Authorizer
) -> authentication.User:
    """
    Whom the request is made as: `user`, or somebody else whom `user` may stand in for (`kubectl --as`).

    Raises:
        ApiError: 403 when it may not; 400 for groups of nobody.
    """
    name = request.headers.get("Impersonate-User", "")
    groups = tuple(request.headers.getall("Impersonate-Group", []))
    if not name and groups:
        listed = ", ".join(f'"{group}"' for group in groups)
        raise statuses.bad_request(
            f'requested &user.DefaultInfo{{Name:"", UID:"", Groups:[]string{{{listed}}}, '
            "Extra:map[string][]string(nil)} without impersonating a user name"
        )
    if not name:
        return user
    account = name.removeprefix("system:serviceaccount:") if name.startswith("system:serviceaccount:") else ""
    if account:
        namespace, _, own = account.partition(":")
        authorizer.require(
            user, authorization.Action("impersonate", "", "serviceaccounts", "", namespace, own)
        )
    else:
        authorizer.require(user, authorization.Action("impersonate", "", "users", "", "", name))
    for group in groups:
        authorizer.require(user, authorization.Action("impersonate", "", "groups", "", "", group))
    if not groups and account:
        return authentication.User(name, authentication.groups_of(name))
    return authentication.User(name, tuple(dict.fromkeys((*groups, "system:authenticated"))))
