"""What trainings leave in checkpoints besides weights, as objects of libraries' own classes."""

import argparse
import enum
import functools
import pathlib
import sys
import types
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import torch
import torch.nn as nn


class AttributeDict(dict):
    """As Lightning's: hyperparameters that are attributes too."""


class Colour(enum.Enum):
    """A choice in a config."""

    RED = "red"


@dataclass
class Settings:
    """A config that is a dataclass."""

    rate: float = 0.1
    place: pathlib.PurePosixPath = pathlib.PurePosixPath("logs/1")


class Linked:
    """A node that knows its parent, as a config's do."""

    def __init__(self) -> None:
        self.child, self.parent = {"up": self}, self


def omegaconf() -> Any:
    """A config of OmegaConf's."""
    from omegaconf import OmegaConf

    return OmegaConf.create({"model": {"rate": 1e-4, "layers": [1, 2], "target": "a.B"}})


EXTRAS = {
    "numpy scalar": lambda: np.float64(0.25),
    "numpy array": lambda: np.arange(6, dtype=np.float32).reshape(2, 3),
    "numpy texts": lambda: np.array(["a", "b"], dtype=object),
    "namespace": lambda: argparse.Namespace(lr=1e-4, gpus=[0, 1], out=pathlib.PurePosixPath("a/b")),
    "omegaconf": omegaconf,
    "attribute dict": lambda: AttributeDict(lr=1e-4, deep=AttributeDict(a=1)),
    "enum": lambda: Colour.RED,
    "dataclass": lambda: Settings(),
    "a cycle": Linked,
    "dates": lambda: (datetime(2021, 5, 4), timedelta(seconds=3)),
    "containers": lambda: [
        {1, 2},
        frozenset("ab"),
        Counter("abc"),
        defaultdict(list, a=[1]),
        3j,
        range(4),
    ],
    "a function": lambda: functools.partial(np.mean, axis=0),
    "a class": lambda: {argparse.Namespace: 1},
    "an optimizer": lambda: torch.optim.Adam([nn.Parameter(torch.ones(3))]),
    "a device": lambda: {
        "device": torch.device("cpu"),
        "dtype": torch.float16,
        "size": torch.Size([1, 2]),
    },
    "a random state": lambda: np.random.default_rng(0),
}


def callbacks(monkeypatch, *names: str) -> dict[Any, Any]:
    """The state of Lightning's callbacks by their classes, as Lightning before 1.5 keeps it."""
    found = {}
    for name in names:
        module = f"pytorch_lightning.callbacks.{name.lower()}"
        for each in ("pytorch_lightning", "pytorch_lightning.callbacks", module):
            monkeypatch.setitem(sys.modules, each, types.ModuleType(each))
        kind = type(name, (), {"__module__": module})
        setattr(sys.modules[module], name, kind)
        found[kind] = {"wait_count": 2, "best_score": torch.tensor(0.5), "kind": kind()}
    return found
