"""Words of an answer against reference answers. All run from 0 to 1, higher is better; of several references the best
counts.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = set(string.punctuation) | set("“”„‘’‚«»…–—")
_ROUGE_WORD = re.compile(r"[a-z0-9]+")


def squad_words(text: str) -> list[str]:
    """Words as the SQuAD 1.1 evaluation script compares them: lower-case, no punctuation, no a, an, the.

    Typographic quotation marks and dashes count as punctuation, too, which that script leaves to its ASCII texts.
    """
    bare = "".join(c for c in text.lower() if c not in _PUNCTUATION)
    return _ARTICLES.sub(" ", bare).split()


def exact_match(answer: str, reference: str) -> float:
    """1 if both have the same words, else 0 (Rajpurkar et al., EMNLP 2016)."""
    return float(squad_words(answer) == squad_words(reference))


def token_f1(answer: str, reference: str) -> float:
    """2PR / (P + R) of the words in common, counted with multiplicity (Rajpurkar et al., EMNLP 2016).

    If one of them has no words, 1 if the other has none either, else 0, as in the SQuAD 2.0 script.
    """
    said, right = squad_words(answer), squad_words(reference)
    if not said or not right:
        return float(said == right)
    same = sum((Counter(said) & Counter(right)).values())
    return 2 * same / (len(said) + len(right))


def rouge_l(answer: str, reference: str) -> float:
    """F1 of the longest common subsequence of words (Lin, ACL 2004 workshop; as rouge-score without stemming).

    Words are runs of the letters a to z and digits of the lower-case text. 0 if either has none.
    """
    said, right = (_ROUGE_WORD.findall(text.lower()) for text in (answer, reference))
    if not said or not right:
        return 0.0
    common = _common_subsequence(said, right)
    return 2 * common / (len(said) + len(right))


def _common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    row = [0] * (len(b) + 1)
    for word in a:
        before = 0  # of the row above, one to the left
        for j, other in enumerate(b, 1):
            before, row[j] = row[j], before + 1 if word == other else max(row[j], row[j - 1])
    return row[-1]


def contains_reference(answer: str, reference: str) -> float:
    """1 if the words of the reference stand in the answer one after the other, else 0.

    Whole words: "yes" is not in "yesterday". 0 for a reference without words.
    """
    said, wanted = squad_words(answer), squad_words(reference)
    if not wanted:
        return 0.0
    return float(any(said[i : i + len(wanted)] == wanted for i in range(len(said) - len(wanted) + 1)))


def best(compare: Callable[[str, str], float], answer: str, references: Iterable[str]) -> float:
    """The best over the references; there has to be one."""
    return max(compare(answer, reference) for reference in references)
