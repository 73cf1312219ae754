"""
`authorizer`: questions to whoever decides what a user may do, put together by methods and asked by `check`.

Questions are maps; `check` needs somebody to answer and is passed in by whoever evaluates (`answering`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

_KIND: Final = "kubernetes.authorization"
AUTHORIZER: Final[Mapping[str, Any]] = {"type": f"{_KIND}.Authorizer"}
"""The variable, about who makes the request."""


class Question(NamedTuple):
    """May the user (None: who makes the request) do that?"""

    account: str | None
    verb: str
    group: str
    resource: str
    subresource: str
    namespace: str
    name: str
    path: str


Answer = Callable[[Question], tuple[bool, str]]
"""Whether it is allowed, and why."""


def answering(answer: Answer) -> dict[str, Callable[..., Any]]:
    """The functions that ask; `answer` is asked."""

    def check(asked: Mapping[str, Any], verb: str) -> dict[str, Any]:
        question = Question(
            asked.get("account"),
            verb,
            *(
                str(asked.get(key, ""))
                for key in ("group", "resource", "subresource", "namespace", "name", "path")
            ),
        )
        is_allowed, reason = answer(question)
        return {"type": f"{_KIND}.Decision", "allowed": is_allowed, "reason": reason}

    return {"check": check}


def of_request(group: str, resource: str, subresource: str, namespace: str, name: str) -> dict[str, Any]:
    """The variable with `requestResource`, which is the question about the resource of a request."""
    about = {"group": group, "resource": resource, "subresource": subresource}
    asked = {"type": f"{_KIND}.ResourceCheck", **about, "namespace": namespace, "name": name}
    return {**AUTHORIZER, "requestResource": asked}


def _with(field: str, kind: str) -> Callable[[Mapping[str, Any], str], dict[str, Any]]:
    return lambda asked, value: {**asked, "type": f"{_KIND}.{kind}", field: value}


def _account(asked: Mapping[str, Any], namespace: str, name: str) -> dict[str, Any]:
    return {**asked, "account": f"system:serviceaccount:{namespace}:{name}"}


def _unanswered(*_: Any) -> Any:
    raise ValueError("nobody decides here what a user may do")


FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "allowed": lambda decision: decision["allowed"],
    "check": _unanswered,
    "errored": lambda decision: False,
    "error": lambda decision: "",
    "group": _with("group", "GroupCheck"),
    "name": _with("name", "ResourceCheck"),
    "namespace": _with("namespace", "ResourceCheck"),
    "path": _with("path", "PathCheck"),
    "reason": lambda decision: decision["reason"],
    "resource": _with("resource", "ResourceCheck"),
    "serviceAccount": _account,
    "subresource": _with("subresource", "ResourceCheck"),
}
