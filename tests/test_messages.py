"""Sentences with their values apart: in English, in another language, pickled and stored."""

import gettext
import json
import pickle
from copy import deepcopy

import pytest

from pixgen.errors import InvalidValue, OutOfMemory, PictureError, PixgenError, RecipeError
from pixgen.messages import Message, _, join_messages, ngettext


class German(gettext.NullTranslations):
    """A catalogue of a few sentences."""

    def gettext(self, message):
        known = {
            "“{name}” is red.": "„{name}“ ist rot.",
            "It failed: {why}": "Es ging nicht: {why}",
            "{first}, and {second}": "{first} und {second}",
            "red": "rot",
            "": "the header",
        }
        return known.get(message, message)

    def ngettext(self, one, many, n):
        return {"{count} run": ("{count} Lauf", "{count} Läufe")}[one][n != 1]


def test_a_message_is_its_english_sentence():
    message = Message("“{name}” is red.", name="a")
    assert message == "“a” is red."
    assert (message.template, message.values) == ("“{name}” is red.", {"name": "a"})
    assert Message("{a|b}, as it is") == "{a|b}, as it is"


def test_an_error_keeps_its_message_and_its_values_apart():
    error = PictureError("“{name}” is too large: at most {limit} MB.", name="a.png", limit=64)
    assert str(error) == "“a.png” is too large: at most 64 MB."
    assert error.message.values == {"name": "a.png", "limit": 64}
    assert PixgenError(error.message).message is error.message
    assert str(OutOfMemory(f"some {3} {{words}}")) == "some 3 {words}"


def test_a_value_may_be_named_as_an_argument_is():
    assert str(PixgenError("{message} {self} {template}", message=1, self=2, template=3)) == "1 2 3"


def test_what_a_validator_raises_is_an_error_of_both_kinds():
    assert isinstance(InvalidValue("no"), ValueError)
    assert isinstance(InvalidValue("no"), RecipeError)


def test_a_message_is_translated_with_the_messages_in_it():
    red = Message("“{name}” is red.", name="red")
    assert red.translated(German()) == "„red“ ist rot."
    assert Message("It failed: {why}", why=red).translated(German()) == "Es ging nicht: „red“ ist rot."
    assert Message("not known {x}", x=1).translated(German()) == "not known 1"
    assert Message("").translated(German()) == ""


@pytest.mark.parametrize(
    ("count", "english", "german"),
    [(1, "1 run", "1 Lauf"), (2, "2 runs", "2 Läufe"), (0, "0 runs", "0 Läufe")],
)
def test_a_single_thing_has_a_sentence_of_its_own(count, english, german):
    message = ngettext("{count} run", "{count} runs", count)
    assert (message, message.translated(German())) == (english, german)


def test_several_messages_become_one():
    parts = join_messages([_("red"), _("“{name}” is red.", name="b"), "c"], _("{first}, and {second}"))
    assert parts == "red, and “b” is red., and c"
    assert parts.translated(German()) == "rot und „b“ ist rot. und c"


@pytest.mark.parametrize(
    "message",
    [
        Message("plain"),
        Message("{a} {b:.1f}", a="x", b=2.25),
        Message("It failed: {why}", why=Message("“{name}” is red.", name="a")),
        ngettext("{count} run", "{count} runs", 2),
    ],
)
def test_a_message_is_whole_after_a_journey(message):
    stored = Message.from_json(json.loads(json.dumps(message.to_json())))
    error = pickle.loads(pickle.dumps(PixgenError(message)))
    for copy in (stored, deepcopy(message), pickle.loads(pickle.dumps(message)), error.message):
        assert copy == message
        assert copy.translated(German()) == message.translated(German())
