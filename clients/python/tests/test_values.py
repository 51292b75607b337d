"""Values there and back, and messages as dicts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from google.protobuf import duration_pb2, timestamp_pb2
from tutti.v1 import event_pb2, execution_pb2, worker_service_pb2, workflow_pb2
from tutti.values import TooDeep, from_value, to_dict, to_value


@pytest.mark.parametrize(
    "data",
    [None, True, False, 0, -1, 2**53, 2.5, "", "häh", [], {}, [1, [None]], {"a": {"b": [2]}}],
)
def test_json_survives_the_way_there_and_back(data: Any) -> None:
    back = from_value(to_value(data))
    assert back == data
    assert type(back) is type(data)


def test_whole_numbers_come_back_without_a_fraction() -> None:
    assert repr(from_value(to_value(42.0))) == "42"
    assert repr(from_value(to_value(1e300))) == "1e+300"


@pytest.mark.parametrize("data", [{1: 2}, {1}, b"x", object()])
def test_what_is_not_json_is_refused(data: Any) -> None:
    with pytest.raises(TypeError):
        to_value(data)


def test_what_cannot_be_sent_is_refused() -> None:
    deep: Any = 1
    for _ in range(50):
        deep = [deep]
    with pytest.raises(TooDeep):
        to_value(deep)
    with pytest.raises(ValueError, match="inf"):
        to_value(float("inf"))


def test_a_message_becomes_a_dict_of_python_values() -> None:
    execution = execution_pb2.Execution(
        execution_id="e",
        state=execution_pb2.Execution.COMPLETED,
        output=to_value({"n": 1}),
        last_sequence=2**60,
        labels={"a": "b"},
        elapsed=duration_pb2.Duration(seconds=1, nanos=500_000_000),
        create_time=timestamp_pb2.Timestamp(seconds=1),
        steps=[execution_pb2.StepExecution(path="a", state=execution_pb2.StepExecution.RETRYING)],
    )
    told = to_dict(execution)
    assert told["state"] == "COMPLETED"
    assert told["output"] == {"n": 1}
    assert told["input"] is None and told["error"] is None
    assert told["last_sequence"] == 2**60
    assert told["labels"] == {"a": "b"}
    assert told["elapsed"] == timedelta(seconds=1.5)
    assert told["create_time"] == datetime(1970, 1, 1, 0, 0, 1, tzinfo=timezone.utc)
    assert told["steps"][0]["path"] == "a"
    assert told["steps"][0]["state"] == "RETRYING"


def test_an_event_names_its_kind() -> None:
    completed = event_pb2.StepCompleted(attempt=2, output=to_value([1]))
    told = to_dict(event_pb2.Event(sequence=3, step="a", step_completed=completed))
    assert (told["sequence"], told["step"], told["kind"]) == (3, "a", "step_completed")
    assert told["step_completed"]["output"] == [1]
    assert "step_failed" not in told
    assert "kind" not in to_dict(event_pb2.Event(sequence=1))


def test_optional_fields_that_are_absent_are_none() -> None:
    assert to_dict(workflow_pb2.Step(id="a"))["order"] is None
    assert to_dict(workflow_pb2.Step(id="a", order=0))["order"] == 0
    assert to_dict(worker_service_pb2.Task())["input"] is None
