"""Until when a studio keeps runs, as values and as people write them."""

import re
from dataclasses import dataclass

from pixgen.errors import StudioError

PUBLIC_KEEP = "30 days, 200 runs, 20 GB"  # a run takes 1 to 3 MB
_UNITS = {"days": 1, "runs": 1, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_LIMIT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(days?|runs?|mb|gb|tb)")


@dataclass(frozen=True, kw_only=True)
class Keep:
    """Until when a run is kept: so many ``days``, while it is among an owner's newest ``runs``, and while
    all together take at most so many bytes of ``space``. None is no limit."""

    days: float | None = None
    runs: int | None = None
    space: int | None = None


def parse_keep(text: str) -> Keep:
    """Limits as a person writes them, ``30 days, 200 runs, 20 GB``, or ``all``. Raises StudioError.

    >>> parse_keep("30 days, 2 GB")
    Keep(days=30.0, runs=None, space=2000000000)
    """
    limits: dict[str, float] = {}
    for part in [] if text.strip().lower() == "all" else text.split(","):
        found = _LIMIT.fullmatch(part.strip().lower())
        if found is None:
            raise StudioError(
                "“{part}” is no limit of what is kept: write such as “{public_keep}”, or “all”.",
                part=part.strip()[:40],
                public_keep=PUBLIC_KEEP,
            )
        unit = next(unit for unit in _UNITS if unit.startswith(found[2]))
        name = unit if unit in ("days", "runs") else "space"
        limits[name] = float(found[1]) * _UNITS[unit]
    whole = {name: int(limits[name]) for name in ("runs", "space") if name in limits}
    return Keep(days=limits.get("days"), **whole)
