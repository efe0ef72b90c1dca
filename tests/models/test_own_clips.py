"""Own CLIPs in every layout in which they are published: the same vectors as by the library that saved them."""

import json
from pathlib import Path

import open_clip
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from open_clip.model import CLIP, build_model_from_openai_state_dict
from safetensors.torch import save_file

from pixgen.cli.app import main
from pixgen.errors import ModelError
from pixgen.models.clip.custom import custom_clip_entries
from pixgen.models.clip.custom_models import build_open_clip
from pixgen.models.clip.layouts import infer_config
from pixgen.models.clip.perceptor import Perceptor, load_perceptor
from pixgen.models.registry import fetch, find_model
from pixgen.models.vqgan.custom import custom_models
from pixgen.paths import absolute_name
from pixgen.recipe.recipe import make_recipe
from pixgen.studio.memory_check import check_memory
from tests.models import trainings

FILES = Path(__file__).parent.parent / "fixtures" / "files"
CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
}
TEXTS = ["a fox", "the sea at night"]
OTHER = {  # what no shape tells
    **CONFIG,
    "vision_cfg": {**CONFIG["vision_cfg"], "head_width": 16},
    "text_cfg": {**CONFIG["text_cfg"], "heads": 4},
}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of the test's own, and no network."""
    monkeypatch.setenv("PIXGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path / "cache"


def a_clip(config=CONFIG, *, seed: int = 0, **settings) -> CLIP:
    torch.manual_seed(seed)
    model = CLIP(**json.loads(json.dumps(config)), **settings).eval()
    nn.init.normal_(model.text_projection, std=0.1)
    return model


def openai_state(model: CLIP) -> dict[str, torch.Tensor]:
    """A model's weights as OpenAI's archives hold them: in half precision, with three numbers beside."""
    size, text = CONFIG["vision_cfg"]["image_size"], CONFIG["text_cfg"]
    numbers = {
        "input_resolution": size,
        "context_length": text["context_length"],
        "vocab_size": text["vocab_size"],
    }
    weights = {name: tensor.half() for name, tensor in model.state_dict().items()}
    return {**weights, **{name: torch.tensor(number) for name, number in numbers.items()}}


@torch.no_grad()
def assert_same(ours: Perceptor, theirs: nn.Module) -> None:
    """Pictures and texts have the same vectors as by a model of open_clip's."""
    pictures = torch.rand(2, 3, ours.size, ours.size, generator=torch.Generator().manual_seed(1))
    seen = F.normalize(theirs.encode_image((pictures - ours.mean) / ours.std), dim=-1)
    read = F.normalize(theirs.encode_text(open_clip.SimpleTokenizer()(TEXTS)), dim=-1)
    assert torch.allclose(ours.embed_images(pictures), seen, atol=1e-5)
    assert torch.allclose(ours.embed_texts(TEXTS), read, atol=1e-5)
    assert ours.logit_scale == pytest.approx(float(theirs.logit_scale.exp()), rel=1e-4)


class OpenAis(nn.Module):
    """What OpenAI traced: both pictures and texts in, and buffers that hold its sizes."""

    def __init__(self, model: CLIP) -> None:
        super().__init__()
        for name, child in model.named_children():
            self.add_module(name, child)
        self.positional_embedding, self.text_projection = (
            model.positional_embedding,
            model.text_projection,
        )
        self.logit_scale = model.logit_scale
        for name, number in (
            ("input_resolution", 32),
            ("context_length", 77),
            ("vocab_size", 49408),
        ):
            self.register_buffer(name, torch.tensor(number))
        self.model = [model]

    def forward(self, pictures, tokens):
        return self.model[0].encode_image(pictures), self.model[0].encode_text(tokens)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("half", [False, True], ids=["float", "half"])
def test_openais_archive_is_read_without_being_run(tmp_path, monkeypatch, half):
    theirs = a_clip(quick_gelu=True)
    if half:
        theirs = theirs.half().float()
    asked = torch.rand(1, 3, 32, 32), open_clip.SimpleTokenizer()(["a"])
    path = tmp_path / "ViT-B-32.pt"
    traced = torch.jit.trace(OpenAis(theirs), asked, check_trace=False)
    (traced.half() if half else traced).save(str(path))
    theirs = theirs.float()
    monkeypatch.setattr(torch.jit, "load", None)
    assert_same(load_perceptor((str(path),), "cpu"), theirs)


@pytest.mark.parametrize("kept", ["bare", "state_dict", "model_state_dict", "module."])
def test_openais_state_dict_is_read_with_its_activation(tmp_path, kept):
    weights = openai_state(a_clip(quick_gelu=True))
    theirs = build_model_from_openai_state_dict(dict(weights)).float()
    if kept == "module.":
        weights = {f"module.{name}": tensor for name, tensor in weights.items()}
    extras = {"args": trainings.Settings(), "epoch": 3}
    value = {kept: weights, **extras} if kept.endswith("state_dict") else weights
    torch.save(value, tmp_path / "a.pt")
    assert_same(load_perceptor((str(tmp_path / "a.pt"),), "cpu"), theirs)


@pytest.mark.parametrize("form", [".pt", ".safetensors", "training"])
def test_open_clips_checkpoint_is_recognised_by_its_shapes(tmp_path, form):
    theirs = a_clip()
    path = tmp_path / f"a{form if form.startswith('.') else '.pt'}"
    weights = theirs.state_dict()
    if form == ".safetensors":
        save_file(weights, path)
    elif form == "training":
        weights = {f"module.{name}": tensor for name, tensor in weights.items()}
        torch.save({"epoch": 1, "name": "a", "state_dict": weights, "optimizer": {"state": {}}}, path)
    else:
        torch.save(weights, path)
    assert_same(load_perceptor((str(path),), "cpu"), theirs)


@pytest.mark.parametrize("quick", [False, True])
def test_a_resnet_is_recognised_by_its_shapes(tmp_path, quick):
    vision = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 16, "patch_size": None}
    theirs = a_clip({**CONFIG, "vision_cfg": {**vision, "head_width": 64}}, quick_gelu=quick)
    path = tmp_path / ("a-quickgelu.pt" if quick else "a.pt")
    torch.save(theirs.state_dict(), path)
    assert_same(load_perceptor((str(path),), "cpu"), theirs)


@pytest.mark.parametrize("told", ["name", "config", "model_cfg"])
@pytest.mark.parametrize("quick", [False, True])
def test_an_architecture_can_be_named(tmp_path, told, quick):
    theirs = a_clip(OTHER, quick_gelu=quick)
    path, config = tmp_path / "a.safetensors", {**OTHER, "quick_gelu": quick}
    save_file(theirs.state_dict(), path)
    name = str(path)
    if told == "name":
        (tmp_path / f"Tiny-{quick}.json").write_text(json.dumps(config))
        open_clip.add_model_config(tmp_path / f"Tiny-{quick}.json")
        name = f"Tiny-{quick}:{path}"
    else:
        (tmp_path / "a.json").write_text(json.dumps({told: config} if told == "model_cfg" else config))
    assert_same(load_perceptor((name,), "cpu"), theirs)


def huggings(kind: str, folder: Path, **settings):
    """A model of Hugging Face's in a folder, as its ``save_pretrained`` writes it."""
    import transformers

    torch.manual_seed(0)
    tower = {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
    }
    vision = {**tower, "image_size": 32, "patch_size": 8}
    config = getattr(transformers, f"{kind}Config")(
        text_config={**tower, **settings},
        vision_config={**vision, **settings},
        **({"projection_dim": 32} if kind == "CLIP" else {}),
    )
    model = getattr(transformers, f"{kind}Model")(config).eval()
    model.save_pretrained(folder)
    return model


@torch.no_grad()
@pytest.mark.parametrize("before", ["", "local-dir:"])
@pytest.mark.parametrize("act", ["quick_gelu", "gelu"])
def test_hugging_faces_clip_embeds_as_transformers_does(tmp_path, before, act):
    theirs = huggings("CLIP", tmp_path / "clip", hidden_act=act)
    ours = load_perceptor((f"{before}{tmp_path / 'clip'}",), "cpu")
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    tokens = open_clip.SimpleTokenizer()(TEXTS)
    found = theirs(input_ids=tokens, pixel_values=(pictures - ours.mean) / ours.std)
    assert torch.allclose(ours.embed_images(pictures), found.image_embeds, atol=1e-5)
    assert torch.allclose(ours.embed_texts(TEXTS), found.text_embeds, atol=1e-5)


@torch.no_grad()
def test_hugging_faces_siglip_embeds_pictures_and_reports_a_missing_tokenizer(tmp_path):
    theirs = huggings("Siglip", tmp_path / "siglip")
    ours = load_perceptor((str(tmp_path / "siglip"),), "cpu")
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    seen = theirs.vision_model(pixel_values=pictures * 2 - 1).pooler_output
    assert torch.allclose(ours.embed_images(pictures), F.normalize(seen, dim=-1), atol=1e-5)
    tokens = torch.randint(1, 99, (2, 64), generator=torch.Generator().manual_seed(1))
    read = theirs.text_model(input_ids=tokens).pooler_output
    assert torch.allclose(ours.model.encode_text(tokens), read, atol=1e-5)
    with pytest.raises(ModelError, match="has no tokenizer beside its weights"):
        ours.embed_texts(TEXTS)


@torch.no_grad()
def test_a_sharded_folder_of_hugging_faces_is_read_whole(tmp_path):
    theirs = huggings("CLIP", tmp_path / "whole", hidden_act="gelu")
    folder = tmp_path / "clip"
    theirs.save_pretrained(folder, max_shard_size="4MB")
    assert len(list(folder.glob("model-*-of-*.safetensors"))) > 1
    ours = load_perceptor((str(folder),), "cpu")
    found = theirs(
        input_ids=open_clip.SimpleTokenizer()(TEXTS), pixel_values=torch.zeros(1, 3, 32, 32)
    ).text_embeds
    assert torch.allclose(ours.embed_texts(TEXTS), found, atol=1e-5)
    next(folder.glob("model-00001-*")).unlink()
    with pytest.raises((ModelError, FileNotFoundError)) as raised:
        load_perceptor((str(folder),), "cpu")
    assert isinstance(raised.value, ModelError), raised.value


@torch.no_grad()
def test_a_siglip_reads_with_the_tokenizer_beside_it(tmp_path):
    import tokenizers
    import transformers

    theirs = huggings("Siglip", tmp_path / "siglip")
    words = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({"<pad>": 1, "<unk>": 2, "a": 3, "fox": 4}, "<unk>")
    )
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", unk_token="<unk>")
    fast.save_pretrained(tmp_path / "siglip")
    ours = load_perceptor((str(tmp_path / "siglip"),), "cpu")
    tokens = torch.ones(1, 64, dtype=torch.int64)
    tokens[0, :2] = torch.tensor([3, 4])
    read = theirs.text_model(input_ids=tokens).pooler_output
    assert torch.allclose(ours.embed_texts(["a fox"]), F.normalize(read, dim=-1), atol=1e-5)


TIMM = {
    **CONFIG,
    "vision_cfg": {
        "timm_model_name": "resnet10t", "timm_pool": "avg", "timm_proj": "linear", "image_size": 32,
    },
}  # fmt: skip
COCA = {
    **CONFIG,
    "vision_cfg": {**CONFIG["vision_cfg"], "attentional_pool": True, "attn_pooler_heads": 4, "output_tokens": True},
    "text_cfg": {**CONFIG["text_cfg"], "embed_cls": True, "output_tokens": True},
    "multimodal_cfg": {"context_length": 76, "vocab_size": 49408, "width": 64, "heads": 1, "layers": 1},
    "custom_text": True,
}  # fmt: skip


@pytest.mark.parametrize("config", [TIMM, COCA], ids=["timm", "CoCa"])
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_open_clips_other_architectures_load_from_one_file(tmp_path, config, suffix):
    torch.manual_seed(0)
    theirs = build_open_clip({**config, **({} if config is COCA else {"custom_text": True})}).eval()
    path = tmp_path / f"a{suffix}"
    if suffix == ".pt":
        torch.save({"epoch": 3, "name": "mine", "state_dict": theirs.state_dict()}, path)
    else:
        save_file({name: tensor.clone() for name, tensor in theirs.state_dict().items()}, path)
    custom = {**config, "custom_text": True}
    (tmp_path / "a.json").write_text(json.dumps(custom))
    assert_same(load_perceptor((str(path),), "cpu"), theirs)


@pytest.mark.parametrize("name", ["coca_ViT-B-32", "ViT-B-16-SigLIP"])
def test_their_published_architectures_are_recognised(name):
    with torch.device("meta"):
        weights = build_open_clip(open_clip.get_model_config(name)).state_dict()
    assert infer_config(weights, Path("a.pt"))["architecture"] == name


@pytest.mark.parametrize("kind", ["file", "CLIP", "Siglip"])
def test_the_memory_of_an_own_clip_is_estimated(tmp_path, kind):
    if kind == "file":
        name = str(tmp_path / "a.pt")
        torch.save(a_clip().state_dict(), name)
    else:
        huggings(kind, tmp_path / "own")
        name = str(tmp_path / "own")
    recipe = make_recipe({"prompts": "a fox", "width": 64, "height": 64, "clip": [name]})
    small = check_memory(recipe, "cpu")
    both = check_memory(make_recipe(recipe.model_dump(), {"clip": [name, "pocket"]}), "cpu")
    assert small is not None
    assert both is not None
    assert both.needed > small.needed > 0


def test_it_is_converted_once_until_its_file_changes(tmp_path, cache):
    path = tmp_path / "a.pt"
    torch.save(a_clip().state_dict(), path)
    load_perceptor((str(path),), "cpu")
    (kept,) = cache.rglob("own-a-*.safetensors")
    before = kept.stat().st_mtime_ns
    load_perceptor((str(path),), "cpu")
    assert kept.stat().st_mtime_ns == before
    assert fetch(find_model(str(path))) == kept
    torch.save(a_clip(seed=1).state_dict(), path)
    found, expected = (
        load_perceptor((str(path),), "cpu").model.state_dict(),
        a_clip(seed=1).state_dict(),
    )
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gone.pt", "There is no CLIP file “.*gone.pt”: check its path"),
        ("lfs.pt", "is a git-lfs pointer, not the file itself"),
        ("empty", "The folder .*empty contains no CLIP"),
        ("bert", "is for a model of type “bert”, which is not a supported CLIP"),
        ("bare", "The folder .*bare contains no CLIP weights"),
        ("other.pt", "other.pt contains no CLIP: choose another file"),
        (
            "heads.pt",
            "The architecture of heads.pt cannot be recognised from its tensor shapes: write it before the path",
        ),
    ],
)
def test_files_that_are_no_clip_are_a_model_error(tmp_path, name, said):
    (tmp_path / "lfs.pt").write_bytes((FILES / "lfs.ckpt").read_bytes())
    for folder in ("empty", "bert", "bare"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bare/config.json").write_text('{"model_type": "clip"}')
    (tmp_path / "bert/config.json").write_text('{"model_type": "bert"}')
    save_file(a_clip().state_dict(), tmp_path / "bert/model.safetensors")
    torch.save({"a": torch.ones(2, 2)}, tmp_path / "other.pt")
    narrow = {**CONFIG, "vision_cfg": {**CONFIG["vision_cfg"], "width": 48, "head_width": 16}}
    torch.save(a_clip(narrow).state_dict(), tmp_path / "heads.pt")
    with pytest.raises(ModelError, match=said):
        load_perceptor((str(tmp_path / name),), "cpu")
    assert not list((tmp_path / "cache").rglob("*.safetensors"))


def test_an_own_clip_paints_from_the_command_line(tmp_path, monkeypatch, capsys):
    torch.save(openai_state(a_clip(quick_gelu=True)), tmp_path / "ViT.pt")
    monkeypatch.chdir(tmp_path)
    asked = [
        "generate",
        "a fox",
        "--clip",
        "ViT.pt",
        "--size",
        "32x32",
        "--steps",
        "1",
        "--device",
        "cpu",
    ]
    assert main([*asked, "--output-dir", "runs", "--set", "cutouts.count=1", "--json"]) == 0
    assert list((tmp_path / "runs").rglob("*.png"))


def test_a_path_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert absolute_name("a.pt") == str(tmp_path / "a.pt")
    assert absolute_name("ViT-H-14:a.pt") == f"ViT-H-14:{tmp_path / 'a.pt'}"
    assert absolute_name("local-dir:a") == f"local-dir:{tmp_path / 'a'}"
    (tmp_path / "pocket").mkdir()
    for name in ("pocket", "ViT-B-32/openai", "hf-hub:org/name"):
        assert absolute_name(name) == name


def test_clips_in_the_models_folder_are_listed_and_load_by_name(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "models"
    (folder / "open").mkdir(parents=True)
    theirs = a_clip()
    torch.save(openai_state(theirs), folder / "ViT.pt")
    save_file(theirs.state_dict(), folder / "open" / "open_clip_model.safetensors")
    (folder / "open" / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG}))
    huggings("CLIP", folder / "hugging")
    torch.save({"decoder.conv_in.weight": torch.zeros(1)}, folder / "no-clip.pt")
    (folder / "broken.pt").write_bytes(b"PK no zip")
    monkeypatch.setenv("PIXGEN_MODELS_DIR", str(folder))
    assert main(["models", "list", "--kind", "clip", "--json"]) == 0
    listed = [each["name"] for each in json.loads(capsys.readouterr().out) if each["state"] == "own"]
    assert sorted(listed) == ["ViT", "hugging", "open"]
    assert custom_models() == {}
    assert_same(load_perceptor(("open",), "cpu"), theirs)


def test_a_broken_clip_in_the_models_folder_is_reported_and_hides_no_other(tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "open_clip_config.json").write_text("{}")
    save_file(a_clip().state_dict(), tmp_path / "good.safetensors")
    monkeypatch.setenv("PIXGEN_MODELS_DIR", str(tmp_path))
    entries, faults = custom_clip_entries()
    assert [entry.name for entry in entries] == ["good"]
    assert ["empty" in str(fault) for fault in faults] == [True]
