"""ServiceEntries that cannot be told apart: TCP without addresses, or two protocols for one port. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from bookmesh.cli.istioctl.analyzers import messages
from bookmesh.cli.istioctl.analyzers.messages import Message
from bookmesh.cli.istioctl.analyzers.objects import JsonObject, Objects

_NEEDS_ADDRESS: Final = ("", "TCP")


def check(objects: Objects) -> Iterator[Message]:
    """IST0134 and IST0177."""
    protocols: dict[tuple[str, int], dict[str, list[JsonObject]]] = defaultdict(lambda: defaultdict(list))
    for entry in objects.of("ServiceEntry"):
        spec = entry["spec"]
        for index, port in enumerate(spec.get("ports") or []):
            protocol = str(port.get("protocol", "")).upper()
            if protocol in _NEEDS_ADDRESS and not spec.get("addresses"):
                text = "ServiceEntry addresses are required for this protocol."
                yield messages.about(entry, "Warning", "IST0134", text, f"spec.ports[{index}].protocol")
            for host in spec.get("hosts") or []:
                protocols[host, port.get("number", 0)][protocol].append(entry)
    for (host, number), found in protocols.items():
        if len(found) < 2:
            continue
        entries = [entry for each in found.values() for entry in each]
        names = ", ".join(sorted(f"{e['metadata']['namespace']}/{e['metadata']['name']}" for e in entries))
        text = (
            f'Multiple ServiceEntries ({names}) define the same host "{host}" and port {number} with conflicting '
            f"protocols ({', '.join(sorted(found))})."
        )
        for entry in entries:
            yield messages.about(entry, "Warning", "IST0177", text)
