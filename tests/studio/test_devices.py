"""Devices by name."""

import pytest

from pixgen.errors import DeviceError
from pixgen.studio import resolve_device


def test_the_cpu_is_there():
    assert resolve_device("cpu") == "cpu"


def test_auto_is_a_gpu_where_there_is_one():
    import torch

    assert resolve_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize("name", ["", "gpu", "cuda:", "cuda:x", "mps", "CPU"])
def test_an_unknown_name_is_an_error_that_lists_the_names(name):
    with pytest.raises(DeviceError, match="choose auto, cpu, cuda or cuda:NUMBER"):
        resolve_device(name)


def test_a_device_that_is_not_there_is_an_error_that_lists_what_is():
    with pytest.raises(DeviceError, match=r"“cuda:99” is not available: choose auto, cpu"):
        resolve_device("cuda:99")
