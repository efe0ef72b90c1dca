"""The runs on the command line."""

import io
import json

import pytest

from pixgen.cli.app import main
from pixgen.recipe.recipe import make_recipe
from pixgen.studio import Studio
from tests.studio.fakes import Painters, a_recipe


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The folder of this test's runs, which every command finds by itself."""
    monkeypatch.setenv("PIXGEN_OUTPUT_DIR", str(tmp_path / "outputs"))
    return tmp_path / "outputs"


@pytest.fixture
def runs(folder):
    """A fox, its child and a whale."""
    with Studio(device="cpu", painter=Painters()) as studio:
        fox = studio.submit(a_recipe(prompts="a red fox", preset="draft", steps=2))
        assert fox.wait(20)
        cub = studio.submit(a_recipe(prompts="a fox cub", steps=2), parent=fox.id)
        whale = studio.submit(a_recipe(prompts="a whale", preset="draft", steps=2))
        assert whale.wait(20)
        return [fox.id, cub.id, whale.id]


def machine(*arguments, capsys):
    assert main(["runs", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def listed(*arguments, capsys):
    return {run["run"] for run in machine("list", *arguments, capsys=capsys)}


def test_runs_are_listed_filtered_and_sorted(runs, folder, capsys):
    fox, cub, whale = runs
    everything = machine(capsys=capsys)
    assert [run["run"] for run in machine("list", "--sort", "prompt", capsys=capsys)] == [
        cub,
        fox,
        whale,
    ]
    one = next(run for run in everything if run["run"] == cub)
    assert (one["state"], one["step"], one["steps"], one["parent"]) == ("done", 2, 2, fox)
    assert (one["folder"], one["similarity"], one["tags"]) == (str(folder / cub), 1.0, [])
    assert listed("fox", capsys=capsys) == {fox, cub}
    assert listed("--preset", "draft", capsys=capsys) == {fox, whale}
    assert listed("--state", "stopped", capsys=capsys) == set()
    assert listed("--before", "2020-01-01", capsys=capsys) == set()
    assert len(listed("--top", "2", capsys=capsys)) == 2


def test_favourites_tags_and_the_bin(runs, capsys):
    fox, cub, whale = runs
    assert machine("favourite", fox, whale, capsys=capsys)[1]["favourite"] is True
    machine("favourite", whale, "--off", capsys=capsys)
    assert listed("--favourites", capsys=capsys) == {fox}
    assert machine("tag", cub, "Small", "forest", capsys=capsys)[0]["tags"] == ["forest", "small"]
    assert listed("--tag", "forest", capsys=capsys) == {cub}
    assert machine("delete", cub, whale, capsys=capsys)[0]["deleted"] is True
    assert (listed(capsys=capsys), listed("--bin", capsys=capsys)) == ({fox}, {cub, whale})
    machine("restore", cub, capsys=capsys)
    assert machine("empty", "--yes", capsys=capsys) == {"removed": 1}
    assert (listed(capsys=capsys), listed("--bin", capsys=capsys)) == ({fox, cub}, set())


def test_a_tag_is_taken_away_with_a_minus(runs, capsys):
    assert main(["runs", "tag", runs[0], "sea", "boat"]) == 0
    assert main(["runs", "tag", runs[0], "--", "-sea", "night"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == f"{runs[0]}  boat, night"


def test_a_run_is_shown_with_its_recipe_curve_and_relatives(runs, capsys):
    fox, cub, _ = runs
    shown = machine("show", cub, capsys=capsys)
    assert make_recipe(shown["recipe"]).prompt == "a fox cub"
    assert (shown["parents"], shown["children"], shown["siblings"]) == ([fox], [], [])
    assert shown["curve"]["steps"] == [0, 1, 2]
    assert shown["curve"]["similarities"] == {"a fox cub": [0.0, 0.5, 1.0]}
    assert shown["picture"].endswith("picture.png")
    assert main(["runs", "show", fox]) == 0
    table = capsys.readouterr().out
    assert "similarity to “a red fox”" in table
    assert "0.000 → 1.000" in table
    assert cub in table


def test_a_person_reads_a_table(runs, capsys):
    assert main(["runs", "favourite", runs[0]]) == 0
    assert main(["runs"]) == 0
    table = capsys.readouterr().out
    assert f"{runs[0]} ★" in table
    assert "a whale" in table
    assert main(["runs", "list", "mouse"]) == 0
    assert "No run matches" in capsys.readouterr().out


def test_a_program_that_reads_the_table_has_a_run_a_line(folder, capsys):
    prompt = " | ".join(f"a red fox number {number}" for number in range(20))
    with Studio(device="cpu", painter=Painters()) as studio:
        runs = [studio.submit(a_recipe(prompts=prompt, steps=1)) for _ in range(2)]
        assert all(run.wait(20) for run in runs)
    assert main(["runs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["run", runs[1].id, runs[0].id]
    assert all("a red fox number 19" in line for line in lines[1:])
    assert lines == [line.rstrip() for line in lines]


def test_the_bin_is_not_emptied_without_a_yes(runs, capsys, monkeypatch):
    main(["runs", "delete", runs[0]])
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert main(["runs", "empty"]) == 130
    assert "Runs in the trash: 1." in capsys.readouterr().err
    assert listed("--bin", capsys=capsys) == {runs[0]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--sort", "best"], "choose newest, oldest, similarity, longest, prompt"),
        (["list", "--state", "asleep"], "choose painting, done, stopped, failed"),
        (["list", "--after", "yesterday"], "“yesterday” is not a date"),
        (["show", "20260101-000000-abcdef"], "There is no run"),
        (["delete", "../outputs"], "There is no run"),
        (["--output-dir", "x", "list"], "Put the options after “list”."),
    ],
)
def test_bad_input_is_one_clear_sentence(arguments, said, capsys):
    assert main(["runs", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_nothing_is_done_if_one_of_the_runs_is_not_there(runs, capsys):
    assert main(["runs", "delete", runs[0], "20260101-000000-abcdef"]) == 2
    capsys.readouterr()
    assert listed(capsys=capsys) == set(runs)
