"""The words about memory, in Turkish."""

from pixgen.ui.memory_texts import MemoryWords

MEMORY = MemoryWords(
    needs="Yaklaşık {size} bellek gerekir",
    fits="sığar",
    tight="ucu ucuna",
    too_much="sığmaz: daha azı bir arada yapılır, ya da daha küçük bir boyut seçin",
)
