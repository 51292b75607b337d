"""Content moderation: several looks at a text, a decision, and what is done about it."""

from __future__ import annotations

import re
from typing import Any

from agents.text import share, words

PROFANE = {"damn", "hell", "crap", "bloody"}
TOXIC = {"idiot", "idiots", "stupid", "hate", "loser", "losers", "trash", "pathetic"}
SPAM = {"free", "winner", "click", "offer", "prize", "cash", "guarantee", "limited"}
SUSPENDED = {"user-13"}


def profanity(text: str) -> dict[str, Any]:
    """Counts words that are not to be said here."""
    found = [word for word in words(text) if word in PROFANE]
    return {"score": min(1.0, share(len(found) * 5, len(words(text)))), "found": found}


def spam(text: str) -> dict[str, Any]:
    """Looks for links, capitals and the words of those who sell."""
    said = words(text)
    links = len(re.findall(r"https?://", text))
    shouted = sum(1 for word in text.split() if len(word) > 3 and word.isupper())
    pitch = sum(1 for word in said if word in SPAM)
    return {"score": min(1.0, share(links * 3 + shouted + pitch * 2, max(len(said), 8))), "links": links}


def toxicity(text: str) -> dict[str, Any]:
    """Counts insults; those at somebody count twice."""
    said = words(text)
    insults = [at for at, word in enumerate(said) if word in TOXIC]
    aimed = sum(1 for at in insults if {"you", "your", "are"} & set(said[max(0, at - 3) : at]))
    return {"score": min(1.0, share((len(insults) + aimed) * 4, max(len(said), 8))), "insults": len(insults)}


def compliance(input: dict[str, str]) -> dict[str, Any]:
    """Holds a text and who wrote it against the rules."""
    rules = []
    if input["user"] in SUSPENDED:
        rules.append("the user is suspended")
    if re.search(r"\b\d{3}[- ]?\d{2}[- ]?\d{4}\b", input["content"]):
        rules.append("it holds a number that looks like an identity document's")
    return {"score": 1.0 if rules else 0.0, "broken": rules}


def decide(input: dict[str, Any]) -> dict[str, Any]:
    """Approves, rejects, or asks for a person, by the worst of the scores."""
    scores = {name: look["score"] for name, look in input["looks"].items()}
    worst = max(scores, key=lambda name: scores[name])
    score = scores[worst]
    if score >= input["escalation_threshold"]:
        decision = "reject"
    elif score > input["auto_approve_threshold"]:
        decision = "review"
    else:
        decision = "approve"
    return {"decision": decision, "because": worst if decision != "approve" else None, "score": score}


def act(input: dict[str, Any]) -> dict[str, Any]:
    """Publishes, hides or queues the content."""
    done = {"approve": "published", "reject": "hidden", "review": "queued for a moderator"}
    return {"content_id": input["content_id"], "action": done[input["decision"]], "user": input["user"]}


def audit(outputs: dict[str, Any]) -> dict[str, Any]:
    """Keeps what was decided, and on what grounds."""
    return {"entry": {"decision": outputs["decide"], "steps": sorted(outputs)}}


AGENTS = {
    "profanity-detection-agent": profanity,
    "spam-detection-agent": spam,
    "toxicity-analysis-agent": toxicity,
    "policy-compliance-agent": compliance,
    "moderation-decision-agent": decide,
    "moderation-action-agent": act,
    "audit-logging-agent": audit,
}
