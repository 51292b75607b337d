import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Execution(_message.Message):
    __slots__ = ("execution_id", "namespace", "workflow", "version", "state", "input", "output", "error", "steps", "progress_percent", "create_time", "end_time", "labels", "variables", "attempt", "last_sequence", "elapsed", "average_step_time", "estimated_completion_time", "deadline", "next_attempt_time", "parent", "omitted_fields", "steps_left_out")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Execution.State]
        PENDING: _ClassVar[Execution.State]
        RUNNING: _ClassVar[Execution.State]
        PAUSED: _ClassVar[Execution.State]
        WAITING: _ClassVar[Execution.State]
        COMPENSATING: _ClassVar[Execution.State]
        COMPLETED: _ClassVar[Execution.State]
        FAILED: _ClassVar[Execution.State]
        CANCELLED: _ClassVar[Execution.State]
        TIMED_OUT: _ClassVar[Execution.State]
    STATE_UNSPECIFIED: Execution.State
    PENDING: Execution.State
    RUNNING: Execution.State
    PAUSED: Execution.State
    WAITING: Execution.State
    COMPENSATING: Execution.State
    COMPLETED: Execution.State
    FAILED: Execution.State
    CANCELLED: Execution.State
    TIMED_OUT: Execution.State
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_PERCENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ELAPSED_FIELD_NUMBER: _ClassVar[int]
    AVERAGE_STEP_TIME_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_COMPLETION_TIME_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    NEXT_ATTEMPT_TIME_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    OMITTED_FIELDS_FIELD_NUMBER: _ClassVar[int]
    STEPS_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    namespace: str
    workflow: str
    version: int
    state: Execution.State
    input: _struct_pb2.Value
    output: _struct_pb2.Value
    error: Error
    steps: _containers.RepeatedCompositeFieldContainer[StepExecution]
    progress_percent: float
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    labels: _containers.ScalarMap[str, str]
    variables: _struct_pb2.Struct
    attempt: int
    last_sequence: int
    elapsed: _duration_pb2.Duration
    average_step_time: _duration_pb2.Duration
    estimated_completion_time: _timestamp_pb2.Timestamp
    deadline: _timestamp_pb2.Timestamp
    next_attempt_time: _timestamp_pb2.Timestamp
    parent: Parent
    omitted_fields: _containers.RepeatedScalarFieldContainer[str]
    steps_left_out: int
    def __init__(self, execution_id: _Optional[str] = ..., namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., version: _Optional[int] = ..., state: _Optional[_Union[Execution.State, str]] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[StepExecution, _Mapping]]] = ..., progress_percent: _Optional[float] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., variables: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., attempt: _Optional[int] = ..., last_sequence: _Optional[int] = ..., elapsed: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., average_step_time: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., estimated_completion_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_attempt_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parent: _Optional[_Union[Parent, _Mapping]] = ..., omitted_fields: _Optional[_Iterable[str]] = ..., steps_left_out: _Optional[int] = ...) -> None: ...

class Parent(_message.Message):
    __slots__ = ("execution_id", "step", "depth", "detached")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    DETACHED_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    step: str
    depth: int
    detached: bool
    def __init__(self, execution_id: _Optional[str] = ..., step: _Optional[str] = ..., depth: _Optional[int] = ..., detached: bool = ...) -> None: ...

class StepExecution(_message.Message):
    __slots__ = ("path", "name", "kind", "state", "attempt", "agent", "skill", "input", "output", "error", "start_time", "end_time", "worker_id", "waiting_for", "next_attempt_time", "max_attempts", "usage", "child_execution_id", "iterations", "exit", "cached_execution_id", "context", "items")
    class Exit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        EXIT_UNSPECIFIED: _ClassVar[StepExecution.Exit]
        CONDITION: _ClassVar[StepExecution.Exit]
        MAX_ITERATIONS: _ClassVar[StepExecution.Exit]
    EXIT_UNSPECIFIED: StepExecution.Exit
    CONDITION: StepExecution.Exit
    MAX_ITERATIONS: StepExecution.Exit
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[StepExecution.State]
        PENDING: _ClassVar[StepExecution.State]
        WAITING: _ClassVar[StepExecution.State]
        RUNNING: _ClassVar[StepExecution.State]
        RETRYING: _ClassVar[StepExecution.State]
        COMPLETED: _ClassVar[StepExecution.State]
        FAILED: _ClassVar[StepExecution.State]
        SKIPPED: _ClassVar[StepExecution.State]
        CANCELLED: _ClassVar[StepExecution.State]
        COMPENSATED: _ClassVar[StepExecution.State]
    STATE_UNSPECIFIED: StepExecution.State
    PENDING: StepExecution.State
    WAITING: StepExecution.State
    RUNNING: StepExecution.State
    RETRYING: StepExecution.State
    COMPLETED: StepExecution.State
    FAILED: StepExecution.State
    SKIPPED: StepExecution.State
    CANCELLED: StepExecution.State
    COMPENSATED: StepExecution.State
    PATH_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    SKILL_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    WAITING_FOR_FIELD_NUMBER: _ClassVar[int]
    NEXT_ATTEMPT_TIME_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    CHILD_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    EXIT_FIELD_NUMBER: _ClassVar[int]
    CACHED_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    path: str
    name: str
    kind: str
    state: StepExecution.State
    attempt: int
    agent: str
    skill: str
    input: _struct_pb2.Value
    output: _struct_pb2.Value
    error: Error
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    worker_id: str
    waiting_for: str
    next_attempt_time: _timestamp_pb2.Timestamp
    max_attempts: int
    usage: Usage
    child_execution_id: str
    iterations: int
    exit: StepExecution.Exit
    cached_execution_id: str
    context: _struct_pb2.Value
    items: ItemCounts
    def __init__(self, path: _Optional[str] = ..., name: _Optional[str] = ..., kind: _Optional[str] = ..., state: _Optional[_Union[StepExecution.State, str]] = ..., attempt: _Optional[int] = ..., agent: _Optional[str] = ..., skill: _Optional[str] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., worker_id: _Optional[str] = ..., waiting_for: _Optional[str] = ..., next_attempt_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., max_attempts: _Optional[int] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., child_execution_id: _Optional[str] = ..., iterations: _Optional[int] = ..., exit: _Optional[_Union[StepExecution.Exit, str]] = ..., cached_execution_id: _Optional[str] = ..., context: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., items: _Optional[_Union[ItemCounts, _Mapping]] = ...) -> None: ...

class ItemCounts(_message.Message):
    __slots__ = ("total", "completed", "failed", "running")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    total: int
    completed: int
    failed: int
    running: int
    def __init__(self, total: _Optional[int] = ..., completed: _Optional[int] = ..., failed: _Optional[int] = ..., running: _Optional[int] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("message", "step")
    CLASS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    message: str
    step: str
    def __init__(self, message: _Optional[str] = ..., step: _Optional[str] = ..., **kwargs) -> None: ...

class Usage(_message.Message):
    __slots__ = ("input_tokens", "output_tokens", "cost")
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_FIELD_NUMBER: _ClassVar[int]
    input_tokens: int
    output_tokens: int
    cost: float
    def __init__(self, input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cost: _Optional[float] = ...) -> None: ...
