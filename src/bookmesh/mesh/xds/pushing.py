"""
What one proxy should have, and the streams it has open.

A feed outlives streams: Envoy reconnects at will, sometimes before the old stream is seen to be gone, and each stream
starts from what was published last. Publishing replaces state and wakes the streams; while one of them is busy writing,
later publishes merge into the next response. A feed holds one proxy's resources only, so whoever serves it cannot hand
out another proxy's secrets.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from envoy.service.discovery.v3 import discovery_pb2

from bookmesh.mesh.xds import session as xds_session
from bookmesh.mesh.xds.nacks import Nack
from bookmesh.mesh.xds.resources import Encoded
from bookmesh.mesh.xds.session import Changed, Resources, Session, SyncState

Clock = Callable[[], float]


@dataclass(slots=True, eq=False)
class Stream:
    """One open stream: its state machine, and the event that says it may have something to send."""

    session: Session
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class FeedState:
    """Of the newest stream; without one, every type is NOT SENT."""

    is_connected: bool
    types: Mapping[str, SyncState]


class Feed:
    """
    The resources of one proxy. `on_answer` is called after each request of the proxy was taken in.

    `nacks` and `latencies_s` (from publish until all was acked, in seconds) are the latest, oldest first.
    """

    def __init__(
        self, proxy_id: str, *, on_answer: Callable[[Feed], None], clock: Clock = time.monotonic
    ) -> None:
        self.proxy_id = proxy_id
        self.nacks: deque[Nack] = deque(maxlen=20)
        self.latencies_s: deque[float] = deque(maxlen=1000)
        self._on_answer = on_answer
        self._clock = clock
        self._resources: dict[str, Mapping[str, Encoded]] = {}
        self._streams: list[Stream] = []

    def publish(self, resources: Resources, changed: Changed | None = None) -> None:
        """
        Replace all resources of each type in `resources`, and wake the streams.

        `changed` names, for some of these types, all resources that came, went or differ; whoever says so spares each
        stream the comparison.
        """
        self._resources.update(resources)
        now_s = self._clock()
        for stream in self._streams:
            stream.session.publish(resources, now_s, changed)
            stream.wake.set()

    def open_stream(self) -> Stream:
        stream = Stream(Session(self._resources))
        self._streams.append(stream)
        return stream

    def close_stream(self, stream: Stream) -> None:
        stream.is_closed = True
        stream.wake.set()
        if stream in self._streams:
            self._streams.remove(stream)

    def receive(self, stream: Stream, request: discovery_pb2.DeltaDiscoveryRequest) -> None:
        """
        Take one request in.

        Raises:
            PermissionError: the proxy says that it is another one.
        """
        session = stream.session
        session.receive(request, self._clock())
        if session.node_id != self.proxy_id:
            raise PermissionError(
                f'this socket belongs to proxy "{self.proxy_id}", not to "{session.node_id}"'
            )
        self.nacks.extend(session.nacks)
        session.nacks.clear()
        stream.wake.set()
        self._on_answer(self)

    def pending(self, stream: Stream) -> list[bytes]:
        """What to write to `stream` now."""
        messages = stream.session.pending(self._clock())
        self.latencies_s.extend(stream.session.latencies_s)
        stream.session.latencies_s.clear()
        return messages

    async def wait(self, stream: Stream) -> None:
        """Return when `pending` may have more: after a publish, a request, a closed stream or a gate's limit."""
        deadline_s = stream.session.deadline()
        try:
            async with asyncio.timeout(None if deadline_s is None else max(0.0, deadline_s - self._clock())):
                await stream.wake.wait()
        except TimeoutError:
            return
        stream.wake.clear()

    def state(self) -> FeedState:
        if not self._streams:
            return FeedState(False, dict.fromkeys(xds_session.SEND_ORDER, "NOT SENT"))
        return FeedState(self.is_connected(), self._streams[-1].session.sync_states())

    def is_connected(self) -> bool:
        """Whether the newest stream has said who it is."""
        return bool(self._streams) and bool(self._streams[-1].session.node_id)

    def refused(self) -> dict[tuple[str, str], Nack]:
        """What the proxy refuses now, by type URL and name."""
        return self._streams[-1].session.refused() if self._streams else {}

    def is_settled(self) -> bool:
        """Whether the proxy is connected and has answered for everything published."""
        return bool(self._streams) and self._streams[-1].session.is_settled()
