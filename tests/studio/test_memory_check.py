"""Whether a recipe's memory is there, before anything is loaded."""

import pytest

from pixgen.recipe.recipe import make_recipe
from pixgen.studio import memory_check
from pixgen.studio.memory_check import MemoryCheck, check_memory, format_bytes, free_bytes, memory_warning


@pytest.fixture
def free(monkeypatch):
    """Sets what is free."""
    return lambda count: monkeypatch.setattr(memory_check, "free_bytes", lambda device: count)


@pytest.mark.parametrize(
    ("needed", "there", "verdict"),
    [
        (80, 100, "fits"),
        (81, 100, "tight"),
        (100, 100, "tight"),
        (101, 100, "too much"),
        (1, None, "unknown"),
    ],
)
def test_the_verdict_leaves_room_for_an_error(needed, there, verdict):
    assert MemoryCheck(needed, there).verdict == verdict


def test_this_machine_has_memory():
    assert free_bytes("cpu") is None or 1e6 < free_bytes("cpu") < 1e14


def test_a_containers_limit_counts(tmp_path, monkeypatch):
    for name, content in (
        ("memory.max", "3000000000"),
        ("memory.current", "2500000000"),
        ("memory.stat", "anon 1000000000\ninactive_file 100000000\n"),
    ):
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(memory_check, "_CGROUP", tmp_path)
    assert memory_check._of_container(10**12) == 600_000_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_check._of_container(10**12) == 10**12


def test_small_pictures_are_not_looked_at_where_there_is_room(free, monkeypatch):
    free(4_000_000_000)
    monkeypatch.setattr(memory_check, "check_memory", lambda recipe, device: pytest.fail("was looked at"))
    assert memory_warning(make_recipe({"prompts": "a fox"}), "cpu") == ""


@pytest.mark.parametrize(
    ("needed", "said"), [(300_000_000, ""), (900_000_000, "barely fit"), (2e9, "not fit")]
)
def test_a_warning_says_how_much_and_what_is_there(free, monkeypatch, needed, said):
    free(1_000_000_000)
    monkeypatch.setattr(
        memory_check, "check_memory", lambda recipe, device: MemoryCheck(int(needed), 1_000_000_000)
    )
    sentence = memory_warning(make_recipe({"prompts": "a fox"}), "cpu")
    assert said in sentence
    assert ("1.0 GB are free" in sentence) == bool(said)


def test_an_unknown_form_has_no_outlook():
    assert check_memory(make_recipe({"prompts": "a fox", "clip": ["hf-hub:some/thing"]}), "cpu") is None


def test_bytes_in_words():
    assert [format_bytes(227_100_000), format_bytes(996_000_000), format_bytes(2_640_000_000)] == [
        "230 MB",
        "1.0 GB",
        "2.6 GB",
    ]


@pytest.mark.parametrize("change", [{"clip": ["ViT-L-14"]}, {"cutouts": {"count": 512}}])
def test_small_pictures_of_large_clips_or_many_cutouts_are_looked_at(change, monkeypatch):
    monkeypatch.setattr(memory_check, "free_bytes", lambda device: 2_100_000_000)
    assert "of memory, and 2.1 GB are free" in memory_warning(
        make_recipe({"prompts": "a fox"}, change), "cpu"
    )
