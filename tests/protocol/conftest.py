"""
Playbooks: a delta ADS stream written as events in and expected messages out.

    publish CDS a@1 b@1 | EDS a@1     the control plane replaces these types by these names@contents
    ask CDS                           Envoy asks for all; `ask EDS +a -b` for names; `ask CDS has a@1` after a reconnect
    ack CDS / nack CDS bad regex      Envoy answers the latest response of the type
    wait 2.0                          seconds pass
    -> CDS +a +b -c                   one expected response: updated, removed; `-> CDS` is an empty one

After each event the messages must be exactly the `->` lines that follow it, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from envoy.service.discovery.v3 import discovery_pb2

from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import resources
from bookmesh.mesh.xds.session import Session

TYPES = {short: type_url for type_url, short in type_urls.SHORT_NAMES.items()}


class Playbook:
    """Runs scripts on one session, which is at `session`; the virtual clock is `now_s`."""

    def __init__(self) -> None:
        self.session = Session({})
        self.now_s = 100.0
        self.nonces: dict[str, str] = {}

    def play(self, script: str) -> Session:
        steps = [line.partition("#")[0].strip() for line in script.strip().splitlines()]
        events = self._group([step for step in steps if step])
        for event, expected in events:
            self._do(event)
            sent = [self._describe(message) for message in self.session.pending(self.now_s)]
            assert sent == expected, f"after `{event}`"
            assert not self.session.pending(self.now_s), f"`{event}` was answered twice"
        return self.session

    def _group(self, steps: list[str]) -> Iterator[tuple[str, list[str]]]:
        """Yield each event with the messages expected after it."""
        position = 0
        while position < len(steps):
            event, expected = steps[position], []
            position += 1
            while position < len(steps) and steps[position].startswith("->"):
                expected.append(" ".join(steps[position][2:].split()))
                position += 1
            yield event, expected

    def _do(self, event: str) -> None:
        verb, _, rest = event.partition(" ")
        if verb == "publish":
            published = {}
            for part in rest.split("|"):
                short, *names = part.split()
                encoded = (self._encode(TYPES[short], name) for name in names)
                published[TYPES[short]] = {resource.name: resource for resource in encoded}
            self.session.publish(published, self.now_s)
        elif verb == "wait":
            self.now_s += float(rest)
        else:
            self.session.receive(self._request(verb, rest), self.now_s)

    def _request(self, verb: str, rest: str) -> discovery_pb2.DeltaDiscoveryRequest:
        short, _, words = rest.partition(" ")
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=TYPES[short])
        request.node.id = "sidecar~10.244.0.9~reviews.default~default.svc.cluster.local"
        if verb == "ask":
            wanted, _, has = words.partition("has")
            for word in wanted.split():
                names = (
                    request.resource_names_subscribe if word[0] == "+" else request.resource_names_unsubscribe
                )
                names.append(word[1:])
            for word in has.split():
                resource = self._encode(TYPES[short], word)
                request.initial_resource_versions[resource.name] = resource.version
        elif verb in ("ack", "nack"):
            request.response_nonce = self.nonces[short]
            if verb == "nack":
                request.error_detail.message = words
        else:
            raise ValueError(f"unknown event {verb}")
        return request

    def _describe(self, raw: bytes) -> str:
        message = discovery_pb2.DeltaDiscoveryResponse.FromString(raw)
        short = type_urls.SHORT_NAMES[message.type_url]
        self.nonces[short] = message.nonce
        updated = (f"+{resource.name}" for resource in message.resources)
        return " ".join([short, *updated, *(f"-{name}" for name in message.removed_resources)])

    @staticmethod
    def _encode(type_url: str, word: str) -> resources.Encoded:
        name, _, content = word.partition("@")
        return resources.encode(type_url, name, content.encode())


@pytest.fixture
def playbook() -> Playbook:
    return Playbook()


@pytest.fixture
def play(playbook: Playbook) -> Callable[[str], Any]:
    return playbook.play
