"""The sentences of errors in Turkish: ``{}`` stands for what differs, in the order of the English one,
and is called by its place, from ``{0}`` on, in the Turkish one."""

from pixgen.ui.sentences import Sentences
from pixgen.ui.turkish.sentences.films import FILMS
from pixgen.ui.turkish.sentences.finding import FINDING
from pixgen.ui.turkish.sentences.models import MODELS
from pixgen.ui.turkish.sentences.painting import PAINTING
from pixgen.ui.turkish.sentences.studio import STUDIO
from pixgen.ui.turkish.sentences.values import VALUES

SENTENCES = Sentences({**PAINTING, **FILMS, **MODELS, **STUDIO, **FINDING, **VALUES})
