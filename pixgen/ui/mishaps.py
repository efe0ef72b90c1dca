"""What a person is told when something goes wrong; anything that is a bug is logged under a mark."""

import logging
import secrets

from pixgen.errors import PixgenError
from pixgen.ui.texts import Words

log = logging.getLogger(__name__)


def sentence(error: Exception, words: Words) -> str:
    """What to say about an error; call it while the error is handled."""
    if isinstance(error, PixgenError):
        return words.sentences(error.message)
    mark = secrets.token_hex(3)
    log.exception("the page failed, noted as %s", mark)
    return words.bug.format(id=mark)
