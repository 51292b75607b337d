"""A server whose every word is scripted by the test, on a port of its own."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, TypeVar

import grpc

from tutti.v1 import execution_service_pb2, execution_service_pb2_grpc
from tutti.v1 import worker_service_pb2 as pb
from tutti.v1 import worker_service_pb2_grpc
from tutti.values import to_value

# Long enough for any machine: only a test that fails waits for it.
PATIENCE_SECONDS = 30.0

T = TypeVar("T")


async def soon(event: Awaitable[T]) -> T:
    """Waits for something that must come."""
    return await asyncio.wait_for(event, PATIENCE_SECONDS)


class Session:
    """One stream of a worker."""

    def __init__(self, context: grpc.aio.ServicerContext) -> None:
        self._context = context
        self._end: asyncio.Future[tuple[grpc.StatusCode, str]] = asyncio.Future()

    async def next(self) -> pb.WorkRequest:
        """Returns the worker's next message."""
        message = await soon(self._context.read())
        assert message is not grpc.aio.EOF, "the worker ended the stream"
        return message

    async def until(self, kind: str) -> Any:
        """Returns the worker's next message of a kind; others on the way are passed over."""
        while True:
            message = await self.next()
            if message.WhichOneof("message") == kind:
                return getattr(message, kind)

    async def results(self) -> list[pb.TaskResult]:
        return list((await self.until("complete")).results)

    async def failures(self) -> list[pb.TaskFailure]:
        return list((await self.until("fail")).failures)

    async def ended(self) -> None:
        """Waits for the worker's end of the stream, and ends it too."""
        while await soon(self._context.read()) is not grpc.aio.EOF:
            pass
        self._end.set_result((grpc.StatusCode.OK, ""))

    async def send(self, **message: Any) -> None:
        await self._context.write(pb.WorkResponse(**message))

    async def hand_out(self, agent: str, *tokens: str) -> None:
        """Hands out tasks, their input the token."""
        tasks = [
            pb.Task(
                token=token,
                execution_id="an execution",
                step="a/step",
                agent=agent,
                attempt=2,
                input=to_value(token),
                idempotency_key="a key",
            )
            for token in tokens
        ]
        await self.send(tasks=pb.Tasks(tasks=tasks))

    async def ack(self, token: str, outcome: int = pb.ResultAck.RECORDED) -> None:
        ack = pb.ResultAck.Ack(token=token, outcome=outcome)
        await self.send(result_ack=pb.ResultAck(acks=[ack]))

    async def cancel(self, token: str) -> None:
        await self.send(cancel=pb.Cancel(tokens=[token], reason="no longer wanted"))

    def cut(self, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE, why: str = "cut") -> None:
        """Ends the stream with a status."""
        self._end.set_result((code, why))

    async def serve(self) -> None:
        code, why = await self._end
        if code != grpc.StatusCode.OK:
            await self._context.abort(code, why)


class Fake(
    worker_service_pb2_grpc.WorkerServiceServicer,
    execution_service_pb2_grpc.ExecutionServiceServicer,
):
    """The server."""

    def __init__(self) -> None:
        self.sessions: asyncio.Queue[Session] = asyncio.Queue()
        self.on_watch: list[Callable[[Any, Any], Awaitable[None]]] = []
        """What answers the calls of WatchExecution, in turn."""
        self.on_run: list[Callable[[Any, Any], Awaitable[Any]]] = []
        """What answers the calls of RunExecution, in turn."""
        self._server = grpc.aio.server()
        worker_service_pb2_grpc.add_WorkerServiceServicer_to_server(self, self._server)
        execution_service_pb2_grpc.add_ExecutionServiceServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    async def __aenter__(self) -> Fake:
        await self._server.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.stop(None)

    async def session(self) -> Session:
        """Returns the next stream of a worker."""
        return await soon(self.sessions.get())

    async def welcomed(self, **welcome: Any) -> tuple[Session, pb.Hello]:
        """Returns the next stream of a worker, greeted, with the Hello it said."""
        session = await self.session()
        hello = (await session.next()).hello
        await session.send(welcome=pb.Welcome(**welcome))
        return session, hello

    async def Work(self, _: Any, context: grpc.aio.ServicerContext) -> None:
        session = Session(context)
        self.sessions.put_nowait(session)
        await session.serve()

    async def WatchExecution(self, request: Any, context: grpc.aio.ServicerContext) -> None:
        await self.on_watch.pop(0)(request, context)

    async def RunExecution(
        self, request: Any, context: grpc.aio.ServicerContext
    ) -> execution_service_pb2.RunExecutionResponse:
        return await self.on_run.pop(0)(request, context)
