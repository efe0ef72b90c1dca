"""Drawing a start, painting regions and enlarging in Turkish."""

from pixgen.ui.pad_texts import PadWords

PAD = PadWords(
    draw="Başlangıç çiz",
    regions="Bölge boya",
    drawing_help="Resmin başlayacağı şeyi çizin, sonra Oluştur’a basın.",
    regions_help="Bir istem seçip geçerli olduğu yeri boyayın, sonra Oluştur’a basın. Hiçbir yeri boyanmamış "
    "istem her yerde geçerlidir.",
    regions_empty="Önce ne çizileceğini yazın; birden çok şey | ile ayrılır.",
    canvas="Çizim",
    colours="Renkler",
    sizes="Fırçalar",
    small="Küçük fırça",
    medium="Orta fırça",
    large="Büyük fırça",
    eraser="Silgi",
    undo="Geri al",
    clear="Temizle",
    done="Tamam",
    not_drawn="Bir çizimden başlamak için önce çizin ya da başka bir başlangıç seçin.",
    not_arrived="Çizilen şey ulaşmadı: yeniden çizin.",
    nothing_last="Başlanacak bir son resim yok: bir resim oluşturun ya da başka bir başlangıç seçin.",
    strength="Ondan ne kadar uzak",
    strength_help="0: resmin kendisinden. 1: yalnız rastlantıdan.",
    fit="Boyuta nasıl uysun",
    fits=(
        ("doldursun, taşan kesilsin", "cover"),
        ("bütün kalsın, kenar boşluklu", "contain"),
        ("gerilsin", "stretch"),
    ),
    extend="Resmin ötesine geç",
    extends=(
        ("hayır", "no"),
        ("sola doğru", "left"),
        ("sağa doğru", "right"),
        ("üste doğru", "top"),
        ("alta doğru", "bottom"),
    ),
    extend_help="O yanda yeri olan bir boyut seçin.",
    grow="Önce küçük",
    growths=(
        ("hayır: baştan tam boyut", "never"),
        ("yarı boyut, sona doğru iki katı", "0.9"),
        ("önce çeyrek, sonra yarım, sonra tam", "0.5,0.85"),
    ),
    grow_help="Büyük bir resim, sürenin yarısından azında.",
    enlarge="Büyüt",
    enlarged="Resim {width} × {height}",
    enlarged_by="Büyütme yöntemi",
    crisp="keskin kenarlar",
)
