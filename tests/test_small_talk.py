"""Greetings, thanks and goodbyes are answered without a search; everything else is a question."""

from __future__ import annotations

import pytest

from rag.followup.small_talk import small_talk, without_courtesy


@pytest.mark.parametrize(
    "text",
    ["Hello", "hi!", "Hiya, anybody home?", "Good morning! I'm new here.", "hey there", "howdy folks", "Helllo",
     "how are you?", "Hi, how are you doing today?", "good day sir", "moin", "what's up"],
)  # fmt: skip
def test_greetings_are_greeted(text: str) -> None:
    """In whatever wording, spelling or language they commonly come."""
    assert (small_talk(text) or "").startswith("Hello.")


@pytest.mark.parametrize(
    "text",
    ["Interesting!", "Wow.", "Oh, good to know", "You are right, thanks", "I understand.",
     "Thanks!", "thank you so much", "ta very much", "Great, thank you!", "Perfect, that's all I needed. Cheers!",
     "thx", "much appreciated", "Okay, got it.", "You're a star", "that was very helpful", "ok", "Brilliant!",
     "merci beaucoup".split()[0], "Thansk a lot".replace("nsk", "nks")],
)  # fmt: skip
def test_thanks_are_acknowledged(text: str) -> None:
    """A short reply that invites the next question."""
    assert (small_talk(text) or "").startswith("You are welcome.")


@pytest.mark.parametrize("text", ["Bye!", "goodbye and thanks", "see you later", "good night"])
def test_goodbyes_are_answered(text: str) -> None:
    """The conversation is kept, and the person is told so."""
    assert (small_talk(text) or "").startswith("Goodbye.")


@pytest.mark.parametrize(
    "text",
    ["Thanks, and what did it cost?", "Hello, when did the crane fall?", "ok and in 2025?", "great, what about Tokyo?",
     "Thanks, why?", "Is the helpful guide there?", "Interesting cases", "Is it right?", "I understand the levy",
     "Good morning routines for sailors", "And then?", "2026",
     "Who thanked the minister?", "Is it good?  What is new?", "the pier", "Summarise this."],
)  # fmt: skip
def test_questions_are_no_small_talk(text: str) -> None:
    """Courtesy in front of a question does not hide it."""
    assert small_talk(text) is None


@pytest.mark.parametrize(
    ("typed", "asked"),
    [("Thanks, and what did it cost?", "what did it cost?"), ("Hello, when did it fall?", "when did it fall?"),
     ("When did it fall?", "When did it fall?"), ("Thanks", "Thanks"), ("I see. Who owns it?", "Who owns it?"),
     ("Thanks for clarifying. Who owns it?", "Who owns it?"), ("Thank you for the list, but who pays?", "who pays?"),
     ("That's interesting! So who pays?", "who pays?"),
     ("Interesting cases of piracy?", "Interesting cases of piracy?"),
     ("Thanks for the Memories: who sang it?", "for the Memories: who sang it?"), ("I see ships.", "I see ships."),
     ("Hispaniola is where?", "Hispaniola is where?")],
)  # fmt: skip
def test_courtesy_is_taken_off_a_question(typed: str, asked: str) -> None:
    """Only whole words of it, and never all there is."""
    assert without_courtesy(typed) == asked
