"""URL paths of the API to what they name."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from urllib.parse import unquote

from bookmesh.base.kubernetes import Resource
from bookmesh.kube.api import statuses

# Below one namespace object these are subresources; anything else there is a resource within the namespace.
_NAMESPACE_PARTS = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class Path:
    """`resource` None names a whole group version; `name` "" a collection; `namespace` "" all or cluster scope."""

    group: str
    version: str
    resource: Resource | None = None
    namespace: str = ""
    name: str = ""
    subresource: str = ""


@functools.lru_cache(maxsize=4096)  # asked by authorization, and again by who answers
def parse(raw_path: str) -> Path:
    """
    Parse the still encoded path of a request, such as `/apis/apps/v1/namespaces/shop/deployments/cart/scale`.

    Raises:
        ApiError: 404 when it cannot name anything.
    """
    parts = [unquote(part) for part in raw_path.strip("/").split("/")]
    if parts[0] == "api" and len(parts) >= 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) >= 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise statuses.no_such_resource()
    namespace = ""
    is_within = len(rest) >= 3 and not (len(rest) == 3 and rest[2] in _NAMESPACE_PARTS)
    if rest and rest[0] == "namespaces" and is_within:
        namespace, rest = rest[1], rest[2:]
    if not rest:
        return Path(group, version)
    if len(rest) > 3 or not all(rest):
        raise statuses.no_such_resource()
    plural, name, subresource = (*rest, "", "")[:3]
    return Path(group, version, Resource(group, version, plural), namespace, name, subresource)
