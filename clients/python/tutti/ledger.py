"""What a worker holds: tasks that run, reports not yet acknowledged, and the credits that the
server has. Pure bookkeeping: sends nothing and waits for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Protocol, Union

from tutti.errors import TaskError, failure
from tutti.v1 import worker_service_pb2

Report = Union[worker_service_pb2.TaskResult, worker_service_pb2.TaskFailure]
"""How an attempt ended."""

KEPT_BYTES_MAX = 64 << 20
"""Bytes of reports that may wait for their acks; with more, no tasks are asked for."""
KEPT_MAX = 16_384
"""Reports that may wait for their acks; with more, no tasks are asked for."""

_ENVELOPE_BYTES = 64
_UNLIMITED = 1 << 62


class Stoppable(Protocol):
    """A handler that runs."""

    def stop(self, *, at_once: bool) -> None:
        """Asks it to end; `at_once` even if it wants to finish by itself."""


@dataclass
class _Running:
    handler: Stoppable
    stopped: TaskError | None = None


@dataclass
class _Ended:
    report: Report
    size: int
    sent_beat: int


class Ledger:
    """What a worker holds."""

    def __init__(self, capacity: int) -> None:
        self._entries: dict[str, _Running | _Ended] = {}
        self._running = 0
        self._kept_bytes = 0
        self._capacity = capacity
        self._credits = 0
        self._message_bytes_max = _UNLIMITED
        self._beat = 0
        self.draining = False
        """True once no more tasks are taken. Never becomes False again."""

    def offered(self, token: str) -> bool:
        """The server has sent a task. False when it is not to be taken."""
        self._credits = max(0, self._credits - 1)
        return not self.draining and token not in self._entries

    def begin(self, token: str, handler: Stoppable) -> None:
        """A task's handler was started."""
        self._entries[token] = _Running(handler)
        self._running += 1

    def end(self, token: str, report: Report | None) -> Report | None:
        """A handler ended, without a report when it was stopped. Returns what to send; nothing
        when the task was lost meanwhile."""
        entry = self._entries.get(token)
        if not isinstance(entry, _Running):
            return None
        self._running -= 1
        if report is None:
            stopped = entry.stopped or TaskError("agent_error", "the handler was cancelled")
            report = failure(token, stopped)
        return self.keep(token, report)

    def keep(self, token: str, report: Report) -> Report:
        """Keeps a report until its ack comes, and returns what to send."""
        size = report.ByteSize()
        if size + _ENVELOPE_BYTES > self._message_bytes_max:
            most = self._message_bytes_max
            told = f"the result has {size} bytes, the server takes {most} in a message"
            report = failure(token, TaskError("limit", told))
            size = report.ByteSize()
        self._kept_bytes += size
        self._entries[token] = _Ended(report, size, self._beat)
        return report

    def acked(self, token: str) -> None:
        """A report needs no repeating any more."""
        entry = self._entries.get(token)
        if isinstance(entry, _Ended):
            self._kept_bytes -= entry.size
            del self._entries[token]

    def cancel(self, token: str) -> None:
        """A task is no longer wanted: its handler is stopped and then reports that it was."""
        entry = self._entries.get(token)
        if isinstance(entry, _Running):
            _stop(entry, TaskError("cancelled", "stopped, as asked"))

    def lose(self, token: str) -> None:
        """A task is another worker's now: its handler is stopped, nothing is reported."""
        entry = self._entries.pop(token, None)
        if isinstance(entry, _Running):
            self._running -= 1
            _stop(entry, TaskError("cancelled", "the task is another worker's"))
        elif entry is not None:
            self._kept_bytes -= entry.size

    def abandon(self) -> None:
        """The worker ends: its tasks are to be tried elsewhere at once."""
        for entry in list(self._entries.values()):
            if isinstance(entry, _Running):
                told = "the worker ended before the task"
                _stop(entry, TaskError("unavailable", told), at_once=True)

    def tokens(self) -> list[str]:
        """Tokens of all tasks held: those that run and those whose report is not acknowledged."""
        return list(self._entries)

    def is_empty(self) -> bool:
        """True when nothing runs and everything is acknowledged."""
        return not self._entries

    def connected(self, message_bytes_max: int) -> None:
        """A new stream begins: the server has no credits, and takes messages of this size."""
        self._credits = 0
        self._message_bytes_max = message_bytes_max or _UNLIMITED

    def take_credit(self) -> int:
        """Returns how many more tasks to ask for now; they count as asked for.

        Small amounts are held back while the server has more credits than that.
        """
        if self.draining or self._kept_bytes >= KEPT_BYTES_MAX:
            return 0
        free = self._capacity - self._running - self._credits
        kept = len(self._entries) - self._running
        room = max(0, min(free, KEPT_MAX - kept - self._credits))
        if room * 4 < self._capacity and room < self._credits:
            return 0
        self._credits += room
        return room

    def beat(self) -> list[Report]:
        """A heartbeat: returns the reports to send again, without ack for one to two beats."""
        self._beat += 1
        return self._resend(lambda entry: entry.sent_beat + 2 <= self._beat)

    def unacked(self) -> list[Report]:
        """All reports without ack, to be sent on a new stream."""
        return self._resend(lambda entry: True)

    def _resend(self, due: Callable[[_Ended], bool]) -> list[Report]:
        reports = []
        for entry in self._entries.values():
            if isinstance(entry, _Ended) and due(entry):
                entry.sent_beat = self._beat
                reports.append(entry.report)
        return reports


def _stop(entry: _Running, why: TaskError, *, at_once: bool = False) -> None:
    entry.stopped = entry.stopped or why
    entry.handler.stop(at_once=at_once)
