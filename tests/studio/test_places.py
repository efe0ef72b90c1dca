"""Places in the queue: who may have how many, and when they are given up."""

import time

import pytest

from pixgen.errors import StudioError
from pixgen.studio import Policy, Studio
from pixgen.studio.owners import Owner, counted_address, login_owner, program_owner, visitor_owner
from pixgen.studio.queue import release_places
from tests.studio.fakes import Painters, a_recipe

STRICT = {"public": True, "jobs_per_owner": 2, "jobs_per_address": 3}


@pytest.fixture
def busy(open_studio):
    """Opens a studio with limits, whose first picture is held before its first step."""

    def open_busy(**limits) -> Studio:
        return open_studio(Painters(hold_at=0), policy=Policy(**{**STRICT, **limits}))

    return open_busy


def test_invented_names_at_one_address_do_not_fill_the_studio(busy):
    studio = busy()
    for number in range(3):
        studio.submit(a_recipe(), owner=visitor_owner(f"v{number}", address="203.0.113.5"))
    with pytest.raises(StudioError, match="3 pictures from your network are waiting"):
        studio.submit(a_recipe(), owner=visitor_owner("another", address="203.0.113.5"))
    studio.submit(a_recipe(), owner=visitor_owner("another", address="203.0.113.6"))


def test_a_pause_ends_and_who_waits_for_nobody_gives_up_the_place(busy):
    studio = busy()
    studio.submit(a_recipe(), owner="one")
    waiting = studio.submit(a_recipe(), owner="two")
    waiting.pause()
    release_places([waiting], Policy(**STRICT, longest_pause=60))
    assert waiting.paused
    time.sleep(0.05)
    release_places([waiting], Policy(**STRICT, longest_pause=0.01))
    assert not waiting.paused
    release_places([waiting], Policy(**STRICT, longest_unwatched=0.01))
    assert waiting.wait(20)
    assert (waiting.state, studio.run(waiting.id).state) == ("stopped", "stopped")
    assert "nobody was watching" in waiting.notice


def test_what_its_owner_watches_keeps_its_place(busy):
    studio, policy = busy(), Policy(**STRICT, longest_unwatched=0.01)
    first = studio.submit(a_recipe(), owner="one")
    second = studio.submit(a_recipe(), owner="one")
    watching = first.watch()
    next(watching)
    time.sleep(0.05)
    release_places([first, second], policy)
    assert not second.stopping
    watching.close()
    time.sleep(0.05)
    release_places([first, second], policy)
    assert second.stopping


def test_owners_of_different_kinds_have_different_names():
    claimed = "ada"
    names = {
        login_owner(claimed), visitor_owner(claimed), program_owner(claimed, address=""),
        login_owner(f"visitor:{claimed}"), login_owner(f"api::{claimed}"),
    }  # fmt: skip
    assert len(names) == 5
    assert login_owner("ada") == "ada"  # as the runs of earlier versions say


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("203.0.113.5", "203.0.113.5"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:203.0.113.5", "203.0.113.5"), ("testclient", "testclient"),
    ],
)  # fmt: skip
def test_an_address_is_counted_by_its_customer(host, counted):
    assert counted_address(host) == counted
    assert Owner("a", address=counted).address == counted
