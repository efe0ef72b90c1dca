"""Turning a picture, going on from it and the queue in Turkish."""

from pixgen.ui.turn_texts import TurnWords

TURN = TurnWords(
    apply="Çizilen resme uygula",
    applied="Resim bundan sonra yeni sözleri ve öğrenme hızını izliyor.",
    nothing_new="Resim zaten bu sözleri ve bu öğrenme hızını izliyor: önce birini değiştirin.",
    nothing_runs="Şu anda çizilen bir resim yok: Oluştur yenisine başlar, “Bu sözlerle sürdür” "
    "sonuncusunu değiştirir.",
    more="+{steps} adım",
    fork="Bu sözlerle sürdür",
    changed="{steps}. adımda değişti",
    add="Kuyruğa ekle",
    queue="Kuyruk",
    paused="Duraklatıldı",
    paused_more="önce ötekiler",
    now="şimdi",
    left="{time} kaldı",
    begins="yaklaşık {time} sonra",
    takes="yaklaşık {time} sürer",
    before="önünde {count} resim",
    facts="{width} × {height}, {steps} adım",
    up="Daha önce",
    down="Daha sonra",
    pause="Duraklat",
    go_on="Sürdür",
    cancel="İptal et",
    act_on="{act}: {prompt}",
    next_begins="“{prompt}” saklandı. Sıradaki resim başlıyor.",
)
