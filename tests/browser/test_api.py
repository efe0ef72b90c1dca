"""The page's endpoint for programs."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pixgen.paths import ASSETS
from pixgen.studio.metadata.picture_info import read_metadata

EXAMPLES = ASSETS / "examples"
ROOT = Path(__file__).parent.parent.parent

pytestmark = [
    pytest.mark.browser,  # it shares the browsers' server
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    """A program that talks to the page."""
    gradio_client = pytest.importorskip("gradio_client")
    return gradio_client.Client(
        server.url,
        verbose=False,
        analytics_enabled=False,
        download_files=tmp_path_factory.mktemp("downloads"),
    )


def test_generate_returns_picture_video_and_recipe(client):
    picture, film, recipe = client.predict(
        prompt="a red fox", preset="draft", size="64x64", steps=5, seed="7", api_name="/generate"
    )
    assert (recipe["steps"], recipe["seed"], recipe["width"]) == (5, 7, 64)
    assert read_metadata(Path(picture)).prompt == "a red fox"
    assert b"ftyp" in Path(film).read_bytes()[:16]


def test_generate_needs_only_a_prompt(client):
    endpoint = client.view_api(return_format="dict", print_info=False)["named_endpoints"]["/generate"]
    needed = [each["parameter_name"] for each in endpoint["parameters"] if not each["parameter_has_default"]]
    assert needed == ["prompt"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"prompt": " "}, "The prompt is empty"),
        ({"size": "9x9"}, "is not a size"),
        ({"seed": "x"}, "The seed “x”"),
    ],
)
def test_an_error_is_the_sentence_itself(client, wrong, said):
    asked = {
        "prompt": "a fox",
        "preset": "draft",
        "size": "64x64",
        "steps": 5,
        "seed": "7",
        **wrong,
    }
    with pytest.raises(Exception, match=said):
        client.predict(**asked, api_name="/generate")


def test_files_of_the_server_are_not_served(client, server):
    for path in ("/etc/hostname", str(server.log), str(Path(__file__))):
        assert client_status(f"{server.url}/gradio_api/file={path}") in (403, 404)


def client_status(url: str) -> int:
    import httpx

    return httpx.get(url).status_code


def test_classify_returns_labels_with_probability_and_cosine(client):
    from gradio_client import handle_file

    found = client.predict(
        pictures=[handle_file(str(EXAMPLES / "fox.png"))], labels="fox, cat", api_name="/classify"
    )
    (picture,) = found["pictures"]
    assert picture["picture"] == "fox.png"
    assert {each["label"] for each in picture["labels"]} == {"fox", "cat"}
    assert sum(each["probability"] for each in picture["labels"]) == pytest.approx(1, abs=1e-4)


def test_classify_says_what_is_not_allowed(client):
    from gradio_client import handle_file

    with pytest.raises(Exception, match="There are no labels"):
        client.predict(pictures=[handle_file(str(EXAMPLES / "fox.png"))], api_name="/classify")


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("endpoint", ["classify", "search"])
def test_the_guide_s_curl_lines_work_as_they_stand(server, tmp_path, endpoint):
    guide = (ROOT / "docs" / "api.md").read_text("utf-8")
    (block,) = (
        each
        for each in re.findall(r"```sh\n(.*?)```", guide, re.DOTALL)
        if "curl -sN" in each and f"/call/{endpoint}" in each
    )
    shutil.copy(EXAMPLES / "fox.png", tmp_path / "fox.png")
    script = block.replace("http://127.0.0.1:7860", server.url)
    assert server.url in script
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "event: complete" in done.stdout, done.stdout
    assert {"classify": '"label": "fox"', "search": '"score": '}[endpoint] in done.stdout
