"""The books of a worker, told as what happens and what it then says."""

from __future__ import annotations

from tutti.ledger import KEPT_BYTES_MAX, Ledger, Report
from tutti.outbox import BATCH_BYTES_MAX, TOKENS_MAX, Outbox
from tutti.v1 import worker_service_pb2 as pb
from tutti.values import to_value


class Handler:
    """A handler that notes how it was stopped."""

    def __init__(self) -> None:
        self.stops: list[bool] = []

    def stop(self, *, at_once: bool) -> None:
        self.stops.append(at_once)


def done(token: str, size: int = 1) -> pb.TaskResult:
    return pb.TaskResult(token=token, output=to_value("x" * size))


def begun(ledger: Ledger, token: str) -> Handler:
    assert ledger.offered(token)
    handler = Handler()
    ledger.begin(token, handler)
    return handler


def class_of(report: Report | None) -> str:
    assert isinstance(report, pb.TaskFailure)
    return str(getattr(report.error, "class"))


def test_credits_fill_the_capacity_and_come_back_when_tasks_end() -> None:
    ledger = Ledger(4)
    assert ledger.take_credit() == 4
    assert ledger.take_credit() == 0
    begun(ledger, "a")
    begun(ledger, "b")
    ledger.end("a", done("a"))
    ledger.end("b", done("b"))
    assert ledger.take_credit() == 2
    ledger.connected(0)
    assert ledger.take_credit() == 4, "a new stream begins without credits"


def test_small_credits_are_held_back_while_the_server_has_more() -> None:
    ledger = Ledger(100)
    ledger.take_credit()
    for n in range(24):
        ledger.offered(str(n))
    assert ledger.take_credit() == 0
    ledger.offered("one more")
    assert ledger.take_credit() == 25


def test_no_tasks_are_asked_for_while_too_many_bytes_wait_for_acks() -> None:
    ledger = Ledger(4)
    ledger.keep("a", done("a", KEPT_BYTES_MAX))
    assert ledger.take_credit() == 0
    ledger.acked("a")
    assert ledger.take_credit() == 4


def test_a_report_is_repeated_after_two_beats_until_its_ack() -> None:
    ledger = Ledger(4)
    sent = ledger.keep("a", done("a"))
    assert [ledger.beat(), ledger.beat(), ledger.beat()] == [[], [sent], []]
    assert ledger.unacked() == [sent]
    ledger.acked("a")
    assert ledger.unacked() == []
    assert ledger.is_empty()


def test_what_stopped_a_handler_is_what_it_reports() -> None:
    ledger = Ledger(4)
    cancelled, abandoned, lost = (begun(ledger, token) for token in "abc")
    ledger.cancel("a")
    ledger.lose("c")
    ledger.abandon()
    assert cancelled.stops == [False, True]
    assert abandoned.stops == [True]
    assert lost.stops == [False]
    assert class_of(ledger.end("a", None)) == "cancelled"
    assert class_of(ledger.end("b", None)) == "unavailable"
    assert ledger.end("c", None) is None, "it is nobody's business any more"


def test_a_draining_ledger_takes_nothing_and_a_held_task_is_not_taken_twice() -> None:
    ledger = Ledger(4)
    begun(ledger, "a")
    assert not ledger.offered("a")
    ledger.draining = True
    assert not ledger.offered("b")
    assert ledger.take_credit() == 0


def messages(outbox: Outbox) -> list[pb.WorkRequest]:
    return list(iter(outbox.pop, None))


def test_a_task_is_accepted_before_its_result_and_results_share_a_message() -> None:
    outbox = Outbox()
    outbox.credit(2)
    for token in "ab":
        outbox.report(done(token))
        outbox.accept(token)
    accept, complete, credit = messages(outbox)
    assert list(accept.accept.tokens) == ["a", "b"]
    assert len(complete.complete.results) == 2
    assert credit.credit.tasks == 2


def test_batches_are_bounded_and_a_large_result_goes_alone() -> None:
    outbox = Outbox()
    for size in [BATCH_BYTES_MAX * 2, 10, BATCH_BYTES_MAX - 100, 200]:
        outbox.report(done("t", size))
    assert [len(m.complete.results) for m in messages(outbox)] == [1, 2, 1]
    outbox.heartbeat([str(n) for n in range(TOKENS_MAX + 1)])
    assert len(messages(outbox)) == 2
