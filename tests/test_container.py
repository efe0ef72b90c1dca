"""The Dockerfile: what it copies is there, and what it runs is understood. Docker itself is not needed."""

import json
import re
import shlex
from pathlib import Path

import yaml

from pixgen.cli.commands import page
from pixgen.ui.monitoring import HEALTH

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")


def copied():
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        words = [word for word in shlex.split(line) if not word.startswith("--")]
        yield from words[:-1]


def test_everything_that_is_copied_is_there_and_not_ignored():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for name in copied():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored


def test_everything_that_the_page_needs_is_copied():
    assert {"app.py", "pixgen", "presets", "assets", "requirements.txt"} <= set(copied())


def test_the_command_and_the_health_check_name_what_there_is():
    command = json.loads(re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)[1])
    assert command[:2] == ["python", "app.py"]
    known = Path(page.__file__).read_text("utf-8")
    for option in (word for word in command if word.startswith("--")):
        assert option in known or f"{option[2:]}: Annotated" in known, option
    assert f":7860{HEALTH}" in DOCKERFILE
    assert command[command.index("--port") + 1] == "7860"


def test_compose_builds_it_and_keeps_its_data():
    service = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]["pixgen"]
    assert service["build"] == "."
    assert service["ports"] == ["7860:7860"]
    assert [volume.partition(":")[2] for volume in service["volumes"]] == ["/data"]
    assert "PIXGEN_OUTPUT_DIR=/data" in DOCKERFILE
