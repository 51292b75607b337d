"""What several agents need of a text."""

from __future__ import annotations

import re
from collections import Counter

STOP_WORDS = set(
    "a an and are as at be been but by can for from had has have he her his i if in into is it its more most not of "
    "on or our she so than that the their them there these they this to was we were what when which who will with "
    "would you your".split()
)


def words(text: str) -> list[str]:
    """Its words, in lower case."""
    return re.findall(r"[a-zà-ÿ0-9']+", text.lower())


def sentences(text: str) -> list[str]:
    """Its sentences, without those of no words."""
    parts = re.split(r"(?<=[.!?])\s+", text.strip())
    return [part for part in parts if words(part)]


def keywords(text: str, count: int = 5) -> list[str]:
    """The words it says most often, the first first where two are said as often."""
    spoken = [word for word in words(text) if word not in STOP_WORDS and len(word) > 2]
    return [word for word, _ in Counter(spoken).most_common(count)]


def share(part: float, whole: float) -> float:
    """Part of a whole, 0 of nothing, to two places."""
    return round(part / whole, 2) if whole else 0.0
