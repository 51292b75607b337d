"""An editorial office: writers, checkers and an editor."""

from __future__ import annotations

import re
from typing import Any

from agents.text import keywords, sentences, share, words

KNOWN = ("four score and seven years ago", "the white rabbit with pink eyes")
FILLERS = {"very", "really", "basically", "actually", "just"}


def write(input: dict[str, Any]) -> str:
    """Writes an article out of facts; a style is a way to begin, a length is a number of facts."""
    research = input["research"]
    openings = {"formal": "It is worth noting what is known of", "casual": "So this is really very interesting:"}
    opening = openings.get(input.get("style", "formal"), openings["formal"])
    facts = research["facts"][: int(input.get("length") or 4)]
    return " ".join([f"{opening} {research['topic']}.", *facts])


def grammar(input: dict[str, str]) -> dict[str, Any]:
    """Finds sentences that begin small, and words said twice."""
    text = input["text"]
    issues = [f"begins small: {s[:30]}" for s in sentences(text) if s[0].islower()]
    issues += [f"said twice: {word}" for word in re.findall(r"\b(\w+) \1\b", text)]
    return {"issues": issues, "ok": not issues}


def facts(input: dict[str, Any]) -> dict[str, Any]:
    """Tells which sentences the sources do not say."""
    said = sentences(input["text"])[1:]
    known = set(input.get("facts") or said)
    doubtful = [sentence for sentence in said if sentence not in known]
    return {"checked": len(said), "doubtful": doubtful, "sources": input["sources"]}


def seo(input: dict[str, Any]) -> dict[str, Any]:
    """Tells which of the wanted words a text has."""
    have = set(words(input["text"]))
    wanted = input["keywords"]
    missing = [word for word in wanted if word.lower() not in have]
    return {"score": share(len(wanted) - len(missing), len(wanted)), "missing": missing}


def edit(input: dict[str, Any]) -> dict[str, Any]:
    """Puts the reports to use: strikes what is doubtful and what fills, adds what is missing."""
    doubtful = set(input["fact_report"]["doubtful"])
    kept = [sentence for sentence in sentences(input["content"]) if sentence not in doubtful]
    text = " ".join(word for word in " ".join(kept).split() if word.lower().strip(",.:") not in FILLERS)
    return {
        "text": text,
        "tags": keywords(text, 3) + input["seo_report"]["missing"],
        "corrections": len(doubtful) + len(input["grammar_report"]["issues"]),
    }


def review(input: dict[str, Any]) -> dict[str, Any]:
    """Scores a draft: fillers and long sentences cost, as does what is too short."""
    draft = input["draft"]
    said = words(draft)
    fillers = sum(1 for word in said if word in FILLERS)
    longest = max((len(words(sentence)) for sentence in sentences(draft)), default=0)
    notes = []
    if fillers:
        notes.append("strike the fillers")
    if longest > 24:
        notes.append("split the long sentences")
    if len(said) < 12:
        notes.append("say more")
    return {"score": round(1 - 0.3 * len(notes), 1), "notes": notes}


def revise(input: dict[str, Any]) -> str:
    """Does what the first of a review's notes asks for."""
    draft, notes = input["draft"], input["review"]["notes"]
    if "strike the fillers" in notes:
        kept = [word for word in draft.split() if word.lower().strip(",.") not in FILLERS]
        return " ".join(kept)
    if "split the long sentences" in notes:
        return draft.replace(", and ", ". And ").replace("; ", ". ")
    return f"{draft} It was written with care, and read once more before it was sent."


def plagiarism(text: str) -> dict[str, Any]:
    """How much of a text someone else wrote before: the share of its sentences that are known."""
    said = sentences(text)
    taken = [sentence for sentence in said if any(line in sentence.lower() for line in KNOWN)]
    return {"score": share(len(taken), len(said)), "taken": taken}


def judge(input: dict[str, Any]) -> dict[str, Any]:
    """Judges a text by the share of its words that say something."""
    text = input.get("output", input.get("value", input))
    said = words(text if isinstance(text, str) else str(text))
    score = share(sum(1 for word in said if word not in FILLERS), len(said))
    return {"score": score, "reason": f"{len(said)} words, {round((1 - score) * 100)} % fillers"}


AGENTS = {
    "writer-agent": (write, ["write_article"]),
    "grammar-checker": (grammar, ["check_grammar"]),
    "fact-checker": (facts, ["verify_facts"]),
    "seo-optimizer": (seo, ["optimize_seo"]),
    "editor-agent": (edit, ["final_edit"]),
    "quality-reviewer": (review, ["content-validation"]),
    "reviser": revise,
    "plagiarism-detector": plagiarism,
    "editorial-judge": judge,
}
