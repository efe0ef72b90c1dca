"""The help with prompts in Turkish."""

from pixgen.ui.help_texts import HelpWords

HELP = HelpWords(
    title="Modeller nasıl okuyor",
    tokens="{places} birimden {tokens}",
    lost="CLIP buradan ötesini okumuyor, dışarıda kalan: “{text}”",
    unsketched="Eskizi çıkaran “{text}” kısmına kadar okumuyor.",
    unknown="Birlikte gelen modeller “{word}” sözünü hiç görmedi (İngilizce yazın).",
    instead="Belki",
    replace="“{word}” yerine “{known}” yaz",
    lists="Tohumun seçeceği, bir listeden:",
    insert="{list} yaz",
)
