"""Fuzz what people type and send, guided by the code that each input reaches.

``pip install atheris``, then ``python scripts/fuzz.py -runs=100000 -seed=1``; more of libFuzzer's options work too, such as
``-max_total_time=600`` and a folder for inputs that reach new code. It stops at the first exception that is not a
PixgenError, and writes the input into a file ``crash-…``, which can be given instead of the options to try it again.
"""

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent))
with atheris.instrument_imports(include=["pixgen.recipe", "pixgen.studio", "pixgen.vision", "pixgen.images"]):
    from pixgen.errors import PixgenError
    from tests.test_fuzz import PARSERS, READERS

FOLDER = Path(tempfile.mkdtemp(prefix="pixgen-fuzz-"))
LONGEST = 300  # letters


def try_one(data: bytes) -> None:
    """Give one input to a parser or to a reader of files, which its first byte decides."""
    provider = atheris.FuzzedDataProvider(data)
    names = [*PARSERS, *READERS]
    name = names[provider.ConsumeIntInRange(0, len(names) - 1)]
    with suppress(PixgenError):
        if name in PARSERS:
            PARSERS[name](provider.ConsumeUnicode(LONGEST))
        else:
            file, read = READERS[name]
            path = FOLDER / file
            path.write_bytes(provider.ConsumeBytes(len(data)))
            read(path)


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
