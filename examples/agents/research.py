"""Research over a small library: what a web search would be, but the same each time."""

from __future__ import annotations

from typing import Any

from agents.text import keywords, sentences, words

LIBRARY = [
    {"source": "journal-of-imaging", "text": "Deep learning reads X-ray pictures as well as radiologists do. Hospitals use it to sort urgent pictures first."},
    {"source": "hospital-weekly", "text": "Nurses save two hours a day since notes are written by speech recognition. Costs of the system were recovered in a year."},
    {"source": "law-review", "text": "Regulation of medical software asks for an explanation of each decision. Patients must agree before their data train a model."},
    {"source": "drug-discovery-letters", "text": "Models propose molecules for new drugs in days. Trials with people still take years."},
    {"source": "solar-today", "text": "Solar panels became cheaper by ninety percent in ten years. Storage is now the larger part of the costs."},
    {"source": "grid-report", "text": "Wind and solar need storage to balance the grid. Batteries answer within milliseconds."},
]
ASPECTS = ["benefits", "costs", "regulation"]


def plan(input: Any) -> dict[str, Any]:
    """Turns a topic into searches, one an aspect."""
    topic = input["topic"] if isinstance(input, dict) else input
    items = [{"query": f"{topic} {aspect}", "information_type": aspect} for aspect in ASPECTS]
    return {"topic": topic, "search_items": items}


def search(input: dict[str, str]) -> list[dict[str, str]]:
    """Gives the two texts that share most words with the query."""
    asked = {word[:5] for word in words(input["query"])}
    hits = [(len(asked & {word[:5] for word in words(text["text"])}), text) for text in LIBRARY]
    best = sorted((hit for hit in hits if hit[0]), key=lambda hit: -hit[0])
    return [text for _, text in best[:2]]


def research_topic(input: dict[str, str]) -> dict[str, Any]:
    """Gathers what the library has on a topic."""
    found = search({"query": input["topic"]})
    facts = [sentence for text in found for sentence in sentences(text["text"])]
    return {"topic": input["topic"], "facts": facts, "sources": [text["source"] for text in found]}


def report(input: dict[str, Any]) -> dict[str, Any]:
    """Writes a report in Markdown out of findings."""
    topic, findings = input["topic"], input["findings"]
    sources = sorted({text["source"] for texts in findings for text in texts})
    parts = [f"# {topic}"]
    for item, texts in zip(input["items"], findings):
        parts.append(f"## {item['information_type'].title()}")
        parts += [text["text"] for text in texts] or ["Nothing was found."]
    summary = f"{len(sources)} sources on {topic}: {', '.join(keywords(' '.join(parts), 3))}."
    return {"title": topic, "summary": summary, "content": "\n\n".join(parts), "sources": sources}


AGENTS = {
    "research-planner": plan,
    "web-search": (search, ["search"]),
    "research-agent": (research_topic, ["research_topic"]),
    "report-writer": report,
}
