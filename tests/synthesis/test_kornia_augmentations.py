"""kornia's augmentations on cutouts: fused and not, they agree; chance is the run's own."""

import threading

import pytest
import torch
import torch.nn.functional as F

from pixgen.recipe.cutouts import (
    CUTOUT_SETS,
    EARLIER_SETS,
    Affine,
    ColourJitter,
    Crop,
    CutoutSet,
    Flip,
    Noise,
    Perspective,
    as_kornia,
)
from pixgen.recipe.kornia_classes import build_example, kornia_names, unchecked_kornia
from pixgen.recipe.recipe import make_recipe
from pixgen.synthesis import Optimization, make_drawer
from pixgen.synthesis.cutouts import cutouts, kornia_pipeline
from pixgen.synthesis.cutouts.augmentations import apply_changes, fused_change
from pixgen.synthesis.cutouts.cutouts import Placement, RandomDraws, sample_cutouts
from pixgen.synthesis.cutouts.earlier_recipes import EarlierCutoutSampler, augment, place_cutouts
from pixgen.synthesis.cutouts.kornia_pipeline import (
    FUSED_CLASSES,
    apply_kornia,
    fused_matrices,
    is_fused,
)
from pixgen.synthesis.cutouts.sampler import BLOCK, KorniaCutoutSampler, split_augmentations

SIDE = 64
WHOLE = Crop(law="whole")
# A fused warp reads the picture between its pixels as kornia does; what differs is how numbers of
# pixels are rounded on the way, and so how near the edge kornia's padding begins.
BOUND = 2e-4

ARGS = {
    "RandomAffine": {
        "degrees": 40,
        "translate": (0.2, 0.1),
        "scale": (0.8, 1.3),
        "shear": (-9, 9),
        "padding_mode": "border",
    },
    "RandomHorizontalFlip": {},
    "RandomPerspective": {"distortion_scale": 0.6},
    "RandomRotation": {"degrees": 40},
    "RandomRotation90": {"times": (1, 3)},
    "RandomShear": {"shear": (-15, 15), "padding_mode": "border"},
    "RandomTranslate": {"translate_x": (-0.3, 0.3), "translate_y": (-0.2, 0.2), "padding_mode": "border"},
    "RandomVerticalFlip": {},
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth(count: int = 1) -> torch.Tensor:
    """Pictures in which neighbouring pixels differ little, black far beyond the edges of what is read."""
    coarse = torch.rand(count, 3, 5, 5, generator=generator())
    return F.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic", align_corners=False).clamp(0, 1)


@pytest.mark.parametrize("p", [1.0, 0.5])
@pytest.mark.parametrize("name", FUSED_CLASSES)
def test_a_fused_class_gives_what_kornia_gives_with_the_same_parameters(name, p):
    augmentation, count = unchecked_kornia(name, **ARGS[name], p=p), 12
    module = augmentation.build()
    torch.manual_seed(3)
    params = module.forward_parameters(torch.Size((count, 3, SIDE, SIDE)))
    picture = smooth()
    expected = module(picture.expand(count, 3, SIDE, SIDE), params=params)
    padding = "border" if ARGS[name].get("padding_mode") else "zeros"
    placement = Placement(fused_matrices(augmentation, params, size=SIDE), (padding,) * count)
    found = sample_cutouts(picture, placement, size=SIDE)
    # Where a cutout is smaller than what it shows, the fused warp takes its low-passed level.
    plain = cutouts.CutoutReads(placement.matrices, SIDE, (0,) * count, placement.paddings)
    assert (cutouts.read_cutouts(picture, plain) - expected).abs().max() < BOUND
    assert (found - expected).abs().mean() < 0.02


@pytest.mark.parametrize("name", FUSED_CLASSES)
def test_a_fused_class_moves_the_picture(name):
    law = CutoutSet(crops=(WHOLE,), augmentations=(unchecked_kornia(name, **ARGS[name], p=1.0),))
    seen = sample_cutouts(
        smooth(), place_cutouts(law, 3, aspect=1.0, generator=generator(), size=SIDE), size=SIDE
    )
    assert (seen - smooth()).abs().mean() > 0.02


def test_two_fused_classes_are_one_warp_in_the_order_of_the_list():
    members = (
        unchecked_kornia("RandomRotation", degrees=(30.0, 30.0), p=1.0),
        unchecked_kornia("RandomHorizontalFlip", p=1.0),
    )
    law = CutoutSet(crops=(WHOLE.model_copy(update={"padding": "zeros"}),), augmentations=members)
    found = sample_cutouts(
        smooth(), place_cutouts(law, 1, aspect=1.0, generator=generator(), size=SIDE), size=SIDE
    )
    assert (found - apply_kornia(smooth(), members, seed=0)).abs().max() < BOUND


@pytest.mark.parametrize(
    "kind", [Flip(p=1), Perspective(p=1, distortion=0.5), Affine(p=1, translate=0, shear=0)]
)
def test_a_kind_of_ours_is_a_case_of_the_class_that_it_stands_for(kind):
    """The matrix of ours, given to kornia as parameters, is the matrix that kornia makes."""
    law = CutoutSet(crops=(WHOLE,), augmentations=(kind,))
    ours = place_cutouts(law, 4, aspect=1.0, generator=generator()).matrices
    kornias, corners = as_kornia(kind), torch.tensor(((0, 0), (63, 0), (63, 63), (0, 63.0)))
    params = {"batch_prob": torch.ones(4)}
    if isinstance(kind, Perspective):
        # Where ours takes the corners of a cutout from, kornia's takes them to.
        ends = (corners + 0.5) * (2 / SIDE) - 1
        back = torch.linalg.inv(ours) @ F.pad(ends, (0, 1), value=1.0).T
        moved = ((back[:, :2] / back[:, 2:]).mT + 1) * (SIDE / 2) - 0.5
        params |= {"start_points": corners.expand(4, 4, 2), "end_points": moved}
    elif isinstance(kind, Affine):
        angle = torch.rad2deg(torch.atan2(ours[:, 1, 0], ours[:, 0, 0]))
        nothing = torch.zeros(4)
        params |= {
            "angle": -angle,
            "translations": torch.zeros(4, 2),
            "center": torch.full((4, 2), 31.5),
            "scale": torch.ones(4, 2),
            "shear_x": nothing,
            "shear_y": nothing,
        }
    else:
        params["forward_input_shape"] = torch.tensor((4, 3, SIDE, SIDE))
    assert torch.allclose(fused_matrices(kornias, params, size=SIDE), ours, atol=2e-4)


def test_colour_without_hue_is_what_kornia_makes_of_the_same_factors():
    jitter = ColourJitter(p=1, brightness=0.3, saturation=0.4, hue=0)
    pictures = smooth().expand(4, 3, SIDE, SIDE) * 0.6  # so that nothing is clipped
    ours = augment(pictures, [jitter], generator())
    chance, module = RandomDraws(4, generator()), as_kornia(jitter).build()
    chance.bernoulli(1)  # the same draws as ours
    brightness, contrast, saturation = (1 + chance.uniform(-a, a) for a in (0.3, 0, 0.4))
    params = {
        "brightness_factor": brightness,
        "contrast_factor": contrast,
        "saturation_factor": saturation,
        "hue_factor": torch.zeros(4),
        "order": torch.tensor((0, 2, 1, 3)),
        "batch_prob": torch.ones(4),
    }
    assert (module(pictures, params=params) - ours.clamp(0, 1)).abs().max() < BOUND


# Without clipping, on pictures that stay inside [0, 1], all but hue is the same up to rounding; hue is a rotation
# about the grey axis, and kornia's a way through HSV.
CHANGES = {
    "ColorJitter without hue": (
        unchecked_kornia("ColorJitter", brightness=0.2, contrast=0.2, saturation=0.3),
        BOUND,
    ),
    "ColorJitter, hue of gentle": (unchecked_kornia("ColorJitter", hue=0.02), 0.03),
    "ColorJitter, hue of pooled": (unchecked_kornia("ColorJitter", hue=0.1), 0.15),
    "RandomSharpness": (unchecked_kornia("RandomSharpness", sharpness=0.3), BOUND),
    "RandomSharpness, sharper": (unchecked_kornia("RandomSharpness", sharpness=(0.5, 1.5)), BOUND),
    "RandomErasing": (unchecked_kornia("RandomErasing", scale=(0.1, 0.4)), 0.0),
    "RandomErasing together": (
        unchecked_kornia("RandomErasing", scale=(0.1, 0.4), same_on_batch=True),
        0.0,
    ),
}


@pytest.mark.parametrize("p", [1.0, 0.5])
@pytest.mark.parametrize("name", CHANGES)
def test_a_fused_change_gives_what_kornia_gives_with_the_same_parameters(name, p):
    (member, bound), count = CHANGES[name], 12
    member = unchecked_kornia(member.name, **{**dict(member.args), "p": p})
    module = member.build()
    torch.manual_seed(3)
    params = module.forward_parameters(torch.Size((count, 3, SIDE, SIDE)))
    pictures = (0.3 + 0.4 * smooth()).expand(count, 3, SIDE, SIDE)  # so that nothing is clipped
    change = fused_change(member, params, size=SIDE, noise=generator())
    found = apply_changes(pictures, [change])
    assert (found - module(pictures, params=params)).abs().max() <= bound
    assert not torch.equal(found, pictures)


def test_geometry_is_fused_as_long_as_nothing_stands_before_it():
    turn, blur = unchecked_kornia("RandomRotation", degrees=5), unchecked_kornia("RandomBoxBlur")
    sharp, jitter = unchecked_kornia("RandomSharpness"), unchecked_kornia("ColorJitter", hue=0.1)
    warped, rest = split_augmentations([turn, sharp, jitter, turn, blur, turn, Noise()])
    assert warped == [turn, turn]
    assert rest == [sharp, jitter, blur, turn, Noise()]
    assert not is_fused(unchecked_kornia("RandomRotation", degrees=5, resample="nearest"))


@pytest.mark.parametrize("name", sorted(set(kornia_names())))
def test_every_class_changes_cutouts_with_a_gradient_in_their_size(name):
    pictures = smooth(2).requires_grad_()
    seen = apply_kornia(pictures, (build_example(name),), seed=1)
    assert seen.shape == pictures.shape
    (seen * torch.linspace(-1, 1, seen.numel()).view_as(seen)).sum().backward()
    assert pictures.grad.isfinite().all()
    assert pictures.grad.any()


def sampler(law: CutoutSet, count: int = 4, *, seed: int = 0, fused: bool = True, version: int = 2):
    chance = generator()
    if version == 1:
        return EarlierCutoutSampler(law, size=32, generator=chance, noise=chance, fused=fused)
    return KorniaCutoutSampler(law, count, size=32, seed=seed, generator=chance, noise=chance, fused=fused)


def cut(source, picture: torch.Tensor, *, step: int = 0, count: int = 4) -> torch.Tensor:
    placed = source.warp(source.place(count, aspect=1.0), step=step)
    changes = source.changes(slice(0, count), step=step)
    return apply_changes(sample_cutouts(picture, placed, size=32), changes)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("name", CUTOUT_SETS)
def test_every_published_set_has_both_engines(name, fused, version):
    law = (EARLIER_SETS if version == 1 else CUTOUT_SETS)[name]
    picture = smooth().requires_grad_()
    seen = cut(sampler(law, fused=fused, version=version), picture)
    assert seen.shape == (4, 3, 32, 32)
    seen.square().sum().backward()
    assert picture.grad.isfinite().all()
    assert picture.grad.any()


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("fused", [True, False])
def test_what_follows_a_change_of_colour_is_applied_by_both_engines(fused, version):
    members = (
        unchecked_kornia("ColorJitter", brightness=0.2, p=1.0),
        unchecked_kornia("RandomAffine", degrees=(30, 30), p=1.0),
    )
    ramp = torch.linspace(0, 1, SIDE).expand(1, 3, SIDE, SIDE)
    seen = cut(sampler(CutoutSet(crops=(WHOLE,), augmentations=members), fused=fused, version=version), ramp)
    assert seen.std(2).max() > 0.05  # it is turned: columns are not uniform any more


NO_NOISE = {
    name: law.model_copy(
        update={"augmentations": tuple(each for each in law.augmentations if each.kind != "noise")}
    )
    for name, law in CUTOUT_SETS.items()
}


@pytest.mark.parametrize("name", sorted(set(CUTOUT_SETS) - {"crowson"}))
def test_parameters_follow_from_the_seed_and_the_step_alone(name):
    law = NO_NOISE[name].model_copy(update={"crops": (WHOLE,)})
    forwards, backwards = sampler(law), sampler(law)
    steps = (0, 1, BLOCK, BLOCK + 1)
    seen = {step: cut(forwards, smooth(), step=step) for step in steps}
    for step in reversed(steps):
        assert torch.equal(cut(backwards, smooth(), step=step), seen[step])
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[0], seen[BLOCK])
    assert not torch.equal(seen[0], cut(sampler(law, seed=1), smooth()))


def test_what_is_the_same_in_a_batch_differs_between_steps():
    member = unchecked_kornia("RandomErasing", scale=(0.1, 0.4), same_on_batch=True, p=1.0)
    source = sampler(CutoutSet(crops=(WHOLE,), augmentations=(member,)))
    ones = torch.ones(1, 3, SIDE, SIDE)
    first, second = cut(source, ones, step=0), cut(source, ones, step=1)
    assert all(torch.equal(first[0], each) for each in first)
    assert not torch.equal(first, second)


def test_batches_of_a_step_have_their_own_rows():
    law = NO_NOISE["pooled"]
    whole = sampler(law).changes(slice(0, 4), step=3)
    parts = [sampler(law).changes(rows, step=3) for rows in (slice(0, 2), slice(2, 4))]
    for change, *others in zip(whole, *parts, strict=True):
        for value, *own in zip(change.values, *(each.values for each in others), strict=True):
            assert torch.equal(value, torch.cat(own))


@pytest.fixture
def paint(tiny_vqgan, tiny_perceptor):
    own = [
        {"kind": "kornia", "name": "RandomRotation", "args": {"degrees": 20}},
        {"kind": "kornia", "name": "RandomElasticTransform", "args": {"p": 0.7}},
        {"kind": "kornia", "name": "RandomGaussianNoise", "args": {"std": 0.05}},
        {"kind": "noise"},
    ]

    def start(engine: str) -> Optimization:
        recipe = make_recipe({
            "prompts": "a fox", "width": 32, "height": 32, "steps": 4, "seed": 3,
            "engine": {"augmentations": engine}, "optimizer": {"learning_rate": 0.6},
            "cutouts": {"count": 4, "batches": 2, "own": {"crops": [{}], "augmentations": own}},
        })  # fmt: skip
        return Optimization(recipe, make_drawer(recipe, tiny_vqgan), tiny_perceptor)

    return start


def same(first: list, second: list) -> bool:
    return len(first) == len(second) and all((a == b).all() for a, b in zip(first, second, strict=False))


@pytest.mark.parametrize("engine", ["fused", "kornia"])
def test_a_run_with_kornias_classes_can_be_repeated_and_resumed(paint, engine):
    torch.manual_seed(1)
    whole = [frame.picture for frame in paint(engine)]
    torch.manual_seed(2)  # the process's own generator must not matter
    first, again = paint(engine), paint(engine)
    begun = [next(first).picture for _ in range(2)]
    again.restore(first.state())
    assert same(whole, begun + [frame.picture for frame in again])
    assert not same(whole, [whole[0]] * len(whole))


def test_the_engines_sample_different_random_numbers(paint):
    runs = [[frame.picture for frame in paint(engine)] for engine in ("fused", "kornia")]
    assert not same(*runs)


def test_two_runs_on_two_threads_do_not_disturb_each_other(paint):
    alone, found = [frame.picture for frame in paint("kornia")], {}

    def run(number: int) -> None:
        found[number] = [frame.picture for frame in paint("kornia")]

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert same(alone, found[0])
    assert same(alone, found[1])


def test_the_process_generator_is_as_it_was():
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    apply_kornia(smooth(), (unchecked_kornia("RandomGaussianNoise", std=0.1, p=1.0),), seed=3)
    kornia_pipeline.sample_parameters(unchecked_kornia("RandomRotation", degrees=10), 2, size=32, seed=3)
    assert torch.equal(torch.rand(2), expected)
