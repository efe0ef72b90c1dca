"""Prompts in other languages, translated into English for the bundled models, which know only English.

A text in one of some fifty languages comes in; the English text that a model can read goes out, with the
language and the words that were not understood. No torch is loaded.
"""

from pixgen.translation.languages import LANGUAGE_NAMES
from pixgen.translation.translate import AUTO, ENGLISH, Translation, needs_english, translate, translate_all

__all__ = ["AUTO", "ENGLISH", "LANGUAGE_NAMES", "Translation", "needs_english", "translate", "translate_all"]
