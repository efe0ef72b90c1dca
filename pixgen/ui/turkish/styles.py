"""The styles below the prompt in Turkish."""

from pixgen.ui.style_texts import StyleWords

STYLES = StyleWords(
    title="Üslup",
    titles=(
        ("3d-render", "3B görüntü"),
        ("flat", "Düz çizim"),
        ("line-drawing", "Çizgi resim"),
        ("comic", "Çizgi roman"),
        ("sticker", "Çıkartma"),
        ("emoji", "Emoji"),
        ("watercolour", "Suluboya"),
        ("pencil", "Kurşun kalem"),
        ("pixel-art", "Piksel resim"),
        ("neon", "Neon"),
        ("silhouette", "Siluet"),
        ("vintage", "Eski fotoğraf"),
        ("black-and-white", "Siyah beyaz"),
        ("night", "Gece"),
        ("sunset", "Gün batımı"),
        ("snow", "Karda"),
        ("underwater", "Deniz altında"),
        ("space", "Uzayda"),
    ),
    own="Kendi üslubunuz",
    name="Adı",
    name_placeholder="Yağlı boya",
    template="Sözleri; {} çizilecek şeyin yeri (İngilizce)",
    save="Bu tarayıcıda sakla",
    kept="“{title}” bu tarayıcıda saklandı.",
    bring="İçe aktar",
    brought="{count} üslup içe aktarıldı.",
    share="Benimkileri indir",
    forget="“{title}” üslubunu unut",
    too_many="En çok {most} üslubunuz olabilir: önce birkaçını unutun.",
)
