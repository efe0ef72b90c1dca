"""Colour lookup tables in .cube files."""

import numpy as np
import pytest

from pixgen.errors import PictureError
from pixgen.studio.runs.inputs import read_lookup


def written(tmp_path, text):
    path = tmp_path / "a.cube"
    path.write_text(text)
    return path


def cube(size, change=lambda colour: colour, head=""):
    rows = [
        change((red, green, blue))
        for blue in np.linspace(0, 1, size)
        for green in np.linspace(0, 1, size)
        for red in np.linspace(0, 1, size)
    ]
    body = "\n".join(" ".join(f"{each:.5f}" for each in row) for row in rows)
    return f'TITLE "a"\n# a comment\n{head}LUT_3D_SIZE {size}\n{body}\n'


def test_a_table_is_read_blue_first(tmp_path):
    table = read_lookup(written(tmp_path, cube(3)))
    assert table.shape == (3, 3, 3, 3)
    assert table[2, 0, 1].tolist() == [0.5, 0, 1]  # red, green, blue


def test_curves_become_a_table(tmp_path):
    table = read_lookup(written(tmp_path, "LUT_1D_SIZE 2\n1 0 0\n0 1 0.5\n"))
    assert table[0, 0, 0].tolist() == [1, 0, 0]
    assert table[-1, -1, -1].tolist() == [0, 1, 0.5]
    assert table[0, 0, -1].tolist() == [0, 0, 0]  # all the red, which is inverted


def test_another_domain_is_sampled_again(tmp_path):
    head = "DOMAIN_MIN 0 0 0\nDOMAIN_MAX 2 2 2\n"
    table = read_lookup(written(tmp_path, cube(5, head=head)))
    assert table[-1, -1, -1] == pytest.approx([0.5, 0.5, 0.5])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "LUT_3D_SIZE 2\n0 0 0\n",
        "LUT_3D_SIZE 900\n0 0 0\n",
        "LUT_3D_SIZE 2\n" + "nan 0 0\n" * 8,
        "LUT_3D_SIZE x",
    ],
)
def test_what_is_no_table_is_an_error(tmp_path, text):
    with pytest.raises(PictureError, match="is not a colour lookup"):
        read_lookup(written(tmp_path, text))


def test_a_missing_table_is_an_error(tmp_path):
    with pytest.raises(PictureError, match="cannot be read"):
        read_lookup(tmp_path / "none.cube")
