"""A customer service desk: what an inquiry is about, how urgent it is, and what is answered."""

from __future__ import annotations

from typing import Any

from agents.text import words

TOPICS = {
    "technical": {"error", "crash", "crashes", "bug", "login", "password", "install", "slow", "app", "sync"},
    "billing": {"invoice", "charge", "charged", "refund", "payment", "price", "subscription", "twice", "card"},
}
URGENT = {"urgent", "immediately", "asap", "outage", "down", "lost", "production", "now", "angry"}
CUSTOMERS = {
    "C-1001": {"name": "Ada Byron", "since": 2019, "tier": "gold", "open_invoices": ["INV-771", "INV-772"]},
    "C-1002": {"name": "Alan Kay", "since": 2024, "tier": "free", "open_invoices": []},
}


def classify(inquiry: str) -> dict[str, Any]:
    """Says what an inquiry is about, by the words of each topic it uses."""
    said = set(words(inquiry))
    hits = {topic: sorted(said & terms) for topic, terms in TOPICS.items()}
    topics = [topic for topic, found in hits.items() if found] or ["general"]
    return {"topics": topics, "evidence": {topic: found for topic, found in hits.items() if found}}


def urgency(input: dict[str, Any]) -> dict[str, Any]:
    """Says how urgent an inquiry is: by its words, and by who asks."""
    found = sorted(set(words(input["inquiry"])) & URGENT)
    gold = CUSTOMERS.get(input["customer"], {}).get("tier") == "gold"
    score = len(found) + int(gold) + input["inquiry"].count("!")
    return {"level": "high" if score >= 2 else "normal", "score": score, "evidence": found}


def history(customer: str) -> dict[str, Any]:
    """Looks a customer up."""
    return {"customer": customer, **CUSTOMERS.get(customer, {"name": "a new customer", "tier": "free", "open_invoices": []})}


def respond(input: dict[str, Any]) -> dict[str, Any]:
    """Drafts an answer out of what is known."""
    name = input["history"]["name"].split()[0]
    lines = [f"Dear {name},"]
    if "technical" in input["topics"]:
        lines.append("we have reproduced what you describe and an engineer looks into it.")
    if "billing" in input["topics"]:
        lines.append("we are checking your invoices and come back to you within a day.")
    if input["topics"] == ["general"]:
        lines.append("thank you for writing to us.")
    return {"text": " ".join(lines)}


def technical_review(inquiry: str) -> dict[str, Any]:
    """Names the part of the product that an inquiry is about."""
    said = set(words(inquiry))
    parts = {"accounts": {"login", "password"}, "sync": {"sync", "lost"}, "app": {"crash", "crashes", "app", "slow"}}
    component = next((part for part, terms in parts.items() if said & terms), "core")
    return {"component": component, "ticket": f"ENG-{sum(map(ord, inquiry)) % 10_000:04}"}


def escalate(inquiry: str) -> dict[str, Any]:
    """Pages whoever is on duty."""
    return {"paged": "on-duty", "subject": inquiry[:60]}


def verify_billing(input: dict[str, Any]) -> dict[str, Any]:
    """Finds the invoices that an inquiry may be about."""
    invoices = input["history"]["open_invoices"]
    return {"invoices": invoices, "double_charge": len(invoices) > 1 and "twice" in words(input["inquiry"])}


def review(outputs: dict[str, Any]) -> dict[str, Any]:
    """Checks that what the inquiry needs was done before the answer goes out."""
    topics = outputs["classify"]["topics"]
    done = {name for name, output in outputs.items() if output is not None}
    needed = {"technical": "technical", "billing": "billing"}
    missing = [step for topic, step in needed.items() if topic in topics and step not in done]
    polite = outputs["respond"]["text"].startswith("Dear ")
    return {"approved": polite and not missing, "missing": missing, "steps": sorted(done)}


AGENTS = {
    "inquiry-classifier-agent": classify,
    "urgency-assessment-agent": urgency,
    "customer-history-agent": history,
    "response-generation-agent": respond,
    "technical-review-agent": technical_review,
    "escalation-agent": escalate,
    "billing-verification-agent": verify_billing,
    "quality-review-agent": review,
}
