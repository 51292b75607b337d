from tutti.v1 import call_pb2 as _call_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MapReduce(_message.Message):
    __slots__ = ("items", "map", "reduce", "max_parallel", "batch_size", "max_failures", "max_failure_share")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAP_FIELD_NUMBER: _ClassVar[int]
    REDUCE_FIELD_NUMBER: _ClassVar[int]
    MAX_PARALLEL_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILURES_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILURE_SHARE_FIELD_NUMBER: _ClassVar[int]
    items: str
    map: _call_pb2.PatternCall
    reduce: _call_pb2.PatternCall
    max_parallel: int
    batch_size: int
    max_failures: int
    max_failure_share: float
    def __init__(self, items: _Optional[str] = ..., map: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., reduce: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., max_parallel: _Optional[int] = ..., batch_size: _Optional[int] = ..., max_failures: _Optional[int] = ..., max_failure_share: _Optional[float] = ...) -> None: ...

class Refine(_message.Message):
    __slots__ = ("draft", "review", "until", "revise", "max_rounds")
    DRAFT_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    REVISE_FIELD_NUMBER: _ClassVar[int]
    MAX_ROUNDS_FIELD_NUMBER: _ClassVar[int]
    draft: _call_pb2.PatternCall
    review: _call_pb2.PatternCall
    until: str
    revise: _call_pb2.PatternCall
    max_rounds: int
    def __init__(self, draft: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., review: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., until: _Optional[str] = ..., revise: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., max_rounds: _Optional[int] = ...) -> None: ...

class Orchestrate(_message.Message):
    __slots__ = ("plan", "allow", "max_parallel", "max_tasks", "synthesis", "max_rounds")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    ALLOW_FIELD_NUMBER: _ClassVar[int]
    MAX_PARALLEL_FIELD_NUMBER: _ClassVar[int]
    MAX_TASKS_FIELD_NUMBER: _ClassVar[int]
    SYNTHESIS_FIELD_NUMBER: _ClassVar[int]
    MAX_ROUNDS_FIELD_NUMBER: _ClassVar[int]
    plan: _call_pb2.PatternCall
    allow: _containers.RepeatedScalarFieldContainer[str]
    max_parallel: int
    max_tasks: int
    synthesis: _call_pb2.PatternCall
    max_rounds: int
    def __init__(self, plan: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., allow: _Optional[_Iterable[str]] = ..., max_parallel: _Optional[int] = ..., max_tasks: _Optional[int] = ..., synthesis: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., max_rounds: _Optional[int] = ...) -> None: ...

class React(_message.Message):
    __slots__ = ("reason", "tools", "max_iterations")
    REASON_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    MAX_ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    reason: _call_pb2.PatternCall
    tools: _containers.RepeatedCompositeFieldContainer[_call_pb2.PatternCall]
    max_iterations: int
    def __init__(self, reason: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., tools: _Optional[_Iterable[_Union[_call_pb2.PatternCall, _Mapping]]] = ..., max_iterations: _Optional[int] = ...) -> None: ...

class GroupChat(_message.Message):
    __slots__ = ("participants", "manager", "speaker", "max_rounds", "until", "vote", "judge")
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    MANAGER_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    MAX_ROUNDS_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    participants: _containers.RepeatedCompositeFieldContainer[_call_pb2.PatternCall]
    manager: _call_pb2.PatternCall
    speaker: str
    max_rounds: int
    until: str
    vote: Vote
    judge: _call_pb2.PatternCall
    def __init__(self, participants: _Optional[_Iterable[_Union[_call_pb2.PatternCall, _Mapping]]] = ..., manager: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., speaker: _Optional[str] = ..., max_rounds: _Optional[int] = ..., until: _Optional[str] = ..., vote: _Optional[_Union[Vote, _Mapping]] = ..., judge: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ...) -> None: ...

class Vote(_message.Message):
    __slots__ = ("rule", "options")
    class Rule(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        RULE_UNSPECIFIED: _ClassVar[Vote.Rule]
        MAJORITY: _ClassVar[Vote.Rule]
        UNANIMOUS: _ClassVar[Vote.Rule]
        WEIGHTED: _ClassVar[Vote.Rule]
    RULE_UNSPECIFIED: Vote.Rule
    MAJORITY: Vote.Rule
    UNANIMOUS: Vote.Rule
    WEIGHTED: Vote.Rule
    RULE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    rule: Vote.Rule
    options: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, rule: _Optional[_Union[Vote.Rule, str]] = ..., options: _Optional[_Iterable[str]] = ...) -> None: ...

class Decompose(_message.Message):
    __slots__ = ("simple", "decompose", "solve", "combine", "max_depth", "max_calls")
    SIMPLE_FIELD_NUMBER: _ClassVar[int]
    DECOMPOSE_FIELD_NUMBER: _ClassVar[int]
    SOLVE_FIELD_NUMBER: _ClassVar[int]
    COMBINE_FIELD_NUMBER: _ClassVar[int]
    MAX_DEPTH_FIELD_NUMBER: _ClassVar[int]
    MAX_CALLS_FIELD_NUMBER: _ClassVar[int]
    simple: str
    decompose: _call_pb2.PatternCall
    solve: _call_pb2.PatternCall
    combine: _call_pb2.PatternCall
    max_depth: int
    max_calls: int
    def __init__(self, simple: _Optional[str] = ..., decompose: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., solve: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., combine: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., max_depth: _Optional[int] = ..., max_calls: _Optional[int] = ...) -> None: ...
