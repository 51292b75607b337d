"""Agents for the agent patterns: they reason by rules where a model would by words."""

from __future__ import annotations

import ast
import operator
import re
from typing import Any

from tutti import TaskError

from agents.research import search
from agents.text import keywords, sentences, words

OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
POPULATION = {"france": 68, "italy": 59, "spain": 48}


def reason(input: dict[str, Any]) -> dict[str, Any]:
    """Answers how many people several countries have together: looks each up, then adds."""
    asked = [word for word in words(input["task"]["question"]) if word in POPULATION]
    seen = {}
    for turn in input["transcript"]:
        if turn["action"]["tool"] == "lookup":
            seen[turn["action"]["input"]["country"]] = turn["observation"]
        else:
            total = turn["observation"]["value"]
            return {"thought": "I have the sum.", "answer": f"{total} million people"}
    missing = [country for country in asked if country not in seen]
    if missing:
        return {"thought": f"I need {missing[0]}.", "action": {"tool": "lookup", "input": {"country": missing[0]}}}
    sum_of = " + ".join(str(seen[country]["millions"]) for country in asked)
    return {"thought": "I add them.", "action": {"tool": "calculator", "input": {"expression": sum_of}}}


def lookup(input: dict[str, str]) -> dict[str, Any]:
    """Gives the population of a country, in millions."""
    country = input["country"].lower()
    if country not in POPULATION:
        raise TaskError("refused", f"nothing is known of {country}")
    return {"country": country, "millions": POPULATION[country]}


def calculate(input: dict[str, str]) -> dict[str, Any]:
    """Works out an expression of numbers, + - * / and brackets."""

    def value(node: ast.expr) -> float:
        match node:
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.BinOp(left, op, right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](value(left), value(right))
        raise TaskError("validation", f"not a sum: {input['expression']}")

    return {"value": value(ast.parse(input["expression"], mode="eval").body)}


def questions(input: dict[str, Any]) -> dict[str, Any]:
    """Splits a question into searches, one for each of its parts."""
    parts = [part.strip() for part in re.split(r"\band\b|,", input["task"]["question"]) if part.strip()]
    return {"tasks": [{"agent": "web-search", "input": {"query": part}} for part in parts], "done": True}


def synthesise(input: dict[str, Any]) -> dict[str, Any]:
    """Weaves what was found into an answer with its sources."""
    found = [text for result in input["results"] for text in result["output"] or []]
    first = {text["source"]: sentences(text["text"])[0] for text in found}
    return {"answer": " ".join(first.values()), "sources": list(first)}


def critic(input: dict[str, Any]) -> dict[str, Any]:
    """Speaks up for safety."""
    if "options" in input:
        risky = "without tests" in str(input["task"])
        return {"vote": "reject" if risky else "approve", "reason": "no tests" if risky else "tested"}
    return {"content": "Are there tests, and can it be taken back?"}


def optimist(input: dict[str, Any]) -> dict[str, Any]:
    """Speaks up for speed."""
    if "options" in input:
        return {"vote": "approve", "reason": "users wait for it"}
    asked = input["messages"] and "tests" in input["messages"][-1]["content"]
    return {"content": "It is tested and behind a switch. DONE" if asked else "Users wait for this: ship it."}


def moderator(input: dict[str, Any]) -> dict[str, Any]:
    """Lets whoever spoke least speak, and ends it when someone says DONE."""
    messages = input["messages"]
    if messages and "DONE" in messages[-1]["content"]:
        return {"done": True, "answer": messages[-1]["content"].replace("DONE", "").strip()}
    names = [participant["agent"] for participant in input["participants"]]
    said = [message["speaker"] for message in messages]
    return {"speaker": min(names, key=said.count)}


def arbiter(input: dict[str, Any]) -> dict[str, Any]:
    """Judges a debate by who gave more reasons."""
    reasons: dict[str, int] = {}
    for message in input["messages"]:
        reasons[message["speaker"]] = reasons.get(message["speaker"], 0) + len(words(message["content"]))
    winner = max(reasons, key=lambda name: reasons[name])
    return {"verdict": winner, "reason": f"{reasons[winner]} words against {min(reasons.values())}"}


def split(input: dict[str, Any]) -> dict[str, Any]:
    """Halves a text between sentences."""
    said = sentences(input["task"]["text"])
    half = max(1, len(said) // 2)
    return {"tasks": [{"text": " ".join(said[:half])}, {"text": " ".join(said[half:])}]}


def solve(task: dict[str, Any]) -> dict[str, Any]:
    """Sums a short text up by its keywords."""
    return {"keywords": keywords(task["text"], 2), "words": len(words(task["text"]))}


def combine(input: dict[str, Any]) -> dict[str, Any]:
    """Puts partial results together."""
    found = [word for result in input["results"] for word in result["keywords"]]
    return {"keywords": list(dict.fromkeys(found)), "words": sum(result["words"] for result in input["results"])}


def plan_workflow(input: dict[str, Any]) -> dict[str, Any]:
    """Writes a workflow towards a goal: a search for each of its keywords, all at once."""
    steps = [
        {"id": f"search-{n}", "agent": "web-search", "input": {"query": word}}
        for n, word in enumerate(keywords(input["goal"], 3), 1)
    ]
    return {"name": "planned-research", "mode": "PARALLEL", "steps": steps}


def count_words(document: dict[str, str]) -> dict[str, int]:
    """Counts how often each word of a document is said."""
    counts: dict[str, int] = {}
    for word in keywords(document["text"], 50):
        counts[word] = words(document["text"]).count(word)
    return counts


def add_counts(counts: list[dict[str, int]]) -> dict[str, Any]:
    """Adds counts of words up."""
    total: dict[str, int] = {}
    for one in counts:
        for word, count in one.items():
            total[word] = total.get(word, 0) + int(count)
    top = sorted(total, key=lambda word: (-total[word], word))[:5]
    return {"words": len(total), "top": {word: total[word] for word in top}}


def assistant(input: dict[str, Any]) -> dict[str, Any]:
    """Answers the last message of a chat out of the library."""
    question = input["messages"][-1]["content"]
    found = search({"query": question})
    said = found[0]["text"] if found else "I know nothing of that."
    return {"role": "assistant", "content": said}


AGENTS = {
    "thinker": reason,
    "lookup": lookup,
    "calculator": calculate,
    "question-splitter": questions,
    "synthesiser": synthesise,
    "critic": critic,
    "optimist": optimist,
    "moderator": moderator,
    "arbiter": arbiter,
    "splitter": split,
    "solver": solve,
    "combiner": combine,
    "planner": plan_workflow,
    "word-counter": count_words,
    "count-adder": add_counts,
    "library-assistant": assistant,
}
