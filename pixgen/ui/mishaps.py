"""What a person is told when something goes wrong; anything that is a bug is logged under a mark."""

import logging
import secrets

from pixgen.errors import PixgenError
from pixgen.ui.i18n import Translator

log = logging.getLogger(__name__)


def sentence(error: Exception, say: Translator) -> str:
    """What to say about an error; call it while the error is handled."""
    if isinstance(error, PixgenError):
        return say(error.message)
    mark = secrets.token_hex(3)
    log.exception("the page failed, noted as %s", mark)
    return say(
        "Something went wrong on our side, and was noted as {id}. Your words are still here: "
        "try again.",
        id=mark,
    )
