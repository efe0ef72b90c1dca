"""The log for programs: JSON, with the run that a line is about, and without what people typed."""

import json
import logging

import pytest

from pixgen.logs import JsonFormatter, TextFormatter, configure_logs, log_run
from pixgen.studio import Studio
from tests.studio.fakes import Painters, a_recipe

SECRET = "my secret prompt"


@pytest.fixture
def written():
    """The lines that pixgen logs, as objects, in the form that ``attach`` was given."""
    lines, log = [], logging.getLogger("pixgen")

    class Collector(logging.Handler):
        def emit(self, record):
            lines.append(json.loads(self.format(record)))

    handler, before = Collector(), log.level
    handler.setFormatter(JsonFormatter(private=True))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield lines
    log.removeHandler(handler)
    log.setLevel(before)


def test_a_jobs_way_is_logged_with_its_id_and_without_its_prompt(written, tmp_path):
    with Studio(tmp_path, device="cpu", painter=Painters()) as studio:
        job = studio.submit(a_recipe(prompts=SECRET), owner="visitor:ada")
        assert job.wait(20)
    joined, ended = written
    assert (joined["run"], ended["run"]) == (job.id, job.id)
    assert (joined["steps"], ended["state"], ended["level"]) == (12, "done", "info")
    assert not any(word in json.dumps(written) for word in ("secret", "ada"))


def test_an_error_in_public_has_its_place_and_not_its_words(written, tmp_path):
    painters = Painters(fail_at=2, error=ZeroDivisionError(f"no {SECRET}"))
    with Studio(tmp_path, device="cpu", painter=painters) as studio:
        job = studio.submit(a_recipe(prompts=SECRET))
        assert job.wait(20)
    (failure,) = (line for line in written if line["level"] == "error")
    assert failure["run"] == job.id
    assert failure["error"].endswith("ZeroDivisionError")
    assert "fakes.py" in failure["error"]
    assert "secret" not in json.dumps(written)


def test_lines_for_people_name_the_run_once():
    record = logging.LogRecord("pixgen", logging.INFO, "", 0, "run %s failed", ("a1",), None)
    with log_run("a1"):
        assert TextFormatter().format(record).count("a1") == 1
    with log_run("b2"):
        assert TextFormatter().format(record).endswith("[run b2]")


def test_what_people_type_is_shown_at_home():
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        record = logging.LogRecord(
            "pixgen", logging.ERROR, "", 0, "broken", None, (type(error), error, error.__traceback__)
        )
    assert SECRET in json.loads(JsonFormatter().format(record))["error"]
    assert SECRET in TextFormatter().format(record)
    record.exc_text = None  # logging keeps what one formatter made of it
    assert SECRET not in TextFormatter(private=True).format(record)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_processes_log_goes_to_stderr_once(form, capsys):
    root, pixgen = logging.getLogger(), logging.getLogger("pixgen")
    before = root.handlers[:], root.level, pixgen.level
    try:
        configure_logs(form)
        configure_logs(form)
        logging.getLogger("pixgen.studio").warning("too late")
        logging.getLogger("other").info("not shown")
    finally:
        root.handlers[:], (root.level, pixgen.level) = before[0], before[1:]
        logging.getLogger("pixgen.studio").manager._clear_cache()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "too late" in lines[0]
    if form == "json":
        assert json.loads(lines[0])["logger"] == "pixgen.studio"
