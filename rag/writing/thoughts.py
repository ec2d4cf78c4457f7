"""Keep the thoughts of reasoning models out of their answers."""

from __future__ import annotations

import re

_NAMES = "think|thinking|thought|thoughts|reasoning|reflection|scratchpad"
_OPEN = re.compile(rf"<\s*(?:{_NAMES})\s*>|\[THINK\]|◁think▷|<\|channel\|>analysis<\|message\|>", re.IGNORECASE)
_CLOSE = re.compile(rf"<\s*/\s*(?:{_NAMES})\s*>|\[/THINK\]|◁/think▷|<\|channel\|>final<\|message\|>", re.IGNORECASE)
RESET = "\0"
_LONGEST = 40  # characters of the longest mark
_BEGINNING = re.compile(r"(?:<[^<>\n]{0,38}|\[/?[A-Za-z]{0,6}|◁/?[a-z]{0,5})$|<\|[^\n]{0,36}$")


class Thoughts:
    """Takes pieces of a stream and gives what is outside `<think>…</think>`; an unclosed thought has no end.

    A closing mark without an opening one ends a thought that the server's template opened: then `RESET` is given, which
    says that everything before it was thought, too.
    """

    def __init__(self) -> None:
        self._held = ""
        self._inside = False

    def feed(self, piece: str) -> str:
        """Take a piece, give what of it belongs to the answer."""
        text, said = self._held + piece.replace(RESET, ""), list[str]()
        self._held = ""
        while text:
            if self._inside:
                found = _CLOSE.search(text)
                if found is None:
                    self._held = text[-_LONGEST:]
                    return "".join(said)
                self._inside, text = False, text[found.end() :]
                continue
            found, stray = _OPEN.search(text), _CLOSE.search(text)
            if stray is not None and (found is None or stray.start() < found.start()):
                said, text = [RESET], text[stray.end() :]
            elif found is not None:
                said.append(text[: found.start()])
                self._inside, text = True, text[found.end() :]
            else:
                partial = _BEGINNING.search(text)
                cut = partial.start() if partial is not None else len(text)
                said.append(text[:cut])
                self._held = text[cut:]
                break
        return "".join(said)

    def close(self) -> str:
        """Give what was held back, at the end of the stream."""
        held, self._held = self._held, ""
        return "" if self._inside else held
