"""A frame's picture: copied when asked for, or on its way already."""

import numpy as np
import pytest
import torch

from pixgen.synthesis.frames import Frame, as_pixels, copying

PICTURE = torch.rand(1, 3, 4, 6, generator=torch.Generator().manual_seed(0)) * 1.2 - 0.1


def a_frame(**more) -> Frame:
    return Frame(0, 1, (), {}, 0.0, lambda: PICTURE, **more)


def test_a_picture_is_bytes_in_rows():
    picture = a_frame().picture
    assert (picture.shape, picture.dtype) == ((4, 6, 3), np.uint8)
    assert picture[1, 2, 0] == round(float(PICTURE[0, 0, 1, 2].clamp(0, 1)) * 255)


def test_what_is_on_its_way_is_not_drawn_again():
    ready = np.zeros((4, 6, 3), np.uint8)
    assert a_frame(copied=lambda: ready).picture is ready


def test_on_a_cpu_there_is_nothing_to_be_copied():
    assert copying(PICTURE[0]) is None


@pytest.mark.gpu
def test_a_copy_that_nobody_waited_for_is_the_picture():
    picture = PICTURE[0].cuda()
    copied = copying(picture)
    picture.zero_()  # what the GPU is told later does not matter
    assert np.array_equal(copied(), as_pixels(PICTURE[0]))
