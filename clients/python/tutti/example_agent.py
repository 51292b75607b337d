"""An agent that really computes something: statistics of a text.

    python -m tutti.example_agent [HOST:PORT]

serves the agent `text-statistics` until Ctrl-C. Its input is a text, or `{"text": …}`; its
output is `{words, sentences, unique_words, average_word_length, reading_ease, frequent}`.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import Any

from tutti import TaskContext, TaskError, Worker

DEFAULT_ADDRESS = "127.0.0.1:7420"
FREQUENT = 5

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE_END = re.compile(r"[.!?…]+(?:\s|$)")
_VOWELS = re.compile(r"[aeiouyäöüáàâéèêíìîóòôúùû]+", re.IGNORECASE)

_OUTPUT_SCHEMA = {
    "type": "object",
    "required": ["words", "sentences", "reading_ease", "frequent"],
}


def statistics(text: str) -> dict[str, Any]:
    """Counts what is in a text of at least one word.

    `reading_ease` is Flesch's: 206.835 - 1.015 words per sentence - 84.6 syllables per word.
    """
    words = _WORD.findall(text)
    if not words:
        raise TaskError("validation", "the text has no words")
    sentences = max(1, len(_SENTENCE_END.findall(text.strip())))
    syllables = sum(max(1, len(_VOWELS.findall(word))) for word in words)
    counts = Counter(word.lower() for word in words if len(word) > 3)
    ease = 206.835 - 1.015 * len(words) / sentences - 84.6 * syllables / len(words)
    return {
        "words": len(words),
        "sentences": sentences,
        "unique_words": len({word.lower() for word in words}),
        "average_word_length": round(sum(map(len, words)) / len(words), 2),
        "reading_ease": round(ease, 1),
        "frequent": [{"word": word, "count": n} for word, n in counts.most_common(FREQUENT)],
    }


def build(address: str) -> Worker:
    """Returns the worker that serves the agent."""
    worker = Worker(address, max_concurrency=8)

    @worker.agent(
        "text-statistics",
        skills=["statistics", "text-analysis"],
        description="Counts words and sentences, and says how easy a text is to read.",
        output_schema=_OUTPUT_SCHEMA,
    )
    def text_statistics(input: Any, ctx: TaskContext) -> dict[str, Any]:
        text = input.get("text") if isinstance(input, dict) else input
        if not isinstance(text, str):
            raise TaskError("validation", 'the input must be a text, or {"text": …}')
        ctx.chunk({"characters": len(text)})
        return statistics(text)

    return worker


def main() -> None:
    """Serves until SIGTERM or Ctrl-C."""
    address = sys.argv[1] if len(sys.argv) > 1 else DEFAULT_ADDRESS
    worker = build(address)
    print(f"serving text-statistics at {address} as {worker.worker_id}; Ctrl-C ends", flush=True)
    worker.run()


if __name__ == "__main__":
    main()
