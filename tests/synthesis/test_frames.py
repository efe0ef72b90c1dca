"""A frame's picture: copied when asked for, or on its way already."""

import numpy as np
import pytest
import torch

from pixgen.synthesis.frames import Frame, PendingMetrics
from pixgen.synthesis.tensors import start_copy, to_pixels

PICTURE = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0)) * 1.2 - 0.1


def a_frame(**more) -> Frame:
    return Frame(0, 1, PendingMetrics({}, {}), 0.0, lambda: PICTURE, **more)


def test_a_picture_is_bytes_in_rows():
    picture = a_frame().picture
    assert (picture.shape, picture.dtype) == ((4, 6, 3), np.uint8)
    assert picture[1, 2, 0] == round(float(PICTURE[0, 0, 1, 2].clamp(0, 1)) * 255)


def test_what_is_on_its_way_is_not_drawn_again():
    ready = np.zeros((4, 6, 3), np.uint8)
    assert a_frame(copied=lambda: ready).picture is ready


def test_on_a_cpu_there_is_nothing_to_be_copied():
    assert start_copy(PICTURE[0]) is None


def metrics(device: str = "cpu") -> PendingMetrics:
    numbers = torch.tensor([0.25, 0.5, 0.75], device=device)
    made = PendingMetrics({"fox": numbers[0], "snow": numbers[1]}, {"prompts": numbers[2]})
    numbers.zero_()  # what a device is told later does not matter
    return made


def test_figures_are_those_of_their_step():
    assert metrics().similarities == (("fox", 0.25), ("snow", 0.5))
    assert metrics().losses == {"prompts": 0.75}
    assert (a_frame().similarities, a_frame().losses) == ((), {})


@pytest.mark.gpu
def test_figures_that_nobody_waited_for_are_those_of_their_step():
    assert metrics("cuda").similarities == (("fox", 0.25), ("snow", 0.5))


@pytest.mark.gpu
def test_a_copy_that_nobody_waited_for_is_the_picture():
    picture = PICTURE[0].cuda()
    copied = start_copy(picture)
    picture.zero_()  # what the GPU is told later does not matter
    assert np.array_equal(copied(), to_pixels(PICTURE[0]))
