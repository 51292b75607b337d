"""The worker: serves agents over one stream, and comes back with what it holds when that breaks."""

from __future__ import annotations

import asyncio
import signal
import uuid
from collections.abc import Iterable, Mapping
from typing import Callable, TypeVar

from tutti.context import TaskContext
from tutti.handler import Function, Handler
from tutti.serving import Serving
from tutti.values import Json, to_value
from tutti.v1 import agent_pb2, worker_service_pb2

__all__ = ["TaskContext", "Worker"]

CONCURRENCY_LIMIT = 10_000
"""The most tasks that a worker may ask for at once; the server's limit as well."""
ID_LENGTH_MAX = 128

F = TypeVar("F", bound=Function)


class Worker:
    """Serves agents.

        worker = Worker("127.0.0.1:7420", max_concurrency=8)

        @worker.agent("word-count", skills=["statistics"])
        async def word_count(input, ctx):
            return {"words": len(input["text"].split())}

        worker.run()

    Functions that are not async run in threads. A handler that raises fails its attempt; see
    `TaskError` for the class. A cancelled task cancels its async handler as asyncio does it.
    Results are kept until the server acknowledges them, over as many connections as it takes.
    """

    def __init__(
        self,
        address: str,
        *,
        worker_id: str = "",
        namespace: str = "",
        max_concurrency: int = 8,
        grace_period: float = 30.0,
    ) -> None:
        """Takes the server's `host:port`, how many tasks run at once, and how many seconds they
        may take to finish after the shutdown.

        `worker_id` names this instance, and must be another after a restart of the process;
        left out, one is made up.
        """
        if not 1 <= max_concurrency <= CONCURRENCY_LIMIT:
            raise ValueError(f"max_concurrency must be 1 to {CONCURRENCY_LIMIT}")
        if len(worker_id) > ID_LENGTH_MAX:
            raise ValueError(f"worker_id must have at most {ID_LENGTH_MAX} characters")
        self.address = address
        self.worker_id = worker_id or f"worker-{uuid.uuid4()}"
        self.namespace = namespace
        self.max_concurrency = max_concurrency
        self.grace_period = grace_period
        self._agents: list[agent_pb2.Agent] = []
        self._handlers: dict[str, Handler] = {}
        self._serving: Serving | None = None

    def agent(
        self,
        id: str,
        *,
        skills: Iterable[str] = (),
        description: str = "",
        labels: Mapping[str, str] | None = None,
        max_concurrency: int = 0,
        input_schema: Json = None,
        output_schema: Json = None,
    ) -> Callable[[F], F]:
        """Serves the agent `id` with the decorated function, which takes (input) or (input, ctx).

        What else is given is told to the server, unless the agent is registered already:
        `max_concurrency` is then over all its workers, the schemas are JSON Schemas.
        """
        if not id or id in self._handlers:
            raise ValueError(f"the agent {id!r} has no name of its own")
        agent = agent_pb2.Agent(
            id=id,
            skills=skills,
            description=description,
            labels=labels,
            max_concurrency=max_concurrency,
            input_schema=None if input_schema is None else to_value(input_schema),
            output_schema=None if output_schema is None else to_value(output_schema),
        )

        def register(function: F) -> F:
            self._handlers[id] = Handler(function)
            self._agents.append(agent)
            return function

        return register

    def run(self) -> None:
        """Serves until SIGTERM or SIGINT, or until the server asks to drain; a second signal
        ends the process at once."""
        asyncio.run(self._run())

    async def serve(self) -> None:
        """Serves until `stop` is called or the server asks to drain: then takes no more tasks,
        finishes those it has, waits for the acks of their results, and returns.

        A server that is not there, or goes away, is connected to again for as long as it
        takes. Raises `grpc.aio.AioRpcError` when the server refuses the worker.
        """
        if not self._handlers:
            raise ValueError("the worker serves no agent")
        if self._serving is not None:
            raise RuntimeError("the worker serves already")
        hello = worker_service_pb2.Hello(
            namespace=self.namespace,
            worker_id=self.worker_id,
            agents=self._agents,
            max_concurrency=self.max_concurrency,
        )
        self._serving = Serving(self.address, hello, dict(self._handlers), self.grace_period)
        try:
            await self._serving.serve()
        finally:
            self._serving = None

    def stop(self) -> None:
        """Begins the shutdown. To be called in the thread of the event loop."""
        if self._serving is not None:
            self._serving.stop()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        signals = (signal.SIGTERM, signal.SIGINT)

        def stop() -> None:
            for number in signals:
                loop.remove_signal_handler(number)
            self.stop()

        for number in signals:
            try:
                loop.add_signal_handler(number, stop)
            except NotImplementedError:  # Windows: KeyboardInterrupt ends the process.
                break
        await self.serve()
