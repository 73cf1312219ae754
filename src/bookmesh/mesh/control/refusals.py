"""
Whose fault is a NACK: from a refused resource to the YAML objects a person can mend.

A route configuration is made from every VirtualService of its port, and Envoy names neither. So of the objects behind
a resource those are blamed that changed since the proxy last accepted everything; and of several, those that contain a
text the message quotes (a regular expression, say).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from bookmesh.base.findings import Finding, ObjectRef
from bookmesh.base.kubernetes import JsonObject
from bookmesh.mesh.control.proxies import OpenProxy, Push
from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds.nacks import Nack

_SHORTEST_QUOTE: Final = 3
_LONGEST_MESSAGE: Final = 400
_CONSTRAINT: Final = "Proto constraint validation failed"
_HINT: Final = "correct the object; Envoy's words above say what is wrong with it"
_HINT_WITHOUT_OBJECT: Final = "no object is behind this resource: it is a defect of the mesh itself"
_log = logging.getLogger(__name__)


def assign_blame(open_proxy: OpenProxy, spec_of: Callable[[ObjectRef], JsonObject]) -> bool:
    """Bring `open_proxy.blamed` in line with what the proxy refuses now. Returns whether anything changed."""
    before, after = open_proxy.blamed, {}
    for key, nack in open_proxy.feed.refused().items():
        if key in before and before[key][0] is nack:
            after[key] = before[key]
        else:
            after[key] = nack, find_blamed(key, nack.message, open_proxy.pushed, open_proxy.accepted, spec_of)
            _log_refusal(open_proxy, key, *after[key])
    open_proxy.blamed = after
    return before != after


def find_blamed(
    key: tuple[str, str],
    message: str,
    pushed: Push | None,
    accepted: Push | None,
    spec_of: Callable[[ObjectRef], JsonObject],
) -> tuple[ObjectRef, ...]:
    """Objects behind the refused resource `key` (type URL, name); () when no object is behind it."""
    type_url, name = key
    if pushed is None or type_url not in type_urls.TRANSLATED:
        return ()
    built = pushed.resources.get(type_url, name)
    suspects = built.sources if built is not None else ()
    if accepted is not None:
        now, before = _digests(pushed), _digests(accepted)
        changed = [ref for ref in suspects if now.get(ref) != before.get(ref)]
        suspects = tuple(changed) or suspects
    if len(suspects) > 1:
        quoted = tuple(ref for ref in suspects if _is_quoted(spec_of(ref), message))
        suspects = quoted or suspects
    return suspects


def _digests(push: Push) -> dict[ObjectRef, str]:
    """What became of every object of people's that a push was made from."""
    digests: dict[ObjectRef, str] = {}
    for config in push.snapshot.configs:
        for ref in config.refs:
            digests[ref] = digests.get(ref, "") + config.digest
    return digests


def findings_for(proxies: Iterable[OpenProxy]) -> list[Finding]:
    """One BM0206 for each refused resource, object and reason, however many proxies refuse it."""
    refusing: dict[tuple[str, str, str, ObjectRef | None], list[str]] = {}
    for open_proxy in proxies:
        for key, nack in open_proxy.feed.refused().items():
            for ref in open_proxy.blamed_for(key, nack) or (None,):
                refusing.setdefault((*key, nack.message, ref), []).append(_pod(open_proxy))
    return [
        Finding(
            code="BM0206",
            message=f"Envoy refuses {type_urls.SHORT_NAMES.get(type_url, type_url)} {name}: {_brief(message)}",
            subject=ref,
            known=f"refused by {', '.join(sorted(pods))}, where the last good one stays in force",
            hint=_HINT if ref is not None else _HINT_WITHOUT_OBJECT,
        )
        for (type_url, name, message, ref), pods in refusing.items()
    ]


def _log_refusal(
    open_proxy: OpenProxy, key: tuple[str, str], nack: Nack, refs: tuple[ObjectRef, ...]
) -> None:
    type_url, name = key
    objects = ", ".join(map(str, refs)) or "no object"
    short = type_urls.SHORT_NAMES.get(type_url, type_url)
    _log.warning(
        "%s refuses %s %s, from %s: %s", open_proxy.proxy.id, short, name, objects, _brief(nack.message)
    )


def _pod(open_proxy: OpenProxy) -> str:
    return f"{open_proxy.proxy.namespace}/{open_proxy.proxy.name}"


def _brief(message: str) -> str:
    """Without the dump of the whole resource that Envoy puts before some messages, and on one line."""
    text = " ".join(message[max(0, message.find(_CONSTRAINT)) :].split())
    return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…"


def _is_quoted(spec: JsonObject, message: str) -> bool:
    """Envoy quotes a whole text, or ends with the part of it that is wrong: `missing ]: [a-z`."""
    part = message.rpartition(": ")[2].strip()
    for text in _texts(spec):
        if len(text) >= _SHORTEST_QUOTE and text in message:
            return True
        if len(part) >= _SHORTEST_QUOTE and part in text:
            return True
    return False


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
