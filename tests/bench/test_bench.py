"""The bench measures what it says; how fast it is, is for the bench to tell and not for a test."""

import json

import pytest
import torch

from pixgen.bench.classify import _calibrate
from pixgen.bench.classify import text as classify_text
from pixgen.bench.inputs import load_bench_models, open_clip_tower
from pixgen.bench.memory import memory
from pixgen.bench.memory import text as memory_text
from pixgen.bench.prompts import prompts, read_prompts
from pixgen.bench.scale import efficiencies
from pixgen.bench.search import text as search_text
from pixgen.bench.speed import STAGES, PlainLoop, _Stopwatch, speed, text
from pixgen.cli.app import main
from pixgen.errors import DeviceError, RecipeError
from pixgen.recipe.recipe import make_recipe

SMALL = {"prompts": "a red fox", "width": 32, "height": 32, "cutouts": {"count": 1}}


@pytest.fixture(scope="module")
def small():
    return speed(make_recipe(SMALL), steps=1, device="cpu")


def test_the_stages_make_up_the_step(small):
    assert set(small["stages_ms"]) == set(STAGES)
    assert all(milliseconds > 0 for milliseconds in small["stages_ms"].values())
    assert sum(small["stages_ms"].values()) == pytest.approx(small["step_ms"], abs=0.01)


def test_a_whole_step_is_timed_without_waiting_for_its_stages(monkeypatch):
    """As on a GPU, where a mark waits for what it was told before."""
    stopwatch, looks = _Stopwatch("cpu"), []
    monkeypatch.setattr(
        "pixgen.bench.speed._synchronised_time", lambda device: looks.append(device) or len(looks)
    )

    def step():
        for stage in STAGES:
            stopwatch.mark(stage)

    assert stopwatch.whole(step) == 1  # two looks at the clock, one after the other
    stages = {"decode": 1, "cutouts": 1, "clip": 1, "decode backward": 1, "rest": 2}
    assert stopwatch.measure(step) == stages  # a look at the end of each, and one more at the end


def test_the_way_back_is_split_too(small):
    assert set(small["backward_ms"]) == {"clip", "cutouts", "decode"}
    assert sum(small["backward_ms"].values()) == pytest.approx(small["stages_ms"]["backward"], abs=0.01)


def test_the_floor_is_the_arithmetic_at_the_measured_rate(small):
    floor = 1000 * sum(small["gflop"].values()) / small["matrix_gflop_a_second"]
    assert small["floor_ms"] == pytest.approx(floor, rel=0.05)
    assert small["times_the_floor"] == pytest.approx(small["step_ms"] / small["floor_ms"], rel=0.01)


def test_the_plain_loop_stands_beside_it(small):
    plain = small["plain"]
    assert small["times_the_plain_loop"] == pytest.approx(plain["step_ms"] / small["step_ms"], rel=0.01)
    for each in (small, plain):
        assert each["steps_a_second"] == pytest.approx(1000 / each["step_ms"], rel=0.01)
        floor = small["floor_ms"] / each["step_ms"]
        assert each["part_of_the_matrix_rate"] == pytest.approx(floor, rel=0.01)
    assert 47 < small["peak_megabytes"] < plain["peak_megabytes"]  # the weights alone take 47
    assert small["random_weights"] == []


def test_the_plain_loop_paints():
    torch.manual_seed(0)
    recipe = make_recipe(SMALL, {"width": 64, "height": 64, "cutouts": {"count": 4}})
    models = load_bench_models(recipe, "cpu")
    loop = PlainLoop(recipe, models.vqgan, models.perceptor, [open_clip_tower("pocket", models.perceptor)])
    target = models.perceptor.embed_texts(["a red fox"])

    def likeness():
        with torch.no_grad():
            picture = models.vqgan.decode(models.vqgan.nearest(loop.latent)).clamp(0, 1)
            return float(models.perceptor.embed_images(picture) @ target.T)

    before = likeness()
    for _ in range(12):
        loop.step()
    assert likeness() > before + 0.1


def test_models_that_are_not_here_are_measured_with_random_weights():
    models = load_bench_models(make_recipe(SMALL, {"model": "imagenet-1024", "clip": ["RN50"]}), "meta")
    assert models.random == ("imagenet-1024", "RN50")
    assert models.bytes() > 4e8


def test_arithmetic_grows_with_the_cutouts_and_the_size(small):
    large = speed(
        make_recipe(SMALL, {"width": 64, "height": 64, "cutouts": {"count": 2}}),
        steps=3,
        device="cpu",
    )
    assert large["gflop"]["clip"] == pytest.approx(2 * small["gflop"]["clip"], rel=0.02)
    assert large["gflop"]["decode"] > 3.5 * small["gflop"]["decode"]


def test_speed_prints_one_object_for_machines(capsys):
    assert main(["bench", "speed", "--size", "32x32", "--cutouts", "1", "--steps", "3", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["preset"], figures["size"], figures["cutouts"]) == ("balanced", "32x32", 1)


def test_a_person_reads_a_table(small):
    assert all(word in text(small) for word in ("step", "decode", "backward", "times the floor"))


def test_stream_compares_in_pairs(capsys):
    arguments = ["--size", "32x32", "--cutouts", "1", "--steps", "10", "--pairs", "1", "--json"]
    assert main(["bench", "stream", *arguments]) == 0
    figures = json.loads(capsys.readouterr().out)
    alone, watched = figures["alone_steps_a_second"], figures["watched_steps_a_second"]
    assert figures["costs_percent"] == [figures["cost_percent"]]
    # The rates are rounded to a thousandth of a step a second, which counts where a machine stalls.
    assert figures["cost_percent"] == pytest.approx(100 * (1 - watched / alone), abs=0.5, rel=0.01)
    assert figures["previews_a_run"] >= 1


def test_memory_is_estimated_and_measured(capsys, monkeypatch):
    def measured(recipe, device):
        assert (recipe.steps, device) == (2, "cpu")
        return {"bytes": 200_000_000, "random": []}

    monkeypatch.setattr("pixgen.bench.memory._measure_in_process", measured)
    assert main(["bench", "memory", "--size", "32x32", "--cutouts", "1", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["measured_megabytes"] == 200
    assert figures["off_percent"] == pytest.approx(figures["estimated_megabytes"] / 2 - 100, abs=0.1)
    assert all(word in memory_text(figures) for word in ("estimated", "measured", "off by"))


def test_a_run_that_breaks_off_while_it_is_measured_is_told(monkeypatch):
    monkeypatch.setattr("sys.executable", "false")
    with pytest.raises(DeviceError, match="failed: its process was killed"):
        memory(make_recipe(SMALL), device="cpu")


def test_an_unknown_way_is_answered_with_the_names(capsys):
    assert main(["bench", "quality", "--way", "magic"]) == 2
    assert "choose preset, random start, random start alone, sketch alone" in capsys.readouterr().err


def test_search_measures_scale_and_indexing(capsys):
    assert main(["bench", "search", "--vectors", "1000", "--pictures", "64", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    scale, indexing = figures["scale"], figures["indexing"]
    assert (scale["vectors"], scale["dimensions"], indexing["pictures"]) == (1000, 512, 64)
    assert scale["recall_at_10"] >= 0.95
    assert min(indexing["indexed_a_second"], indexing["model_alone_a_second"]) > 0
    assert indexing["part_of_the_model"] > 0
    assert "--data" in figures["quality"]
    assert "recall@10" in search_text(figures)


def test_classify_measures_its_rate_and_is_open_clip_s_classifier(capsys):
    assert main(["bench", "classify", "--pictures", "64", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["rate"]["pictures"], figures["rate"]["labels"]) == (64, 100)
    assert figures["rate"]["processor_seconds"] > 0
    assert figures["from_open_clip"] < 1e-5
    assert "64 pictures, 100 labels" in classify_text(figures)


def test_probabilities_are_compared_with_how_often_they_are_right():
    chance = torch.Generator().manual_seed(0)
    scores = 2 * torch.randn(4000, 8, generator=chance)
    drawn = torch.multinomial(scores.softmax(1), 1, generator=chance)[:, 0]
    true = _calibrate(scores, drawn, 8, seed=0)
    assert true["off"] < 0.03
    assert _calibrate(3 * scores, drawn, 8, seed=0)["off"] > 0.15  # too sure
    assert true["right"] == pytest.approx(float((scores.argmax(1) == drawn).float().mean()), abs=1e-4)


@pytest.mark.parametrize("bench", ["speed", "stream", "quality"])
def test_bad_input_is_one_clear_sentence(bench, capsys):
    assert main(["bench", bench, "--preset", "quick"]) == 2
    assert "choose draft, balanced, best" in capsys.readouterr().err


def test_kornias_functions_are_timed_beside_own_code(capsys):
    assert main(["bench", "kornia", "--rounds", "3", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert {"total variation", "ColorJitter", "RandomPerspective"} <= set(figures["functions"])
    assert all(each["own_ms"] > 0 and each["kornia_ms"] > 0 for each in figures["functions"].values())


def test_prompts_of_a_table_or_lines_are_measured(tmp_path):
    (tmp_path / "a.tsv").write_text("Prompt\tCategory\na red fox\tAnimals\nthe zorkon\tAbstract\n")
    (tmp_path / "b.txt").write_text("ten corgis\n\nin the forest\n")
    found = prompts(read_prompts(tmp_path / "a.tsv"))
    assert (found["prompts"], found["thing"], found["every_word"]) == (2, 0.5, 0.5)
    assert found["unknown"] == {"zorkon": 1}
    found = prompts(read_prompts(tmp_path / "b.txt"))
    assert (found["thing"], found["thing_or_place"], found["every_word"]) == (0.5, 1, 1)
    (tmp_path / "c.txt").write_text("\n")
    with pytest.raises(RecipeError, match="has no prompts"):
        read_prompts(tmp_path / "c.txt")


def test_the_efficiency_of_workers_is_compared_within_a_round():
    """The machine is half as fast in the second round, and two workers paint 1.8 times as many in each."""
    one, two = efficiencies({1: [10.0, 5.0, 10.0], 2: [18.0, 9.0, 18.0]})
    assert one == {"workers": 1, "pictures_a_minute": 10.0, "efficiency_percent": 100.0}
    assert two == {"workers": 2, "pictures_a_minute": 18.0, "efficiency_percent": 90.0}
