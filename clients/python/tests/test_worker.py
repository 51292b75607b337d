"""The worker against a scripted server: every promise of the stream, from both sides."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from fake import Fake, Session, soon
from tutti import TaskContext, TaskError, Worker
from tutti.v1 import worker_service_pb2 as pb
from tutti.values import from_value


@contextlib.asynccontextmanager
async def serving(worker: Worker) -> AsyncIterator[asyncio.Task[None]]:
    """Serves for the time of a test; what the worker holds then is given up."""
    task = asyncio.create_task(worker.serve())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def ends(task: asyncio.Task[None], session: Session) -> None:
    """Waits for the worker's end and for that of its stream."""
    await asyncio.gather(soon(task), session.ended())


def echo(fake: Fake, **options: Any) -> Worker:
    worker = Worker(fake.address, **options)

    @worker.agent("echo")
    async def echo(input: Any) -> Any:
        return input

    return worker


class Waiting:
    """An agent `wait` whose tasks say when they begin, and end when they are let go."""

    def __init__(self, fake: Fake, **options: Any) -> None:
        self.begun: asyncio.Queue[Any] = asyncio.Queue()
        self.go = asyncio.Event()
        self.worker = Worker(fake.address, **options)
        self.worker.agent("wait")(self._wait)

    async def _wait(self, input: Any) -> Any:
        self.begun.put_nowait(input)
        await self.go.wait()
        return input

    async def begin(self, session: Session, token: str = "a") -> None:
        await session.hand_out("wait", token)
        assert await soon(self.begun.get()) == token


async def test_a_task_is_accepted_done_and_acknowledged(fake: Fake) -> None:
    worker = Worker(fake.address, worker_id="me", namespace="ns", max_concurrency=3)

    @worker.agent("shout", skills=["noise"], labels={"gpu": "1"}, input_schema={"type": "string"})
    async def shout(input: str, ctx: TaskContext) -> dict[str, Any]:
        ctx.used(input_tokens=7)
        context = [ctx.idempotency_key, ctx.step, ctx.attempt, ctx.execution_id, ctx.agent]
        return {"said": input.upper(), "context": context, "deadline": ctx.deadline}

    async with serving(worker) as task:
        session, hello = await fake.welcomed()
        assert (hello.worker_id, hello.namespace, hello.max_concurrency) == ("me", "ns", 3)
        assert [(a.id, list(a.skills), dict(a.labels)) for a in hello.agents] == [
            ("shout", ["noise"], {"gpu": "1"})
        ]
        assert from_value(hello.agents[0].input_schema) == {"type": "string"}
        assert (await session.next()).credit.tasks == 3
        await session.hand_out("shout", "hey")
        assert list((await session.next()).accept.tokens) == ["hey"]
        [result] = await session.results()
        assert result.usage.input_tokens == 7
        assert from_value(result.output) == {
            "said": "HEY",
            "context": ["a key", "a/step", 2, "an execution", "shout"],
            "deadline": None,
        }
        await session.ack("hey")
        worker.stop()
        await ends(task, session)


async def test_functions_that_are_not_async_run_in_threads(fake: Fake) -> None:
    worker = Worker(fake.address, max_concurrency=2)
    both = threading.Barrier(2)

    @worker.agent("meet")
    def meet(input: Any) -> str:
        both.wait(30)
        return threading.current_thread().name

    async with serving(worker):
        session, _ = await fake.welcomed()
        await session.hand_out("meet", "a", "b")
        results = await session.results()
        while len(results) < 2:
            results += await session.results()
        assert all(from_value(result.output).startswith("tutti") for result in results)


async def test_credits_come_back_when_tasks_end(fake: Fake) -> None:
    async with serving(echo(fake, max_concurrency=1)):
        session, _ = await fake.welcomed()
        assert (await session.until("credit")).tasks == 1
        await session.hand_out("echo", "a")
        assert (await session.until("credit")).tasks == 1


async def test_a_result_is_resent_on_each_stream_until_its_ack(fake: Fake) -> None:
    worker = echo(fake)
    async with serving(worker) as task:
        session, first_hello = await fake.welcomed()
        await session.hand_out("echo", "a")
        [first] = await session.results()
        session.cut()
        session, hello = await fake.welcomed()
        assert hello.worker_id == first_hello.worker_id
        assert list(hello.held_tokens) == ["a"]
        assert await session.results() == [first]
        await session.ack("a")
        worker.stop()
        await ends(task, session)


async def test_a_result_without_ack_is_repeated_on_the_same_stream(fake: Fake) -> None:
    async with serving(echo(fake)):
        session, _ = await fake.welcomed(heartbeat_interval=timedelta(milliseconds=1))
        await session.hand_out("echo", "a")
        first = await session.results()
        assert await session.results() == first


@pytest.mark.parametrize("outcome", [pb.ResultAck.STALE, pb.ResultAck.TOO_LARGE])
async def test_a_result_the_server_does_not_want_is_dropped(fake: Fake, outcome: int) -> None:
    worker = echo(fake)
    async with serving(worker) as task:
        session, _ = await fake.welcomed()
        await session.hand_out("echo", "a")
        await session.results()
        await session.ack("a", outcome)
        worker.stop()
        await ends(task, session)


async def test_a_running_task_is_held_over_a_lost_stream(fake: Fake) -> None:
    waiting = Waiting(fake)
    async with serving(waiting.worker) as task:
        session, _ = await fake.welcomed()
        await waiting.begin(session)
        session.cut()
        session, hello = await fake.welcomed(adopted_tokens=["a"])
        assert list(hello.held_tokens) == ["a"]
        waiting.go.set()
        [result] = await session.results()
        assert result.token == "a"
        await session.ack("a")
        waiting.worker.stop()
        await ends(task, session)
    assert waiting.begun.empty(), "it ran once"


async def test_a_task_lost_meanwhile_is_stopped_and_not_reported(fake: Fake) -> None:
    waiting = Waiting(fake)
    async with serving(waiting.worker) as task:
        session, _ = await fake.welcomed()
        await waiting.begin(session)
        session.cut()
        session, _ = await fake.welcomed(lost_tokens=["a"])
        # Nothing is held any more, so nothing keeps the worker from ending.
        waiting.worker.stop()
        await ends(task, session)


async def test_a_cancel_reaches_an_async_handler(fake: Fake) -> None:
    worker = Worker(fake.address)
    tidied = asyncio.Event()
    begun = asyncio.Event()

    @worker.agent("tidy")
    async def tidy(input: Any) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            tidied.set()

    async with serving(worker):
        session, _ = await fake.welcomed()
        await session.hand_out("tidy", "a")
        await soon(begun.wait())
        await session.cancel("a")
        [failure] = await session.failures()
        assert (failure.token, getattr(failure.error, "class")) == ("a", "cancelled")
        assert tidied.is_set()


async def test_a_cancel_is_seen_in_a_thread(fake: Fake) -> None:
    worker = Worker(fake.address)
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()

    @worker.agent("spin")
    def spin(input: Any, ctx: TaskContext) -> str:
        loop.call_soon_threadsafe(begun.set)
        while not ctx.is_cancelled:
            pass
        return "seen"

    async with serving(worker):
        session, _ = await fake.welcomed()
        await session.hand_out("spin", "a")
        await soon(begun.wait())
        await session.cancel("a")
        [failure] = await session.failures()
        assert getattr(failure.error, "class") == "cancelled"


@pytest.mark.parametrize(
    ("error", "class_", "message"),
    [
        (TaskError("rate_limited", "later", retry_after=2.5), "rate_limited", "later"),
        (asyncio.TimeoutError("too slow"), "timeout", "too slow"),
        (ConnectionRefusedError("nobody there"), "unavailable", "nobody there"),
        (KeyError("text"), "agent_error", "KeyError: 'text'"),
    ],
)
async def test_an_exception_fails_its_attempt_with_a_class(
    fake: Fake, error: Exception, class_: str, message: str
) -> None:
    worker = echo(fake)

    @worker.agent("fail")
    def fail(input: Any) -> None:
        raise error

    async with serving(worker):
        session, _ = await fake.welcomed()
        await session.hand_out("fail", "a")
        [failure] = await session.failures()
        assert getattr(failure.error, "class") == class_
        assert message in failure.error.message
        wait = failure.retry_after.ToTimedelta().total_seconds()
        assert wait == (getattr(error, "retry_after", None) or 0)
        await session.hand_out("echo", "b")
        assert [result.token for result in await session.results()] == ["b"]


async def test_an_output_that_is_not_json_fails_its_attempt(fake: Fake) -> None:
    worker = Worker(fake.address)

    @worker.agent("odd")
    async def odd(input: str) -> Any:
        deep: Any = 1
        for _ in range(31):
            deep = {"a": deep}
        return {"set": {1, 2}, "nan": float("nan"), "deep": deep}[input]

    async with serving(worker):
        session, _ = await fake.welcomed()
        for token, class_ in [("set", "agent_error"), ("nan", "agent_error"), ("deep", "limit")]:
            await session.hand_out("odd", token)
            [failure] = await session.failures()
            assert (failure.token, getattr(failure.error, "class")) == (token, class_)


async def test_a_result_too_large_for_a_message_fails_with_class_limit(fake: Fake) -> None:
    worker = Worker(fake.address)

    @worker.agent("large")
    async def large(input: Any) -> str:
        return "x" * 5000

    async with serving(worker):
        session, _ = await fake.welcomed(message_bytes_max=4096)
        await session.hand_out("large", "a")
        [failure] = await session.failures()
        assert getattr(failure.error, "class") == "limit"


async def test_a_task_of_an_agent_it_does_not_serve_is_refused(fake: Fake) -> None:
    async with serving(echo(fake)):
        session, _ = await fake.welcomed()
        await session.hand_out("someone-else", "a")
        [failure] = await session.failures()
        assert getattr(failure.error, "class") == "refused"


@pytest.mark.parametrize("threaded", [False, True])
async def test_chunks_come_before_the_result(fake: Fake, threaded: bool) -> None:
    worker = Worker(fake.address)

    def say(ctx: TaskContext) -> str:
        assert ctx.chunk("Hel") and ctx.chunk("lo")
        assert not ctx.chunk("x" * (2 << 20)), "there is no room for that"
        return "Hello"

    async def say_async(input: Any, ctx: TaskContext) -> str:
        return say(ctx)

    def say_threaded(input: Any, ctx: TaskContext) -> str:
        return say(ctx)

    worker.agent("talk")(say_threaded if threaded else say_async)
    async with serving(worker):
        session, _ = await fake.welcomed()
        await session.hand_out("talk", "a")
        said = []
        while not (message := await session.next()).HasField("complete"):
            if message.HasField("chunk"):
                said.append((message.chunk.token, from_value(message.chunk.data)))
        assert said == [("a", "Hel"), ("a", "lo")]


async def test_heartbeats_name_the_tasks_held(fake: Fake) -> None:
    waiting = Waiting(fake)
    async with serving(waiting.worker):
        session, _ = await fake.welcomed(heartbeat_interval=timedelta(milliseconds=1))
        await waiting.begin(session)
        for _ in range(3):
            assert list((await session.until("heartbeat")).tokens) == ["a"]


async def test_a_shutdown_finishes_the_tasks_and_waits_for_their_acks(fake: Fake) -> None:
    waiting = Waiting(fake)
    async with serving(waiting.worker) as task:
        session, _ = await fake.welcomed()
        await waiting.begin(session)
        waiting.worker.stop()
        await session.until("draining")
        await session.hand_out("wait", "too late")
        waiting.go.set()
        [result] = await session.results()
        assert result.token == "a"
        assert not task.done(), "the ack has not come"
        await session.ack("a")
        await ends(task, session)
    assert waiting.begun.empty(), "a draining worker takes nothing"


async def test_a_result_is_delivered_even_if_the_stream_breaks_while_draining(fake: Fake) -> None:
    waiting = Waiting(fake)
    async with serving(waiting.worker) as task:
        session, _ = await fake.welcomed()
        await waiting.begin(session)
        waiting.worker.stop()
        await session.until("draining")
        session.cut()
        waiting.go.set()
        session, _ = await fake.welcomed()
        await session.until("draining")
        assert [result.token for result in await session.results()] == ["a"]
        await session.ack("a")
        await ends(task, session)


async def test_tasks_that_exceed_the_grace_period_fail_as_unavailable(fake: Fake) -> None:
    waiting = Waiting(fake, grace_period=0)
    async with serving(waiting.worker) as task:
        session, _ = await fake.welcomed()
        await waiting.begin(session)
        waiting.worker.stop()
        [failure] = await session.failures()
        assert getattr(failure.error, "class") == "unavailable"
        await session.ack("a")
        await ends(task, session)


async def test_a_worker_asked_to_drain_does_and_ends(fake: Fake) -> None:
    async with serving(echo(fake)) as task:
        session, _ = await fake.welcomed()
        await session.send(drain=pb.Drain())
        await session.until("draining")
        await ends(task, session)


async def test_a_worker_sent_away_comes_back_with_what_it_holds(fake: Fake) -> None:
    waiting = Waiting(fake)
    async with serving(waiting.worker):
        session, _ = await fake.welcomed()
        await waiting.begin(session)
        await session.send(go_away=pb.GoAway(reason="restart"))
        session, hello = await fake.welcomed()
        assert list(hello.held_tokens) == ["a"]


async def test_a_worker_that_is_refused_ends_with_the_reason(fake: Fake) -> None:
    async with serving(echo(fake)) as task:
        session = await fake.session()
        session.cut(grpc.StatusCode.INVALID_ARGUMENT, "agents[0].id: not a name")
        with pytest.raises(grpc.aio.AioRpcError, match="not a name"):
            await soon(task)


async def test_a_worker_without_server_stops_when_asked() -> None:
    worker = Worker("127.0.0.1:1")
    worker.agent("echo")(lambda input: input)
    async with serving(worker) as task:
        await asyncio.wait({task}, timeout=0)
        worker.stop()
        await soon(task)


def test_what_cannot_work_is_refused() -> None:
    for options in [{"max_concurrency": 0}, {"max_concurrency": 10_001}, {"worker_id": "x" * 129}]:
        with pytest.raises(ValueError):
            Worker("127.0.0.1:7420", **options)
    worker = Worker("127.0.0.1:7420")
    worker.agent("a")(lambda input: input)
    with pytest.raises(ValueError):
        worker.agent("a")
    for function in [lambda: None, lambda a, b, c: None]:
        with pytest.raises(TypeError):
            worker.agent("b")(function)
