"""The page's languages: each is a gettext catalogue, ``locale/<language>/LC_MESSAGES/pixgen.po``.

What comes in is English, marked where it is written (``pixgen.messages``); what goes out is the same in the
page's language, said by its ``Translator``. After a change of a sentence, ``python -m pixgen.ui.i18n`` brings the
catalogues up to date.
"""

from pixgen.ui.i18n.translator import ENGLISH, LANGUAGES, TURKISH, Translator

__all__ = ["ENGLISH", "LANGUAGES", "TURKISH", "Translator"]
