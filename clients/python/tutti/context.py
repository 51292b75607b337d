"""What a handler knows of its task, and what it can do besides giving an output."""

from __future__ import annotations

import asyncio
import threading
from datetime import datetime, timezone
from typing import Callable

from tutti.values import Json, from_value, to_value
from tutti.v1 import execution_pb2, worker_service_pb2

CHUNK_BYTES_MAX = 1 << 20
"""How many bytes of a task's chunks may be on their way to the worker's event loop."""


class TaskContext:
    """The task that a handler works on. Its methods may be called from any thread."""

    def __init__(
        self,
        task: worker_service_pb2.Task,
        send: Callable[[worker_service_pb2.TaskChunk], None],
    ) -> None:
        self._token = task.token
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._usage: execution_pb2.Usage | None = None
        self.execution_id: str = task.execution_id
        """The execution, UUID text."""
        self.workflow: str = task.workflow
        """The workflow's name."""
        self.step: str = task.step
        """The step's path."""
        self.attempt: int = task.attempt
        """The attempt, from 1."""
        self.agent: str = task.agent
        """The agent that is to do it."""
        self.skill: str = task.skill
        """The skill that was asked for; empty when the agent was."""
        self.namespace: str = task.namespace
        """The namespace."""
        self.idempotency_key: str = task.idempotency_key
        """The same for every attempt of the step: outside effects can be made once with it."""
        self.handed_on: Json = None
        """What of the earlier steps is handed on with the input, where the step says `context`:
        a list of `{from, value}`; else None."""
        if task.HasField("context"):
            self.handed_on = from_value(task.context)
        self.deadline: datetime | None = None
        """When the attempt is given up, by the server's clock; None: never."""
        if task.HasField("deadline"):
            self.deadline = task.deadline.ToDatetime(tzinfo=timezone.utc)

    @property
    def is_cancelled(self) -> bool:
        """True once the task is no longer wanted. Functions that are not async look at it now
        and then; async ones are cancelled as asyncio does it."""
        return self._cancelled.is_set()

    def chunk(self, data: Json) -> bool:
        """Sends provisional output, for example the next words of a text, to those who watch.

        Never waits. False when it was dropped, because chunks come faster than they can be
        sent; they may also be lost later.
        """
        chunk = worker_service_pb2.TaskChunk(token=self._token, data=to_value(data))
        size = chunk.ByteSize()
        with self._lock:
            if self._waiting_bytes + size > CHUNK_BYTES_MAX:
                return False
            self._waiting_bytes += size
        self._loop.call_soon_threadsafe(self._hand_over, chunk, size)
        return True

    def used(self, *, input_tokens: int = 0, output_tokens: int = 0, cost: float = 0.0) -> None:
        """Reports what the attempt used so far; the last report counts."""
        self._usage = execution_pb2.Usage(
            input_tokens=input_tokens, output_tokens=output_tokens, cost=cost
        )

    def _hand_over(self, chunk: worker_service_pb2.TaskChunk, size: int) -> None:
        with self._lock:
            self._waiting_bytes -= size
        self._send(chunk)
