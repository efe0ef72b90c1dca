"""Loaded models: once each, and not too many."""

import threading

import pytest

from pixgen.errors import ModelError
from pixgen.studio.models import KEPT, Models


@pytest.fixture
def loads():
    return []


@pytest.fixture
def models(loads):
    def load(name, device):
        loads.append((name, device))
        return object()

    return Models(lambda: "cpu", load_vqgan=load, load_perceptor=load)


def test_a_model_is_loaded_once_on_the_device(models, loads):
    assert models.vqgan("a") is models.vqgan("a")
    assert models.perceptor(("a", "b")) is models.perceptor(["a", "b"])
    assert loads == [("a", "cpu"), (("a", "b"), "cpu")]


def test_the_longest_unused_model_goes_first(models, loads):
    first = models.vqgan("0")
    for number in range(1, KEPT):
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

    models, found = Models(lambda: "cpu", load_vqgan=load), []
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

    models = Models(lambda: "cpu", load_vqgan=load)
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

    models = Models(lambda: "cpu", load_vqgan=load)
    with pytest.raises(ModelError):
        models.vqgan("a")
    assert models.vqgan("a") == "here"


def test_a_sketchbook_shares_the_models_of_its_sketcher(tiny_sketcher, loads):
    def load(name, device):
        loads.append(name)
        return object()

    models = Models(
        lambda: "cpu", load_vqgan=load, load_perceptor=load, load_sketcher=lambda *_: tiny_sketcher
    )
    vqgan, reader = models.vqgan("pocket"), models.perceptor(("pocket",))
    book = models.sketchbook("any")
    assert (book.sketcher, book.vqgan, book.reader) == (tiny_sketcher, vqgan, reader)
    assert loads == ["pocket", ("pocket",)]
