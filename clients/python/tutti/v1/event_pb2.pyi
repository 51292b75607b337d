import datetime

from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from tutti.v1 import execution_pb2 as _execution_pb2
from tutti.v1 import workflow_pb2 as _workflow_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(_message.Message):
    __slots__ = ("execution_id", "sequence", "time", "step", "execution_started", "execution_completed", "execution_failed", "execution_cancel_requested", "execution_cancelled", "execution_timed_out", "execution_retry_scheduled", "execution_retried", "execution_paused", "execution_resumed", "execution_compensating", "execution_parked", "execution_finalizing", "step_scheduled", "step_started", "step_completed", "step_failed", "step_retry_scheduled", "step_skipped", "step_cancelled", "gate_violated", "branch_chosen", "step_compensated", "step_caught", "step_cached", "call_fell_back", "mark_set", "items_begun", "iteration_begun", "state_changed", "wait_begun", "child_started", "child_ended", "compensation_failed", "items_listed", "step_compensating", "review_begun", "auxiliary_begun")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_STARTED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FAILED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_CANCEL_REQUESTED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_CANCELLED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_TIMED_OUT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_RETRY_SCHEDULED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_RETRIED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_PAUSED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_RESUMED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_COMPENSATING_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_PARKED_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FINALIZING_FIELD_NUMBER: _ClassVar[int]
    STEP_SCHEDULED_FIELD_NUMBER: _ClassVar[int]
    STEP_STARTED_FIELD_NUMBER: _ClassVar[int]
    STEP_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    STEP_FAILED_FIELD_NUMBER: _ClassVar[int]
    STEP_RETRY_SCHEDULED_FIELD_NUMBER: _ClassVar[int]
    STEP_SKIPPED_FIELD_NUMBER: _ClassVar[int]
    STEP_CANCELLED_FIELD_NUMBER: _ClassVar[int]
    GATE_VIOLATED_FIELD_NUMBER: _ClassVar[int]
    BRANCH_CHOSEN_FIELD_NUMBER: _ClassVar[int]
    STEP_COMPENSATED_FIELD_NUMBER: _ClassVar[int]
    STEP_CAUGHT_FIELD_NUMBER: _ClassVar[int]
    STEP_CACHED_FIELD_NUMBER: _ClassVar[int]
    CALL_FELL_BACK_FIELD_NUMBER: _ClassVar[int]
    MARK_SET_FIELD_NUMBER: _ClassVar[int]
    ITEMS_BEGUN_FIELD_NUMBER: _ClassVar[int]
    ITERATION_BEGUN_FIELD_NUMBER: _ClassVar[int]
    STATE_CHANGED_FIELD_NUMBER: _ClassVar[int]
    WAIT_BEGUN_FIELD_NUMBER: _ClassVar[int]
    CHILD_STARTED_FIELD_NUMBER: _ClassVar[int]
    CHILD_ENDED_FIELD_NUMBER: _ClassVar[int]
    COMPENSATION_FAILED_FIELD_NUMBER: _ClassVar[int]
    ITEMS_LISTED_FIELD_NUMBER: _ClassVar[int]
    STEP_COMPENSATING_FIELD_NUMBER: _ClassVar[int]
    REVIEW_BEGUN_FIELD_NUMBER: _ClassVar[int]
    AUXILIARY_BEGUN_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    sequence: int
    time: _timestamp_pb2.Timestamp
    step: str
    execution_started: ExecutionStarted
    execution_completed: ExecutionCompleted
    execution_failed: ExecutionFailed
    execution_cancel_requested: ExecutionCancelRequested
    execution_cancelled: ExecutionCancelled
    execution_timed_out: ExecutionTimedOut
    execution_retry_scheduled: ExecutionRetryScheduled
    execution_retried: ExecutionRetried
    execution_paused: ExecutionPaused
    execution_resumed: ExecutionResumed
    execution_compensating: ExecutionCompensating
    execution_parked: ExecutionParked
    execution_finalizing: ExecutionFinalizing
    step_scheduled: StepScheduled
    step_started: StepStarted
    step_completed: StepCompleted
    step_failed: StepFailed
    step_retry_scheduled: StepRetryScheduled
    step_skipped: StepSkipped
    step_cancelled: StepCancelled
    gate_violated: GateViolated
    branch_chosen: BranchChosen
    step_compensated: StepCompensated
    step_caught: StepCaught
    step_cached: StepCached
    call_fell_back: CallFellBack
    mark_set: MarkSet
    items_begun: ItemsBegun
    iteration_begun: IterationBegun
    state_changed: StateChanged
    wait_begun: WaitBegun
    child_started: ChildStarted
    child_ended: ChildEnded
    compensation_failed: CompensationFailed
    items_listed: ItemsListed
    step_compensating: StepCompensating
    review_begun: ReviewBegun
    auxiliary_begun: AuxiliaryBegun
    def __init__(self, execution_id: _Optional[str] = ..., sequence: _Optional[int] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., step: _Optional[str] = ..., execution_started: _Optional[_Union[ExecutionStarted, _Mapping]] = ..., execution_completed: _Optional[_Union[ExecutionCompleted, _Mapping]] = ..., execution_failed: _Optional[_Union[ExecutionFailed, _Mapping]] = ..., execution_cancel_requested: _Optional[_Union[ExecutionCancelRequested, _Mapping]] = ..., execution_cancelled: _Optional[_Union[ExecutionCancelled, _Mapping]] = ..., execution_timed_out: _Optional[_Union[ExecutionTimedOut, _Mapping]] = ..., execution_retry_scheduled: _Optional[_Union[ExecutionRetryScheduled, _Mapping]] = ..., execution_retried: _Optional[_Union[ExecutionRetried, _Mapping]] = ..., execution_paused: _Optional[_Union[ExecutionPaused, _Mapping]] = ..., execution_resumed: _Optional[_Union[ExecutionResumed, _Mapping]] = ..., execution_compensating: _Optional[_Union[ExecutionCompensating, _Mapping]] = ..., execution_parked: _Optional[_Union[ExecutionParked, _Mapping]] = ..., execution_finalizing: _Optional[_Union[ExecutionFinalizing, _Mapping]] = ..., step_scheduled: _Optional[_Union[StepScheduled, _Mapping]] = ..., step_started: _Optional[_Union[StepStarted, _Mapping]] = ..., step_completed: _Optional[_Union[StepCompleted, _Mapping]] = ..., step_failed: _Optional[_Union[StepFailed, _Mapping]] = ..., step_retry_scheduled: _Optional[_Union[StepRetryScheduled, _Mapping]] = ..., step_skipped: _Optional[_Union[StepSkipped, _Mapping]] = ..., step_cancelled: _Optional[_Union[StepCancelled, _Mapping]] = ..., gate_violated: _Optional[_Union[GateViolated, _Mapping]] = ..., branch_chosen: _Optional[_Union[BranchChosen, _Mapping]] = ..., step_compensated: _Optional[_Union[StepCompensated, _Mapping]] = ..., step_caught: _Optional[_Union[StepCaught, _Mapping]] = ..., step_cached: _Optional[_Union[StepCached, _Mapping]] = ..., call_fell_back: _Optional[_Union[CallFellBack, _Mapping]] = ..., mark_set: _Optional[_Union[MarkSet, _Mapping]] = ..., items_begun: _Optional[_Union[ItemsBegun, _Mapping]] = ..., iteration_begun: _Optional[_Union[IterationBegun, _Mapping]] = ..., state_changed: _Optional[_Union[StateChanged, _Mapping]] = ..., wait_begun: _Optional[_Union[WaitBegun, _Mapping]] = ..., child_started: _Optional[_Union[ChildStarted, _Mapping]] = ..., child_ended: _Optional[_Union[ChildEnded, _Mapping]] = ..., compensation_failed: _Optional[_Union[CompensationFailed, _Mapping]] = ..., items_listed: _Optional[_Union[ItemsListed, _Mapping]] = ..., step_compensating: _Optional[_Union[StepCompensating, _Mapping]] = ..., review_begun: _Optional[_Union[ReviewBegun, _Mapping]] = ..., auxiliary_begun: _Optional[_Union[AuxiliaryBegun, _Mapping]] = ...) -> None: ...

class ExecutionStarted(_message.Message):
    __slots__ = ("namespace", "workflow", "version", "definition", "input", "variables", "labels", "request_id", "deadline", "parent", "agents")
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
        value: KnownAgent
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[KnownAgent, _Mapping]] = ...) -> None: ...
    NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    AGENTS_FIELD_NUMBER: _ClassVar[int]
    namespace: str
    workflow: str
    version: int
    definition: _workflow_pb2.Workflow
    input: _struct_pb2.Value
    variables: _struct_pb2.Struct
    labels: _containers.ScalarMap[str, str]
    request_id: str
    deadline: _timestamp_pb2.Timestamp
    parent: _execution_pb2.Parent
    agents: _containers.MessageMap[str, KnownAgent]
    def __init__(self, namespace: _Optional[str] = ..., workflow: _Optional[str] = ..., version: _Optional[int] = ..., definition: _Optional[_Union[_workflow_pb2.Workflow, _Mapping]] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., variables: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., request_id: _Optional[str] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parent: _Optional[_Union[_execution_pb2.Parent, _Mapping]] = ..., agents: _Optional[_Mapping[str, KnownAgent]] = ...) -> None: ...

class KnownAgent(_message.Message):
    __slots__ = ("description", "input_schema", "skills")
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    INPUT_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SKILLS_FIELD_NUMBER: _ClassVar[int]
    description: str
    input_schema: _struct_pb2.Value
    skills: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, description: _Optional[str] = ..., input_schema: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., skills: _Optional[_Iterable[str]] = ...) -> None: ...

class ExecutionCompleted(_message.Message):
    __slots__ = ("output",)
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    output: _struct_pb2.Value
    def __init__(self, output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...

class ExecutionFailed(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: _execution_pb2.Error
    def __init__(self, error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ...) -> None: ...

class ExecutionCancelRequested(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class ExecutionCancelled(_message.Message):
    __slots__ = ("reason", "terminated")
    REASON_FIELD_NUMBER: _ClassVar[int]
    TERMINATED_FIELD_NUMBER: _ClassVar[int]
    reason: str
    terminated: bool
    def __init__(self, reason: _Optional[str] = ..., terminated: bool = ...) -> None: ...

class ExecutionTimedOut(_message.Message):
    __slots__ = ("error",)
    ERROR_FIELD_NUMBER: _ClassVar[int]
    error: _execution_pb2.Error
    def __init__(self, error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ...) -> None: ...

class ExecutionRetryScheduled(_message.Message):
    __slots__ = ("attempt", "due_time", "error")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    due_time: _timestamp_pb2.Timestamp
    error: _execution_pb2.Error
    def __init__(self, attempt: _Optional[int] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ...) -> None: ...

class ExecutionRetried(_message.Message):
    __slots__ = ("attempt",)
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    def __init__(self, attempt: _Optional[int] = ...) -> None: ...

class ExecutionPaused(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class ExecutionResumed(_message.Message):
    __slots__ = ("reason", "variables")
    REASON_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    reason: str
    variables: _struct_pb2.Struct
    def __init__(self, reason: _Optional[str] = ..., variables: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class ExecutionCompensating(_message.Message):
    __slots__ = ("error", "state")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    error: _execution_pb2.Error
    state: _execution_pb2.Execution.State
    def __init__(self, error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ..., state: _Optional[_Union[_execution_pb2.Execution.State, str]] = ...) -> None: ...

class ExecutionFinalizing(_message.Message):
    __slots__ = ("state", "output", "error", "reason", "deadline")
    STATE_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    state: _execution_pb2.Execution.State
    output: _struct_pb2.Value
    error: _execution_pb2.Error
    reason: str
    deadline: _timestamp_pb2.Timestamp
    def __init__(self, state: _Optional[_Union[_execution_pb2.Execution.State, str]] = ..., output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ..., reason: _Optional[str] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExecutionParked(_message.Message):
    __slots__ = ("error", "whole")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    error: _execution_pb2.Error
    whole: bool
    def __init__(self, error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ..., whole: bool = ...) -> None: ...

class StepScheduled(_message.Message):
    __slots__ = ("attempt", "agent", "skill", "input", "queue_deadline", "total_deadline", "gathered", "given_item", "role", "context", "cache_key", "fairness_key", "sticky_key")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    SKILL_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    GATHERED_FIELD_NUMBER: _ClassVar[int]
    GIVEN_ITEM_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    FAIRNESS_KEY_FIELD_NUMBER: _ClassVar[int]
    STICKY_KEY_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    agent: str
    skill: str
    input: _struct_pb2.Value
    queue_deadline: _timestamp_pb2.Timestamp
    total_deadline: _timestamp_pb2.Timestamp
    gathered: Gathered
    given_item: bool
    role: str
    context: _struct_pb2.Value
    cache_key: str
    fairness_key: str
    sticky_key: str
    def __init__(self, attempt: _Optional[int] = ..., agent: _Optional[str] = ..., skill: _Optional[str] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., queue_deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., total_deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., gathered: _Optional[_Union[Gathered, _Mapping]] = ..., given_item: bool = ..., role: _Optional[str] = ..., context: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., cache_key: _Optional[str] = ..., fairness_key: _Optional[str] = ..., sticky_key: _Optional[str] = ...) -> None: ...

class Gathered(_message.Message):
    __slots__ = ("field", "path", "count")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    field: str
    path: str
    count: int
    def __init__(self, field: _Optional[str] = ..., path: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class StepStarted(_message.Message):
    __slots__ = ("attempt", "worker_id", "agent", "lease", "deadline", "input", "total_deadline", "cache_key")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    AGENT_FIELD_NUMBER: _ClassVar[int]
    LEASE_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    worker_id: str
    agent: str
    lease: int
    deadline: _timestamp_pb2.Timestamp
    input: _struct_pb2.Value
    total_deadline: _timestamp_pb2.Timestamp
    cache_key: str
    def __init__(self, attempt: _Optional[int] = ..., worker_id: _Optional[str] = ..., agent: _Optional[str] = ..., lease: _Optional[int] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., total_deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cache_key: _Optional[str] = ...) -> None: ...

class StepCompleted(_message.Message):
    __slots__ = ("attempt", "output", "saved", "usage", "exit")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SAVED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    EXIT_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    output: _struct_pb2.Value
    saved: _struct_pb2.Struct
    usage: _execution_pb2.Usage
    exit: _execution_pb2.StepExecution.Exit
    def __init__(self, attempt: _Optional[int] = ..., output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., saved: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., usage: _Optional[_Union[_execution_pb2.Usage, _Mapping]] = ..., exit: _Optional[_Union[_execution_pb2.StepExecution.Exit, str]] = ...) -> None: ...

class StepFailed(_message.Message):
    __slots__ = ("attempt", "error", "tolerated", "usage")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    TOLERATED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    error: _execution_pb2.Error
    tolerated: bool
    usage: _execution_pb2.Usage
    def __init__(self, attempt: _Optional[int] = ..., error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ..., tolerated: bool = ..., usage: _Optional[_Union[_execution_pb2.Usage, _Mapping]] = ...) -> None: ...

class StepRetryScheduled(_message.Message):
    __slots__ = ("attempt", "due_time", "error", "usage")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    due_time: _timestamp_pb2.Timestamp
    error: _execution_pb2.Error
    usage: _execution_pb2.Usage
    def __init__(self, attempt: _Optional[int] = ..., due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ..., usage: _Optional[_Union[_execution_pb2.Usage, _Mapping]] = ...) -> None: ...

class StepSkipped(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class StepCancelled(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class GateViolated(_message.Message):
    __slots__ = ("before", "index", "message")
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    before: bool
    index: int
    message: str
    def __init__(self, before: bool = ..., index: _Optional[int] = ..., message: _Optional[str] = ...) -> None: ...

class BranchChosen(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: int
    def __init__(self, index: _Optional[int] = ...) -> None: ...

class ReviewBegun(_message.Message):
    __slots__ = ("value", "before", "attempt", "written", "usage", "exit", "context")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    WRITTEN_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    EXIT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    value: _struct_pb2.Value
    before: bool
    attempt: int
    written: _struct_pb2.Struct
    usage: _execution_pb2.Usage
    exit: _execution_pb2.StepExecution.Exit
    context: _struct_pb2.Value
    def __init__(self, value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., before: bool = ..., attempt: _Optional[int] = ..., written: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., usage: _Optional[_Union[_execution_pb2.Usage, _Mapping]] = ..., exit: _Optional[_Union[_execution_pb2.StepExecution.Exit, str]] = ..., context: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...

class AuxiliaryBegun(_message.Message):
    __slots__ = ("call", "violations", "total_deadline")
    CALL_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DEADLINE_FIELD_NUMBER: _ClassVar[int]
    call: str
    violations: _containers.RepeatedScalarFieldContainer[str]
    total_deadline: _timestamp_pb2.Timestamp
    def __init__(self, call: _Optional[str] = ..., violations: _Optional[_Iterable[str]] = ..., total_deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class StepCompensating(_message.Message):
    __slots__ = ("error", "retried")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    RETRIED_FIELD_NUMBER: _ClassVar[int]
    error: _execution_pb2.Error
    retried: bool
    def __init__(self, error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ..., retried: bool = ...) -> None: ...

class StepCompensated(_message.Message):
    __slots__ = ("output", "usage")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    output: _struct_pb2.Value
    usage: _execution_pb2.Usage
    def __init__(self, output: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., usage: _Optional[_Union[_execution_pb2.Usage, _Mapping]] = ...) -> None: ...

class CompensationFailed(_message.Message):
    __slots__ = ("error", "usage")
    ERROR_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    error: _execution_pb2.Error
    usage: _execution_pb2.Usage
    def __init__(self, error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ..., usage: _Optional[_Union[_execution_pb2.Usage, _Mapping]] = ...) -> None: ...

class StepCaught(_message.Message):
    __slots__ = ("index", "error", "attempt", "usage")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    index: int
    error: _execution_pb2.Error
    attempt: int
    usage: _execution_pb2.Usage
    def __init__(self, index: _Optional[int] = ..., error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ..., attempt: _Optional[int] = ..., usage: _Optional[_Union[_execution_pb2.Usage, _Mapping]] = ...) -> None: ...

class StepCached(_message.Message):
    __slots__ = ("key", "execution_id", "input")
    KEY_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    key: str
    execution_id: str
    input: _struct_pb2.Value
    def __init__(self, key: _Optional[str] = ..., execution_id: _Optional[str] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...

class CallFellBack(_message.Message):
    __slots__ = ("index", "error", "usage")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    index: int
    error: _execution_pb2.Error
    usage: _execution_pb2.Usage
    def __init__(self, index: _Optional[int] = ..., error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ..., usage: _Optional[_Union[_execution_pb2.Usage, _Mapping]] = ...) -> None: ...

class MarkSet(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ItemsListed(_message.Message):
    __slots__ = ("items", "count")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    items: _struct_pb2.ListValue
    count: int
    def __init__(self, items: _Optional[_Union[_struct_pb2.ListValue, _Mapping]] = ..., count: _Optional[int] = ...) -> None: ...

class ItemsBegun(_message.Message):
    __slots__ = ("first", "count")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    first: int
    count: int
    def __init__(self, first: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class IterationBegun(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: int
    def __init__(self, index: _Optional[int] = ...) -> None: ...

class StateChanged(_message.Message):
    __slots__ = ("to", "input")
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    to: str
    input: _struct_pb2.Value
    def __init__(self, to: _Optional[str] = ..., input: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., **kwargs) -> None: ...

class WaitBegun(_message.Message):
    __slots__ = ("due_time",)
    DUE_TIME_FIELD_NUMBER: _ClassVar[int]
    due_time: _timestamp_pb2.Timestamp
    def __init__(self, due_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ChildStarted(_message.Message):
    __slots__ = ("execution_id", "workflow", "version")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    WORKFLOW_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    workflow: str
    version: int
    def __init__(self, execution_id: _Optional[str] = ..., workflow: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class ChildEnded(_message.Message):
    __slots__ = ("execution_id", "state", "error")
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    state: _execution_pb2.Execution.State
    error: _execution_pb2.Error
    def __init__(self, execution_id: _Optional[str] = ..., state: _Optional[_Union[_execution_pb2.Execution.State, str]] = ..., error: _Optional[_Union[_execution_pb2.Error, _Mapping]] = ...) -> None: ...
