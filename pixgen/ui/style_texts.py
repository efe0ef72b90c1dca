"""The words of the styles below the prompt."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StyleWords:
    """Choosing a style, and a style of one's own."""

    title: str = "Style"
    # Name and title of the bundled styles; those that are not here have their file's own.
    titles: tuple[tuple[str, str], ...] = ()
    own: str = "A style of your own"
    name: str = "Its name"
    name_placeholder: str = "Oil"
    template: str = "Its words, with {} for what is painted"
    template_placeholder: str = "oil painting of {}, soft light"
    save: str = "Keep in this browser"
    kept: str = "“{title}” is kept in this browser."
    bring: str = "Import"
    brought: str = "{count} styles were imported."
    share: str = "Download mine"
    forget: str = "Forget “{title}”"
    too_many: str = "There may be at most {most} styles of your own: forget some first."
