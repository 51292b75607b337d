"""Client and worker for Tutti, the durable orchestrator for AI agents.

`Client` starts and watches executions, `Worker` serves agents, `tutti.v1` is the whole API
as generated: `from tutti.v1 import workflow_pb2`.
"""

from tutti.client import Client, InvalidWorkflow
from tutti.errors import TaskError
from tutti.values import Json
from tutti.worker import TaskContext, Worker

__all__ = ["Client", "InvalidWorkflow", "Json", "TaskContext", "TaskError", "Worker"]
