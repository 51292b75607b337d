"""Batches of records."""

from __future__ import annotations

from typing import Any

from tutti import TaskError


def process(batch: list[dict[str, Any]]) -> dict[str, Any]:
    """Adds up a batch of amounts; a batch with a record that has none fails as a whole."""
    for record in batch:
        if not isinstance(record.get("amount"), (int, float)):
            raise TaskError("validation", f"record {record.get('id')} has no amount")
    return {"records": len(batch), "amount": sum(record["amount"] for record in batch)}


def summarise(batches: list[dict[str, Any] | None]) -> dict[str, Any]:
    """Adds the batches up; those that failed are missing."""
    done = [batch for batch in batches if batch]
    return {
        "batches": len(done),
        "failed": len(batches) - len(done),
        "records": sum(batch["records"] for batch in done),
        "amount": sum(batch["amount"] for batch in done),
    }


AGENTS = {"batch-processor-agent": process, "batch-summary-agent": summarise}
