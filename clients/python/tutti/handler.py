"""The code that does an agent's tasks: how it is called, and what its end means."""

from __future__ import annotations

import asyncio
import functools
import inspect
from concurrent.futures import Executor
from typing import Any, Awaitable, Callable

from tutti.context import TaskContext
from tutti.errors import TaskError, failure
from tutti.ledger import Report
from tutti.values import from_value, to_value
from tutti.v1 import worker_service_pb2

Function = Callable[..., Any]
"""Takes (input) or (input, ctx) and returns the output; async or not."""


class Handler:
    """How an agent's tasks are done."""

    def __init__(self, function: Function) -> None:
        """Raises TypeError for a function that takes neither (input) nor (input, ctx)."""
        self.is_async = inspect.iscoroutinefunction(function)
        self._function = function
        self._takes_context = _takes_context(function)

    async def call(self, data: Any, context: TaskContext, threads: Executor) -> Any:
        """Returns the output: an async function runs here, any other in a thread."""
        arguments = (data, context) if self._takes_context else (data,)
        if self.is_async:
            return await self._function(*arguments)
        call = functools.partial(self._function, *arguments)
        return await asyncio.get_running_loop().run_in_executor(threads, call)


class RunningHandler:
    """A handler at work on a task."""

    def __init__(
        self,
        handler: Handler,
        task: worker_service_pb2.Task,
        context: TaskContext,
        threads: Executor,
        ended: Callable[[str, Report | None], None],
    ) -> None:
        """Begins. `ended` is called once: with the report, or with None when it was stopped."""
        self._token = task.token
        self._context = context
        self._ended = ended
        self._in_thread = not handler.is_async
        work: Awaitable[Any] = handler.call(from_value(task.input), context, threads)
        self._task = asyncio.ensure_future(work)
        self._task.add_done_callback(self._done)

    def stop(self, *, at_once: bool) -> None:
        """Cancels an async handler; tells one in a thread, which finishes by itself, and is
        waited for unless `at_once`."""
        self._context._cancelled.set()
        if at_once or not self._in_thread:
            self._task.cancel()

    def _done(self, task: asyncio.Future[Any]) -> None:
        stopped = task.cancelled() or self._context.is_cancelled
        error = None if task.cancelled() else task.exception()
        if stopped:
            self._ended(self._token, None)
        elif error is not None:
            self._ended(self._token, failure(self._token, error, self._context._usage))
        else:
            self._ended(self._token, self._result(task.result()))

    def _result(self, output: Any) -> Report:
        usage = self._context._usage
        try:
            value = to_value(output)
        except TypeError as error:
            told = TaskError("agent_error", f"the output cannot be sent: {error}")
            return failure(self._token, told, usage)
        except ValueError as error:
            return failure(self._token, error, usage)
        return worker_service_pb2.TaskResult(token=self._token, output=value, usage=usage)


def _takes_context(function: Function) -> bool:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    positional = [p for p in parameters if p.kind in kinds]
    required = [p for p in positional if p.default is inspect.Parameter.empty]
    if not positional or len(required) > 2:
        raise TypeError(f"{function!r} must take (input) or (input, ctx)")
    return len(required) == 2 or len(positional) > 1 and positional[1].name == "ctx"
