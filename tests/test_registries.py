"""What docs/contributing.md adds to a registry in a few lines is all that it takes: it is painted with."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/contributing.md").read_text("utf-8")
# Runs with some modules replaced by other sources, as if their files had been edited.
PROGRAM = """
import importlib.abc, importlib.util, json, sys

class Edited(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    sources = json.loads(sys.argv[1])

    def find_spec(self, name, path, target=None):
        return importlib.util.spec_from_loader(name, self) if name in self.sources else None

    def exec_module(self, module):
        exec(compile(self.sources[module.__name__], module.__name__, "exec"), module.__dict__)

sys.meta_path.insert(0, Edited())
"""
PAINT = """
import torch
from pixgen.recipe.options import Options, recipe_from
from pixgen.synthesis import make_drawer
from pixgen.synthesis.init.initialise import Initialisation

recipe = recipe_from(Options(prompt="a fox", preset="draft", assignments=({assignments})))
drawer = make_drawer(recipe)
start = Initialisation(
    recipe, drawer, pictures={{}}, generator=torch.Generator().manual_seed(1), similarity=None, sketch_model=None
)
assert list(start) == []
picture = drawer.draw().detach()
assert picture.shape == (1, 3, recipe.height, recipe.width)
"""


def section(title: str) -> tuple[str, str]:
    """The block of Python below a heading, and the entry of a registry that the text quotes."""
    text = PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    (block,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (entry,) = re.findall(r'`("\w+": [^`]*,)`', text)
    return block, entry


def edited(module: str, *, before: str, block: str, entry: str) -> str:
    """A module's source with a block and its entry written into the registry that ``before`` begins."""
    source = (ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")
    (first,) = re.findall(rf"^{before}.*{{\n?", source, re.MULTILINE)
    return source.replace(first, f"{block}\n\n{first}{entry}")


def run(program: str, sources: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + program, json.dumps(sources)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_a_start_is_a_function_and_a_line():
    block, entry = section("A starting point")
    source = edited("pixgen.recipe.init", before="INIT_KINDS", block=block, entry=entry)
    paint = PAINT.format(
        assignments='"init.kind=stripes", "drawer=pixels", "pixels.size=1", "width=32", "height=32"'
    )
    program = (
        paint + "assert torch.equal(picture[..., :1, :], picture[..., -1:, :])\nassert picture.std() > 0.05\n"
    )
    run(program, {"pixgen.recipe.init": source})


def test_a_drawer_is_a_module_and_a_line():
    block, entry = section("A drawer")
    source = edited("pixgen.recipe.drawers", before="DRAWERS", block="", entry=entry)
    paint = PAINT.format(assignments='"init.kind=snow", "drawer=plain"')
    program = paint + "assert picture.std(dim=(2, 3)).max() < 1e-6\n"
    run(program, {"pixgen.recipe.drawers": source, "pixgen.synthesis.drawers.plain": block})


def test_an_upscaler_is_a_class_and_a_line():
    block, entry = section("An upscaler")
    source = edited("pixgen.models.upscalers", before="UPSCALERS", block=block, entry=entry)
    program = """
import torch
from pixgen.models.upscalers import available_upscalers, load_upscaler
from pixgen.synthesis.upscale import upscale

assert "doubled" in available_upscalers()
upscaler = load_upscaler("doubled", "cpu")
picture = torch.rand(1, 3, 8, 8)
assert upscale(picture, width=16, height=16, upscaler=upscaler).shape == (1, 3, 16, 16)
"""
    run(program, {"pixgen.models.upscalers": source})


@pytest.mark.parametrize("title", ["A starting point", "A drawer", "An upscaler"])
def test_an_example_takes_about_ten_lines(title):
    block, _ = section(title)
    assert len(re.findall(r"^ *[^\s\"#]", block, re.MULTILINE)) <= 16
