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

class Workflow(_message.Message):
    __slots__ = ("name", "description", "labels", "tags", "input_schema", "output_schema", "variables", "mode", "steps", "output", "max_parallel_steps", "timeout", "retry", "goal")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    MAX_PARALLEL_STEPS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    labels: _containers.ScalarMap[str, str]
    tags: _containers.RepeatedScalarFieldContainer[str]
    input_schema: _struct_pb2.Value
    output_schema: _struct_pb2.Value
    variables: _struct_pb2.Struct
    mode: Block.Mode
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    output: _struct_pb2.Value
    max_parallel_steps: int
    timeout: _duration_pb2.Duration
    retry: RetryPolicy
    goal: _containers.RepeatedCompositeFieldContainer[Gate]
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., tags: _Optional[_Iterable[str]] = ..., input_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., output_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., variables: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., mode: _Optional[_Union[Block.Mode, str]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., max_parallel_steps: _Optional[int] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., retry: _Optional[_Union[RetryPolicy, _Mapping]] = ..., goal: _Optional[_Iterable[_Union[Gate, _Mapping]]] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("id", "name", "order", "depends_on", "when", "input", "output", "save", "timeout", "queue_timeout", "total_timeout", "retry", "on_error", "gates", "agent", "call", "block", "switch", "set")
    class OnError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ON_ERROR_UNSPECIFIED: _ClassVar[Step.OnError]
        FAIL: _ClassVar[Step.OnError]
        CONTINUE: _ClassVar[Step.OnError]
    ON_ERROR_UNSPECIFIED: Step.OnError
    FAIL: Step.OnError
    CONTINUE: Step.OnError
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    DEPENDS_ON_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SAVE_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    ON_ERROR_FIELD_NUMBER: _ClassVar[int]
    GATES_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    SWITCH_FIELD_NUMBER: _ClassVar[int]
    SET_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    order: int
    depends_on: _containers.RepeatedScalarFieldContainer[str]
    when: str
    input: _struct_pb2.Value
    output: _struct_pb2.Value
    save: _struct_pb2.Struct
    timeout: _duration_pb2.Duration
    queue_timeout: _duration_pb2.Duration
    total_timeout: _duration_pb2.Duration
    retry: RetryPolicy
    on_error: Step.OnError
    gates: Gates
    agent: str
    call: Call
    block: Block
    switch: Switch
    set: _struct_pb2.Struct
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., order: _Optional[int] = ..., depends_on: _Optional[_Iterable[str]] = ..., when: _Optional[str] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., save: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queue_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., retry: _Optional[_Union[RetryPolicy, _Mapping]] = ..., on_error: _Optional[_Union[Step.OnError, str]] = ..., gates: _Optional[_Union[Gates, _Mapping]] = ..., agent: _Optional[str] = ..., call: _Optional[_Union[Call, _Mapping]] = ..., block: _Optional[_Union[Block, _Mapping]] = ..., switch: _Optional[_Union[Switch, _Mapping]] = ..., set: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class Call(_message.Message):
    __slots__ = ("agent", "skill", "select", "labels")
    class Select(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        SELECT_UNSPECIFIED: _ClassVar[Call.Select]
        ROUND_ROBIN: _ClassVar[Call.Select]
        LEAST_LOADED: _ClassVar[Call.Select]
    SELECT_UNSPECIFIED: Call.Select
    ROUND_ROBIN: Call.Select
    LEAST_LOADED: Call.Select
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
    agent: str
    skill: str
    select: Call.Select
    labels: _containers.ScalarMap[str, str]
    def __init__(self, agent: _Optional[str] = ..., skill: _Optional[str] = ..., select: _Optional[_Union[Call.Select, str]] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("mode", "steps", "max_parallel", "join")
    class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MODE_UNSPECIFIED: _ClassVar[Block.Mode]
        SEQUENCE: _ClassVar[Block.Mode]
        PARALLEL: _ClassVar[Block.Mode]
        GRAPH: _ClassVar[Block.Mode]
    MODE_UNSPECIFIED: Block.Mode
    SEQUENCE: Block.Mode
    PARALLEL: Block.Mode
    GRAPH: Block.Mode
    MODE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    MAX_PARALLEL_FIELD_NUMBER: _ClassVar[int]
    JOIN_FIELD_NUMBER: _ClassVar[int]
    mode: Block.Mode
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    max_parallel: int
    join: Join
    def __init__(self, mode: _Optional[_Union[Block.Mode, str]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., max_parallel: _Optional[int] = ..., join: _Optional[_Union[Join, _Mapping]] = ...) -> None: ...

class Join(_message.Message):
    __slots__ = ("successes", "share", "cancel_rest")
    SUCCESSES_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REST_FIELD_NUMBER: _ClassVar[int]
    successes: int
    share: float
    cancel_rest: bool
    def __init__(self, successes: _Optional[int] = ..., share: _Optional[float] = ..., cancel_rest: bool = ...) -> None: ...

class Switch(_message.Message):
    __slots__ = ("cases", "otherwise")
    CASES_FIELD_NUMBER: _ClassVar[int]
    OTHERWISE_FIELD_NUMBER: _ClassVar[int]
    cases: _containers.RepeatedCompositeFieldContainer[Case]
    otherwise: _containers.RepeatedCompositeFieldContainer[Step]
    def __init__(self, cases: _Optional[_Iterable[_Union[Case, _Mapping]]] = ..., otherwise: _Optional[_Iterable[_Union[Step, _Mapping]]] = ...) -> None: ...

class Case(_message.Message):
    __slots__ = ("when", "steps")
    WHEN_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    when: str
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    def __init__(self, when: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ...) -> None: ...

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

class Gates(_message.Message):
    __slots__ = ("before", "after")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    before: _containers.RepeatedCompositeFieldContainer[Gate]
    after: _containers.RepeatedCompositeFieldContainer[Gate]
    def __init__(self, before: _Optional[_Iterable[_Union[Gate, _Mapping]]] = ..., after: _Optional[_Iterable[_Union[Gate, _Mapping]]] = ...) -> None: ...

class Gate(_message.Message):
    __slots__ = ("not_empty", "json", "json_schema", "regex", "cel", "length", "range", "message", "on_violation")
    class OnViolation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ON_VIOLATION_UNSPECIFIED: _ClassVar[Gate.OnViolation]
        FAIL: _ClassVar[Gate.OnViolation]
        RETRY: _ClassVar[Gate.OnViolation]
        CONTINUE: _ClassVar[Gate.OnViolation]
    ON_VIOLATION_UNSPECIFIED: Gate.OnViolation
    FAIL: Gate.OnViolation
    RETRY: Gate.OnViolation
    CONTINUE: Gate.OnViolation
    NOT_EMPTY_FIELD_NUMBER: _ClassVar[int]
    JSON_FIELD_NUMBER: _ClassVar[int]
    JSON_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    REGEX_FIELD_NUMBER: _ClassVar[int]
    CEL_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ON_VIOLATION_FIELD_NUMBER: _ClassVar[int]
    not_empty: bool
    json: bool
    json_schema: _struct_pb2.Value
    regex: str
    cel: str
    length: Length
    range: Range
    message: str
    on_violation: Gate.OnViolation
    def __init__(self, not_empty: bool = ..., json: bool = ..., json_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., regex: _Optional[str] = ..., cel: _Optional[str] = ..., length: _Optional[_Union[Length, _Mapping]] = ..., range: _Optional[_Union[Range, _Mapping]] = ..., message: _Optional[str] = ..., on_violation: _Optional[_Union[Gate.OnViolation, str]] = ...) -> None: ...

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
