"""``pixgen models``: what there is, and fetching, verifying and removing it by name."""

import json

import pytest

from pixgen.cli.app import main
from pixgen.models.catalog import Entry
from tests.models import published
from tests.models.servers import Files, serving

pytestmark = pytest.mark.usefixtures("caches")


@pytest.fixture
def lakes(tmp_path, monkeypatch):
    """A catalogued model on a server."""
    weights = published.taming(published.config()).state_dict()
    data = published.write(tmp_path / "published.ckpt", {"state_dict": weights}).read_bytes()
    with serving(Files(data)) as server:
        entry = Entry(
            name="lakes", kind="vqgan", paints="lakes", licence="MIT", model=published.config(), factor=4,
            codes=24, sources=(server.url,), home="https://example.org",
        )  # fmt: skip
        table = lambda kind=None: [entry] if kind in (None, "vqgan") else []  # noqa: E731
        monkeypatch.setattr("pixgen.models.catalog.entries", table)
        monkeypatch.setattr("pixgen.models.registry.entries", table)
        yield server


def listed(capsys, *arguments: str) -> list[dict]:
    assert main(["models", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_all_are_listed_with_what_is_known_of_them(capsys):
    found = {(each["kind"], each["name"]): each for each in listed(capsys, "list")}
    assert found["vqgan", "pocket"]["state"] == "bundled"
    assert found["vqgan", "imagenet-16384"]["state"] == "to fetch"
    assert found["vqgan", "imagenet-16384"]["codes"] == 16384
    assert len(found["vqgan", "imagenet-16384"]["sources"]) > 1
    assert found["clip", "ViT-B-32/laion2b_s34b_b79k"]["imagenet"] == 66.6
    assert listed(capsys) == listed(capsys, "list")


def test_a_person_sees_columns(capsys):
    assert main(["models", "list", "--kind", "vqgan"]) == 0
    said = capsys.readouterr().out
    assert "--model" in said
    assert "--clip" not in said
    assert "gumbel-8192" in said


def test_everything_has_open_clips_too(capsys):
    names = {each["name"] for each in listed(capsys, "list", "--all", "--kind", "clip")}
    assert "RN50/cc12m" in names
    assert len(names) > 150


def test_a_model_is_fetched_verified_and_removed(capsys, lakes, tmp_path):
    assert main(["models", "fetch", "lakes", "--json"]) == 0
    *progress, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert progress[-1]["done_bytes"] == progress[-1]["total_bytes"] == len(lakes.data)
    assert last["path"].endswith("lakes.safetensors")
    assert listed(capsys, "list")[0]["state"] == "here"
    assert main(["models", "verify"]) == 0
    assert "lakes: unchanged" in capsys.readouterr().out
    kept = tmp_path / "cache/models/lakes.safetensors"
    kept.write_bytes(kept.read_bytes() + b"!")
    assert main(["models", "verify", "lakes"]) == 2
    said = capsys.readouterr()
    assert "has changed since it was first read" in said.out
    assert "1 of 1 models have changed" in said.err
    assert main(["models", "remove", "lakes"]) == 0
    assert "freed" in capsys.readouterr().out
    assert listed(capsys, "list")[0]["state"] == "to fetch"


def test_fetching_for_a_person_names_the_file(capsys, lakes):
    assert main(["models", "fetch", "lakes"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [line for line in said.out.splitlines() if "lakes.safetensors" in line]
    assert said.err.startswith("downloading lakes: 0 MB of ")
    assert len(said.err.splitlines()) == 1  # what is written to a file has no bar


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fetch", "raphael"], "There is no image model “raphael”: choose pocket"),
        (["remove", "pocket"], "“pocket” is part of pixgen"),
        (["verify", "imagenet-1024"], "1 of 1 models have changed"),
        (["fetch"], "Missing argument"),
    ],
)
def test_what_cannot_be_is_said(capsys, arguments, said):
    assert main(["models", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_own_models_are_listed(capsys, tmp_path):
    node = published.config()
    published.write(tmp_path / "own/flowers.ckpt", {"state_dict": published.taming(node).state_dict()})
    published.write_yaml(tmp_path / "own/flowers.yaml", node)
    found = {each["name"]: each for each in listed(capsys, "list", "--models-dir", str(tmp_path / "own"))}
    assert found["flowers"]["state"] == "own"
    assert found["flowers"]["codes"] == 24


def test_an_own_checkpoint_paints(capsys, tmp_path):
    node = published.config()
    published.write(tmp_path / "flowers.ckpt", {"state_dict": published.taming(node).state_dict()})
    published.write_yaml(tmp_path / "other.yaml", node)
    done = main([
        "generate", "a red flower", "--model", str(tmp_path / "flowers.ckpt"), "--config", str(tmp_path / "other.yaml"),
        "--init", "codes", "--size", "32x32", "--steps", "2", "--set", "cutouts.count=2", "--json",
        "--output-dir", str(tmp_path / "runs"),
    ])  # fmt: skip
    assert done == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["state"] == "done"
    assert last["recipe"]["model"] == str(tmp_path / "flowers.ckpt")
    assert last["recipe"]["config"] == str(tmp_path / "other.yaml")


def test_a_config_goes_with_a_path_alone():
    from pixgen.recipe.options import Options, recipe_from

    first = recipe_from(Options(prompt="a", model="own/a.ckpt", config="own/a.yaml"))
    assert first.model.endswith("/own/a.ckpt")
    assert first.config.endswith("/own/a.yaml")
    again = recipe_from(Options(prompt="a", recipe=first, model="imagenet-1024"))
    assert (again.model, again.config) == ("imagenet-1024", "")
    assert main(["generate", "a", "--model", "pocket", "--config", "a.yaml"]) == 2


@pytest.mark.parametrize("waiting", [False, True])
def test_a_download_while_painting_is_told(capsys, waiting):
    import io

    from pixgen.cli._jobs import JsonReport, RichReport
    from pixgen.models.progress import DownloadProgress
    from pixgen.studio import JobStatus

    fetching = DownloadProgress(
        "lakes", 0 if waiting else 30_000_000, None if waiting else 60_000_000, waiting=waiting
    )
    job_status = JobStatus("loading", 0, None, 0.0, None, 1.0, fetching=fetching)
    JsonReport().progress(job_status)
    assert json.loads(capsys.readouterr().out)["fetching"]["waiting"] is waiting
    written = io.StringIO()
    report = RichReport(stream=written)
    report.progress(job_status)
    report.progress(job_status)
    said = "lakes: another pixgen is downloading it" if waiting else "downloading lakes: 30 MB of 60 MB"
    assert written.getvalue() == said + "\n"


def test_a_command_that_needs_a_model_says_that_it_comes(capsys, lakes):
    from pixgen.cli._downloads import StderrProgress
    from pixgen.models.progress import listen_to_downloads
    from pixgen.models.registry import fetch, find_model

    with StderrProgress() as aside, listen_to_downloads(aside.show):
        fetch(find_model("lakes"))
    assert capsys.readouterr().err.startswith("downloading lakes: 0 MB of ")
