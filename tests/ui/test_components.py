"""Files handed to the browser."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

from pixgen.ui.components import servable_bytes


def test_many_tabs_that_want_the_same_file_at_once_all_get_it(tmp_path):
    component = SimpleNamespace(GRADIO_CACHE=str(tmp_path))
    data = bytes(2_000_000)
    with ThreadPoolExecutor(16) as pool:
        for number in range(10):
            name = f"{number}.png"
            copies = list(
                pool.map(lambda _, name=name: servable_bytes(data, component, name=name), range(16))
            )
            assert len(set(copies)) == 1
            assert Path(copies[0]).read_bytes() == data
    assert not list(tmp_path.rglob("*.part"))
