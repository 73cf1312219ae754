"""
One delta ADS stream as a sans-I/O state machine: requests in, messages out, time as an argument.

Traffic must never meet a route whose cluster is not ready, nor lose a cluster a route still uses. So a change is sent
in this order, and each gate opens after `gate_limit_s` at the latest (or when the proxy refuses what it waits for):

    clusters, endpoints, secrets  --acked-->  listeners, routes  --acked-->  removals of clusters, endpoints, routes

Two facts about Envoy shape this. A changed cluster stays in warming until its endpoints come again, even unchanged
ones, so a changed cluster makes us forget that its endpoints were sent. And Envoy holds the ack of clusters back while
any of them is warming, so endpoints must not wait for that ack.

Times are seconds of any monotonic clock.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from envoy.service.discovery.v3 import discovery_pb2

from bookmesh.mesh.wire import type_urls
from bookmesh.mesh.xds import nacks as xds_nacks
from bookmesh.mesh.xds import resources as xds_resources
from bookmesh.mesh.xds.nacks import Nack
from bookmesh.mesh.xds.resources import Encoded
from bookmesh.mesh.xds.subscriptions import Difference, Subscription

Resources = Mapping[str, Mapping[str, Encoded]]  # type URL -> name -> resource
Changed = Mapping[str, Iterable[str]]  # type URL -> names
SyncState = Literal["SYNCED", "STALE", "NOT SENT"]

GATE_LIMIT_S: Final = 2.0
SEND_ORDER: Final = (
    type_urls.CLUSTER,
    type_urls.ENDPOINTS,
    type_urls.SECRET,
    type_urls.LISTENER,
    type_urls.ROUTES,
)
_WHOLE_TYPES: Final = frozenset({type_urls.CLUSTER, type_urls.LISTENER})
_UPSTREAM: Final = (type_urls.CLUSTER, type_urls.ENDPOINTS)
_GATED_ADDITIONS: Final = frozenset({type_urls.LISTENER, type_urls.ROUTES})
_GATED_REMOVALS: Final = (type_urls.CLUSTER, type_urls.ENDPOINTS, type_urls.ROUTES)


@dataclass(slots=True)
class _TypeState:
    """
    `unacked` maps nonces, oldest first, to the names in that response; `gating` is cleared when a gate times out.

    `refused` keeps, per name, why the proxy does not have the latest version: until it accepts another one. `suspects`
    are names of a response that was refused as a whole: each is sent again on its own.
    """

    subscription: Subscription
    unacked: dict[str, tuple[str, ...]] = field(default_factory=dict)
    gating: bool = False
    is_sent: bool = False
    refused: dict[str, Nack] = field(default_factory=dict)
    suspects: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Gate:
    """Remembers since when something has been held back."""

    closed_since_s: float | None = None


class Session:
    """
    State of one stream. After each `receive` or `publish`, and at `deadline()`, send what `pending` returns.

    `nacks` holds the latest refusals and `latencies_s` the latest times from a publish until everything was acked.
    """

    def __init__(self, resources: Resources, *, gate_limit_s: float = GATE_LIMIT_S) -> None:
        """Start with `resources`; types that are not in it are not answered for until they are published."""
        self.node_id = ""
        self.nacks: deque[Nack] = deque(maxlen=20)
        self.latencies_s: deque[float] = deque(maxlen=1000)
        self._gate_limit_s = gate_limit_s
        self._resources = dict(resources)
        self._types: dict[str, _TypeState] = {}
        self._warming: set[str] = set()
        self._has_reconnected = False
        self._additions = _Gate()
        self._removals = _Gate()
        self._nonces = itertools.count(1)
        self._published_s: float | None = None

    def receive(self, request: discovery_pb2.DeltaDiscoveryRequest, now_s: float) -> None:
        """Take one request: a subscription change, an ack, a nack, or several of these at once."""
        if not self.node_id:
            self.node_id = request.node.id
        type_url = request.type_url
        state = self._types.get(type_url)
        if state is None:
            published = self._resources.get(type_url, {})
            state = _TypeState(Subscription(type_url in _WHOLE_TYPES, published))
            self._types[type_url] = state
            # A cluster that was warming when the last stream broke still waits for its endpoints and cannot say so.
            has = {} if type_url == type_urls.ENDPOINTS else request.initial_resource_versions
            state.subscription.start(request.resource_names_subscribe, has)
            state.is_sent = bool(has)
            self._has_reconnected |= bool(request.initial_resource_versions)
        else:
            state.subscription.subscribe(request.resource_names_subscribe)
        state.subscription.unsubscribe(request.resource_names_unsubscribe)
        if request.response_nonce in state.unacked:
            self._settle(state, request, now_s)

    def publish(self, resources: Resources, now_s: float, changed: Changed | None = None) -> None:
        """
        Replace all resources of each type in `resources`; other types stay as they are.

        `changed` names, for some of these types, all resources that came, went or differ.
        """
        self._resources.update(resources)
        for type_url, published in resources.items():
            if type_url in self._types:
                self._types[type_url].subscription.replace(published, (changed or {}).get(type_url))
        clusters = self._resources.get(type_urls.CLUSTER, {})
        self._warming = {name for name in self._warming if name in clusters}
        if self._published_s is None and self._types and not self.is_settled():
            self._published_s = now_s

    def pending(self, now_s: float) -> list[bytes]:
        """Serialized responses to send now, in order; they count as sent. Often empty."""
        messages: list[bytes] = []
        held: list[str] = []
        for type_url in SEND_ORDER:
            difference = self._difference(type_url)
            if difference is None:
                continue
            removed = difference.absent
            if type_url not in _GATED_REMOVALS:
                removed += difference.removed
            if not (difference.updated or removed or difference.needs_answer):
                continue
            if type_url in _GATED_ADDITIONS and self._holds_additions(now_s):
                held.append(type_url)
                continue
            messages.extend(self._send_apart(type_url, difference.updated, removed))
        if not held:
            self._additions.closed_since_s = None
        messages.extend(self._pending_removals(now_s, has_held=bool(held)))
        self._note_latency(now_s)
        return messages

    def deadline(self) -> float | None:
        """The time at which a closed gate opens by itself: call `pending` then."""
        closed = [
            gate.closed_since_s
            for gate in (self._additions, self._removals)
            if gate.closed_since_s is not None
        ]
        return min(closed) + self._gate_limit_s if closed else None

    def sync_states(self) -> dict[str, SyncState]:
        """State per type, as `istioctl proxy-status` names them."""
        return {type_url: self._sync_state(type_url) for type_url in SEND_ORDER}

    def refused(self) -> dict[tuple[str, str], Nack]:
        """Resources, by type URL and name, of which the proxy refused the latest version."""
        return {
            (type_url, name): nack
            for type_url, state in self._types.items()
            for name, nack in state.refused.items()
            if name in self._resources.get(type_url, {})
        }

    def is_settled(self) -> bool:
        """Whether the proxy has answered for everything it should have."""
        return bool(self._types) and not any(
            state.unacked or self._is_behind(type_url) for type_url, state in self._types.items()
        )

    def _sync_state(self, type_url: str) -> SyncState:
        state = self._types.get(type_url)
        if state is None or not state.is_sent:
            return "NOT SENT"
        return "STALE" if state.unacked or state.refused or self._is_behind(type_url) else "SYNCED"

    def _is_behind(self, type_url: str) -> bool:
        return type_url in self._resources and self._types[type_url].subscription.is_behind()

    def _difference(self, type_url: str) -> Difference | None:
        """None when the type is not asked for, nothing is known about it yet, or the proxy lacks nothing."""
        state = self._types.get(type_url)
        if state is None or type_url not in self._resources or not state.subscription.is_behind():
            return None
        return state.subscription.difference()

    def _send_apart(
        self, type_url: str, updated: tuple[Encoded, ...], removed: tuple[str, ...]
    ) -> list[bytes]:
        """Send suspects in a response each, and everything else in one."""
        suspects = self._types[type_url].suspects
        if not suspects:
            return [self._send(type_url, updated, removed)]
        alone = [resource for resource in updated if resource.name in suspects]
        rest = tuple(resource for resource in updated if resource.name not in suspects)
        messages = [self._send(type_url, rest, removed)] if rest or removed else []
        return messages + [self._send(type_url, (resource,), ()) for resource in alone]

    def _send(self, type_url: str, updated: tuple[Encoded, ...], removed: tuple[str, ...]) -> bytes:
        state = self._types[type_url]
        nonce = str(next(self._nonces))
        state.unacked[nonce] = (*(resource.name for resource in updated), *removed)
        state.gating = True
        state.is_sent = True
        state.subscription.mark_sent(updated, removed)
        if type_url == type_urls.CLUSTER:
            self._start_warming(updated)
        elif type_url == type_urls.ENDPOINTS:
            self._warming.difference_update(resource.name for resource in updated)
        return xds_resources.join_response(type_url=type_url, nonce=nonce, updated=updated, removed=removed)

    def _start_warming(self, clusters: Iterable[Encoded]) -> None:
        endpoints = self._resources.get(type_urls.ENDPOINTS, {})
        state = self._types.get(type_urls.ENDPOINTS)
        for cluster in clusters:
            if cluster.name in endpoints:
                self._warming.add(cluster.name)
                if state is not None:
                    state.subscription.forget(cluster.name)

    def _settle(self, state: _TypeState, request: discovery_pb2.DeltaDiscoveryRequest, now_s: float) -> None:
        """Envoy answers in order, so an answer also settles the responses before it."""
        names: tuple[str, ...] = ()
        for nonce in list(state.unacked):
            names = state.unacked.pop(nonce)
            if nonce == request.response_nonce:
                break
        for name in names:
            state.refused.pop(name, None)
        state.suspects.difference_update(names)
        if request.HasField("error_detail"):
            self._refuse(state, names, request, now_s)

    def _refuse(
        self,
        state: _TypeState,
        names: tuple[str, ...],
        request: discovery_pb2.DeltaDiscoveryRequest,
        now_s: float,
    ) -> None:
        """
        Note a refusal. Envoy takes all but the bad resources, which it names, or it takes nothing.

        In the second case the good ones must come again, and only one by one will they show which is bad.
        """
        type_url, message = request.type_url, request.error_detail.message
        if type_url in _UPSTREAM:
            self._warming.difference_update(names)
        named = xds_nacks.refused_among(message, names)
        published = self._resources.get(type_url, {})
        updated = {name for name in names if name in published}
        if updated and not named and len(names) > 1:
            state.subscription.take_back(updated, set(names) - updated)
            state.suspects |= updated
            return
        nack = Nack(type_url, message, now_s, named or names)
        self.nacks.append(nack)
        state.refused.update(dict.fromkeys(nack.resources, nack))

    def _holds_additions(self, now_s: float) -> bool:
        """Whether listeners and routes have to wait for clusters and endpoints."""
        awaited = [self._types[type_url] for type_url in _UPSTREAM if type_url in self._types]
        if not self._warming and not any(state.unacked and state.gating for state in awaited):
            return False
        if not self._has_timed_out(self._additions, now_s):
            return True
        for state in awaited:
            state.gating = False
        self._warming.clear()
        return False

    def _pending_removals(self, now_s: float, *, has_held: bool) -> list[bytes]:
        """Send removals that would hurt traffic as long as anything that replaces them is not in effect."""
        removals: list[tuple[str, tuple[str, ...]]] = []
        for type_url in _GATED_REMOVALS:
            difference = self._difference(type_url)
            if difference is not None and difference.removed:
                removals.append((type_url, difference.removed))
        if not removals:
            self._removals.closed_since_s = None
            return []
        if (has_held or self._uses_old_resources()) and not self._has_timed_out(self._removals, now_s):
            return []
        self._removals.closed_since_s = None
        return [self._send(type_url, (), names) for type_url, names in removals]

    def _uses_old_resources(self) -> bool:
        """Whether the proxy may still route to something that we would remove."""
        if self._has_reconnected and not self._types.keys() >= _GATED_ADDITIONS:
            return True  # it has routes of an earlier stream and did not ask for newer ones yet
        states = (state for type_url, state in self._types.items() if type_url != type_urls.SECRET)
        return bool(self._warming) or any(state.unacked and state.gating for state in states)

    def _has_timed_out(self, gate: _Gate, now_s: float) -> bool:
        if gate.closed_since_s is None:
            gate.closed_since_s = now_s
        return now_s - gate.closed_since_s >= self._gate_limit_s

    def _note_latency(self, now_s: float) -> None:
        if self._published_s is not None and self.is_settled():
            self.latencies_s.append(now_s - self._published_s)
            self._published_s = None
