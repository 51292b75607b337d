import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("version", "start_time", "store", "data_format", "limits", "step_kinds", "capabilities")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    DATA_FORMAT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    STEP_KINDS_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    version: str
    start_time: _timestamp_pb2.Timestamp
    store: str
    data_format: int
    limits: Limits
    step_kinds: _containers.RepeatedScalarFieldContainer[str]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, version: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., store: _Optional[str] = ..., data_format: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., step_kinds: _Optional[_Iterable[str]] = ..., capabilities: _Optional[_Iterable[str]] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("message_bytes_max", "payload_bytes_max", "workflow_steps_max", "workflow_depth_max", "workflow_bytes_max", "open_executions_max", "execution_events_max", "parallel_steps_max", "retry_attempts_max", "page_size_max", "expression_bytes_max", "worker_credits_max", "lease_timeout", "accept_timeout", "disk_reserve_bytes", "pending_bytes_max", "each_items_max", "each_parallel_max", "execution_steps_shown_max")
    MESSAGE_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_STEPS_MAX_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_DEPTH_MAX_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    OPEN_EXECUTIONS_MAX_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_EVENTS_MAX_FIELD_NUMBER: _ClassVar[int]
    PARALLEL_STEPS_MAX_FIELD_NUMBER: _ClassVar[int]
    RETRY_ATTEMPTS_MAX_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_MAX_FIELD_NUMBER: _ClassVar[int]
    EXPRESSION_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    WORKER_CREDITS_MAX_FIELD_NUMBER: _ClassVar[int]
    LEASE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DISK_RESERVE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PENDING_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    EACH_ITEMS_MAX_FIELD_NUMBER: _ClassVar[int]
    EACH_PARALLEL_MAX_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_STEPS_SHOWN_MAX_FIELD_NUMBER: _ClassVar[int]
    message_bytes_max: int
    payload_bytes_max: int
    workflow_steps_max: int
    workflow_depth_max: int
    workflow_bytes_max: int
    open_executions_max: int
    execution_events_max: int
    parallel_steps_max: int
    retry_attempts_max: int
    page_size_max: int
    expression_bytes_max: int
    worker_credits_max: int
    lease_timeout: _duration_pb2.Duration
    accept_timeout: _duration_pb2.Duration
    disk_reserve_bytes: int
    pending_bytes_max: int
    each_items_max: int
    each_parallel_max: int
    execution_steps_shown_max: int
    def __init__(self, message_bytes_max: _Optional[int] = ..., payload_bytes_max: _Optional[int] = ..., workflow_steps_max: _Optional[int] = ..., workflow_depth_max: _Optional[int] = ..., workflow_bytes_max: _Optional[int] = ..., open_executions_max: _Optional[int] = ..., execution_events_max: _Optional[int] = ..., parallel_steps_max: _Optional[int] = ..., retry_attempts_max: _Optional[int] = ..., page_size_max: _Optional[int] = ..., expression_bytes_max: _Optional[int] = ..., worker_credits_max: _Optional[int] = ..., lease_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., accept_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., disk_reserve_bytes: _Optional[int] = ..., pending_bytes_max: _Optional[int] = ..., each_items_max: _Optional[int] = ..., each_parallel_max: _Optional[int] = ..., execution_steps_shown_max: _Optional[int] = ...) -> None: ...
