"""The Classify tab without a browser: its views, its words, and what it refuses."""

import io
import json
import threading
import time
import zipfile

import pytest
from PIL import Image

from pixgen.errors import ClassifyError, PixgenError
from pixgen.models.progress import DownloadProgress, report_download
from pixgen.studio import Policy
from pixgen.studio.library.classifier import ClassifierService
from pixgen.ui.classify import actions
from pixgen.ui.classify import view as classify_view
from pixgen.ui.classify.actions import ClassifyForm, classify, explain
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.session import Cancellations
from pixgen.vision.zeroshot.zeroshot import Question

WORDS = ENGLISH


@pytest.fixture
def make_namer(make_studio, monkeypatch, tiny_perceptor):
    """Makes namers over studios whose only model is tiny."""
    monkeypatch.setattr("pixgen.models.load_perceptor", lambda names, device: tiny_perceptor)
    return lambda **kind: ClassifierService(make_studio(**kind))


@pytest.fixture
def form(tmp_path):
    """A form with two pictures."""
    for name in ("red", "blue"):
        Image.new("RGB", (40, 30), name).save(tmp_path / f"{name}.png")
    return {
        "pictures": [str(tmp_path / "red.png"), str(tmp_path / "blue.png")], "labels": "a<b>, c",
        "label_set": "", "mode": "one", "none": "never", "none_below": 0.2, "templates": "",
        "own_templates": "", "model": "pocket", "top": 5,
    }  # fmt: skip


def views(service, form, *, stop=None):
    return list(classify(service, ClassifyForm.read(form), stop or threading.Event(), say=ENGLISH))


def test_the_first_view_comes_before_any_work_and_the_last_has_everything(make_namer, form):
    service = make_namer()
    running = classify(service, ClassifyForm.read({**form, "pictures": []}), threading.Event(), say=ENGLISH)
    assert next(running).busy is True
    with pytest.raises(ClassifyError, match="There is no picture yet"):
        next(running)
    *_, last = views(service, form)
    assert last.busy is False
    assert last.answers.count('class="pg-card"') == 2
    assert [each["picture"] for each in json.loads(last.tables[1])["pictures"]] == [
        "red.png",
        "blue.png",
    ]
    assert last.tables[0].decode().splitlines()[1].startswith("red.png,")


def test_what_people_wrote_is_never_html(make_namer, form):
    *_, last = views(make_namer(), form)
    assert "a<b>" not in last.answers
    assert "a&lt;b&gt;" in last.answers


def test_stopped_it_shows_what_was_seen(make_namer, form):
    stop = threading.Event()
    stop.set()
    *_, last = views(make_namer(), form, stop=stop)
    assert WORDS("Stopped before the first picture.") in last.status
    assert last.answers is None
    assert last.busy is False


def test_a_public_page_is_bounded(make_namer, form, tmp_path, monkeypatch):
    public = make_namer(policy=Policy.for_public())
    with pytest.raises(PixgenError, match="“ViT-B-32/openai” is not offered here"):
        views(public, {**form, "model": "ViT-B-32/openai"})
    monkeypatch.setattr(actions, "MOST_PUBLIC", 1)
    with pytest.raises(ClassifyError, match="Too many pictures at once: 2. The limit here is 1"):
        views(public, form)
    late = make_namer(policy=Policy(longest_seconds=-1.0))
    *_, last = views(late, form)
    assert WORDS("The time limit for one request was reached: these are the results so far.") in last.status


def test_a_model_is_fetched_in_sight_and_can_be_stopped(make_namer, form, monkeypatch):
    def load(names, device):
        while True:
            report_download(DownloadProgress(names[0], 30_000_000, 60_000_000))
            time.sleep(0.01)

    service, stop, seen = make_namer(), threading.Event(), []
    monkeypatch.setattr("pixgen.models.load_perceptor", load)
    half = ENGLISH("{done:,} of {total:,} MB", done=30, total=60)
    for view in classify(service, ClassifyForm.read(form), stop, say=ENGLISH):
        seen.append(view)
        if half in view.status:
            stop.set()
    assert any(half in view.status and "width: 50.0%" in view.status for view in seen)
    assert WORDS("Stopped") in seen[-1].status
    assert seen[-1].busy is False


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"labels": " "}, "There are no labels"),
        ({"label_set": "birds"}, "no label set"),
        ({"templates": "own"}, "Write 1 to 100 templates"),
        ({"templates": "own", "own_templates": "a photo"}, "needs one {}"),
    ],
)
def test_what_is_not_allowed_is_a_sentence(make_namer, form, changed, said):
    with pytest.raises(ClassifyError, match=said):
        views(make_namer(), {**form, **changed})


def test_what_is_written_wins_over_a_set_whose_sentences_fit(make_namer, form):
    service, chosen = make_namer(), {**form, "label_set": "food101"}
    question = actions.ClassifyRequest.from_form(ClassifyForm.read(chosen), service).question
    assert question.labels == ("a<b>", "c")
    assert question.templates == ("a photo of {}, a type of food.",)
    alone = actions.ClassifyRequest.from_form(ClassifyForm.read({**chosen, "labels": ""}), service).question
    assert "waffles" in alone.labels


def test_folders_are_checked_and_shown_as_a_matrix(make_namer, form, tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        for place in range(3):
            packed.write(tmp_path / "red.png", f"cat/{place}.png")
        packed.write(tmp_path / "blue.png", "dog/1.png")
    *_, last = views(make_namer(), {**form, "pictures": [str(tmp_path / "set.zip")], "labels": "cat, dog"})
    assert 'class="pg-confusion"' in last.answers
    assert " of 4 correct" in last.answers


def test_the_table_says_how_sure_none_of_these_is(make_namer, form):
    shown = views(make_namer(), {**form, "labels": "a, b", "none": "else"})[-1]
    for row, answer in zip(
        shown.answers.split("<tr>")[2:], json.loads(shown.tables[1])["pictures"], strict=True
    ):
        sure = answer["labels"][0]["probability"] if answer["answer"] else answer["none_of_these"]
        assert f"<td>{sure:.3f}</td>" in row


def test_what_spoke_for_a_label_is_shown_beside_the_picture(make_namer, form):
    service = make_namer()
    shown = explain(service, ClassifyForm.read(form), 1, "c", say=WORDS)
    assert shown.count("<img") == 2
    assert "blue.png" in shown
    for wrong, place, label in ((form, 2, "c"), (None, 0, "c"), (form, 0, "d")):
        with pytest.raises(ClassifyError, match="no longer available|not one of the labels"):
            explain(service, wrong and ClassifyForm.read(wrong), place, label, say=WORDS)


def test_a_new_question_stops_the_one_before():
    stops = Cancellations()
    first = stops.begin("ada")
    other = stops.begin("bob")
    second = stops.begin("ada")
    assert (first.is_set(), second.is_set(), other.is_set()) == (True, False, False)
    stops.end("ada", first)
    stops.stop("ada")
    stops.stop("nobody")
    assert second.is_set()


def test_the_empty_page_offers_every_example_and_asks_no_other_server():
    shown = classify_view.empty_html(WORDS)
    assert shown.count("data-example=") == len(classify_view.example_names()) >= 4
    assert "http" not in shown
    for name in classify_view.example_names():
        with Image.open(io.BytesIO((classify_view.EXAMPLES / name).read_bytes())) as picture:
            assert max(picture.size) <= 512


def test_the_question_is_what_the_form_asks(make_namer, form):
    changed = {**form, "mode": "several", "none": "below", "none_below": 0.3, "templates": "photo"}
    asked = actions.ClassifyRequest.from_form(ClassifyForm.read(changed), make_namer())
    expected = Question(labels=("a<b>", "c"), templates=("a photo of a {}",), several=True, none_below=0.3)
    assert asked.question == expected
