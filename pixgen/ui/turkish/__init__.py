"""The page in Turkish. Each feature's texts have a file here as they have beside ``texts.py``; a text
that is not translated yet is shown in English."""

from pixgen.ui.i18n import TURKISH as SAY
from pixgen.ui.texts import Words
from pixgen.ui.turkish.augment import AUGMENT
from pixgen.ui.turkish.classify import CLASSIFY
from pixgen.ui.turkish.experiment import EXPERIMENT
from pixgen.ui.turkish.films import FILMS
from pixgen.ui.turkish.gallery import GALLERY
from pixgen.ui.turkish.help import HELP
from pixgen.ui.turkish.info import INFO
from pixgen.ui.turkish.losses import LOSSES
from pixgen.ui.turkish.memory import MEMORY
from pixgen.ui.turkish.models import MODELS
from pixgen.ui.turkish.pad import PAD
from pixgen.ui.turkish.page import PAGE
from pixgen.ui.turkish.search import SEARCH
from pixgen.ui.turkish.styles import STYLES
from pixgen.ui.turkish.turn import TURN

TURKISH = Words(
    **PAGE,
    classifying=CLASSIFY,
    search=SEARCH,
    losing=LOSSES,
    turning=TURN,
    memory=MEMORY,
    experiment=EXPERIMENT,
    films=FILMS,
    models=MODELS,
    info=INFO,
    styling=STYLES,
    help=HELP,
    pad=PAD,
    gallery=GALLERY,
    augmenting=AUGMENT,
    sentences=SAY,
)
