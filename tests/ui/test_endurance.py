"""Two hundred pictures of two hundred people: threads, files and memory stay as they were after the first fifty."""

import os
import sys
import threading
from pathlib import Path

import pytest

from pixgen.studio import Policy
from pixgen.ui.create import actions
from pixgen.ui.create.form import CreateForm
from pixgen.ui.i18n import ENGLISH
from pixgen.ui.session import BrowserSession, Watchers


def resident_megabytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def open_files():
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_jobs_and_sessions_leave_nothing_behind(make_studio, capsys):
    studio, watchers = make_studio(policy=Policy.for_public()), Watchers()
    form = CreateForm(prompt="a red fox", preset="draft", size="32x32", steps=4)

    def person(number):
        visitor = BrowserSession.from_browser(
            "", None, watchers=watchers, page=f"page {number}", address=f"11.0.0.{number}"
        )
        *_, last = actions.with_error_screen(actions.paint(studio, form, visitor, say=ENGLISH), say=ENGLISH)
        assert last.files is not None, last.status
        assert all(last.files)

    def facts():
        return threading.active_count(), open_files(), resident_megabytes()

    for number in range(50):
        person(number)
    threads, files, memory = facts()
    for number in range(50, 200):
        person(number)
    after = facts()
    with capsys.disabled():
        print(f"\nafter 50 jobs: {threads} threads, {files} files, {memory:.0f} MB; after 200: {after}")
    assert after[0] <= threads + 1
    assert after[1] <= files + 2
    assert after[2] <= 1.1 * memory
    assert len(studio._jobs) <= 33
    assert len(watchers._newest) == 0
