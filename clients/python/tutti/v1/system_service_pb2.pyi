import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VerifyAuditRequest(_message.Message):
    __slots__ = ("namespace", "execution_id", "all_namespaces")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    ALL_NAMESPACES_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    execution_id: str
    all_namespaces: bool
    def __init__(self, namespace: _Optional[str] = ..., execution_id: _Optional[str] = ..., all_namespaces: bool = ...) -> None: ...

class VerifyAuditResponse(_message.Message):
    __slots__ = ("executions", "events", "broken", "done", "head")
    EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    BROKEN_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    executions: int
    events: int
    broken: _containers.RepeatedCompositeFieldContainer[BrokenChain]
    done: bool
    head: str
    def __init__(self, executions: _Optional[int] = ..., events: _Optional[int] = ..., broken: _Optional[_Iterable[_Union[BrokenChain, _Mapping]]] = ..., done: bool = ..., head: _Optional[str] = ...) -> None: ...

class BrokenChain(_message.Message):
    __slots__ = ("execution_id", "sequence", "reason")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    sequence: int
    reason: str
    def __init__(self, execution_id: _Optional[str] = ..., sequence: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class CreateBackupRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CreateBackupResponse(_message.Message):
    __slots__ = ("header", "chunk", "trailer")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    TRAILER_FIELD_NUMBER: _ClassVar[int]
    header: BackupHeader
    chunk: bytes
    trailer: BackupTrailer
    def __init__(self, header: _Optional[_Union[BackupHeader, _Mapping]] = ..., chunk: _Optional[bytes] = ..., trailer: _Optional[_Union[BackupTrailer, _Mapping]] = ...) -> None: ...

class BackupHeader(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: str
    def __init__(self, version: _Optional[str] = ...) -> None: ...

class BackupTrailer(_message.Message):
    __slots__ = ("commit", "bytes", "sha256")
    COMMIT_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    commit: int
    bytes: int
    sha256: bytes
    def __init__(self, commit: _Optional[int] = ..., bytes: _Optional[int] = ..., sha256: _Optional[bytes] = ...) -> None: ...

class CompactStoreRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CompactStoreResponse(_message.Message):
    __slots__ = ("bytes_before", "bytes_after")
    BYTES_BEFORE_FIELD_NUMBER: _ClassVar[int]
    BYTES_AFTER_FIELD_NUMBER: _ClassVar[int]
    bytes_before: int
    bytes_after: int
    def __init__(self, bytes_before: _Optional[int] = ..., bytes_after: _Optional[int] = ...) -> None: ...

class Retention(_message.Message):
    __slots__ = ("namespace", "workflow", "max_age", "max_count", "update_time")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    MAX_COUNT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    max_age: _duration_pb2.Duration
    max_count: int
    update_time: _timestamp_pb2.Timestamp
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., max_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_count: _Optional[int] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class SetRetentionRequest(_message.Message):
    __slots__ = ("retention",)
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    retention: Retention
    def __init__(self, retention: _Optional[_Union[Retention, _Mapping]] = ...) -> None: ...

class SetRetentionResponse(_message.Message):
    __slots__ = ("retention",)
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    retention: Retention
    def __init__(self, retention: _Optional[_Union[Retention, _Mapping]] = ...) -> None: ...

class ListRetentionRequest(_message.Message):
    __slots__ = ("namespace",)
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    def __init__(self, namespace: _Optional[str] = ...) -> None: ...

class ListRetentionResponse(_message.Message):
    __slots__ = ("retentions", "server_default")
    RETENTIONS_FIELD_NUMBER: _ClassVar[int]
    SERVER_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    retentions: _containers.RepeatedCompositeFieldContainer[Retention]
    server_default: Retention
    def __init__(self, retentions: _Optional[_Iterable[_Union[Retention, _Mapping]]] = ..., server_default: _Optional[_Union[Retention, _Mapping]] = ...) -> None: ...

class DeleteRetentionRequest(_message.Message):
    __slots__ = ("namespace", "workflow")
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ...) -> None: ...

class DeleteRetentionResponse(_message.Message):
    __slots__ = ("deleted",)
    DELETED_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    def __init__(self, deleted: bool = ...) -> None: ...

class ApplyRetentionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ApplyRetentionResponse(_message.Message):
    __slots__ = ("executions", "request_ids", "outputs")
    EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_IDS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    executions: int
    request_ids: int
    outputs: int
    def __init__(self, executions: _Optional[int] = ..., request_ids: _Optional[int] = ..., outputs: _Optional[int] = ...) -> None: ...

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
    __slots__ = ("message_bytes_max", "payload_bytes_max", "workflow_steps_max", "workflow_depth_max", "workflow_bytes_max", "open_executions_max", "execution_events_max", "parallel_steps_max", "retry_attempts_max", "page_size_max", "expression_bytes_max", "worker_credits_max", "lease_timeout", "accept_timeout", "disk_reserve_bytes", "pending_bytes_max", "group_bytes_max", "iterations_max", "child_depth_max", "each_items_max", "each_parallel_max", "execution_steps_shown_max", "request_id_timeout", "cache_timeout", "resident_executions_max", "finally_timeout", "decompose_depth_max", "calls_waiting_max")
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
    GROUP_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_MAX_FIELD_NUMBER: _ClassVar[int]
    CHILD_DEPTH_MAX_FIELD_NUMBER: _ClassVar[int]
    EACH_ITEMS_MAX_FIELD_NUMBER: _ClassVar[int]
    EACH_PARALLEL_MAX_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_STEPS_SHOWN_MAX_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    CACHE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RESIDENT_EXECUTIONS_MAX_FIELD_NUMBER: _ClassVar[int]
    FINALLY_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    DECOMPOSE_DEPTH_MAX_FIELD_NUMBER: _ClassVar[int]
    CALLS_WAITING_MAX_FIELD_NUMBER: _ClassVar[int]
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
    group_bytes_max: int
    iterations_max: int
    child_depth_max: int
    each_items_max: int
    each_parallel_max: int
    execution_steps_shown_max: int
    request_id_timeout: _duration_pb2.Duration
    cache_timeout: _duration_pb2.Duration
    resident_executions_max: int
    finally_timeout: _duration_pb2.Duration
    decompose_depth_max: int
    calls_waiting_max: int
    def __init__(self, message_bytes_max: _Optional[int] = ..., payload_bytes_max: _Optional[int] = ..., workflow_steps_max: _Optional[int] = ..., workflow_depth_max: _Optional[int] = ..., workflow_bytes_max: _Optional[int] = ..., open_executions_max: _Optional[int] = ..., execution_events_max: _Optional[int] = ..., parallel_steps_max: _Optional[int] = ..., retry_attempts_max: _Optional[int] = ..., page_size_max: _Optional[int] = ..., expression_bytes_max: _Optional[int] = ..., worker_credits_max: _Optional[int] = ..., lease_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., accept_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., disk_reserve_bytes: _Optional[int] = ..., pending_bytes_max: _Optional[int] = ..., group_bytes_max: _Optional[int] = ..., iterations_max: _Optional[int] = ..., child_depth_max: _Optional[int] = ..., each_items_max: _Optional[int] = ..., each_parallel_max: _Optional[int] = ..., execution_steps_shown_max: _Optional[int] = ..., request_id_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., cache_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., resident_executions_max: _Optional[int] = ..., finally_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., decompose_depth_max: _Optional[int] = ..., calls_waiting_max: _Optional[int] = ...) -> None: ...
