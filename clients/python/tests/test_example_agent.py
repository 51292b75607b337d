"""What the example agent computes."""

from __future__ import annotations

import pytest
from tutti import TaskError
from tutti.example_agent import statistics


def test_it_counts_what_is_there() -> None:
    told = statistics("The cat sat on the mat. The mat was flat! Wasn't that that?")
    assert told["words"] == 13
    assert told["sentences"] == 3
    assert told["unique_words"] == 9
    assert told["frequent"][0] == {"word": "that", "count": 2}


def test_short_words_are_easier_to_read_than_long_ones() -> None:
    easy = statistics("The cat sat on the mat.")
    hard = statistics("Institutional considerations necessitate deliberation.")
    assert easy["reading_ease"] > 100 > hard["reading_ease"]


def test_a_text_without_words_is_refused() -> None:
    with pytest.raises(TaskError) as refused:
        statistics("123 …")
    assert refused.value.class_ == "validation"
