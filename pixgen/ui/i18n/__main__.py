"""``python -m pixgen.ui.i18n``: update the catalogues from the source, and list the missing translations."""

from pixgen.ui.i18n.extraction import update
from pixgen.ui.i18n.translator import LANGUAGES, catalogue_file

for language in LANGUAGES:
    if catalogue_file(language).exists():
        missing = [message.id for message in update(language) if message.id and not message.string]
        print(catalogue_file(language), f"{len(missing)} to be translated", *missing, sep="\n")
