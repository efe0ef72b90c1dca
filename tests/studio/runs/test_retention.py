"""What a public studio keeps: the newest, and every favourite."""

import dataclasses
from datetime import datetime, timedelta

import pytest

from pixgen.errors import StudioError
from pixgen.studio import Policy
from pixgen.studio.gallery.gallery import Gallery
from pixgen.studio.runs.retention import Retention, RetentionLimits, parse_retention
from pixgen.studio.runs.run import RunLock, read_run
from tests.studio.fakes import a_recipe


@pytest.fixture
def gallery(open_studio):
    """A public studio's gallery."""
    return Gallery(open_studio(policy=Policy.for_public()))


def painted(gallery, *, owner="ada", days_ago=0.0):
    """A finished run of that age; its id."""
    studio = gallery.studio
    job = studio.submit(a_recipe(steps=2), owner=owner)
    assert job.wait(20)
    run = read_run(studio.folder, job.id)
    started = datetime.now().astimezone() - timedelta(days=days_ago)
    dataclasses.replace(run, started=started).save()
    return job.id


def there(gallery):
    return {run.id for run in gallery.studio.runs()}


def test_old_runs_go_and_favourites_stay(gallery):
    new, old, loved = painted(gallery), painted(gallery, days_ago=31), painted(gallery, days_ago=99)
    gallery.update_tags(loved, owner="ada", favourite=True)
    assert Retention(gallery, RetentionLimits(days=30)).remove_expired() == [old]
    assert there(gallery) == {new, loved}
    assert gallery.catalogue.entry(loved).favourite


def test_only_so_many_favourites_outlast_the_limits(gallery, monkeypatch):
    monkeypatch.setattr("pixgen.studio.runs.retention.MOST_FAVOURITES", 2)
    ages = [painted(gallery, days_ago=40 + age) for age in range(4)]
    other = painted(gallery, owner="grace", days_ago=90)
    for run, owner in [*((run, "ada") for run in ages), (other, "grace")]:
        gallery.update_tags(run, owner=owner, favourite=True)
    assert sorted(Retention(gallery, RetentionLimits(days=30)).remove_expired()) == sorted(ages[2:])
    assert there(gallery) == {*ages[:2], other}


def test_favourites_take_at_most_half_of_the_space(gallery):
    old, new = painted(gallery, days_ago=3), painted(gallery, days_ago=2)
    size = sum(path.stat().st_size for path in (gallery.studio.folder / new).iterdir())
    for run in (old, new):
        gallery.update_tags(run, owner="ada", favourite=True)
    assert Retention(gallery, RetentionLimits(space=int(0.5 * size))).remove_expired() == [new, old]
    assert there(gallery) == set()


def test_an_owner_keeps_the_newest_and_nobody_elses_count(gallery):
    ada = [painted(gallery, days_ago=age) for age in (4, 3, 2, 1)]
    grace = painted(gallery, owner="grace", days_ago=9)
    gallery.update_tags(ada[0], owner="ada", favourite=True)
    assert Retention(gallery, RetentionLimits(runs=2)).remove_expired() == [ada[1]]
    assert there(gallery) == {ada[0], *ada[2:], grace}


def test_beyond_the_space_the_bin_goes_first_and_then_the_oldest(gallery):
    old, middle, new = (painted(gallery, days_ago=age) for age in (3, 2, 1))
    size = sum(path.stat().st_size for path in (gallery.studio.folder / new).iterdir())
    gallery.delete(new, owner="ada")
    keeper = Retention(gallery, RetentionLimits(space=int(2.5 * size)))
    assert keeper.remove_expired() == [new]
    assert not (gallery.studio.folder / "bin" / new).exists()
    assert keeper.remove_expired() == []
    newest = painted(gallery)
    assert keeper.remove_expired() == [old]
    assert there(gallery) == {middle, newest}


def test_a_run_that_is_being_painted_stays(gallery):
    run = painted(gallery, days_ago=31)
    run_lock = RunLock(gallery.studio.folder / run)
    assert Retention(gallery, RetentionLimits(days=30)).remove_expired() == []
    run_lock.release()
    assert Retention(gallery, RetentionLimits(days=30)).remove_expired() == [run]


def test_it_tidies_after_each_picture(gallery):
    Retention(gallery, RetentionLimits(runs=1)).follow()
    runs = [painted(gallery) for _ in range(3)]
    gallery.studio.close()  # waits for what follows the last one
    assert there(gallery) <= set(runs[-2:])


@pytest.mark.parametrize(
    ("text", "keep"),
    [
        ("30 days, 200 runs, 20 GB", RetentionLimits(days=30, runs=200, space=20 * 10**9)),
        ("1 day", RetentionLimits(days=1)),
        ("0.5days", RetentionLimits(days=0.5)),
        (" ALL ", RetentionLimits()),
        ("500 mb", RetentionLimits(space=500 * 10**6)),
    ],
)
def test_limits_are_read_as_people_write_them(text, keep):
    assert parse_retention(text) == keep


@pytest.mark.parametrize("text", ["", "30", "a few days", "-1 days", "30 days 20 GB", "1e9 GB"])
def test_other_limits_are_answered_with_an_example(text):
    with pytest.raises(StudioError, match="30 days, 200 runs, 20 GB"):
        parse_retention(text)
