"""Client and worker against the real server. TUTTI_BIN names its binary; without it the one
of `cargo build` is used, and must be there."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from fake import soon
from server import Proxy, running_server
from tutti import Client, InvalidWorkflow, TaskContext, TaskError, Worker

CUTS = 10


@pytest_asyncio.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """The address of a server of this test's own."""
    async with running_server(tmp_path / "data") as address:
        yield address


@pytest_asyncio.fixture
async def client(address: str) -> AsyncIterator[Client]:
    """A client of that server."""
    async with await Client.connect(address) as client:
        yield client


@contextlib.asynccontextmanager
async def serving(worker: Worker) -> AsyncIterator[None]:
    """Serves for the time of a test, then drains."""
    task = asyncio.create_task(worker.serve())
    try:
        yield
        worker.stop()
        await soon(task)
    finally:
        task.cancel()
        await asyncio.wait({task})


class Gate:
    """An agent `gate` whose tasks say when they begin, and end when they are let go."""

    def __init__(self, address: str) -> None:
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.cancelled: asyncio.Queue[str] = asyncio.Queue()
        self.go = asyncio.Semaphore(0)
        self.attempts: list[int] = []
        self.worker = Worker(address)
        self.worker.agent("gate")(self._gate)

    async def _gate(self, input: Any, ctx: TaskContext) -> str:
        self.attempts.append(ctx.attempt)
        self.begun.put_nowait(ctx.step)
        try:
            await self.go.acquire()
        except asyncio.CancelledError:
            self.cancelled.put_nowait(ctx.step)
            raise
        return ctx.step


async def test_a_registered_workflow_runs_on_a_worker(address: str, client: Client) -> None:
    registered = await client.register_workflow(
        """
        name: greeting
        mode: SEQUENCE
        steps:
          - { id: greet, agent: greeter }
          - { id: count, call: { skill: counting } }
        output: { said: "{{ steps.greet.output.text }}", letters: "{{ steps.count.output }}" }
        """
    )
    assert (registered["name"], registered["version"], registered["created"]) == ("greeting", 1, True)
    worker = Worker(address)

    @worker.agent("greeter")
    async def greet(input: Any) -> Any:
        return {"text": f"Hello {input['name']}", "whole": 42}

    @worker.agent("counter", skills=["counting"])
    def count(input: Any, ctx: TaskContext) -> int:
        assert input["whole"] == 42 and isinstance(input["whole"], int)
        ctx.used(output_tokens=3)
        return len(input["text"])

    async with serving(worker):
        execution = await soon(client.run("greeting", {"name": "Ada"}, labels={"team": "x"}))
        assert execution["state"] == "COMPLETED", execution["error"]
        assert execution["output"] == {"said": "Hello Ada", "letters": 9}
        assert execution["labels"] == {"team": "x"}
        told = await client.get(execution["execution_id"])
        assert [(s["path"], s["state"]) for s in told["steps"]] == [
            ("greet", "COMPLETED"),
            ("count", "COMPLETED"),
        ]
        assert told["steps"][1]["usage"]["output_tokens"] == 3


async def test_a_definition_runs_without_being_registered(address: str, client: Client) -> None:
    definition = {"name": "inline", "steps": [{"id": "twice", "agent": "twice"}]}
    worker = Worker(address)
    worker.agent("twice")(lambda input: input * 2)
    async with serving(worker):
        execution = await soon(client.run(definition, 21))
    assert (execution["state"], execution["version"]) == ("COMPLETED", 0)


async def test_every_finding_of_a_bad_definition_is_told(client: Client) -> None:
    bad = {"name": "bad", "steps": [{"id": "a", "agent": "x", "depends_on": ["b"], "colour": 1}]}
    report = await client.validate(bad)
    assert not report["valid"]
    assert {f["severity"] for f in report["findings"]} >= {"ERROR"}
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.register_workflow(bad)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(InvalidWorkflow, match=r"no field `colour` \("):
        await client.start(bad)


async def test_the_same_request_id_starts_nothing_twice(client: Client) -> None:
    await client.register_workflow("{ name: once, steps: [ { id: a, agent: nobody } ] }")
    first = await client.start("once", {"n": 1}, request_id="r")
    assert await client.start("once", {"n": 1}, request_id="r") == first
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client.start("once", {"n": 2}, request_id="r")
    assert refused.value.code() == grpc.StatusCode.ALREADY_EXISTS


async def test_a_watch_cut_and_resumed_sees_each_sequence_once(
    address: str, client: Client
) -> None:
    steps = [{"id": f"s{n}", "agent": "gate"} for n in range(CUTS)]
    gate = Gate(address)
    async with serving(gate.worker), Proxy(address) as proxy, Client(proxy.address) as watcher:
        execution_id = await client.start({"name": "gates", "mode": "SEQUENCE", "steps": steps})
        sequences = []
        kinds = []

        async def watch() -> None:
            async for event in watcher.watch(execution_id):
                sequences.append(event["sequence"])
                kinds.append(event["kind"])
                if event["kind"] == "step_started":
                    proxy.cut()
                    gate.go.release()

        await soon(watch())
        last = (await client.get(execution_id))["last_sequence"]
    assert sequences == list(range(1, last + 1))
    assert kinds.count("step_completed") == CUTS
    assert kinds[-1] == "execution_completed"
    assert proxy.connections > CUTS


async def test_a_watch_begins_after_the_sequence_asked_for(address: str, client: Client) -> None:
    worker = Worker(address)
    worker.agent("echo")(lambda input: input)
    async with serving(worker):
        execution = await soon(client.run({"name": "e", "steps": [{"id": "a", "agent": "echo"}]}))
    watch = client.watch(execution["execution_id"], after_sequence=2)
    sequences = [event["sequence"] async for event in watch]
    assert sequences == list(range(3, execution["last_sequence"] + 1))


async def test_a_failing_agent_is_retried(address: str, client: Client) -> None:
    worker = Worker(address)
    keys = set()

    @worker.agent("flaky")
    async def flaky(input: Any, ctx: TaskContext) -> int:
        keys.add(ctx.idempotency_key)
        if ctx.attempt < 3:
            raise TaskError("unavailable", "not yet")
        return ctx.attempt

    retry = {"max_attempts": 3, "initial_delay": "0.001s", "jitter": 0}
    definition = {"name": "flaky", "steps": [{"id": "a", "agent": "flaky", "retry": retry}]}
    async with serving(worker):
        execution = await soon(client.run(definition))
        kinds = [event["kind"] async for event in client.watch(execution["execution_id"])]
    assert execution["state"] == "COMPLETED", execution["error"]
    assert (execution["steps"][0]["attempt"], execution["steps"][0]["output"]) == (3, 3)
    assert kinds.count("step_retry_scheduled") == 2
    assert len(keys) == 1, "the idempotency key is the same for every attempt"


async def test_a_failure_tells_its_class_and_step(address: str, client: Client) -> None:
    worker = Worker(address)

    @worker.agent("picky")
    def picky(input: Any) -> None:
        raise TaskError("refused", "not this")

    async with serving(worker):
        execution = await soon(
            client.run({"name": "p", "steps": [{"id": "a", "agent": "picky"}]})
        )
    assert execution["state"] == "FAILED"
    assert execution["error"] == {"class": "refused", "message": "not this", "step": "a"}


async def test_a_cancel_reaches_the_running_agent(address: str, client: Client) -> None:
    gate = Gate(address)
    async with serving(gate.worker):
        definition = {"name": "c", "steps": [{"id": "a", "agent": "gate"}]}
        execution_id = await client.start(definition)
        await soon(gate.begun.get())
        await client.cancel(execution_id, "changed my mind")
        assert await soon(gate.cancelled.get()) == "a"
        kinds = [event["kind"] async for event in client.watch(execution_id)]
        assert kinds[-1] == "execution_cancelled"
        assert (await client.get(execution_id))["state"] == "CANCELLED"


async def test_a_parked_execution_is_resumed_with_what_was_wrong(address: str, client: Client) -> None:
    worker = Worker(address)

    @worker.agent("bank")
    def bank(input: Any) -> Any:
        if input == "DE00":
            raise TaskError("no_such_account", input)
        return input

    definition = {
        "name": "p",
        "variables": {"account": "DE00"},
        "steps": [{"id": "a", "agent": "bank", "input": "{{ vars.account }}", "on_error": "PARK"}],
    }
    async with serving(worker):
        execution_id = await client.start(definition)
        events = client.watch(execution_id)
        async for event in events:
            if event["kind"] == "execution_parked":
                break
        held = await client.get(execution_id)
        assert (held["state"], held["error"]["class"]) == ("PAUSED", "no_such_account")
        assert (await client.pause(execution_id))["state"] == "PAUSED", "it is already"
        await client.resume(execution_id, "asked", variables={"account": "DE02"})
        kinds = [event["kind"] async for event in events]
        assert kinds[0] == "execution_resumed" and kinds[-1] == "execution_completed"


async def test_an_agent_is_handed_on_what_the_step_says(address: str, client: Client) -> None:
    worker = Worker(address)

    @worker.agent("first")
    def first(input: Any) -> Any:
        return "abcdef"

    @worker.agent("second")
    def second(input: Any, ctx: TaskContext) -> Any:
        return ctx.handed_on

    steps = [
        {"id": "a", "agent": "first"},
        {"id": "b", "agent": "second", "context": {"max_tokens": 1}},
    ]
    async with serving(worker):
        execution = await soon(client.run({"name": "c", "mode": "SEQUENCE", "steps": steps}))
    assert execution["output"] == [{"from": "a", "value": "abcd"}]


async def test_a_worker_cut_off_comes_back_to_its_task(address: str, client: Client) -> None:
    async with Proxy(address) as proxy:
        gate = Gate(proxy.address)
        async with serving(gate.worker):
            definition = {"name": "r", "steps": [{"id": "a", "agent": "gate"}]}
            execution_id = await client.start(definition)
            await soon(gate.begun.get())
            proxy.cut()
            gate.go.release()
            kinds = [event["kind"] async for event in client.watch(execution_id)]
            execution = await client.get(execution_id)
    assert execution["state"] == "COMPLETED", execution["error"]
    assert kinds.count("step_started") == 1
    assert gate.attempts == [1], "the task ran once, over two connections"
    assert gate.cancelled.empty()
    assert proxy.connections >= 2


async def test_provisional_output_reaches_a_watcher(address: str, client: Client) -> None:
    worker = Worker(address)
    heard = asyncio.Event()

    @worker.agent("talk")
    async def talk(input: Any, ctx: TaskContext) -> str:
        # A chunk may be lost: it is said until the watcher has heard it.
        while not heard.is_set():
            ctx.chunk("Hel")
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(heard.wait(), 0.05)
        return "Hello"

    async with serving(worker):
        definition = {"name": "t", "steps": [{"id": "a", "agent": "talk"}]}
        execution_id = await client.start(definition)
        said = []

        async def watch() -> None:
            async for update in client.watch(execution_id, chunks=True):
                if update["kind"] == "chunk":
                    said.append((update["step"], update["attempt"], update["data"]))
                    heard.set()

        await soon(watch())
    assert said[0] == ("a", 1, "Hel")


async def test_the_example_agent_serves_and_ends_on_a_signal(
    address: str, client: Client
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tutti.example_agent", address, cwd=Path(__file__).parents[1]
    )
    try:
        definition = {"name": "s", "steps": [{"id": "count", "agent": "text-statistics"}]}
        execution = await soon(client.run(definition, {"text": "To be, or not to be."}))
        assert execution["state"] == "COMPLETED", execution["error"]
        assert execution["steps"][0]["output"]["words"] == 6
        process.send_signal(signal.SIGTERM)
        assert await soon(process.wait()) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_payload_of_nearly_16_mib_comes_back(address: str, client: Client) -> None:
    worker = Worker(address)
    worker.agent("echo")(lambda input: input)
    text = "x" * ((16 << 20) - 100)
    definition = {"name": "echo", "steps": [{"id": "a", "agent": "echo"}]}
    async with serving(worker):
        execution = await soon(client.run(definition, text))
    assert execution["state"] == "COMPLETED", execution["error"]
    assert execution["output"]["a"] == text
    assert execution["omitted_fields"] == ["steps[0].input"]
