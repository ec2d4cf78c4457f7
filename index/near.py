"""Near-duplicates: texts that share most of their wording, such as syndicated news and new versions of a page.

MinHash over runs of five words (Broder, "On the resemblance and containment of documents", 1997), and bands of its
values for finding candidates without comparing all pairs. The door of datasketch, which only `signature` needs.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PERMUTATIONS = 128
LEAST_WORDS = 50
"""Shorter texts have no signature: two of them share five words in a row too easily."""

_RUN = 5  # words
# Bands of 5 values out of 128. The chance that two texts share a band is 1 - (1 - J^5)^25 for a Jaccard similarity J:
# .06 at .3, .55 at .5, .87 at .6, .99 at .7 and 1 at .8.
_ROWS = 5
_BANDS = PERMUTATIONS // _ROWS
_SEED = 1  # signatures are stored: with another seed they would compare with nothing
_AT_ONCE = 4_096  # runs of words hashed at a time: 2 MB, however long the text is
# A word, or one character of the scripts that put no blanks between words.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|\w+")


def signature(text: str) -> bytes | None:
    """Compute the MinHash of a text over its runs of five words, in lower case and without punctuation.

    Args:
        text: Any text.

    Returns:
        128 unsigned 32-bit numbers, little-endian, 512 bytes; `None` for texts of under 50 words.
    """
    words = _WORD.findall(text.lower())
    if len(words) < LEAST_WORDS:
        return None
    import numpy as np

    codes = {word: zlib.crc32(word.encode("utf-8", errors="replace")) for word in set(words)}
    hashes = np.fromiter(map(codes.__getitem__, words), dtype=np.uint32, count=len(words))
    runs = np.zeros(len(words) - _RUN + 1, dtype=np.uint32)
    for i in range(_RUN):
        runs = runs * np.uint32(0x9E3779B1) + hashes[i : len(hashes) - _RUN + 1 + i]  # modulo 2^32, as it is meant
    minhash = _empty().copy()
    runs = np.unique(runs)
    for at in range(0, len(runs), _AT_ONCE):
        minhash.update_batch(runs[at : at + _AT_ONCE].tolist())
    return bytes(minhash.hashvalues.astype("<u4").tobytes())


def similarity(a: bytes, b: bytes) -> float:
    """Estimate the Jaccard similarity of two texts' runs of words from their signatures.

    Returns:
        0 to 1, higher for more alike; the standard error is at most 0.045.
    """
    return float((_values(a) == _values(b)).mean())


def bands(signature: bytes) -> tuple[str, ...]:
    """Name the bands of a signature: 25 keys of 16 hexadecimal digits.

    Texts whose similarity is 0.7 or more nearly always have a key in common, those below 0.3 rarely.
    """
    values = _values(signature).tobytes()
    width = _ROWS * 4
    return tuple(
        hashlib.blake2b(bytes([i]) + values[i * width : (i + 1) * width], digest_size=8).hexdigest()
        for i in range(_BANDS)
    )


@cache
def _empty() -> Any:
    # The words are hashed already, once each; the permutations are what the library is for.
    return _minhash()(num_perm=PERMUTATIONS, seed=_SEED, hashfunc=int, scheme="affine32")


def _minhash() -> Any:
    """Import the class without its package, which brings scipy for other classes: half a second in each process."""
    import importlib.util
    import sys
    from types import ModuleType

    spec = importlib.util.find_spec("datasketch") if "datasketch" not in sys.modules else None
    if spec is None or spec.submodule_search_locations is None:
        from datasketch import MinHash  # type: ignore[import-untyped]  # it ships no type information

        return MinHash
    bare = ModuleType("datasketch")
    bare.__path__ = list(spec.submodule_search_locations)
    sys.modules["datasketch"] = bare
    try:
        return importlib.import_module("datasketch.minhash").MinHash
    finally:
        del sys.modules["datasketch"]  # whoever imports it later gets it whole


def _values(signature: bytes) -> NDArray[np.uint32]:
    import numpy as np

    values = np.frombuffer(signature, dtype="<u4")
    if len(values) != PERMUTATIONS:
        raise ValueError(f"a signature has {PERMUTATIONS * 4} bytes, not {len(signature)}")
    return values
