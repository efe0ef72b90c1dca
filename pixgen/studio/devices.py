"""The device that a studio paints on."""

import re

from pixgen.errors import DeviceError


def resolve_device(name: str) -> str:
    """The device by its name; ``auto`` is a CUDA device where there is one, else the CPU.

    Raises DeviceError, which lists what there is.
    """
    if name == "cpu":
        return name
    if name != "auto" and not re.fullmatch(r"cuda(:\d+)?", name):
        raise DeviceError(
            "There is no device “{name}”: choose auto, cpu, cuda or cuda:NUMBER.", name=name
        )
    import torch  # here: two seconds, which naming the CPU need not wait for

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "auto":
        return "cuda" if count else "cpu"
    if int(name.partition(":")[2] or 0) >= count:
        there = ", ".join(["auto", "cpu", *(f"cuda:{index}" for index in range(count))])
        raise DeviceError(
            "The device “{name}” is not there: choose {there}.", name=name, there=there
        )
    return name
