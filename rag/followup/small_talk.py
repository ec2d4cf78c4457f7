"""Greetings, thanks and the like: answered with a short sentence, without a search."""

from __future__ import annotations

import difflib
import re

from rag.words import QUESTION_WORD

_GREETING = frozenset(
    "hi hello hey hiya heya howdy hallo hullo helo greetings yo morning afternoon evening aloha "
    "ahoy salut bonjour hola "
    "ciao moin servus grüezi gruezi namaste welcome sup".split()
)
_THANKS = frozenset(
    "thanks thank thankyou thx tnx thanx ty tysm ta cheers kudos danke merci gracias grazie obrigado appreciated "
    "appreciate grateful brilliant awesome excellent perfect great cool nice wonderful fantastic amazing lovely super "
    "splendid good fine ok okay kay understood gotcha noted helpful bravo neat sweet alright "
    "interesting fascinating wow hmm".split()
)
_GOODBYE = frozenset("bye goodbye ciao farewell cya tschüss adieu later tomorrow night".split())
_PHRASES = re.compile(
    r"\bhow (?:are|r) (?:you|u|things)(?: (?:doing|today|going))*\b|\bhow(?:'s| is) (?:it|everything|"
    r"life) ?(?:going)?\b|"
    r"\bhow do you do\b|\bwhat'?s up\b|\b(?:any|some)(?:body|one) (?:home|there|here|in)\b|\b(?:are )?you there\b|"
    r"\bnice to meet you\b|\bgood day\b|\bgot (?:it|that)\b|\bi (?:see|understand|agree)\b|\bgood to know\b|"
    r"\bmakes sense\b|\byou(?:'re| are) (?:so |quite )?right\b|\bthat(?:'s| is|"
    r"'ll be| will be) (?:all|it)\b|"
    r"\bsee (?:you|ya)\b|\bno (?:more|further) questions\b|\btake care\b|\bwell done\b|\b(?:that|it|"
    r"this)(?:'s| was| is) "
    r"(?:all )?(?:very |really |so |just )?(?:what )?(?:i )?(?:needed|wanted|helpful|useful|great|"
    r"good|clear|perfect)\b|"
    r"\bi'?m done\b|\bmuch obliged\b|\bhave a (?:nice|good|great|lovely) \w+\b|\byou'?re (?:a |the )?"
    r"(?:star|best|great|life ?saver|legend|welcome)\b|\bi'?m new here\b|\bjust (?:saying hi|"
    r"testing)\b|\btest(?:ing)?\b",
    re.IGNORECASE,
)
_HELP = re.compile(
    r"^\W*(?:(?:hi|hello|hey)\W+)?(?:who|what) are you\W*$|^\W*(?:(?:hi|hello|hey)\W+)?what can you do(?: for me)?\W*$|"
    r"^\W*how does this work\W*$|^\W*(?:please )?help(?: me)?\W*$",
    re.IGNORECASE,
)
_FILLER = frozenset(
    "a an the and so very much many lot lots of for to all it that this is was you u your i me my "
    "we us again there here "
    "just really oh ah well yes yeah yep no nope please sir madam mate friend folks everyone "
    "everybody team guys man pal "
    "buddy dear bot assistant dossier help answer answers now today day a bunch million thousand ton tons bit too also "
    "be been with at in on im i'm that's it's bro quick work job stuff needed wanted first most such haha "
    "lol".split()
)
_STARTS = re.compile(
    r"^\W*(?:(?:many )?thanks?(?: you| a lot| a million| so much| very much)*(?: for (?:the |that|this|your |\w+ing\b)"
    r"[^.!?,;:]{0,60}(?=[.!,;]))?|thx|cheers|great|perfect|ok(?:ay)?|hi|hello|hey|good (?:morning|afternoon|evening)|"
    r"(?:oh|ah|wow|hmm+|alright|i see|got it|good to know|(?:oh |how |that'?s |that is |very )*interesting)(?= *[.!,]))"
    r"\b[^\w?]*(?:(?:and|but|so|now|then)\b\s*)?",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")


def small_talk(text: str) -> str | None:
    """Answer a greeting, thanks or a goodbye.

    Args:
        text: What the person typed.

    Returns:
        A short reply; `None` if anything in the text may be a question to the documents.
    """
    if _HELP.search(text):
        return (
            "I answer questions from the documents of this library and show for each sentence where it stands. "
            "Ask one, and go on from there."
        )
    rest, phrases = _PHRASES.subn(" ", text.replace("’", "'"))
    words = [match.group().lower() for match in _WORD.finditer(rest)]
    if QUESTION_WORD.search(rest) or len(words) > 14:
        return None
    core = [_core(word) for word in words if word not in _FILLER]
    if any(kind is None for kind in core) or not (core or phrases):
        return None
    if "bye" in core or re.search(r"\bsee (?:you|ya)\b|\btake care\b", text, re.IGNORECASE):
        return "Goodbye. The conversation is kept."
    if "greeting" in core or (
        not core and re.search(r"\b(?:how|what|body|one|there|new|meet|day)", text, re.IGNORECASE)
    ):
        return "Hello. What do you want to know from your documents?"
    return "You are welcome. Ask on whenever you like."


def without_courtesy(question: str) -> str:
    """Take a greeting, thanks or "I see" off the beginning of a question; left as it is if nothing would remain."""
    rest = question[match.end() :] if (match := _STARTS.match(question)) is not None else question
    return rest if any(c.isalnum() for c in rest) else question


def _core(word: str) -> str | None:
    """What a word is a sign of, a misspelt one included; `None` if it is no small talk."""
    for kind, words in (("greeting", _GREETING), ("bye", _GOODBYE), ("thanks", _THANKS)):
        if word in words:
            return kind
    if len(word) < 5:
        return None
    for kind, words in (("greeting", _GREETING), ("thanks", _THANKS)):
        if difflib.get_close_matches(word, [w for w in words if len(w) > 4 and w[0] == word[0]], 1, 0.83):
            return kind
    return None
