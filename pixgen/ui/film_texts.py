"""The words of the page's films: exports, stories, journeys, and videos that are painted over."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FilmWords:
    """Films on the Create tab."""

    export_title: str = "Another film of it"
    export_help: str = "Nothing is painted again."
    format: str = "Format"
    seconds: str = "Seconds in all"
    seconds_help: str = "0: as long as it is."
    fps: str = "Pictures a second"
    fps_help: str = "0: as many as it has. Or say how long it is."
    hold: str = "Seconds that the last picture stays"
    even: str = "Evenly by change"
    captions: str = "Words and step below"
    loop: str = "The end passes into the beginning"
    export: str = "Make this film"
    exporting: str = "Writing"
    failed: str = "Not written"
    pictures: str = "picture {done} of {total}"
    download: str = "Download the film"
    no_film: str = "There is no film yet: paint something first."
    size_kb: str = "{size:.0f} KB"
    size_mb: str = "{size:.1f} MB"

    title: str = "Story and journey"
    story: str = "A story"
    story_help: str = (
        "Write scenes above with ^, or here row by row: from which step, what, how much, and how it "
        "comes. These rows win over the words above."
    )
    columns: tuple[str, ...] = ("From step", "What", "Weight", "How")
    fade: str = "Pass into the next scene"
    fade_help: str = "The part of a scene over which the next one comes. 0: at once."
    blend: str = "Pass by"
    blends: tuple[tuple[str, str], ...] = (
        ("turning the words' directions", "embeddings"),
        ("their weights", "weights"),
    )
    journey: str = "A journey"
    journey_help: str = (
        "Each frame of the film takes some steps, and then the view moves on. Values may change on the "
        "way: 0:1, 60:1.02 is from 1 at frame 0 to 1.02 at frame 60."
    )
    frames: str = "Frames"
    frames_help: str = "0: a picture, no journey."
    every: str = "A frame takes so many steps"
    after: str = "The first comes after step"
    zoom: str = "Nearer, a frame"
    x: str = "To the right, in widths"
    y: str = "Down, in heights"
    turn: str = "Turned, in degrees"
    where: str = "What moves"
    wheres: tuple[tuple[str, str], ...] = (("the picture", "picture"), ("the latent", "latent"))
    border: str = "At the border comes in"
    borders: tuple[tuple[str, str], ...] = (
        ("its mirror image", "reflect"),
        ("the other side", "wrap"),
        ("its edge", "edge"),
    )
    smooth: str = "Calm"
    smooth_help: str = "How much of a frame is the one before: against flicker."
    video: str = "Or paint over a video"
    carry: str = "How much stays from frame to frame"
    needs_video: str = (
        "To paint over a video, add it under “Story and journey” first, or choose another preset."
    )
