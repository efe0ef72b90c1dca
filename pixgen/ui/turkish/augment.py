"""The words about augmentations and the view of the cutouts, in Turkish."""

from pixgen.ui.augment_texts import AugmentWords

AUGMENT = AugmentWords(
    title="Artırmalar",
    choose="Kesitlere bunları da uygula",
    choose_help="kornia’nın herhangi bir artırması, parametreleriyle: RandomThinPlateSpline:p=0.5,scale=0.2. "
    "Aramak için yazın.",
    preview="Önizle",
    preview_help="Her birinin şimdiki resme ne yaptığı; hiçbiri seçilmemişse hepsinin.",
    see="CLIP’in gördüğünü göster",
    see_help="Bir resim çizilirken, o adımın kesitleri.",
    nothing="Şu anda bir şey çizilmiyor.",
    soon="Kesitler bir sonraki adımla gelir.",
    cutouts_alt="{step}. adımın kesitleri",
)
