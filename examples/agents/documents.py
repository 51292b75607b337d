"""A document department: what a document is, what stands in it, and where it goes."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from tutti import TaskError

MARKS = {
    "invoice": ["invoice", "total", "due"],
    "contract": ["agreement", "party", "term"],
    "resume": ["experience", "education", "skills"],
}


def classify(batch: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Says what each document of a batch is, and how sure that is."""
    return [{**document, **kind(document["text"])} for document in batch]


def kind(text: str) -> dict[str, Any]:
    said = text.lower()
    shares = {name: sum(mark in said for mark in marks) / len(marks) for name, marks in MARKS.items()}
    best = max(shares, key=lambda name: shares[name])
    return {"type": best if shares[best] > 0.3 else "other", "confidence": round(shares[best], 2)}


def fields(patterns: dict[str, str]):
    """An extractor: each pattern's first group, where it is found."""

    def extract(document: dict[str, Any]) -> dict[str, Any]:
        """Reads the fields that such a document has."""
        found = {name: re.search(pattern, document["text"], re.I) for name, pattern in patterns.items()}
        values = {name: match.group(1).strip() for name, match in found.items() if match}
        return {"id": document["id"], "type": document["type"], "fields": values}

    return extract


def check(input: dict[str, Any]) -> dict[str, Any]:
    """Holds a record against the rules of the business: 1 when all is there and well-formed."""
    record = input["draft"]
    problems = [f"{name} is not in its plain form" for name, value in record["fields"].items() if value != plain(value)]
    if not record["fields"]:
        problems.append("no field was found")
    return {"score": round(1 - 0.25 * len(problems), 2), "problems": problems}


def enrich(input: dict[str, Any]) -> dict[str, Any]:
    """Mends the first field that a review found fault with."""
    record = input["draft"]
    for name, value in record["fields"].items():
        if value != plain(value):
            return {**record, "fields": {**record["fields"], name: plain(value)}}
    return record


def plain(value: str) -> str:
    """A value without currency signs, thousands separators and double spaces."""
    return re.sub(r"\s+", " ", re.sub(r"[€$]|(?<=\d),(?=\d{3})", "", value)).strip()


def number(kind: str, record: Any) -> str:
    return f"{kind}-{hashlib.sha256(repr(record).encode()).hexdigest()[:6]}"


def store(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Writes records into the database."""
    return {"transaction": number("TX", records), "rows": len(records)}


def unstore(input: dict[str, Any]) -> dict[str, Any]:
    """Rolls a transaction back."""
    return {"rolled_back": input["transaction"]}


def index(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Makes records findable."""
    return {"index": number("IX", records), "terms": sum(len(record["fields"]) for record in records)}


def unindex(input: dict[str, Any]) -> dict[str, Any]:
    """Takes an index entry out again."""
    return {"removed": input["index"]}


def notify(input: dict[str, Any]) -> dict[str, Any]:
    """Tells those downstream, who may refuse."""
    if input.get("downstream") == "refuses":
        raise TaskError("refused", "downstream does not take documents today")
    return {"notified": ["accounting", "archive"], "records": len(input["records"])}


AGENTS = {
    "document-classifier": (classify, ["document_categorization"]),
    "invoice-extractor": fields({"number": r"invoice (?:no\.? )?(\S+)", "total": r"total:? ([^\n]+)", "due": r"due:? ([^\n]+)"}),
    "contract-extractor": fields({"parties": r"between (.+?) \(", "term": r"term:? ([^\n]+)"}),
    "resume-extractor": fields({"name": r"^([A-Z][a-z]+ [A-Z][a-z]+)", "skills": r"skills:? ([^\n]+)"}),
    "other-extractor": fields({"title": r"^([^\n]+)"}),
    "data-validator": (check, ["quality_assurance"]),
    "data-enricher": enrich,
    "database-connector": (store, ["data_integration"]),
    "database-rollback": unstore,
    "search-indexer": index,
    "search-unindexer": unindex,
    "workflow-trigger": notify,
}
