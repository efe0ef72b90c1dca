"""The presets that the page offers: a click on one must not fetch gigabytes."""

from pixgen.models.catalog import known
from pixgen.models.inventory import state_of
from pixgen.presets import Preset, available_presets
from pixgen.studio.policy import Policy


def offered_presets(policy: Policy) -> dict[str, Preset]:
    """By name, those whose models are bundled or on this machine, and allowed."""
    return {
        name: preset
        for name, preset in available_presets().items()
        if all(_ready(model) and _allowed(model, policy) for model in preset.models)
    }


def _ready(model: str) -> bool:
    entries = [entry for kind in ("vqgan", "clip") if (entry := known(model, kind)) is not None]
    return any(state_of(entry) != "to fetch" for entry in entries)


def _allowed(model: str, policy: Policy) -> bool:
    return policy.models is None or model in policy.models
