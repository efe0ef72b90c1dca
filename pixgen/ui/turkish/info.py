"""The Picture info tab in Turkish."""

from pixgen.ui.info_texts import InfoWords

INFO = InfoWords(
    tab="Resim bilgisi",
    file="Bir resim ya da film",
    file_help="pixgen’in PNG, MP4, WebM, GIF, WebP dosyaları ya da tarifi (JSON); pixray ve VQGAN-CLIP PNG’leri, "
    "stable-diffusion-webui’nin PNG, JPEG ve WebP’leri karşılığı olduğu ölçüde okunur.",
    invitation="Bir resim bırakın, nasıl yapıldığını görün.",
    invitation_more="Tarifi, pikseli pikseline yeniden çizilebilir.",
    made_by="{program} ile yapıldı",
    prompt="Sözler",
    settings="Ayarlar",
    weight="ağırlık {weight:g}",
    scene="{number}. sahne",
    as_usual="Geri kalan her şey olağan değerinde.",
    left_open="{program} neyi söylemiyorsa olağan değerinde.",
    left_out="pixgen’de karşılığı olmadığı için aktarılmayanlar",
    no_seed="Tohumu belirtilmemiş.",
    missing="Çizilirken “{name}” kullanılmış, ama dosyada yok: “Diğer ayarlar” altından ekleyin.",
    use="Bunları kullan",
    use_prompt="Yalnızca sözleri",
    use_seed="Yalnızca tohumu",
    download="Tarif",
    used="Her şey {name} için olduğu gibi dolduruldu.",
    used_prompt="{name} dosyasındaki sözler yazıldı.",
    used_seed="{name} dosyasındaki tohum yazıldı.",
    failed="Okunamadı",
    metadata="Tarifi resme ve filme yaz",
    metadata_help="Kapalıyken dosyaları alanlar nasıl yapıldıklarını okuyamaz. Siz burada okuyabilirsiniz.",
    basis="{name} dosyasının bütün ayarları",
    basis_forget="Burada görünmeyenleri unut",
    needs_picture="Tarif “{name}” ile çizilmiş, ama bu resim burada yok: “Diğer ayarlar” altından ekleyin ya da "
    "başka bir başlangıç seçin.",
)
