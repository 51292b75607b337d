"""The client against a scripted server: what it does when connections break."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import grpc
import pytest
from fake import Fake, soon
from tutti import Client
from tutti.client import source_of
from tutti.v1 import event_pb2, execution_pb2, execution_service_pb2
from tutti.values import to_value

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
NOT_FOUND = grpc.StatusCode.NOT_FOUND


def tells(
    asked: list[int], sequences: Iterable[int], code: grpc.StatusCode | None = None
) -> Callable[[Any, Any], Any]:
    """Answers a watch with these events, then with a status."""

    async def answer(request: Any, context: grpc.aio.ServicerContext) -> None:
        asked.append(request.after_sequence)
        for sequence in sequences:
            event = event_pb2.Event(execution_id="e", sequence=sequence)
            await context.write(execution_service_pb2.WatchExecutionResponse(event=event))
        if code is not None:
            await context.abort(code, "cut")

    return answer


async def watched(client: Client, **options: Any) -> list[dict[str, Any]]:
    return [event async for event in client.watch("e", **options)]


async def test_a_watch_cut_twice_gives_each_event_once_and_ends_with_the_stream(
    fake: Fake,
) -> None:
    asked: list[int] = []
    fake.on_watch = [
        tells(asked, [2, 3], UNAVAILABLE),
        tells(asked, [3, 4], UNAVAILABLE),
        tells(asked, [5]),
    ]
    async with Client(fake.address) as client:
        events = await soon(watched(client, after_sequence=1))
    assert [event["sequence"] for event in events] == [2, 3, 4, 5]
    assert asked == [1, 3, 4]


async def test_a_refused_watch_is_not_repeated(fake: Fake) -> None:
    fake.on_watch = [tells([], [], NOT_FOUND)]
    async with Client(fake.address) as client:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await soon(watched(client))
    assert refused.value.code() == NOT_FOUND


async def test_a_gap_in_the_events_is_an_error(fake: Fake) -> None:
    fake.on_watch = [tells([], [1, 3])]
    async with Client(fake.address) as client:
        with pytest.raises(RuntimeError, match="event 3 came instead of 2"):
            await soon(watched(client))


@pytest.mark.parametrize("chunks", [True, False])
async def test_chunks_come_between_the_events_for_those_who_ask(fake: Fake, chunks: bool) -> None:
    async def answer(request: Any, context: grpc.aio.ServicerContext) -> None:
        chunk = execution_service_pb2.Chunk(step="write", data=to_value("Hel"))
        for message in ({"chunk": chunk}, {"event": event_pb2.Event(sequence=1)}):
            await context.write(execution_service_pb2.WatchExecutionResponse(**message))

    fake.on_watch = [answer]
    async with Client(fake.address) as client:
        told = await soon(watched(client, chunks=chunks))
    if chunks:
        chunk = told.pop(0)
        assert (chunk["kind"], chunk["step"], chunk["data"]) == ("chunk", "write", "Hel")
    assert [event["sequence"] for event in told] == [1]


async def test_a_run_is_repeated_under_its_request_id_until_the_execution_has_ended(
    fake: Fake,
) -> None:
    requests: list[Any] = []

    def answers(state: Any) -> Callable[[Any, Any], Any]:
        async def answer(request: Any, context: grpc.aio.ServicerContext) -> Any:
            requests.append(request)
            if state is None:
                await context.abort(UNAVAILABLE, "shutting down")
            execution = execution_pb2.Execution(state=state, output=to_value({"n": 42}))
            return execution_service_pb2.RunExecutionResponse(execution=execution)

        return answer

    states = execution_pb2.Execution
    fake.on_run = [answers(None), answers(states.RUNNING), answers(states.COMPLETED)]
    async with Client(fake.address, namespace="ns") as client:
        execution = await soon(client.run("w", {"a": [1]}, labels={"team": "credit"}))
    assert (execution["state"], execution["output"]) == ("COMPLETED", {"n": 42})
    assert requests[0].request_id and requests[0].namespace == "ns"
    assert dict(requests[0].labels) == {"team": "credit"}
    assert requests == [requests[0]] * 3


async def test_without_patience_a_server_out_of_reach_is_an_error() -> None:
    async with Client("127.0.0.1:1", patience=0) as client:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await soon(client.start("w"))
    assert error.value.code() == UNAVAILABLE


async def test_connect_says_when_there_is_no_server() -> None:
    with pytest.raises(ConnectionError, match="127.0.0.1:1"):
        await Client.connect("127.0.0.1:1", timeout=0.01)


@pytest.mark.parametrize("address", ["", "https://example.org"])
def test_an_address_that_cannot_be_one_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="127.0.0.1:7420"):
        Client(address)


def test_a_definition_is_a_dict_a_text_or_a_file(tmp_path: Path) -> None:
    definition = {"name": "w", "steps": [{"id": "ä", "agent": "x"}]}
    assert json.loads(source_of(definition)) == definition
    assert source_of("name: w\nsteps: []") == "name: w\nsteps: []"
    assert source_of("{name: w}") == "{name: w}"
    path = tmp_path / "w.yaml"
    path.write_text("name: from-file", encoding="utf-8")
    assert source_of(path) == source_of(str(path)) == "name: from-file"
