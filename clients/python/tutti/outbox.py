"""What is to be sent to the server: gathered while the stream is busy, taken in as few
messages as it fits."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from tutti.ledger import Report
from tutti.v1 import worker_service_pb2 as pb

BATCH_BYTES_MAX = 256 << 10
"""More bytes than this are never gathered in a message; one larger result goes alone."""
CHUNK_BYTES_MAX = 1 << 20
"""More bytes of chunks than this do not wait to be sent; further ones are lost."""
TOKENS_MAX = 2_000
"""The most tokens of one message."""


class Outbox:
    """What is to be sent, in the order in which a task's messages have to come."""

    def __init__(self, message_bytes_max: int = 0) -> None:
        """For a server that takes messages of this size, in bytes; 0: of any size."""
        half = message_bytes_max // 2
        self._batch_bytes_max = min(half, BATCH_BYTES_MAX) if half else BATCH_BYTES_MAX
        self._draining = False
        self._accepts: list[str] = []
        self._chunks: deque[pb.TaskChunk] = deque()
        self._chunk_bytes = 0
        self._results: deque[pb.TaskResult] = deque()
        self._failures: deque[pb.TaskFailure] = deque()
        self._heartbeats: list[str] = []
        self._credit = 0
        self._closed = False
        self._filled = asyncio.Event()

    def accept(self, token: str) -> None:
        """Takes a task on."""
        self._accepts.append(token)
        self._filled.set()

    def chunk(self, chunk: pb.TaskChunk) -> None:
        """Sends provisional output, if there is room for it."""
        size = chunk.ByteSize()
        if self._chunk_bytes + size <= CHUNK_BYTES_MAX:
            self._chunk_bytes += size
            self._chunks.append(chunk)
            self._filled.set()

    def report(self, report: Report) -> None:
        """Sends how a task ended."""
        if isinstance(report, pb.TaskResult):
            self._results.append(report)
        else:
            self._failures.append(report)
        self._filled.set()

    def heartbeat(self, tokens: list[str]) -> None:
        """Renews leases, instead of those of a heartbeat not yet sent."""
        self._heartbeats = tokens
        self._filled.set()

    def drain(self) -> None:
        """Says that no more tasks are taken."""
        self._draining = True
        self._filled.set()

    def credit(self, tasks: int) -> None:
        """Asks for more tasks."""
        self._credit += tasks
        self._filled.set()

    def close(self) -> None:
        """Nothing more will come."""
        self._closed = True
        self._filled.set()

    async def next(self) -> pb.WorkRequest | None:
        """Waits for the next message; None once the outbox is closed and empty."""
        while True:
            message = self.pop()
            if message is not None or self._closed:
                return message
            self._filled.clear()
            await self._filled.wait()

    def pop(self) -> pb.WorkRequest | None:
        """Returns the next message, None when there is none now."""
        if self._draining:
            self._draining = False
            return pb.WorkRequest(draining=pb.Draining())
        if self._accepts:
            tokens, self._accepts = _split(self._accepts)
            return pb.WorkRequest(accept=pb.Accept(tokens=tokens))
        if self._chunks:
            chunk = self._chunks.popleft()
            self._chunk_bytes -= chunk.ByteSize()
            return pb.WorkRequest(chunk=chunk)
        if self._results:
            return pb.WorkRequest(complete=pb.Complete(results=self._batch(self._results)))
        if self._failures:
            return pb.WorkRequest(fail=pb.Fail(failures=self._batch(self._failures)))
        if self._heartbeats:
            tokens, self._heartbeats = _split(self._heartbeats)
            return pb.WorkRequest(heartbeat=pb.Heartbeat(tokens=tokens))
        if self._credit:
            tasks, self._credit = self._credit, 0
            return pb.WorkRequest(credit=pb.Credit(tasks=tasks))
        return None

    def _batch(self, reports: deque[Any]) -> list[Any]:
        """Takes the first reports, as many as fit together; at least one."""
        batch = [reports.popleft()]
        size = batch[0].ByteSize()
        while reports:
            size += reports[0].ByteSize()
            if size > self._batch_bytes_max:
                break
            batch.append(reports.popleft())
        return batch


def _split(tokens: list[str]) -> tuple[list[str], list[str]]:
    return tokens[:TOKENS_MAX], tokens[TOKENS_MAX:]
