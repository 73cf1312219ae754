"""
Which state of a list is wanted, and which page of it.

Every page of a list shows the objects as they were when the first page was asked for. When that is too long ago the
client is told, with a token by which it can go on from there in what is stored now.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from multidict import MultiMapping

from bookmesh.base.kubernetes import ApiError
from bookmesh.kube.api import option_rules, queries, statuses

_NOW: Final = -1
"""Version in the token of a client that goes on although the state of its first page is gone."""
_TOO_OLD: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


class Page(NamedTuple):
    """`version` None is what is stored now; `after` None is the first page."""

    version: int | None
    after: queries.Cursor | None = None


def wanted_page(query: MultiMapping[str], current: int) -> Page:
    """
    Read `continue`, `resourceVersion` and `resourceVersionMatch`; `current` is the version of the last write.

    Raises:
        ApiError: 400 and 422 for what makes no sense together, 504 for a version that is yet to come.
    """
    option_rules.check_list(query)
    match, version = query.get("resourceVersionMatch", ""), queries.number(query, "resourceVersion")
    if token := query.get("continue"):
        if version:
            raise statuses.bad_request("specifying resource version is not allowed when using continue")
        cursor = queries.parse_cursor(token)
        return Page(None if cursor.version == _NOW else cursor.version, cursor)
    if version is not None and version > current:
        raise too_new(version, current)
    return Page(version if match == "Exact" else None)


def too_new(version: int, current: int) -> ApiError:
    """504 for a state that has not been reached."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    return ApiError(
        504,
        "Timeout",
        f"Timeout: Too large resource version: {version}, current: {current}",
        details={"causes": [cause], "retryAfterSeconds": 1},
        headers={"Retry-After": "1"},
    )


def expired(after: queries.Cursor | None, current: int) -> ApiError:
    """410 for a state that is not known any more; a page can be continued from what is stored now."""
    if after is None:
        return statuses.expired("The resourceVersion for the provided list is too old.")
    token = queries.Cursor(_NOW, after.namespace, after.name).encode()
    found = {"continue": token, "resourceVersion": str(current)}
    return ApiError(410, "Expired", _TOO_OLD, list_metadata=found)
