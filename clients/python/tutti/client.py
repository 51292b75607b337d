"""The client: starts, follows and ends executions, registers workflows."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Union

import grpc

from tutti.backoff import Patience
from tutti.channel import open_channel
from tutti.v1 import (
    agent_service_pb2_grpc,
    execution_pb2,
    execution_service_pb2,
    execution_service_pb2_grpc,
    system_service_pb2_grpc,
    worker_service_pb2_grpc,
    workflow_pb2,
    workflow_service_pb2,
    workflow_service_pb2_grpc,
)
from tutti.values import Json, to_dict, to_value

Definition = Union[Mapping[str, Any], str, Path]
"""A workflow: a dict, the text of a YAML or JSON file, or the path of one."""

_ENDED = {
    execution_pb2.Execution.COMPLETED,
    execution_pb2.Execution.FAILED,
    execution_pb2.Execution.CANCELLED,
    execution_pb2.Execution.TIMED_OUT,
}
_SUFFIXES = (".yaml", ".yml", ".json")


class InvalidWorkflow(ValueError):
    """A definition that cannot be run; `findings` says why."""

    def __init__(self, findings: list[dict[str, Any]]) -> None:
        self.findings = findings
        super().__init__("; ".join(_told(finding) for finding in findings))


def _told(finding: dict[str, Any]) -> str:
    hint = f" ({finding['hint']})" if finding["hint"] else ""
    return f"{finding['path'] or 'workflow'}: {finding['message']}{hint}"


class Client:
    """A connection to a server. Comes back by itself after it broke.

        async with Client("127.0.0.1:7420") as client:
            execution = await client.run("hello", {"name": "Ada"})
            print(execution["state"], execution["output"])

    Calls raise `grpc.aio.AioRpcError` with the code that the server gives. `start`, `run` and
    `watch` go on over a server out of reach for `patience` seconds; nothing is started twice.
    """

    def __init__(self, address: str, *, namespace: str = "", patience: float = 60.0) -> None:
        """Connects at the first call. Without `namespace` it is the server's default."""
        self.namespace = namespace
        self.patience = patience
        self.channel = open_channel(address)
        self.workflows = workflow_service_pb2_grpc.WorkflowServiceStub(self.channel)
        self.executions = execution_service_pb2_grpc.ExecutionServiceStub(self.channel)
        self.agents = agent_service_pb2_grpc.AgentServiceStub(self.channel)
        self.workers = worker_service_pb2_grpc.WorkerServiceStub(self.channel)
        self.system = system_service_pb2_grpc.SystemServiceStub(self.channel)

    @classmethod
    async def connect(
        cls, address: str, *, namespace: str = "", patience: float = 60.0, timeout: float = 5.0
    ) -> Client:
        """Returns a client that is connected, or raises ConnectionError after `timeout` seconds."""
        client = cls(address, namespace=namespace, patience=patience)
        try:
            await asyncio.wait_for(client.channel.channel_ready(), timeout)
        except asyncio.TimeoutError:
            await client.close()
            raise ConnectionError(f"cannot reach the server at {address}") from None
        return client

    async def close(self) -> None:
        """Ends the connection and the watches over it."""
        await self.channel.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def register_workflow(self, definition: Definition) -> dict[str, Any]:
        """Registers a definition and returns `{name, version, created, findings}`.

        INVALID_ARGUMENT tells every finding; nothing is registered then.
        """
        request = workflow_service_pb2.RegisterWorkflowRequest(
            namespace=self.namespace, source=source_of(definition)
        )
        return to_dict(await self.workflows.RegisterWorkflow(request))

    async def validate(self, definition: Definition) -> dict[str, Any]:
        """Checks a definition and returns `{valid, findings, graph, worst_case_calls, workflow}`."""
        return to_dict(await self._validate(definition))

    async def start(
        self,
        workflow: str | Mapping[str, Any],
        input: Json = None,
        *,
        version: int = 0,
        labels: Mapping[str, str] | None = None,
        request_id: str = "",
    ) -> str:
        """Starts an execution and returns its id once that is durable.

        `workflow` is the name of a registered one, or a definition to run without registering
        it. Under the same `request_id` and with the same arguments, the same execution is
        returned; left out, one is made up.
        """
        request = execution_service_pb2.StartExecutionRequest(
            **await self._start(workflow, input, version, labels, request_id)
        )
        patience = Patience(self.patience)
        while True:
            try:
                response = await self.executions.StartExecution(request)
                return str(response.execution_id)
            except grpc.aio.AioRpcError as error:
                await patience.after(error)

    async def run(
        self,
        workflow: str | Mapping[str, Any],
        input: Json = None,
        *,
        version: int = 0,
        labels: Mapping[str, str] | None = None,
        request_id: str = "",
    ) -> dict[str, Any]:
        """Starts an execution as `start` does, waits for its end, and returns it as `get` does.

        One that failed is returned as well: see its `state` and `error`.
        """
        request = execution_service_pb2.RunExecutionRequest(
            **await self._start(workflow, input, version, labels, request_id)
        )
        patience = Patience(self.patience)
        while True:
            try:
                response = await self.executions.RunExecution(request)
                if response.execution.state in _ENDED:
                    return to_dict(response.execution)
                patience.reached()
            except grpc.aio.AioRpcError as error:
                if error.code() != grpc.StatusCode.DEADLINE_EXCEEDED:
                    await patience.after(error)

    async def get(self, execution_id: str) -> dict[str, Any]:
        """Returns an execution as it stands: `state`, `output`, `error`, `steps`, …"""
        request = execution_service_pb2.GetExecutionRequest(
            namespace=self.namespace, execution_id=execution_id
        )
        return to_dict((await self.executions.GetExecution(request)).execution)

    async def cancel(self, execution_id: str, reason: str = "") -> dict[str, Any]:
        """Asks an execution to end and returns it as it stands then."""
        request = execution_service_pb2.CancelExecutionRequest(
            namespace=self.namespace, execution_id=execution_id, reason=reason
        )
        return to_dict((await self.executions.CancelExecution(request)).execution)

    async def pause(self, execution_id: str, reason: str = "") -> dict[str, Any]:
        """Holds an execution: what is in progress goes on, nothing begins."""
        request = execution_service_pb2.PauseExecutionRequest(
            namespace=self.namespace, execution_id=execution_id, reason=reason
        )
        return to_dict((await self.executions.PauseExecution(request)).execution)

    async def resume(
        self,
        execution_id: str,
        reason: str = "",
        *,
        variables: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Lets an execution go on that is PAUSED: what failed is attempted again.

        `variables` are written into `vars` first.
        """
        request = execution_service_pb2.ResumeExecutionRequest(
            namespace=self.namespace, execution_id=execution_id, reason=reason
        )
        request.variables.update(variables or {})
        return to_dict((await self.executions.ResumeExecution(request)).execution)

    async def watch(
        self, execution_id: str, *, after_sequence: int = 0, chunks: bool = False
    ) -> AsyncIterator[dict[str, Any]]:
        """Yields the events of an execution, each once and in order, to its last one.

        Those of the past come first, from the one after `after_sequence`; broken connections
        are mended on the way. An event is a dict with `sequence`, `time`, `step`, and `kind`,
        which names its member that tells more: `event["kind"] == "step_completed"`. With
        `chunks`, provisional outputs come between: dicts of kind `chunk`.
        """
        patience = Patience(self.patience)
        while True:
            request = execution_service_pb2.WatchExecutionRequest(
                namespace=self.namespace, execution_id=execution_id, after_sequence=after_sequence
            )
            call = self.executions.WatchExecution(request)
            try:
                async for message in call:
                    patience.reached()
                    if message.HasField("chunk"):
                        if chunks:
                            yield {"kind": "chunk", **to_dict(message.chunk)}
                    elif message.event.sequence > after_sequence:
                        after_sequence = _next(after_sequence, message.event.sequence)
                        yield to_dict(message.event)
                return
            except grpc.aio.AioRpcError as error:
                await patience.after(error)
            finally:
                call.cancel()

    async def _start(
        self,
        workflow: str | Mapping[str, Any],
        input: Json,
        version: int,
        labels: Mapping[str, str] | None,
        request_id: str,
    ) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "namespace": self.namespace,
            "version": version,
            "input": to_value(input),
            "labels": labels,
            "request_id": request_id or str(uuid.uuid4()),
        }
        if isinstance(workflow, str):
            return {**fields, "workflow": workflow}
        return {**fields, "definition": await self._read(workflow)}

    async def _read(self, definition: Definition) -> workflow_pb2.Workflow:
        """Has the server read a definition: it reads what `register_workflow` reads."""
        response = await self._validate(definition)
        if not response.valid:
            raise InvalidWorkflow([to_dict(finding) for finding in response.findings])
        return response.workflow

    async def _validate(
        self, definition: Definition
    ) -> workflow_service_pb2.ValidateWorkflowResponse:
        request = workflow_service_pb2.ValidateWorkflowRequest(
            namespace=self.namespace, source=source_of(definition)
        )
        return await self.workflows.ValidateWorkflow(request)


def source_of(definition: Definition) -> str:
    """Returns the text of a definition. A string of one line that ends in .yaml, .yml or .json
    is the path of a file."""
    if isinstance(definition, Mapping):
        return json.dumps(definition, ensure_ascii=False)
    if isinstance(definition, Path):
        return definition.read_text(encoding="utf-8")
    if "\n" not in definition and definition.endswith(_SUFFIXES):
        return Path(definition).read_text(encoding="utf-8")
    return definition


def _next(last: int, sequence: int) -> int:
    if sequence != last + 1:
        raise RuntimeError(f"event {sequence} came instead of {last + 1}")
    return sequence
