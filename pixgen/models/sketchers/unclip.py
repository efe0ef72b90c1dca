"""UnCLIP (DALL·E 2, arXiv 2204.06125) by diffusers: whole pictures from a text or from pictures.

A prior predicts a picture's CLIP vector from the text, a decoder paints a picture from the vector, and two networks
enlarge it. For given pictures, their own vectors replace the prior.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from einops import rearrange
from PIL import Image

from pixgen.errors import ModelError
from pixgen.models.catalog import Entry, check_packages
from pixgen.models.runtime import supported_half_precision
from pixgen.models.sketchers import unclip_files


class UnClip:
    """Two diffusers pipelines that share their models, frozen, on one device.

    Args:
        words: an UnCLIPPipeline.
        pictures: an UnCLIPImageVariationPipeline.
    """

    def __init__(self, words: Any, pictures: Any) -> None:
        self._words, self._pictures = words, pictures

    @torch.no_grad()
    def from_text(self, text: str, *, guidance: float, generator: torch.Generator) -> torch.Tensor:
        """Paint a picture ``(1, 3, H, W)`` in [0, 1] from a text."""
        found = self._words(text, decoder_guidance_scale=guidance, generator=generator, output_type="np")
        return self._as_tensor(found)

    @torch.no_grad()
    def from_pictures(
        self,
        pictures: Sequence[tuple[Image.Image, float]],
        *,
        guidance: float,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Paint a variation ``(1, 3, H, W)`` in [0, 1] of pictures, mixed by their weights."""
        pipe = self._pictures
        read = pipe.feature_extractor(
            images=[picture.convert("RGB") for picture, _ in pictures], return_tensors="pt"
        ).pixel_values
        vectors = pipe.image_encoder(read.to(pipe.device, pipe.image_encoder.dtype)).image_embeds
        weights = torch.tensor([weight for _, weight in pictures]).to(vectors)
        mixed = (weights[:, None] * vectors).sum(0, keepdim=True)
        # Scaled to the length of the pictures' vectors, which the decoder was trained on.
        mixed = F.normalize(mixed, dim=-1) * vectors.norm(dim=-1).mean()
        found = pipe(
            image_embeddings=mixed,
            decoder_guidance_scale=guidance,
            generator=generator,
            output_type="np",
        )
        return self._as_tensor(found)

    def _as_tensor(self, found: Any) -> torch.Tensor:
        pictures = torch.from_numpy(found.images).to(self._words.device)
        return rearrange(pictures, "b h w c -> b c h w").float().clamp(0, 1)


def load_unclip(entry: Entry, device: str) -> UnClip:
    """Load an UnCLIP of the catalog, downloaded if it is missing. Raises ModelError."""
    check_packages(entry)
    folder, seeing = unclip_files.fetch_folders(entry)
    from diffusers import UnCLIPImageVariationPipeline, UnCLIPPipeline

    half = supported_half_precision(torch.device(device)) if device.startswith("cuda") else None
    number = getattr(torch, half) if half else torch.float32
    try:
        # Each by its class: the published index names modules that diffusers has moved since.
        painting, reading = _part_classes()
        parts = {name: _load_part(kind, folder / name, number) for name, kind in painting.items()}
        read = {name: _load_part(kind, seeing / name, number) for name, kind in reading.items()}
    except Exception as error:  # any that diffusers and transformers raise for a bad file
        raise ModelError(
            "The files of “{name}” in {folder} cannot be read ({reason}): remove it and download it again.",
            name=entry.name,
            folder=folder,
            reason=str(error).splitlines()[0][:160],
        ) from error
    for part in (*parts.values(), *read.values()):
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(False)
    shared = {name: part for name, part in parts.items() if "prior" not in name}
    words, pictures = UnCLIPPipeline(**parts), UnCLIPImageVariationPipeline(**shared, **read)
    for pipe in (words, pictures):
        pipe.set_progress_bar_config(disable=True)
        pipe.to(device)
    return UnClip(words, pictures)


def _part_classes() -> tuple[dict[str, Any], dict[str, Any]]:
    """The class of each part: of the painting pipeline, and of the image encoder."""
    import diffusers
    import transformers

    home = diffusers.UnCLIPPipeline.__module__.rpartition(".")[0]
    schedulers = dict.fromkeys(
        ("prior_scheduler", "decoder_scheduler", "super_res_scheduler"), diffusers.UnCLIPScheduler
    )
    painting = {
        "prior": diffusers.PriorTransformer,
        "decoder": diffusers.UNet2DConditionModel,
        "text_encoder": transformers.CLIPTextModelWithProjection,
        "tokenizer": transformers.CLIPTokenizer,
        "text_proj": import_module(f"{home}.text_proj").UnCLIPTextProjModel,
        "super_res_first": diffusers.UNet2DModel,
        "super_res_last": diffusers.UNet2DModel,
    }
    reading = {
        "image_encoder": transformers.CLIPVisionModelWithProjection,
        "feature_extractor": transformers.CLIPImageProcessor,
    }
    return painting | schedulers, reading


def _load_part(kind: Any, folder: Path, number: torch.dtype) -> Any:
    """Load a part from its folder; networks in the given type."""
    how = {"torch_dtype": number} if issubclass(kind, torch.nn.Module) else {}
    return kind.from_pretrained(folder, local_files_only=True, **how)
