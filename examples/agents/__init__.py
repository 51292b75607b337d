"""The agents of the examples. Each module has a table AGENTS: id to function, or to a function
and its skills."""

from __future__ import annotations

from tutti import Worker

from agents import batch, content, desk, documents, loan, medical, moderation, pipeline, research, thinking, triage

MODULES = [batch, content, desk, documents, loan, medical, moderation, pipeline, research, thinking, triage]
ALL = {id: agent for module in MODULES for id, agent in module.AGENTS.items()}


def worker(address: str) -> Worker:
    """A worker that serves all of them."""
    worker = Worker(address, max_concurrency=32)
    for id, agent in ALL.items():
        function, skills = agent if isinstance(agent, tuple) else (agent, ())
        description = (function.__doc__ or "").split("\n")[0]
        worker.agent(id, skills=skills, description=description)(function)
    return worker
