"""What a handler raises when it cannot give an output, and what other exceptions become."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tutti.v1 import execution_pb2, worker_service_pb2
from tutti.values import TooDeep, to_span


class TaskError(Exception):
    """A failed attempt: its class decides, by the step's retry policy, whether there is another.

    Classes are lower-case words: timeout, unavailable, rate_limited, invalid_output,
    validation, expression, limit, budget, refused, auth, agent_error, cancelled, or one of
    your own. Other exceptions become agent_error, but for TimeoutError (timeout) and
    ConnectionError (unavailable).
    """

    def __init__(
        self,
        class_: str,
        message: str,
        retry_after: float | timedelta | None = None,
    ) -> None:
        """Takes the class, what happened, and the least wait before the next attempt in seconds."""
        super().__init__(message)
        self.class_ = class_
        self.message = message
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.class_}: {self.message}"


def failure(
    token: str,
    error: BaseException,
    usage: execution_pb2.Usage | None = None,
) -> worker_service_pb2.TaskFailure:
    """Returns what an exception means for its task."""
    if not isinstance(error, TaskError):
        error = TaskError(_class_of(error), f"{type(error).__name__}: {error}")
    wait = error.retry_after
    return worker_service_pb2.TaskFailure(
        token=token,
        error=execution_pb2.Error(**{"class": error.class_}, message=error.message),
        retry_after=None if wait is None else to_span(wait),
        usage=usage,
    )


def _class_of(error: BaseException) -> str:
    if isinstance(error, TooDeep):
        return "limit"
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        return "timeout"
    if isinstance(error, ConnectionError):
        return "unavailable"
    return "agent_error"
