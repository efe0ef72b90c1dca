"""Synthetic checkpoints of DALL·E mini in the layouts in which it is published, with random weights, and
what they mean, computed as plainly as can be."""

import json
import struct
from pathlib import Path

import torch
import torch.nn.functional as F

from pixgen.models.catalog import Entry

FORM = {
    "width": 32, "inner": 40, "heads": 4, "depth": 2, "vocabulary": 60, "places": 12, "tokens": 35,
    "codes": 24, "grid": 4,
}  # fmt: skip
MERGES = ["#version: 0.2", "Ġ f", "o x", "Ġf ox", "Ġ r", "e d", "Ġr ed", "Ġ a", "a n", "an d"]
SCALED = ("self_attn_layer_norm", "encoder_attn_layer_norm", "layernorm_embedding")
Weights = dict[str, torch.Tensor]


def vocabulary() -> dict[str, int]:
    """Marks, letters, and what the merges make of them."""
    signs = ["<s>", "<pad>", "</s>", "<unk>", "Ġ", *"abcdefghijklmnopqrstuvwxyz0123456789,\"'"]
    signs += ["".join(line.split()) for line in MERGES[1:]]
    return {sign: number for number, sign in enumerate(signs)}


def entry(sources: tuple[str, ...] = ("hub:org/none/encoder.pt+decoder.pt+vocab.json+merges.txt",)):
    """A catalogued model of the small form."""
    return Entry(
        name="dalle-tiny",
        kind="sketcher",
        paints="nothing",
        licence="MIT",
        model=FORM,
        vqgan="lakes",
        sources=sources,
        home="https://example.org/tiny",
    )


def halves(seed: int = 0) -> dict[str, Weights]:
    """The two state dicts as min-dalle saves them: norms that scale nothing have a bias alone."""
    chance = torch.Generator().manual_seed(seed)
    width, inner = FORM["width"], FORM["inner"]

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=chance) * 0.3

    def norm(name: str, size: int) -> Weights:
        made = {f"{name}.bias": drawn(size)}
        if name.rpartition(".")[2] in SCALED and "pre_" not in name:
            made[f"{name}.weight"] = 1 + drawn(size)
        return made

    def attention(name: str) -> Weights:
        return {f"{name}.{part}_proj.weight": drawn(width, width) for part in "kvq"} | {
            f"{name}.out_proj.weight": drawn(width, width)
        }

    found = {}
    sizes = {
        "encoder": (FORM["vocabulary"], FORM["places"]),
        "decoder": (FORM["tokens"] + 1, FORM["grid"] ** 2),
    }
    for half, (tokens, places) in sizes.items():
        made = {"embed_tokens.weight": drawn(tokens, width), "embed_positions.weight": drawn(places, width)}
        made |= norm("layernorm_embedding", width) | norm("final_ln", width)
        for layer in range(FORM["depth"]):
            at = f"layers.{layer}"
            made |= norm(f"{at}.pre_self_attn_layer_norm", width) | attention(f"{at}.self_attn")
            made |= norm(f"{at}.self_attn_layer_norm", width)
            if half == "decoder":
                made |= norm(f"{at}.pre_encoder_attn_layer_norm", width)
                made |= attention(f"{at}.encoder_attn")
                made |= norm(f"{at}.encoder_attn_layer_norm", width)
            made |= norm(f"{at}.glu.ln0", width) | norm(f"{at}.glu.ln1", inner)
            made |= {f"{at}.glu.fc{number}.weight": drawn(inner, width) for number in (0, 1)}
            made[f"{at}.glu.fc2.weight"] = drawn(width, inner)
        found[half] = made
    found["decoder"]["lm_head.weight"] = drawn(FORM["tokens"] + 1, width)
    return found


def write_words(folder: Path, *, suffix: str = "") -> None:
    """The tokenizer's two files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"vocab{suffix}.json").write_text(json.dumps(vocabulary()), "utf-8")
    (folder / f"merges{suffix}.txt").write_text("\n".join(MERGES) + "\n", "utf-8")


def write_min_dalle(folder: Path, *, suffix: str = "", number: torch.dtype = torch.float32) -> Path:
    """min-dalle's four files."""
    write_words(folder, suffix=suffix)
    for half, weights in halves().items():
        torch.save(
            {name: tensor.to(number) for name, tensor in weights.items()}, folder / f"{half}{suffix}.pt"
        )
    return folder


def write_flax(folder: Path, *, scanned: bool) -> Path:
    """dalle-mini's three files: the layers on top of each other, or side by side."""
    write_words(folder)
    (folder / "flax_model.msgpack").write_bytes(packed(of_flax(halves(), scanned=scanned)))
    return folder


def of_flax(given: dict[str, Weights], *, scanned: bool) -> dict:
    """The two halves as flax nests them."""
    tree: dict = {}

    def put(path: list[str], tensor: torch.Tensor) -> None:
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
        node[path[-1]] = tensor

    spelled = {
        "pre_self_attn_layer_norm": "LayerNorm_0", "self_attn_layer_norm": "LayerNorm_1",
        "pre_encoder_attn_layer_norm": "LayerNorm_2", "encoder_attn_layer_norm": "LayerNorm_3",
        "self_attn": "FlaxBartAttention_0", "encoder_attn": "FlaxBartAttention_1", "glu": "GLU_0",
        "ln0": "LayerNorm_0", "ln1": "LayerNorm_1", "fc0": "Dense_0", "fc1": "Dense_1", "fc2": "Dense_2",
    }  # fmt: skip
    for half, weights in given.items():
        stacked: dict[tuple, list] = {}
        for name, tensor in weights.items():
            *path, kind = name.split(".")
            flax = {"bias": "bias", "weight": "kernel"}[kind]
            if path[-1].startswith("embed_"):
                flax = "embedding"
            elif kind == "weight" and tensor.ndim == 1:
                flax = "scale"
            tensor = tensor.T if flax == "kernel" else tensor
            layers = f"FlaxBart{half.title()}Layer"
            if path[0] == "lm_head":
                put(["lm_head", flax], tensor)
            elif path[0] != "layers":
                put(["model", half, *path, flax], tensor)
            else:
                rest = [*(spelled.get(part, part) for part in path[2:]), flax]
                if scanned:
                    stacked.setdefault(tuple(rest), []).append(tensor)
                else:
                    put(["model", half, "layers", f"{layers}_{path[1]}", *rest], tensor)
        for rest, tensors in stacked.items():
            put(["model", half, "layers", f"{layers}s", *rest], torch.stack(tensors))
    return tree


def packed(value, *, pieces_of: int | None = None) -> bytes:
    """Maps of tensors in MessagePack, as flax writes them; large tensors in pieces of so many numbers."""
    if isinstance(value, dict):
        body = b"".join(packed(str(name)) + packed(part, pieces_of=pieces_of) for name, part in value.items())
        return b"\xde" + struct.pack(">H", len(value)) + body
    if isinstance(value, str):
        return b"\xd9" + bytes([len(value.encode())]) + value.encode()
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xce" + struct.pack(">I", value)
    if pieces_of and value.numel() > pieces_of:
        pieces = value.flatten().split(pieces_of)
        return packed(
            {
                "__msgpack_chunked_array__": True,
                "shape": {str(axis): side for axis, side in enumerate(value.shape)},
                "chunks": {str(number): piece for number, piece in enumerate(pieces)},
            }
        )
    name, data = str(value.dtype).removeprefix("torch."), value.contiguous().numpy().tobytes()
    shape = bytes([0x90 | value.ndim]) + b"".join(packed(side) for side in value.shape)
    inner = b"\x93" + shape + packed(name) + b"\xc6" + struct.pack(">I", len(data)) + data
    return b"\xc9" + struct.pack(">I", len(inner)) + b"\x01" + inner


def logits(given: dict[str, Weights], tokens: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
    """What a decoder expects after each of ``before (n,)``, told one text's tokens ``(places,)``."""

    def norm(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], weights.get(f"{name}.weight"), weights[f"{name}.bias"])

    def attend(weights: Weights, name: str, x, y, seen) -> torch.Tensor:
        queries, keys, values = (
            (part @ weights[f"{name}.{letter}_proj.weight"].T).view(len(part), FORM["heads"], -1)
            for part, letter in ((x, "q"), (y, "k"), (y, "v"))
        )
        scores = torch.einsum("qhc,khc->hqk", queries, keys) / keys.shape[-1] ** 0.5
        mixed = scores.masked_fill(~seen, float("-inf")).softmax(-1)
        found = torch.einsum("hqk,khc->qhc", mixed, values).flatten(1)
        return found @ weights[f"{name}.out_proj.weight"].T

    def gated(weights: Weights, name: str, x: torch.Tensor) -> torch.Tensor:
        x = norm(weights, f"{name}.ln0", x)
        opened = F.gelu(x @ weights[f"{name}.fc0.weight"].T) * (x @ weights[f"{name}.fc1.weight"].T)
        return norm(weights, f"{name}.ln1", opened) @ weights[f"{name}.fc2.weight"].T

    weights, told = given["encoder"], tokens != 1
    x = weights["embed_tokens.weight"][tokens] + weights["embed_positions.weight"][: len(tokens)]
    x = norm(weights, "layernorm_embedding", x)
    for layer in range(FORM["depth"]):
        at = f"layers.{layer}"
        y = norm(weights, f"{at}.pre_self_attn_layer_norm", x)
        x = x + norm(weights, f"{at}.self_attn_layer_norm", attend(weights, f"{at}.self_attn", y, y, told))
        x = x + gated(weights, f"{at}.glu", x)
    states = norm(weights, "final_ln", x)

    weights = given["decoder"]
    causal = torch.ones(len(before), len(before), dtype=torch.bool).tril()
    x = weights["embed_tokens.weight"][before] + weights["embed_positions.weight"][: len(before)]
    x = norm(weights, "layernorm_embedding", x)
    for layer in range(FORM["depth"]):
        at = f"layers.{layer}"
        y = norm(weights, f"{at}.pre_self_attn_layer_norm", x)
        x = x + norm(weights, f"{at}.self_attn_layer_norm", attend(weights, f"{at}.self_attn", y, y, causal))
        y = norm(weights, f"{at}.pre_encoder_attn_layer_norm", x)
        seen = attend(weights, f"{at}.encoder_attn", y, states, told)
        x = x + norm(weights, f"{at}.encoder_attn_layer_norm", seen)
        x = x + gated(weights, f"{at}.glu", x)
    return norm(weights, "final_ln", x) @ weights["lm_head.weight"].T
