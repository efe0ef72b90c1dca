"""The plan of a step's cutouts: drawn on the CPU, uploaded at once, the same as cutouts one by one."""

import pytest
import torch

from pixgen.recipe.cutouts import CUTOUT_SETS, EARLIER_SETS, CutoutSet, Erasing, Noise, Sharpness
from pixgen.synthesis.cutouts import cutouts as cutout_module
from pixgen.synthesis.cutouts.cutouts import plan_cutouts, sample_cutouts
from pixgen.synthesis.cutouts.earlier_recipes import EarlierCutoutSampler, augment
from pixgen.synthesis.cutouts.sampler import KorniaCutoutSampler
from pixgen.synthesis.tensors import upload_all

NOISE_FIRST = CutoutSet(
    crops=CUTOUT_SETS["updated"].crops, augmentations=(Noise(), Erasing(p=1), Sharpness(p=1))
)


def plan(law: CutoutSet, generator: torch.Generator, *, batches: int = 2):
    sampler = EarlierCutoutSampler(law, size=16, generator=generator, noise=generator, fused=True)
    return plan_by(sampler, batches=batches)


def plan_by(sampler, *, step: int = 0, batches: int = 2):
    placed = sampler.warp(sampler.place(6, aspect=1.0), step=step)
    return placed, plan_cutouts(
        sampler, placed, torch.arange(6.0)[:, None], step=step, batches=batches, size=16, height=48, width=48,
        device=torch.device("cpu"),
    )  # fmt: skip


@pytest.mark.parametrize("law", [*EARLIER_SETS.values(), NOISE_FIRST], ids=[*EARLIER_SETS, "noise first"])
def test_batches_are_what_drawing_and_disturbing_one_after_another_gives(law):
    picture, chance = torch.rand(1, 3, 48, 48), torch.Generator().manual_seed(1)
    _, batches = plan(law, chance)
    found = [batch.see(picture) for batch in batches]
    chance.manual_seed(1)
    placed, _ = plan(law, chance)
    for (_, places), seen in zip(placed.in_batches(2), found, strict=True):
        assert torch.equal(seen, augment(sample_cutouts(picture, places, size=16), law.augmentations, chance))


def test_batches_know_their_rows_of_the_shares():
    _, batches = plan(EARLIER_SETS["gentle"], torch.Generator().manual_seed(1), batches=4)
    shares = [batch.shares[:, 0].tolist() for batch in batches]
    assert shares == [[0, 1], [2, 3], [4, 5]]


def test_what_is_uploaded_arrives_in_its_shapes():
    tensors = [torch.rand(2, 3), torch.rand(()), torch.rand(4, 1, 1)]
    for expected, found in zip(tensors, upload_all(tensors, torch.device("cpu")), strict=True):
        assert torch.equal(expected, found)


def test_a_device_gets_every_batch_in_one_upload(monkeypatch):
    uploads = []

    def counted(tensors, device):
        uploads.append(len(tensors))
        return upload_all(tensors, torch.device("cpu"))

    monkeypatch.setattr(cutout_module, "upload_all", counted)
    chance = torch.Generator().manual_seed(1)
    sampler = KorniaCutoutSampler(
        CUTOUT_SETS["updated"], 6, size=16, seed=1, generator=chance, noise=chance, fused=True
    )
    _, here = plan_by(sampler)
    here = list(here)
    there = cutout_module._upload_batches(here, torch.device("cuda"))
    assert len(uploads) == 1
    picture = torch.rand(1, 3, 48, 48)
    for first, second in zip(here, there, strict=True):
        assert torch.equal(first.shares, second.shares)
        assert torch.equal(first.see(picture)[:0], second.see(picture)[:0])
        assert torch.equal(first.places.matrices, second.places.matrices)


def test_geometry_stays_in_float32_under_autocast():
    pooled = EARLIER_SETS["pooled"]
    law = pooled.model_copy(update={"augmentations": pooled.augmentations[:2]})
    picture, seen = torch.rand(1, 3, 48, 48), []
    for enabled in (False, True):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            _, batches = plan(law, torch.Generator().manual_seed(2))
            seen.append(torch.cat([batch.see(picture) for batch in batches]))
    assert seen[1].dtype == torch.float32
    assert torch.equal(*seen)
