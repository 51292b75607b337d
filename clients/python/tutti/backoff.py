"""How long to wait before trying again: longer each time, and spread, so that many do not
come back at once."""

from __future__ import annotations

import asyncio
import random
import time

import grpc

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 10.0


class Backoff:
    """Waits that grow from 50 ms by doubling to 10 s, each spread down by up to half."""

    def __init__(self) -> None:
        self._failures = 0

    def next(self) -> float:
        """Returns the wait before the next attempt, in seconds."""
        whole: float = min(FIRST_SECONDS * 2 ** min(self._failures, 16), LONGEST_SECONDS)
        self._failures += 1
        return whole * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Starts over, after a success."""
        self._failures = 0


class Patience:
    """Waits between attempts, until the server has been out of reach for too long."""

    # An attempt that lasted this long was connected: connecting takes less, or fails.
    CONNECTED_AFTER_SECONDS = 20.0

    def __init__(self, longest_seconds: float) -> None:
        self._longest = longest_seconds
        self._began = time.monotonic()
        self._lost_since: float | None = None
        self._backoff = Backoff()

    def reached(self) -> None:
        """The server was reached."""
        self._lost_since = None
        self._backoff.reset()

    async def after(self, error: grpc.aio.AioRpcError) -> None:
        """Waits before the next attempt, or raises the error when there is to be none."""
        now = time.monotonic()
        if now - self._began >= self.CONNECTED_AFTER_SECONDS:
            self.reached()
        if self._lost_since is None:
            self._lost_since = now
        exhausted = now - self._lost_since >= self._longest
        if error.code() != grpc.StatusCode.UNAVAILABLE or exhausted:
            raise error
        await asyncio.sleep(self._backoff.next())
        self._began = time.monotonic()
