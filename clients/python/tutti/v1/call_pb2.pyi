import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Call(_message.Message):
    __slots__ = ("agent", "skill", "select", "labels", "fallback", "key")
    class Select(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SELECT_UNSPECIFIED: _ClassVar[Call.Select]
        ROUND_ROBIN: _ClassVar[Call.Select]
        LEAST_LOADED: _ClassVar[Call.Select]
        STICKY: _ClassVar[Call.Select]
    SELECT_UNSPECIFIED: Call.Select
    ROUND_ROBIN: Call.Select
    LEAST_LOADED: Call.Select
    STICKY: Call.Select
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    AGENT_FIELD_NUMBER: _ClassVar[int]
    SKILL_FIELD_NUMBER: _ClassVar[int]
    SELECT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    agent: str
    skill: str
    select: Call.Select
    labels: _containers.ScalarMap[str, str]
    fallback: _containers.RepeatedCompositeFieldContainer[Call]
    key: str
    def __init__(self, agent: _Optional[str] = ..., skill: _Optional[str] = ..., select: _Optional[_Union[Call.Select, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., fallback: _Optional[_Iterable[_Union[Call, _Mapping]]] = ..., key: _Optional[str] = ...) -> None: ...

class PatternCall(_message.Message):
    __slots__ = ("agent", "skill", "select", "labels", "fallback", "key", "input", "timeout", "queue_timeout", "total_timeout", "retry", "description", "role", "weight")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    AGENT_FIELD_NUMBER: _ClassVar[int]
    SKILL_FIELD_NUMBER: _ClassVar[int]
    SELECT_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    agent: str
    skill: str
    select: Call.Select
    labels: _containers.ScalarMap[str, str]
    fallback: _containers.RepeatedCompositeFieldContainer[Call]
    key: str
    input: _struct_pb2.Value
    timeout: _duration_pb2.Duration
    queue_timeout: _duration_pb2.Duration
    total_timeout: _duration_pb2.Duration
    retry: RetryPolicy
    description: str
    role: str
    weight: float
    def __init__(self, agent: _Optional[str] = ..., skill: _Optional[str] = ..., select: _Optional[_Union[Call.Select, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., fallback: _Optional[_Iterable[_Union[Call, _Mapping]]] = ..., key: _Optional[str] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queue_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., retry: _Optional[_Union[RetryPolicy, _Mapping]] = ..., description: _Optional[str] = ..., role: _Optional[str] = ..., weight: _Optional[float] = ...) -> None: ...

class RetryPolicy(_message.Message):
    __slots__ = ("preset", "max_attempts", "initial_delay", "multiplier", "max_delay", "jitter", "retry_on", "never_on")
    class Preset(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        PRESET_UNSPECIFIED: _ClassVar[RetryPolicy.Preset]
        DEFAULT: _ClassVar[RetryPolicy.Preset]
        VALIDATION: _ClassVar[RetryPolicy.Preset]
        API_CALL: _ClassVar[RetryPolicy.Preset]
        AI_PROCESSING: _ClassVar[RetryPolicy.Preset]
        DATABASE: _ClassVar[RetryPolicy.Preset]
        FILE_PROCESSING: _ClassVar[RetryPolicy.Preset]
    PRESET_UNSPECIFIED: RetryPolicy.Preset
    DEFAULT: RetryPolicy.Preset
    VALIDATION: RetryPolicy.Preset
    API_CALL: RetryPolicy.Preset
    AI_PROCESSING: RetryPolicy.Preset
    DATABASE: RetryPolicy.Preset
    FILE_PROCESSING: RetryPolicy.Preset
    PRESET_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_DELAY_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    MAX_DELAY_FIELD_NUMBER: _ClassVar[int]
    JITTER_FIELD_NUMBER: _ClassVar[int]
    RETRY_ON_FIELD_NUMBER: _ClassVar[int]
    NEVER_ON_FIELD_NUMBER: _ClassVar[int]
    preset: RetryPolicy.Preset
    max_attempts: int
    initial_delay: _duration_pb2.Duration
    multiplier: float
    max_delay: _duration_pb2.Duration
    jitter: float
    retry_on: _containers.RepeatedScalarFieldContainer[str]
    never_on: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, preset: _Optional[_Union[RetryPolicy.Preset, str]] = ..., max_attempts: _Optional[int] = ..., initial_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., multiplier: _Optional[float] = ..., max_delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., jitter: _Optional[float] = ..., retry_on: _Optional[_Iterable[str]] = ..., never_on: _Optional[_Iterable[str]] = ...) -> None: ...
