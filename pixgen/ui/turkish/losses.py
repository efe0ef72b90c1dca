"""The group of losses, and the drawers, in Turkish."""

from pixgen.ui.loss_texts import LossWords

LOSSES = LossWords(
    title="Kayıplar",
    smoothness="Düz alanlar",
    smoothness_kind="Düz alanlar, nasıl",
    smoothness_kinds=(
        ("her yerde", "default"),
        ("ama keskin kenarlar kalsın", "clipped"),
        ("en çok gürültülü yerlerde", "log"),
    ),
    saturation="Canlı renkler",
    palette="Yalnızca bu renkler",
    palette_colours="Hangi renkler",
    palette_colours_help="İngilizce adları ya da #rrggbb. Boşsa: aşağıdaki resmin renkleri.",
    symmetry="Simetri",
    symmetry_kind="Simetri, hangisi",
    symmetry_kinds=(
        ("sol ile sağ", "horizontal"),
        ("üst ile alt", "vertical"),
        ("yarım tur döndürülmüş", "rotational"),
    ),
    edge="Tek renkli kenar payı",
    edge_colour="Kenar payının rengi",
    edge_margin="Kenar payının genişliği",
    edge_margin_help="Kısa kenarın ne kadarı olduğu.",
    tiling="Yan yana dikişsiz",
    anti_text="Yazı olmasın",
    aesthetics="İnsanların oylarına göre güzel",
    aesthetics_help=(
        "OpenAI'nin CLIP'lerinden birinin, örneğin ViT-B-32/openai'nin bakması ve LAION'un onun için "
        "olan dosyası gerekir."
    ),
    warmth="Renk sıcaklığı",
    warmth_kelvin="Kelvin olarak sıcaklık",
    warmth_kelvin_help="Mum 1900, ampul 2700, öğle güneşi 5500, gölge 8000.",
    style="Aşağıdaki resmin üslubunda",
    wished_picture="Renkler ve üslup için bir resim",
    drawer="Çizim yöntemi",
    drawers=(
        ("VQGAN", "vqgan"),
        ("tek renkli hücreler", "pixels"),
        ("dalgalar", "fourier"),
        ("bütün çözünürlükler birden", "multires"),
        ("fırça darbeleri", "lines"),
    ),
)
