import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from tutti.v1 import call_pb2 as _call_pb2
from tutti.v1 import pattern_pb2 as _pattern_pb2
from tutti.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Workflow(_message.Message):
    __slots__ = ("name", "description", "labels", "tags", "input_schema", "output_schema", "variables", "mode", "steps", "output", "max_parallel_steps", "timeout", "retry", "goal", "agents", "on_failure", "readiness", "initial", "max_transitions")
    class OnFailure(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ON_FAILURE_UNSPECIFIED: _ClassVar[Workflow.OnFailure]
        FAIL: _ClassVar[Workflow.OnFailure]
        COMPENSATE: _ClassVar[Workflow.OnFailure]
        PARK: _ClassVar[Workflow.OnFailure]
    ON_FAILURE_UNSPECIFIED: Workflow.OnFailure
    FAIL: Workflow.OnFailure
    COMPENSATE: Workflow.OnFailure
    PARK: Workflow.OnFailure
    class Readiness(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        READINESS_UNSPECIFIED: _ClassVar[Workflow.Readiness]
        WAIT: _ClassVar[Workflow.Readiness]
        REFUSE: _ClassVar[Workflow.Readiness]
    READINESS_UNSPECIFIED: Workflow.Readiness
    WAIT: Workflow.Readiness
    REFUSE: Workflow.Readiness
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class AgentsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Role
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Role, _Mapping]] = ...) -> None: ...
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
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    FINALLY_FIELD_NUMBER: _ClassVar[int]
    READINESS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_FIELD_NUMBER: _ClassVar[int]
    MAX_TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
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
    retry: _call_pb2.RetryPolicy
    goal: _containers.RepeatedCompositeFieldContainer[_policy_pb2.Gate]
    agents: _containers.MessageMap[str, Role]
    on_failure: Workflow.OnFailure
    readiness: Workflow.Readiness
    initial: str
    max_transitions: int
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., tags: _Optional[_Iterable[str]] = ..., input_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., output_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., variables: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., mode: _Optional[_Union[Block.Mode, str]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., max_parallel_steps: _Optional[int] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., retry: _Optional[_Union[_call_pb2.RetryPolicy, _Mapping]] = ..., goal: _Optional[_Iterable[_Union[_policy_pb2.Gate, _Mapping]]] = ..., agents: _Optional[_Mapping[str, Role]] = ..., on_failure: _Optional[_Union[Workflow.OnFailure, str]] = ..., readiness: _Optional[_Union[Workflow.Readiness, str]] = ..., initial: _Optional[str] = ..., max_transitions: _Optional[int] = ..., **kwargs) -> None: ...

class Role(_message.Message):
    __slots__ = ("agent", "skill", "context", "tools", "labels")
    class LabelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    AGENT_FIELD_NUMBER: _ClassVar[int]
    SKILL_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    agent: str
    skill: str
    context: _policy_pb2.Context
    tools: _containers.RepeatedScalarFieldContainer[str]
    labels: _containers.ScalarMap[str, str]
    def __init__(self, agent: _Optional[str] = ..., skill: _Optional[str] = ..., context: _Optional[_Union[_policy_pb2.Context, _Mapping]] = ..., tools: _Optional[_Iterable[str]] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("id", "name", "order", "depends_on", "when", "input", "output", "save", "timeout", "queue_timeout", "total_timeout", "retry", "on_error", "gates", "catch", "compensation", "cache", "context", "priority", "fairness_key", "mark", "next", "input_schema", "output_schema", "agent", "call", "block", "switch", "set", "each", "loop", "wait", "workflow", "restore", "saga", "map_reduce", "refine", "orchestrate", "react", "group_chat", "decompose", "generate")
    class OnError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ON_ERROR_UNSPECIFIED: _ClassVar[Step.OnError]
        FAIL: _ClassVar[Step.OnError]
        CONTINUE: _ClassVar[Step.OnError]
        PARK: _ClassVar[Step.OnError]
    ON_ERROR_UNSPECIFIED: Step.OnError
    FAIL: Step.OnError
    CONTINUE: Step.OnError
    PARK: Step.OnError
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
    CATCH_FIELD_NUMBER: _ClassVar[int]
    COMPENSATION_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    FAIRNESS_KEY_FIELD_NUMBER: _ClassVar[int]
    MARK_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    CALL_FIELD_NUMBER: _ClassVar[int]
    BLOCK_FIELD_NUMBER: _ClassVar[int]
    SWITCH_FIELD_NUMBER: _ClassVar[int]
    SET_FIELD_NUMBER: _ClassVar[int]
    EACH_FIELD_NUMBER: _ClassVar[int]
    LOOP_FIELD_NUMBER: _ClassVar[int]
    WAIT_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    RESTORE_FIELD_NUMBER: _ClassVar[int]
    SAGA_FIELD_NUMBER: _ClassVar[int]
    MAP_REDUCE_FIELD_NUMBER: _ClassVar[int]
    REFINE_FIELD_NUMBER: _ClassVar[int]
    ORCHESTRATE_FIELD_NUMBER: _ClassVar[int]
    REACT_FIELD_NUMBER: _ClassVar[int]
    GROUP_CHAT_FIELD_NUMBER: _ClassVar[int]
    DECOMPOSE_FIELD_NUMBER: _ClassVar[int]
    GENERATE_FIELD_NUMBER: _ClassVar[int]
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
    retry: _call_pb2.RetryPolicy
    on_error: Step.OnError
    gates: _policy_pb2.Gates
    catch: _containers.RepeatedCompositeFieldContainer[Catch]
    compensation: _call_pb2.PatternCall
    cache: _policy_pb2.Cache
    context: _policy_pb2.Context
    priority: int
    fairness_key: str
    mark: str
    next: _containers.RepeatedCompositeFieldContainer[Transition]
    input_schema: _struct_pb2.Value
    output_schema: _struct_pb2.Value
    agent: str
    call: _call_pb2.Call
    block: Block
    switch: Switch
    set: _struct_pb2.Struct
    each: Each
    loop: Loop
    wait: Wait
    workflow: Child
    restore: Restore
    saga: Saga
    map_reduce: _pattern_pb2.MapReduce
    refine: _pattern_pb2.Refine
    orchestrate: _pattern_pb2.Orchestrate
    react: _pattern_pb2.React
    group_chat: _pattern_pb2.GroupChat
    decompose: _pattern_pb2.Decompose
    generate: _call_pb2.PatternCall
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., order: _Optional[int] = ..., depends_on: _Optional[_Iterable[str]] = ..., when: _Optional[str] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., save: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., queue_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., retry: _Optional[_Union[_call_pb2.RetryPolicy, _Mapping]] = ..., on_error: _Optional[_Union[Step.OnError, str]] = ..., gates: _Optional[_Union[_policy_pb2.Gates, _Mapping]] = ..., catch: _Optional[_Iterable[_Union[Catch, _Mapping]]] = ..., compensation: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ..., cache: _Optional[_Union[_policy_pb2.Cache, _Mapping]] = ..., context: _Optional[_Union[_policy_pb2.Context, _Mapping]] = ..., priority: _Optional[int] = ..., fairness_key: _Optional[str] = ..., mark: _Optional[str] = ..., next: _Optional[_Iterable[_Union[Transition, _Mapping]]] = ..., input_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., output_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., agent: _Optional[str] = ..., call: _Optional[_Union[_call_pb2.Call, _Mapping]] = ..., block: _Optional[_Union[Block, _Mapping]] = ..., switch: _Optional[_Union[Switch, _Mapping]] = ..., set: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., each: _Optional[_Union[Each, _Mapping]] = ..., loop: _Optional[_Union[Loop, _Mapping]] = ..., wait: _Optional[_Union[Wait, _Mapping]] = ..., workflow: _Optional[_Union[Child, _Mapping]] = ..., restore: _Optional[_Union[Restore, _Mapping]] = ..., saga: _Optional[_Union[Saga, _Mapping]] = ..., map_reduce: _Optional[_Union[_pattern_pb2.MapReduce, _Mapping]] = ..., refine: _Optional[_Union[_pattern_pb2.Refine, _Mapping]] = ..., orchestrate: _Optional[_Union[_pattern_pb2.Orchestrate, _Mapping]] = ..., react: _Optional[_Union[_pattern_pb2.React, _Mapping]] = ..., group_chat: _Optional[_Union[_pattern_pb2.GroupChat, _Mapping]] = ..., decompose: _Optional[_Union[_pattern_pb2.Decompose, _Mapping]] = ..., generate: _Optional[_Union[_call_pb2.PatternCall, _Mapping]] = ...) -> None: ...

class Catch(_message.Message):
    __slots__ = ("classes", "when", "steps")
    CLASSES_FIELD_NUMBER: _ClassVar[int]
    WHEN_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    classes: _containers.RepeatedScalarFieldContainer[str]
    when: str
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    def __init__(self, classes: _Optional[_Iterable[str]] = ..., when: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ...) -> None: ...

class Transition(_message.Message):
    __slots__ = ("when", "to", "input")
    WHEN_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    when: str
    to: str
    input: _struct_pb2.Value
    def __init__(self, when: _Optional[str] = ..., to: _Optional[str] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...

class Block(_message.Message):
    __slots__ = ("mode", "steps", "max_parallel", "join", "initial", "max_transitions")
    class Mode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        MODE_UNSPECIFIED: _ClassVar[Block.Mode]
        SEQUENCE: _ClassVar[Block.Mode]
        PARALLEL: _ClassVar[Block.Mode]
        GRAPH: _ClassVar[Block.Mode]
        STATES: _ClassVar[Block.Mode]
    MODE_UNSPECIFIED: Block.Mode
    SEQUENCE: Block.Mode
    PARALLEL: Block.Mode
    GRAPH: Block.Mode
    STATES: Block.Mode
    MODE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    MAX_PARALLEL_FIELD_NUMBER: _ClassVar[int]
    JOIN_FIELD_NUMBER: _ClassVar[int]
    INITIAL_FIELD_NUMBER: _ClassVar[int]
    MAX_TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    mode: Block.Mode
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    max_parallel: int
    join: Join
    initial: str
    max_transitions: int
    def __init__(self, mode: _Optional[_Union[Block.Mode, str]] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., max_parallel: _Optional[int] = ..., join: _Optional[_Union[Join, _Mapping]] = ..., initial: _Optional[str] = ..., max_transitions: _Optional[int] = ...) -> None: ...

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

class Each(_message.Message):
    __slots__ = ("items", "steps", "max_parallel", "batch_size", "max_failures", "max_failure_share")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    MAX_PARALLEL_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILURES_FIELD_NUMBER: _ClassVar[int]
    MAX_FAILURE_SHARE_FIELD_NUMBER: _ClassVar[int]
    items: str
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    max_parallel: int
    batch_size: int
    max_failures: int
    max_failure_share: float
    def __init__(self, items: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., max_parallel: _Optional[int] = ..., batch_size: _Optional[int] = ..., max_failures: _Optional[int] = ..., max_failure_share: _Optional[float] = ...) -> None: ...

class Loop(_message.Message):
    __slots__ = ("until", "steps", "max_iterations")
    WHILE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    MAX_ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    until: str
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    max_iterations: int
    def __init__(self, until: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., max_iterations: _Optional[int] = ..., **kwargs) -> None: ...

class Wait(_message.Message):
    __slots__ = ("duration", "time", "first_of")
    DURATION_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    FIRST_OF_FIELD_NUMBER: _ClassVar[int]
    duration: _struct_pb2.Value
    time: _struct_pb2.Value
    first_of: _containers.RepeatedCompositeFieldContainer[Wait]
    def __init__(self, duration: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., time: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., first_of: _Optional[_Iterable[_Union[Wait, _Mapping]]] = ...) -> None: ...

class Child(_message.Message):
    __slots__ = ("name", "version", "detached")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DETACHED_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: int
    detached: bool
    def __init__(self, name: _Optional[str] = ..., version: _Optional[int] = ..., detached: bool = ...) -> None: ...

class Restore(_message.Message):
    __slots__ = ("to",)
    TO_FIELD_NUMBER: _ClassVar[int]
    to: str
    def __init__(self, to: _Optional[str] = ...) -> None: ...

class Saga(_message.Message):
    __slots__ = ("steps",)
    STEPS_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    def __init__(self, steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ...) -> None: ...
