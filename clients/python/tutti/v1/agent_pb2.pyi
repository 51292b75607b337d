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

class Agent(_message.Message):
    __slots__ = ("id", "skills", "description", "labels", "max_concurrency", "input_schema", "output_schema", "breaker", "state", "create_time", "workers", "running_tasks", "waiting_tasks", "circuit", "circuit_until")
    class Circuit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        CIRCUIT_UNSPECIFIED: _ClassVar[Agent.Circuit]
        CLOSED: _ClassVar[Agent.Circuit]
        OPEN: _ClassVar[Agent.Circuit]
        HALF_OPEN: _ClassVar[Agent.Circuit]
    CIRCUIT_UNSPECIFIED: Agent.Circuit
    CLOSED: Agent.Circuit
    OPEN: Agent.Circuit
    HALF_OPEN: Agent.Circuit
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Agent.State]
        ACTIVE: _ClassVar[Agent.State]
        DRAINING: _ClassVar[Agent.State]
        DISABLED: _ClassVar[Agent.State]
    STATE_UNSPECIFIED: Agent.State
    ACTIVE: Agent.State
    DRAINING: Agent.State
    DISABLED: Agent.State
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    SKILLS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    MAX_CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_TASKS_FIELD_NUMBER: _ClassVar[int]
    WAITING_TASKS_FIELD_NUMBER: _ClassVar[int]
    CIRCUIT_FIELD_NUMBER: _ClassVar[int]
    CIRCUIT_UNTIL_FIELD_NUMBER: _ClassVar[int]
    id: str
    skills: _containers.RepeatedScalarFieldContainer[str]
    description: str
    labels: _containers.ScalarMap[str, str]
    max_concurrency: int
    input_schema: _struct_pb2.Value
    output_schema: _struct_pb2.Value
    breaker: Breaker
    state: Agent.State
    create_time: _timestamp_pb2.Timestamp
    workers: int
    running_tasks: int
    waiting_tasks: int
    circuit: Agent.Circuit
    circuit_until: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., skills: _Optional[_Iterable[str]] = ..., description: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., max_concurrency: _Optional[int] = ..., input_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., output_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., breaker: _Optional[_Union[Breaker, _Mapping]] = ..., state: _Optional[_Union[Agent.State, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., workers: _Optional[int] = ..., running_tasks: _Optional[int] = ..., waiting_tasks: _Optional[int] = ..., circuit: _Optional[_Union[Agent.Circuit, str]] = ..., circuit_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Breaker(_message.Message):
    __slots__ = ("failures", "open_timeout")
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    failures: int
    open_timeout: _duration_pb2.Duration
    def __init__(self, failures: _Optional[int] = ..., open_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
