"""Loaded models: once each, and not too many."""

import threading

import pytest
import torch

from pixgen.errors import ModelError, OutOfMemory
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.model_cache import MAX_MODELS, ModelCache
from pixgen.studio.workers.local import paint


@pytest.fixture
def loads():
    return []


@pytest.fixture
def models(loads):
    def load(name, device):
        loads.append((name, device))
        return object()

    return ModelCache(lambda: "cpu", load_vqgan=load, load_perceptor=load)


def test_a_model_is_loaded_once_on_the_device(models, loads):
    assert models.vqgan("a") is models.vqgan("a")
    assert models.perceptor(("a", "b")) is models.perceptor(["a", "b"])
    assert loads == [("a", "cpu"), (("a", "b"), "cpu")]


def test_the_longest_unused_model_goes_first(models, loads):
    first = models.vqgan("0")
    for number in range(1, MAX_MODELS):
        models.vqgan(str(number))
    assert models.vqgan("0") is first  # used again: now "1" is the longest unused
    models.vqgan("one more")
    assert models.vqgan("0") is first
    count = len(loads)
    models.vqgan("1")
    assert len(loads) == count + 1


def test_two_who_ask_at_once_load_it_once(loads):
    begun, go_on = threading.Event(), threading.Event()

    def load(name, device):
        loads.append(name)
        begun.set()
        go_on.wait(10)
        return object()

    models, found = ModelCache(lambda: "cpu", load_vqgan=load), []
    threads = [threading.Thread(target=lambda: found.append(models.vqgan("a"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert loads == ["a"]
    assert len(set(map(id, found))) == 1


def test_a_model_that_is_loading_keeps_nobody_from_another(loads):
    go_on = threading.Event()

    def load(name, device):
        if name == "slow":
            go_on.wait(10)
        return name

    models = ModelCache(lambda: "cpu", load_vqgan=load)
    slow = threading.Thread(target=models.vqgan, args=("slow",))
    slow.start()
    assert models.vqgan("quick") == "quick"
    assert slow.is_alive()
    go_on.set()
    slow.join(10)


def test_a_failed_load_can_be_tried_again():
    answers = iter([ModelError("not yet"), "here"])

    def load(name, device):
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    models = ModelCache(lambda: "cpu", load_vqgan=load)
    with pytest.raises(ModelError):
        models.vqgan("a")
    assert models.vqgan("a") == "here"


def test_a_sketchbook_shares_the_models_of_its_sketcher(tiny_sketcher, loads):
    def load(name, device):
        loads.append(name)
        return object()

    models = ModelCache(
        lambda: "cpu", load_vqgan=load, load_perceptor=load, load_sketcher=lambda *_: tiny_sketcher
    )
    vqgan, reader = models.vqgan("pocket"), models.perceptor(("pocket",))
    book = models.sketch_model("any")
    assert (book.sketcher, book.vqgan, book.reader) == (tiny_sketcher, vqgan, reader)
    assert loads == ["pocket", ("pocket",)]


@pytest.mark.parametrize("shortages", [1, 2])
def test_where_memory_is_short_other_models_make_room_once(shortages, tiny_vqgan, tiny_perceptor):
    asked, seen = [], []

    def load_vqgan(name, device):
        asked.append(name)
        if len(asked) <= shortages:
            raise torch.OutOfMemoryError("out of memory (injected)")
        return tiny_vqgan

    def load_perceptor(names, device):
        seen.append(names)
        return tiny_perceptor

    models = ModelCache(lambda: "cpu", load_vqgan=load_vqgan, load_perceptor=load_perceptor)
    models.perceptor(("another",))
    recipe = make_recipe({"prompts": "a red fox", "width": 32, "height": 32, "steps": 1})
    if shortages == 2:
        with pytest.raises(OutOfMemory, match="a smaller size than 32×32"):
            paint(recipe, {}, "cpu", models)
    else:
        assert len(list(paint(recipe, {}, "cpu", models))) == 2
    models.perceptor(("another",))
    assert seen.count(("another",)) == 2  # it had made room
