"""Support desks, each with a memory of its own: a conversation is known only where it was held."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.text import words


def desk(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A desk that remembers what was said to it."""
    memory: dict[str, list[str]] = {}

    def answer(input: dict[str, Any]) -> dict[str, Any]:
        """Answers a message out of what was said before in the same session."""
        said = memory.setdefault(input["session"], [])
        known = {word for message in said for word in words(message)}
        again = sorted(set(words(input["message"])) & known)
        said.append(input["message"])
        return {"desk": name, "message": len(said), "again": again}

    return answer


AGENTS = {name: (desk(name), ["customer-support"]) for name in ("desk-1", "desk-2", "desk-3")}
