import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from tutti.v1 import call_pb2 as _call_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Gates(_message.Message):
    __slots__ = ("before", "after")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    before: _containers.RepeatedCompositeFieldContainer[Gate]
    after: _containers.RepeatedCompositeFieldContainer[Gate]
    def __init__(self, before: _Optional[_Iterable[_Union[Gate, _Mapping]]] = ..., after: _Optional[_Iterable[_Union[Gate, _Mapping]]] = ...) -> None: ...

class Gate(_message.Message):
    __slots__ = ("not_empty", "json", "json_schema", "regex", "cel", "length", "range", "judge", "message", "on_violation", "repair")
    class OnViolation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ON_VIOLATION_UNSPECIFIED: _ClassVar[Gate.OnViolation]
        FAIL: _ClassVar[Gate.OnViolation]
        RETRY: _ClassVar[Gate.OnViolation]
        CONTINUE: _ClassVar[Gate.OnViolation]
        REPAIR: _ClassVar[Gate.OnViolation]
    ON_VIOLATION_UNSPECIFIED: Gate.OnViolation
    FAIL: Gate.OnViolation
    RETRY: Gate.OnViolation
    CONTINUE: Gate.OnViolation
    REPAIR: Gate.OnViolation
    NOT_EMPTY_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    REGEX_FIELD_NUMBER: _ClassVar[int]
    CEL_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ON_VIOLATION_FIELD_NUMBER: _ClassVar[int]
    REPAIR_FIELD_NUMBER: _ClassVar[int]
    not_empty: bool
    json: bool
    json_schema: _struct_pb2.Value
    regex: str
    cel: str
    length: Length
    range: Range
    judge: Judge
    message: str
    on_violation: Gate.OnViolation
    repair: Repair
    def __init__(self, not_empty: bool = ..., json: bool = ..., json_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., regex: _Optional[str] = ..., cel: _Optional[str] = ..., length: _Optional[_Union[Length, _Mapping]] = ..., range: _Optional[_Union[Range, _Mapping]] = ..., judge: _Optional[_Union[Judge, _Mapping]] = ..., message: _Optional[str] = ..., on_violation: _Optional[_Union[Gate.OnViolation, str]] = ..., repair: _Optional[_Union[Repair, _Mapping]] = ...) -> None: ...

class Length(_message.Message):
    __slots__ = ("min", "max")
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    min: int
    max: int
    def __init__(self, min: _Optional[int] = ..., max: _Optional[int] = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("of", "min", "max")
    OF_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    of: str
    min: float
    max: float
    def __init__(self, of: _Optional[str] = ..., min: _Optional[float] = ..., max: _Optional[float] = ...) -> None: ...

class Judge(_message.Message):
    __slots__ = ("agent", "criteria", "threshold", "retry", "timeout")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CRITERIA_FIELD_NUMBER: _ClassVar[int]
    THRESHOLD_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    agent: str
    criteria: str
    threshold: float
    retry: _call_pb2.RetryPolicy
    timeout: _duration_pb2.Duration
    def __init__(self, agent: _Optional[str] = ..., criteria: _Optional[str] = ..., threshold: _Optional[float] = ..., retry: _Optional[_Union[_call_pb2.RetryPolicy, _Mapping]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Repair(_message.Message):
    __slots__ = ("agent", "attempts", "retry", "timeout")
    AGENT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    agent: str
    attempts: int
    retry: _call_pb2.RetryPolicy
    timeout: _duration_pb2.Duration
    def __init__(self, agent: _Optional[str] = ..., attempts: _Optional[int] = ..., retry: _Optional[_Union[_call_pb2.RetryPolicy, _Mapping]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Cache(_message.Message):
    __slots__ = ("ttl", "key", "scope")
    class Scope(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SCOPE_UNSPECIFIED: _ClassVar[Cache.Scope]
        NAMESPACE: _ClassVar[Cache.Scope]
        WORKFLOW: _ClassVar[Cache.Scope]
        EXECUTION: _ClassVar[Cache.Scope]
    SCOPE_UNSPECIFIED: Cache.Scope
    NAMESPACE: Cache.Scope
    WORKFLOW: Cache.Scope
    EXECUTION: Cache.Scope
    TTL_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    ttl: _duration_pb2.Duration
    key: str
    scope: Cache.Scope
    def __init__(self, ttl: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., key: _Optional[str] = ..., scope: _Optional[_Union[Cache.Scope, str]] = ...) -> None: ...

class Context(_message.Message):
    __slots__ = ("max_tokens", "select", "overflow", "summarizer")
    class Overflow(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OVERFLOW_UNSPECIFIED: _ClassVar[Context.Overflow]
        FAIL: _ClassVar[Context.Overflow]
        TRUNCATE: _ClassVar[Context.Overflow]
        SUMMARIZE: _ClassVar[Context.Overflow]
    OVERFLOW_UNSPECIFIED: Context.Overflow
    FAIL: Context.Overflow
    TRUNCATE: Context.Overflow
    SUMMARIZE: Context.Overflow
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SELECT_FIELD_NUMBER: _ClassVar[int]
    OVERFLOW_FIELD_NUMBER: _ClassVar[int]
    SUMMARIZER_FIELD_NUMBER: _ClassVar[int]
    max_tokens: int
    select: _containers.RepeatedScalarFieldContainer[str]
    overflow: Context.Overflow
    summarizer: _call_pb2.PatternCall
    def __init__(self, max_tokens: _Optional[int] = ..., select: _Optional[_Iterable[str]] = ..., overflow: _Optional[_Union[Context.Overflow, str]] = ..., summarizer: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ...) -> None: ...
