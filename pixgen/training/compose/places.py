"""Painted backgrounds (settings): their names, the phrases for them, and a bank of variants of each."""

from pathlib import Path

import numpy as np

from pixgen.training.compose import painters
from pixgen.training.compose.painters import Painter

SIZE = 128
BANK_FILE = "settings.npy"
VARIANTS = 64

# name: (painter, how a thing is said to be there, what the place alone is called)
SETTINGS: dict[str, tuple[Painter, tuple[str, ...], tuple[str, ...]]] = {
    "sky": (painters.sky, ("in the sky", "in a blue sky", "in the clouds", "above the clouds", "in the air"),
            ("a blue sky with clouds", "the sky", "clouds")),
    "grass": (painters.grass, ("on grass", "on green grass", "in a meadow", "in a field", "on a lawn"),
              ("a green meadow", "a grass field", "a meadow under a blue sky")),
    "hill": (painters.hill, ("on a hill", "on a green hill", "on top of a hill"),
             ("a green hill", "a hill under a blue sky")),
    "night": (painters.night, ("at night", "in the night", "under the stars", "under a starry sky",
                      "in the dark"), ("a starry night", "the night sky", "stars at night")),
    "sunset": (painters.sunset, ("at sunset", "at dusk", "in the evening", "at sunrise", "at dawn"),
               ("a sunset", "a sunrise", "an orange evening sky")),
    "sea": (painters.sea, ("at sea", "on the sea", "on the ocean", "on the water", "on a lake"),
            ("the sea", "the ocean", "a calm lake")),
    "underwater": (painters.underwater, ("under the sea", "underwater", "deep in the ocean", "under water"),
                   ("the deep sea", "an underwater scene")),
    "beach": (painters.beach, ("on the beach", "on a sandy beach", "at the seaside", "on the shore"),
              ("a beach", "a sandy beach by the sea", "an island beach")),
    "desert": (painters.desert, ("in the desert", "on a sand dune", "on sand"),
               ("a desert", "sand dunes", "the desert under a hot sky")),
    "snow": (painters.snow, ("in the snow", "on a snowy hill", "in winter", "on snow", "in falling snow"),
             ("a snowy hill", "a snowy landscape", "a winter landscape", "snow")),
    "forest": (painters.forest, ("in the forest", "in the woods", "among trees", "in front of trees"),
               ("a forest", "a pine forest", "trees in the woods")),
    "mountains": (painters.mountains, ("in the mountains", "in front of mountains", "on a mountain"),
                  ("mountains", "snowy mountains", "a mountain landscape")),
    "city": (painters.city, ("in the city", "in a town", "in front of skyscrapers", "downtown"),
             ("a city", "a city skyline", "skyscrapers")),
    "city night": (painters.city_night, ("in the city at night", "in a town at night"),
                   ("a city at night", "a skyline at night", "city lights")),
    "space": (painters.space, ("in space", "in outer space", "among the stars", "in the galaxy"),
              ("outer space", "the galaxy", "stars and a planet in space")),
    "rain": (painters.rain, ("in the rain", "on a rainy day"), ("rain", "a rainy day")),
    "storm": (painters.storm, ("in a storm", "in a thunderstorm"), ("a thunderstorm", "lightning")),
    "fog": (painters.fog, ("in the fog", "in the mist"), ("fog", "a misty day")),
    "room": (painters.room, ("in a room", "indoors", "on a wooden floor", "in a house"),
             ("an empty room", "a room with a wooden floor")),
    "table": (painters.table, ("on a table", "on a wooden table", "on a desk"), ("a wooden table",)),
    "road": (painters.road, ("on the road", "on a street", "on a highway"),
             ("a road", "a street through green fields")),
    "garden": (painters.garden, ("in a garden", "among flowers", "in a flower field"),
               ("a garden", "a field of flowers", "a flower meadow")),
    "autumn": (painters.autumn, ("in autumn", "among autumn leaves", "in the fall"),
               ("autumn leaves", "an autumn day")),
    "jungle": (painters.jungle, ("in the jungle", "in the rainforest", "among leaves"),
               ("a jungle", "a rainforest", "green leaves")),
    "fire": (painters.fire, ("on fire", "in flames", "in front of a fire"), ("a fire", "flames")),
    "rainbow": (painters.rainbow, ("under a rainbow", "in front of a rainbow"), ("a rainbow",)),
    "ice": (painters.ice, ("on ice", "on a frozen lake"), ("a frozen lake", "ice")),
}  # fmt: skip

# Single words and names of places by which a text calls for a setting, however it puts them ("by the river").
PLACES = {
    "sky": ("sky", "heaven"),
    "grass": ("meadow", "field", "lawn", "park", "pasture", "prairie", "countryside", "grass"),
    "hill": ("hill", "hills", "hillside", "hilltop"),
    "night": ("night", "midnight", "moonlight"),
    "sunset": ("sunset", "sunrise", "dusk", "dawn"),
    "sea": ("sea", "ocean", "lake", "river", "pond", "harbour", "harbor", "bay", "waves", "in the water"),
    "underwater": ("under the ocean", "under the water", "ocean floor", "seabed"),
    "beach": ("beach", "seaside", "shore", "seashore", "coast"),
    "desert": ("desert", "dunes", "sahara"),
    "snow": ("winter", "snowy", "arctic", "antarctica", "north pole"),
    "forest": ("forest", "woods", "woodland"),
    "mountains": ("alps", "mountain range", "mountain landscape", "mountain top", "mountaintop"),
    "city": ("city", "town", "skyline", "cityscape"),
    "city night": ("city at night", "town at night", "street at night", "night city", "neon city", "cyberpunk city",
                   "cyberpunk"),
    "space": ("space", "galaxy", "cosmos", "universe", "nebula", "on the moon"),
    "storm": ("storm", "thunderstorm"),
    "fog": ("mist", "misty", "foggy"),
    "room": ("kitchen", "bedroom", "living room", "library"),
    "table": ("desk",),
    "road": ("street", "road", "highway"),
    "garden": ("garden", "flowerbed"),
    "autumn": ("autumn",),
    "jungle": ("jungle", "rainforest"),
    "fire": ("fire", "inferno"),
    "ice": ("glacier",),
}  # fmt: skip


def load_settings_bank(folder: Path) -> np.ndarray:
    """Painted settings, ``(len(SETTINGS), VARIANTS, 3, 128, 128)`` uint8, cached in ``folder``."""
    path = folder / BANK_FILE
    if not path.exists():
        bank = np.empty((len(SETTINGS), VARIANTS, 3, SIZE, SIZE), np.uint8)
        for row, (painter, _, _) in enumerate(SETTINGS.values()):
            for column in range(VARIANTS):
                picture = painter(np.random.default_rng((row, column))).clip(0, 1)
                small = picture.reshape(SIZE, 2, SIZE, 2, 3).mean((1, 3))
                bank[row, column] = (small * 255).round().astype(np.uint8).transpose(2, 0, 1)
        np.save(path, bank)
    return np.load(path, mmap_mode="r")
