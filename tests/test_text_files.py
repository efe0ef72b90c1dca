"""Texts and tables are read as people save them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixgen.errors import RecipeError
from pixgen.recipe.story import read_rows
from pixgen.recipe.story import read_story as read_story
from pixgen.recipe.styles import load_styles
from pixgen.text_files import decode, encode_table, parse_count, parse_number, read_table
from pixgen.vision.zeroshot.labels import read_label_set

STORY = "from,prompt\n0,café at night\n5,ein Fuchs über dem Fluß\n"
UNICODE = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]


@pytest.fixture
def files(request):
    """Where the files are that were got wrong."""
    return request.path.parent / "fixtures" / "files"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", [*UNICODE, "cp1252", "cp1254"])
def test_a_text_is_the_same_in_every_encoding(encoding, line_end):
    assert decode(STORY.replace("\n", line_end).encode(encoding)) == STORY


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("zażółć gęślą jaźń", "cp1250"),
        ("żółw", "cp1250"),
        ("příliš žluťoučký kůň", "cp1250"),
        ("příliš žluťoučký kůň", "iso-8859-2"),
        ("árvíztűrő tükörfúrógép", "cp1250"),
        ("café à côté de la forêt, un garçon à l’école", "mac_roman"),
        ("Straße über dem Fluß", "mac_roman"),
        ("perché il caffè è buono", "mac_roman"),
        ("αλεπού", "cp1253"),
        ("κόκκινη αλεπού", "iso-8859-7"),
        ("שועל אדום", "cp1255"),
        ("лиса", "cp1251"),
        ("красная лиса", "koi8-r"),
        ("naïve art, El Niño, Zoë", "cp1252"),
        ("½ cup of tea, £5, 100 €, 5 °C", "cp1252"),
        ("“ÉTÉ À PARIS” — hôtel", "cp1252"),
    ],
)
@pytest.mark.parametrize("table", ["{}\n", "prompt,weight\n{},1.5\na plain line of English,2\n"])
def test_the_encoding_of_a_short_text_is_recognised(text, encoding, table):
    text = table.format(text)
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("kırmızı tilki, şelale, İstanbul", "cp1254"),
        ("красная лиса в снегу", "cp1251"),
        ("赤い狐と雪の森", "shift_jis"),
        ("红色的狐狸在雪地里", "gb18030"),
        ("紅色的狐狸在雪地裡", "big5"),
        ("눈 속의 붉은 여우", "euc_kr"),
        ("ثعلب أحمر في الثلج", "cp1256"),
        ("“déjà vu” — à la carte", "cp1252"),
    ],
)
def test_code_pages_of_other_scripts_are_recognised(text, encoding):
    assert decode(f"prompt\n{text}\n".encode(encoding)) == f"prompt\n{text}\n"


@given(st.text(st.characters(exclude_categories=["C"]), max_size=60), st.sampled_from(UNICODE[1:3]))
def test_what_has_a_mark_is_read_as_the_mark_says(text, encoding):
    assert decode(text.encode(encoding)) == text


@given(st.binary(max_size=200))
def test_any_bytes_are_text_or_none(data):
    try:
        text = decode(data)
    except UnicodeError:
        text = ""
    assert "\0" not in text


@pytest.mark.parametrize("divider", [",", ";", "\t", "|"])
@pytest.mark.parametrize("heads", [("from", "prompt", "weight"), (" From", "PROMPT", "Weight ")])
def test_a_table_is_read_whatever_divides_it(heads, divider):
    rows = [heads, ("0", '"a fox, red; or brown"', "1"), ("5", "an owl", "2"), ("", "", "")]
    found = read_table("\n".join(divider.join(row) for row in rows))
    assert found == [
        {"from": "0", "prompt": "a fox, red; or brown", "weight": "1"},
        {"from": "5", "prompt": "an owl", "weight": "2"},
    ]


def test_excels_own_first_line_and_its_empty_columns_are_left_out():
    assert read_table("sep=;\nPrompt;;\na fox;;\n;;\n") == [{"prompt": "a fox"}]
    assert read_table("Prompt;\na fox;stray\n") == [{"prompt": "a fox", "": "stray"}]


def test_a_single_column_needs_no_quotes():
    assert read_table("prompt\na fox, red\n") == [{"prompt": "a fox, red"}]


@pytest.mark.parametrize(
    ("text", "value"),
    [("1.5", 1.5), ("1,5", 1.5), (" -0,9 ", -0.9), ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("\u22122", -2)],
)
def test_numbers_have_a_point_or_a_comma(text, value):
    assert parse_number(text) == value


@pytest.mark.parametrize("text", ["1.000", "1,000", "1 000", "1’000", "1000"])
def test_what_is_counted_has_no_fraction(text):
    assert parse_count(text) == 1000


def test_the_table_of_a_german_excel_is_a_story(files):
    told = read_story(read_rows(files / "semi.csv"))
    assert [[each.weight for each in scene] for scene in told.scenes] == [[1.5], [1]]
    assert told.scenes[0][0].text == "ein Fuchs im Schnee"


def test_the_table_in_windows_1252_has_its_accents(files):
    assert read_story(read_rows(files / "cp1252.csv")).scenes[0][0].text == "café at night"


@pytest.mark.parametrize("encoding", UNICODE)
def test_a_story_in_json_is_read_in_every_encoding(encoding, tmp_path):
    rows = [{"From": 0, "Prompt": "café"}, {"From": 4, "Prompt": "an owl"}]
    (tmp_path / "story.json").write_bytes(json.dumps(rows, ensure_ascii=False).encode(encoding))
    told = read_story(read_rows(tmp_path / "story.json"))
    assert [scene[0].text for scene in told.scenes] == ["café", "an owl"]


def test_a_table_with_stray_cells_is_an_error(tmp_path):
    (tmp_path / "story.csv").write_text("from,prompt\n0,a fox,red\n")
    with pytest.raises(RecipeError, match="must have a column “prompt”"):
        read_rows(tmp_path / "story.csv")


@pytest.mark.parametrize("encoding", [*UNICODE, "cp1252"])
def test_styles_and_labels_are_read_in_every_encoding(encoding, tmp_path):
    style = {"title": "Öl", "template": "Ölbild von {}"}
    (tmp_path / "own.json").write_bytes(json.dumps(style, ensure_ascii=False).encode(encoding))
    assert load_styles(str(tmp_path / "own.json"))[0].title == "Öl"
    (tmp_path / "birds.csv").write_bytes('Label\nKäuzchen\n"Möwe, grau"\n'.encode(encoding))
    assert read_label_set(tmp_path / "birds.csv").labels == ("Käuzchen", "Möwe, grau")


def test_a_table_is_written_with_the_mark_that_excel_looks_for():
    assert encode_table("Käuzchen").startswith(b"\xef\xbb\xbf")
    assert decode(encode_table("日本,a\n")) == "日本,a\n"
    assert decode(encode_table("a\udce9")) == "a?"
