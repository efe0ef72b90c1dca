"""The pocket tokenizer: byte pairs learned from captions, in the file format of CLIP's own."""

import gzip
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from pixgen.training.captions import Author

CAPTIONS = 200_000


def learn_vocabulary(author: Author, path: Path, *, size: int, captions: int = CAPTIONS) -> None:
    """Write at most ``size`` tokens' worth of merges to ``path`` (gzip), as open_clip's tokenizer
    reads them: a heading, then one merge a line, no line end after the last.
    """
    words = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    # 256 bytes, the same at the end of a word, and two special tokens stand before the merges.
    trainer = trainers.BpeTrainer(
        vocab_size=size - 514 + 80, end_of_word_suffix="</w>", min_frequency=3, show_progress=False
    )
    words.train_from_iterator(_texts(author, captions), trainer)
    folder = path.parent
    folder.mkdir(parents=True, exist_ok=True)
    words.model.save(str(folder), "learned")
    merges = (folder / "learned-merges.txt").read_text("utf-8").splitlines()
    merges = [merge for merge in merges if not merge.startswith("#")][: size - 514]
    for name in ("learned-merges.txt", "learned-vocab.json"):
        (folder / name).unlink()
    lines = "\n".join(["# pixgen pocket vocabulary", *merges])
    path.write_bytes(gzip.compress(lines.encode("utf-8"), mtime=0))


def _texts(author: Author, captions: int):
    for record in author.table:
        yield " ".join((record["thing"], *record["names"]))
    for _ in range(captions):
        yield author.composition().caption
