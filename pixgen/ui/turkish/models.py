"""The page's group of models in Turkish."""

from pixgen.ui.model_texts import ModelWords

MODELS = ModelWords(
    title="Modeller",
    model_help="Büyük bir model ilk kullanıldığında indirilir. Bir GPU ya da sabır ister.",
    model="Çizen",
    clip="Bakan",
    clip_help="Birkaçı birlikte bakabilir.",
    clip_choice_help="pixgen ile gelen yalnızca çizim görmüştür; bir kez indirilen daha büyükleri fotoğrafları da tanır. "
    "open_clip'in her modelinin adı yazılabilir, örneğin ViT-B-32/laion2b_s34b_b79k.",
    sketcher="Taslağı yapan",
    sketcher_help="Başlangıç bir taslaksa onu yazan. dalle-mini ve dalle-mega yalnız sözcükleri okur; karlo sözcükleri ya da resimleri.",
    fetching="Model indiriliyor",
    fetched="{done:,} / {total:,} MB",
    fetched_so_far="şimdiye dek {done:,} MB",
    elsewhere="başka bir pixgen indiriyor",
)
