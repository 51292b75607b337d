"""A worker at work: connects, serves the stream, and connects again until it is to end."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Coroutine, TypeVar

import grpc

from tutti.backoff import Backoff
from tutti.channel import open_channel
from tutti.context import TaskContext
from tutti.errors import TaskError, failure
from tutti.handler import Handler, RunningHandler
from tutti.ledger import Ledger, Report
from tutti.outbox import Outbox
from tutti.v1 import worker_service_pb2 as pb
from tutti.v1 import worker_service_pb2_grpc

WELCOME_TIMEOUT_SECONDS = 15.0
"""How long Welcome may take after Hello."""
CLOSE_TIMEOUT_SECONDS = 1.0
"""How long the server may take to end the stream after the worker did."""
FAREWELL_SECONDS = 2.0
"""How long acks of the last reports are waited for after the grace period."""
HEARTBEAT_SECONDS = 10.0
"""How often to send a heartbeat when the server does not say."""

_REFUSALS = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.UNIMPLEMENTED,
}
_log = logging.getLogger("tutti")

T = TypeVar("T")


class _GoAway(Exception):
    """The server asks to connect again, at the earliest after `wait` seconds."""

    def __init__(self, message: pb.GoAway) -> None:
        super().__init__(f"the server ends the stream: {message.reason}")
        self.wait = message.retry_after.ToTimedelta().total_seconds()


class _Lost(Exception):
    """The stream ended, or did not begin as it should."""


class _Refused(Exception):
    """The server does not take this worker."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        super().__init__(str(error))
        self.error = error


class Serving:
    """Everything a serving worker has; lives in one event loop."""

    def __init__(
        self, address: str, hello: pb.Hello, handlers: dict[str, Handler], grace: float
    ) -> None:
        self._channel = open_channel(address)
        self._stub = worker_service_pb2_grpc.WorkerServiceStub(self._channel)
        self._hello = hello
        self._handlers = handlers
        self._grace = grace
        self._ledger = Ledger(hello.max_concurrency)
        self._outbox: Outbox | None = None
        self._threads = ThreadPoolExecutor(hello.max_concurrency, thread_name_prefix="tutti")
        self._stopping = asyncio.Event()
        self._over = asyncio.Event()

    def stop(self) -> None:
        """Begins the shutdown."""
        self._stopping.set()

    async def serve(self) -> None:
        """Serves until the shutdown is complete."""
        connections = asyncio.ensure_future(self._connections())
        shutdown = asyncio.ensure_future(self._shutdown())
        try:
            await connections
        finally:
            await _cancelled(connections)
            await _cancelled(shutdown)
            self._ledger.abandon()
            self._threads.shutdown(wait=False, cancel_futures=True)
            await self._channel.close()

    async def _shutdown(self) -> None:
        """Goes the way to the end, from the call of `stop`."""
        await self._stopping.wait()
        self._drain()
        await asyncio.sleep(self._grace)
        self._ledger.abandon()
        await asyncio.sleep(FAREWELL_SECONDS)
        _log.warning("ended before %d tasks", len(self._ledger.tokens()))
        self._over.set()

    def _drain(self) -> None:
        self._ledger.draining = True
        if self._outbox is not None:
            self._outbox.drain()
        self._settle()

    def _settle(self) -> None:
        """Does what follows from any change: asks for tasks, or finds that all is over."""
        if self._ledger.draining and self._ledger.is_empty():
            self._over.set()
        elif self._outbox is not None and (tasks := self._ledger.take_credit()):
            self._outbox.credit(tasks)

    async def _connections(self) -> None:
        backoff = Backoff()
        while not self._over.is_set():
            wait = 0.0
            try:
                await self._session(backoff)
            except _Refused as refused:
                raise refused.error from None
            except _GoAway as away:
                _log.info("%s", away)
                wait = max(away.wait, backoff.next())
            except (_Lost, grpc.aio.AioRpcError) as error:
                wait = backoff.next()
                told = error.details() if isinstance(error, grpc.aio.AioRpcError) else error
                _log.warning("connecting again in %.2f s: %s", wait, told)
            await self._unless_over(asyncio.sleep(wait))

    async def _session(self, backoff: Backoff) -> None:
        """Serves a stream until it breaks, or until all is over."""
        call = self._stub.Work()
        try:
            welcome = await self._unless_over(self._greet(call))
            if welcome is None:
                return
            backoff.reset()
            outbox = self._welcomed(welcome)
            await self._converse(call, outbox, _heartbeat_seconds(welcome))
        finally:
            self._outbox = None
            call.cancel()

    async def _greet(self, call: Any) -> pb.Welcome:
        hello = pb.Hello()
        hello.CopyFrom(self._hello)
        hello.held_tokens.extend(self._ledger.tokens())
        try:
            # A write that fails says less than the read after it.
            await _quietly(call.write(pb.WorkRequest(hello=hello)))
            first = await asyncio.wait_for(call.read(), WELCOME_TIMEOUT_SECONDS)
        except asyncio.TimeoutError:
            raise _Lost("no Welcome came after Hello") from None
        except grpc.aio.AioRpcError as error:
            raise _Refused(error) if error.code() in _REFUSALS else error
        if first is grpc.aio.EOF:
            raise _Lost("the server ended the stream")
        if first.HasField("go_away"):
            raise _GoAway(first.go_away)
        if not first.HasField("welcome"):
            raise _Lost("something else came instead of Welcome")
        return first.welcome

    def _welcomed(self, welcome: pb.Welcome) -> Outbox:
        outbox = Outbox(welcome.message_bytes_max)
        for token in welcome.lost_tokens:
            self._ledger.lose(token)
        self._ledger.connected(welcome.message_bytes_max)
        if self._ledger.draining:
            outbox.drain()
        for report in self._ledger.unacked():
            outbox.report(report)
        self._outbox = outbox
        self._settle()
        _log.info("connected as %s", self._hello.worker_id)
        return outbox

    async def _converse(self, call: Any, outbox: Outbox, heartbeat_seconds: float) -> None:
        hearing = asyncio.ensure_future(self._hear_all(call))
        writing = asyncio.ensure_future(_write_all(call, outbox))
        beating = asyncio.ensure_future(self._beat(outbox, heartbeat_seconds))
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({hearing, over}, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                hearing.result()
            outbox.close()
            await asyncio.wait({hearing}, timeout=CLOSE_TIMEOUT_SECONDS)
        finally:
            for task in (hearing, writing, beating, over):
                await _cancelled(task)

    async def _hear_all(self, call: Any) -> None:
        while (message := await call.read()) is not grpc.aio.EOF:
            self._hear(message)
            self._settle()
        raise _Lost("the server ended the stream")

    def _hear(self, message: pb.WorkResponse) -> None:
        kind = message.WhichOneof("message")
        if kind == "tasks":
            for task in message.tasks.tasks:
                self._offered(task)
        elif kind == "result_ack":
            for ack in message.result_ack.acks:
                if ack.outcome == pb.ResultAck.STALE:
                    # As it should be for a task that was cancelled.
                    _log.debug("a result came too late: %s", ack.message)
                elif ack.outcome != pb.ResultAck.RECORDED:
                    _log.warning("a result does not count: %s", ack.message)
                self._ledger.acked(ack.token)
        elif kind == "cancel":
            for token in message.cancel.tokens:
                self._ledger.cancel(token)
        elif kind == "drain":
            self._drain()
        elif kind == "go_away":
            raise _GoAway(message.go_away)

    def _offered(self, task: pb.Task) -> None:
        if self._outbox is None or not self._ledger.offered(task.token):
            return
        self._outbox.accept(task.token)
        handler = self._handlers.get(task.agent)
        if handler is None:
            told = f"this worker does not serve the agent `{task.agent}`"
            report = failure(task.token, TaskError("refused", told))
            self._outbox.report(self._ledger.keep(task.token, report))
            return
        context = TaskContext(task, self._chunk)
        running = RunningHandler(handler, task, context, self._threads, self._ended)
        self._ledger.begin(task.token, running)

    def _ended(self, token: str, report: Report | None) -> None:
        sent = self._ledger.end(token, report)
        if sent is not None and self._outbox is not None:
            self._outbox.report(sent)
        self._settle()

    def _chunk(self, chunk: pb.TaskChunk) -> None:
        if self._outbox is not None:
            self._outbox.chunk(chunk)

    async def _beat(self, outbox: Outbox, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            for report in self._ledger.beat():
                outbox.report(report)
            outbox.heartbeat(self._ledger.tokens())

    async def _unless_over(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Returns what `work` gives, or None as soon as all is over."""
        doing = asyncio.ensure_future(work)
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({doing, over}, return_when=asyncio.FIRST_COMPLETED)
            return doing.result() if doing.done() else None
        finally:
            await _cancelled(doing)
            await _cancelled(over)


async def _write_all(call: Any, outbox: Outbox) -> None:
    """Sends what comes into the outbox, then ends the stream. Why a write fails, the read tells."""
    while (message := await outbox.next()) is not None:
        if not await _quietly(call.write(message)):
            return
    await _quietly(call.done_writing())


async def _quietly(work: Coroutine[Any, Any, None]) -> bool:
    try:
        await work
    except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
        return False
    return True


async def _cancelled(task: asyncio.Future[Any]) -> None:
    """Cancels a task and waits for its end. What it raised was raised before, or matters no more."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()


def _heartbeat_seconds(welcome: pb.Welcome) -> float:
    return welcome.heartbeat_interval.ToTimedelta().total_seconds() or HEARTBEAT_SECONDS
