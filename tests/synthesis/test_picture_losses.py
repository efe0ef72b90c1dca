"""The losses of pictures: downhill by their own gradient, 0 where all is as wanted, seen when painted."""

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.losses import Losses
from pixgen.losses.base import Loss
from pixgen.losses.clip import anti_text_loss
from pixgen.losses.colour import palette_loss, saturation_loss
from pixgen.losses.layout import edge_loss, symmetry_loss, tiling_loss
from pixgen.losses.texture import StyleStatistics, smoothness_loss, total_variation_loss
from pixgen.losses.warmth import warmth_loss
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.objective import LossPictures

RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
CHANCE = torch.Generator().manual_seed(4)
NOISE = torch.rand(1, 3, 24, 32, generator=CHANCE)
GREY = torch.full((1, 3, 24, 32), 0.5)
COLOURFUL = torch.tensor([[0.9, 0.1, 0.1], [0.1, 0.1, 0.9]]).T[None, :, :, None].expand(1, 3, 2, 32)
STRIPES = (torch.arange(32) / 32 * 2 * torch.pi).sin().expand(1, 3, 24, 32) / 2 + 0.5


def lit(kelvin: float) -> torch.Tensor:
    """A picture in one colour, found by following the loss of warmth."""
    picture = GREY.clone().requires_grad_()
    fast = torch.optim.Adam([picture], lr=0.01)
    for _ in range(300):
        fast.zero_grad()
        warmth_loss(picture, kelvin).backward()
        fast.step()
    return picture.detach()


STYLE = StyleStatistics(STRIPES)
ALL = {
    "total variation": (total_variation_loss, GREY),
    "palette": (lambda x: palette_loss(x, torch.tensor([RED, BLUE])), COLOURFUL.round()),
    "saturation": (saturation_loss, COLOURFUL),
    "smoothness": (smoothness_loss, GREY),
    "smoothness clipped": (lambda x: smoothness_loss(x, "clipped"), GREY),
    "smoothness log": (lambda x: smoothness_loss(x, "log"), GREY),
    "symmetry": (symmetry_loss, NOISE + NOISE.flip(-1)),
    "symmetry vertical": (lambda x: symmetry_loss(x, "vertical"), NOISE + NOISE.flip(-2)),
    "symmetry rotational": (lambda x: symmetry_loss(x, "rotational"), NOISE + NOISE.flip((-2, -1))),
    "edge": (lambda x: edge_loss(x, (0.5, 0.5, 0.5)), GREY),
    "tiling": (tiling_loss, GREY),
    "style": (STYLE.loss, STRIPES),
    "warmth": (lambda x: warmth_loss(x, 5000), lit(5000)),
}


@pytest.mark.parametrize("name", ALL)
def test_it_falls_when_its_gradient_is_followed(name):
    loss, picture = ALL[name][0], (0.3 + 0.4 * NOISE).requires_grad_()
    first = before = loss(picture)
    for _ in range(20):
        (gradient,) = torch.autograd.grad(before, picture)
        picture = (picture - 0.01 * gradient.sign()).detach().requires_grad_()
        before = loss(picture)
    assert before < first


@pytest.mark.parametrize("name", ALL)
def test_a_loss_is_zero_for_a_picture_that_meets_it(name):
    loss, good = ALL[name]
    assert abs(float(loss(good))) < 1e-5
    assert float(loss(0.3 + 0.4 * NOISE)) > 1e-3


def test_a_tile_is_smooth_over_its_seams():
    ramp = torch.linspace(0, 1, 32).expand(1, 3, 24, 32)
    assert tiling_loss(STRIPES) < 0.001 < tiling_loss(ramp)


def test_clipped_smoothness_leaves_strong_edges_alone():
    hard, soft = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 8)
    hard[..., 4:], soft[..., 4:] = 1.0, 0.3
    assert smoothness_loss(hard, "clipped") == smoothness_loss(soft, "clipped")


def test_candle_light_is_red_and_shade_is_blue():
    (warm_red, _, warm_blue), (cold_red, _, cold_blue) = (
        lit(2500)[0, :, 0, 0],
        lit(12000)[0, :, 0, 0],
    )
    assert warm_red > warm_blue + 0.1
    assert cold_blue > cold_red + 0.1


def test_noon_is_nearly_grey():
    assert float(warmth_loss(GREY, 6500)) < 0.01 < float(warmth_loss(GREY, 4000))


def test_a_black_picture_has_a_warmth_that_can_be_followed():
    black = torch.zeros(1, 3, 8, 8, requires_grad=True)
    warmth_loss(black, 3000).backward()
    assert torch.isfinite(black.grad).all()


def test_every_field_of_losses_has_what_computes_it():
    for name, field in Losses.model_fields.items():
        assert [each for each in field.metadata if isinstance(each, Loss)], name


def test_only_what_leans_to_lettering_is_text():
    direction = torch.tensor([1.0, 0.0])
    vectors = torch.tensor([[0.6, 0.8], [-0.6, 0.8]])
    assert float(anti_text_loss(vectors, direction)) == pytest.approx(0.3)
    assert float(anti_text_loss(vectors[1:], direction)) == 0


@pytest.fixture
def painted(tiny_vqgan, tiny_perceptor, red_picture):
    """The last picture ``(1, 3, H, W)`` and the losses of its frame, with some losses wanted."""

    def paint(**wanted) -> tuple[torch.Tensor, dict[str, float]]:
        recipe = make_recipe(
            {"prompts": "a red fox", "width": 32, "height": 32, "steps": 40, "seed": 3},
            {"optimizer": {"learning_rate": 0.6}, "cutouts": {"count": 2}, "losses": wanted},
        )
        *_, last = Optimization(
            recipe,
            make_drawer(recipe, tiny_vqgan),
            tiny_perceptor,
            pictures={"red.png": red_picture},
        )
        picture = torch.from_numpy(last.picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
        return picture, last.losses

    return paint


@pytest.mark.parametrize(
    ("wanted", "measure"),
    [
        ({"symmetry": {"weight": 50}}, symmetry_loss),
        ({"smoothness": {"weight": 20}}, smoothness_loss),
        ({"edge": {"weight": 50, "colour": "red", "margin": 0.2}}, lambda x: edge_loss(x, RED, margin=0.2)),
        ({"tiling": 50}, tiling_loss),
        (
            {"palette": {"weight": 20, "colours": "red, blue"}},
            lambda x: palette_loss(x, torch.tensor([RED, BLUE])),
        ),
        (
            {"palette": {"weight": 20, "picture": "red.png"}},
            lambda x: palette_loss(x, torch.tensor([(220 / 255, 30 / 255, 30 / 255)])),
        ),
        ({"saturation": 20}, saturation_loss),
        ({"warmth": {"weight": 20, "kelvin": 9000}}, lambda x: warmth_loss(x, 9000)),
    ],
)
def test_a_loss_changes_the_painted_picture(painted, wanted, measure):
    (plain, _), (picture, metrics) = painted(), painted(**wanted)
    assert measure(picture) < measure(plain)
    assert set(metrics) == {"prompts", *wanted}


def test_style_and_lettering_losses_are_reported_with_the_frame(painted):
    _, metrics = painted(style={"weight": 1, "picture": "red.png"}, anti_text=1)
    assert set(metrics) == {"prompts", "style", "anti_text"}


def test_a_large_picture_is_given_to_a_loss_at_a_bounded_size():
    pictures = {
        "phone.jpg": Image.new("RGB", (4000, 3000), "red"),
        "small.png": Image.new("RGB", (640, 480), "red"),
    }
    given = LossPictures(pictures, torch.device("cpu"))
    assert given.picture("phone.jpg").shape == (1, 3, 768, 1024)
    assert given.picture("small.png").shape == (1, 3, 480, 640)
