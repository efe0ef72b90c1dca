"""Links to a picture's settings: ``?run=ID`` on one's own machine, ``?recipe=…`` on a public page, where nobody
can open the runs of others. No gradio here; links.js copies them, and follows the one in the page's address.
"""

import base64
import binascii
import zlib

from pixgen.errors import RecipeError
from pixgen.recipe.recipe import Recipe, read_recipe
from pixgen.studio import Run, Studio

_LONGEST = 20_000  # characters of a link
_LARGEST = 200_000  # bytes of the recipe in it


def picture_link(run: Run, studio: Studio) -> str:
    """The query of an address that brings back a run's settings on Create."""
    return f"?recipe={pack_recipe(run.recipe)}" if studio.policy.public else f"?run={run.id}"


def pack_recipe(recipe: Recipe) -> str:
    """A recipe as the letters, digits, ``-`` and ``_`` of an address."""
    packed = zlib.compress(recipe.to_json().encode(), 9)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def unpack_recipe(text: str) -> Recipe:
    """The recipe that ``pack_recipe`` has written. Raises RecipeError, also if it is larger than a link may be."""
    try:
        if len(text) > _LONGEST:
            raise ValueError
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        opened = zlib.decompressobj()
        data = opened.decompress(packed, _LARGEST)
        if opened.unconsumed_tail or not opened.eof:
            raise ValueError
        return read_recipe(data.decode())
    except (ValueError, binascii.Error, zlib.error) as error:
        raise RecipeError(
            "The link to this picture is not complete: copy the whole address again."
        ) from error
