"""The classifier: equal to open_clip's, and honest about what it does not know."""

import pytest
import torch
from torch.nn import functional as F

from pixgen.errors import ClassifyError
from pixgen.models.clip.perceptor import Perceptors, load_perceptor
from pixgen.vision.zeroshot.embeddings import LabelEmbeddings, StoredEmbeddings, embed_labels
from pixgen.vision.zeroshot.labels import load_templates
from pixgen.vision.zeroshot.zeroshot import ANYTHING_ELSE, Classifier, Question, make_classifier

LABELS = ("cat", "dog", "red car")


def question(labels=("a", "b", "c"), **fields) -> Question:
    return Question(labels=labels, **fields)


def answers(asked: Question, vectors, pictures, *, scale=10.0, **kind):
    """Answers about pictures given as vectors."""
    classifier = Classifier(asked, torch.tensor(vectors), scale=scale, **kind)
    return classifier.answers(F.normalize(torch.tensor(pictures), dim=-1))


AXES = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


@pytest.mark.parametrize("templates", ["none", "seven", "eighty"])
def test_the_vectors_are_those_of_open_clip(templates):
    from open_clip import build_zero_shot_classifier

    perceptor, texts = load_perceptor(("pocket",), "cpu"), load_templates(templates)
    ours = embed_labels(perceptor, LABELS, templates=texts)
    theirs = build_zero_shot_classifier(perceptor.model, perceptor.tokenizer, LABELS, texts)
    assert torch.allclose(ours, theirs.T, atol=1e-5)


def test_probabilities_are_the_softmax_of_scaled_cosines(tiny_perceptor):
    classifier = make_classifier(tiny_perceptor, question(LABELS))
    pictures = F.normalize(torch.randn(4, 16, generator=torch.Generator().manual_seed(0)), dim=-1)
    cosines = pictures @ embed_labels(tiny_perceptor, LABELS, templates=("{}",)).T
    expected = (cosines * tiny_perceptor.logit_scale).softmax(1)
    for answer, cosine, share in zip(classifier.answers(pictures), cosines, expected, strict=True):
        assert torch.allclose(torch.tensor(answer.cosines), cosine, atol=1e-6)
        assert torch.allclose(torch.tensor(answer.probabilities), share, atol=1e-5)
        assert answer.top(1)[0].label == LABELS[int(share.argmax())]


def test_several_models_together_have_their_mean_scale(tiny_perceptor):
    both = Perceptors([tiny_perceptor, tiny_perceptor])
    alone, together = (make_classifier(each, question(LABELS)) for each in (tiny_perceptor, both))
    picture = F.normalize(torch.randn(1, 16, generator=torch.Generator().manual_seed(1)), dim=-1)
    joined = torch.cat([picture, picture], dim=1) / 2**0.5
    first, second = alone.answers(picture)[0], together.answers(joined)[0]
    assert torch.allclose(torch.tensor(first.probabilities), torch.tensor(second.probabilities), atol=1e-5)


def test_a_custom_temperature_is_used(tiny_perceptor):
    soft = make_classifier(tiny_perceptor, question(LABELS, temperature=100))
    (answer,) = soft.answers(torch.randn(1, 16, generator=torch.Generator().manual_seed(2)))
    assert answer.probabilities.max() < 0.4


def test_below_the_threshold_it_is_none_of_these():
    near, far = answers(question(none_below=0.5), AXES, [[1.0, 0.1, 0.0], [-1.0, -1.0, 0.2]])
    assert near.found == ("a",)
    assert far.found == ()
    assert far.top(1)[0].label == "c"  # what was nearest is still told


def test_something_else_can_fit_better():
    others = torch.tensor([[-1.0, 0.0, 0.0]])
    right, other = answers(question(or_else=True), AXES, [[1.0, 0, 0], [-1.0, 0, 0]], others=others)
    assert (right.found, other.found) == (("a",), ())
    assert other.none > 0.9 > 0.1 > right.none
    assert other.none + other.probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_several_labels_are_judged_each_by_itself():
    others = torch.tensor([[0.0, 0.0, 1.0]])
    (answer,) = answers(question(("a", "b"), several=True), AXES[:2], [[1.0, 0.9, 0.0]], others=others)
    assert answer.found == ("a", "b")
    (alone,) = answers(question(("a",), several=True), AXES[:1], [[1.0, 0.9, 0.0]], others=others)
    assert alone.probabilities[0] == pytest.approx(answer.probabilities[0])


def test_sigmoid_models_use_their_bias():
    (answer,) = answers(question(several=True), AXES, [[1.0, 0, 0]], scale=10, bias=-10.0)
    assert answer.probabilities[0] == pytest.approx(0.5)


def test_equal_labels_are_too_close_to_call():
    clear, even = answers(question(), AXES, [[1.0, 0.2, 0.0], [1.0, 0.99, 0.0]])
    assert clear.close is None
    assert even.close == ("a", "b")


def test_indistinguishable_labels_are_reported():
    alike = Classifier(
        question(), torch.tensor([AXES[0], AXES[1], [0.999, 0.04, 0.0]]), scale=1
    ).similar_labels()
    assert [pair[:2] for pair in alike] == [("a", "c")]
    assert Classifier(question(("a",)), torch.tensor(AXES[:1]), scale=1).similar_labels() == []


def test_something_else_is_never_one_of_the_labels(tiny_perceptor):
    read = []
    tiny_perceptor.embed_texts = lambda texts: (
        read.extend(texts) or F.normalize(torch.ones(len(texts), 16), dim=-1)
    )
    make_classifier(tiny_perceptor, question(("Animal", "cat"), or_else=True))
    assert "animal" not in read
    assert set(ANYTHING_ELSE) - {"animal"} <= set(read)


def test_cached_embeddings_are_not_computed_again(tiny_perceptor):
    read, embed = [], tiny_perceptor.embed_texts
    tiny_perceptor.embed_texts = lambda texts: read.extend(texts) or embed(texts)
    kept, how = LabelEmbeddings(), {"model": ("tiny",), "templates": ("a {}", "the {}")}
    first = kept.vectors(tiny_perceptor, ["cat", "dog"], **how)
    again = kept.vectors(tiny_perceptor, ["owl", "cat"], **how)
    assert read == ["a cat", "the cat", "a dog", "the dog", "a owl", "the owl"]
    assert torch.equal(first[0], again[1])
    kept.vectors(tiny_perceptor, ["cat"], model=("other",), templates=("a {}", "the {}"))
    assert len(read) == 8


def test_embedding_labels_can_be_stopped_and_resumed(tiny_perceptor):
    read, embed = [], tiny_perceptor.embed_texts
    tiny_perceptor.embed_texts = lambda texts: read.append(len(texts)) or embed(texts)
    kept, how = (
        LabelEmbeddings(),
        {"model": ("tiny",), "templates": tuple(f"{n} {{}}" for n in range(80))},
    )
    labels = [f"label {n}" for n in range(9)]
    assert kept.vectors(tiny_perceptor, labels, stopped=lambda: bool(read), **how) is None
    assert kept.vectors(tiny_perceptor, labels, **how).shape == (9, 16)
    assert sum(read) == 9 * 80


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"labels": ()}, "no labels"), ({"none_below": 2}, "from -1 to 1"), ({"temperature": 0}, "temperature")],
)
def test_an_invalid_question_is_a_classify_error(wrong, said):
    with pytest.raises(ClassifyError, match=said):
        Question(**{"labels": ("a",), **wrong})


def test_stored_embeddings_outlive_the_process_but_not_the_model(tiny_perceptor, tmp_path):
    read, embed = [], tiny_perceptor.embed_texts
    tiny_perceptor.embed_texts = lambda texts: read.append(len(texts)) or embed(texts)
    labels = [f"label {n}" for n in range(8)]
    how = {"model": ("tiny",), "templates": tuple(f"{n} {{}}" for n in range(80))}
    first = LabelEmbeddings(StoredEmbeddings(tmp_path)).vectors(tiny_perceptor, labels, **how)
    assert sum(read) == 8 * 80 + 1
    read.clear()
    again = LabelEmbeddings(StoredEmbeddings(tmp_path)).vectors(tiny_perceptor, [*labels, "one more"], **how)
    assert sum(read) == 80 + 1
    assert torch.equal(first, again[:8])
    tiny_perceptor.embed_texts = lambda texts: read.append(len(texts)) or embed(texts).flip(-1)
    read.clear()
    other = LabelEmbeddings(StoredEmbeddings(tmp_path)).vectors(tiny_perceptor, labels, **how)
    assert sum(read) == 8 * 80 + 1
    assert torch.allclose(other, first.flip(-1), atol=1e-6)


def test_damaged_stored_embeddings_are_computed_again(tiny_perceptor, tmp_path):
    labels, how = [f"label {n}" for n in range(8)], {"model": ("tiny",), "templates": ("{}",) * 80}
    first = LabelEmbeddings(StoredEmbeddings(tmp_path)).vectors(tiny_perceptor, labels, **how)
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"no tensors")
    assert torch.equal(
        LabelEmbeddings(StoredEmbeddings(tmp_path)).vectors(tiny_perceptor, labels, **how), first
    )
    assert file.stat().st_size > 8 * 16 * 4


def test_a_folder_that_cannot_be_written_is_no_error(tiny_perceptor, tmp_path):
    (tmp_path / "file").write_text("")
    kept = LabelEmbeddings(StoredEmbeddings(tmp_path / "file"))
    how = {"model": ("tiny",), "templates": ("{}",) * 80}
    assert kept.vectors(tiny_perceptor, [f"label {n}" for n in range(8)], **how).shape == (8, 16)
