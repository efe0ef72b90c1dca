"""A real cluster of three nodes on this machine: runs of several people, a node that is killed, a frozen actor."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pixgen.cli._studio import open_cluster
from pixgen.cli.app import main
from pixgen.errors import DeviceError, ModelError, StudioError
from pixgen.models import load_perceptor
from pixgen.studio import Studio
from pixgen.studio.library.classifier import ClassifierService
from pixgen.studio.library.library import PictureLibrary
from pixgen.studio.workers.base import WorkerLost
from pixgen.vision.search.query import parse_query
from pixgen.vision.zeroshot.batches import make_question
from pixgen.vision.zeroshot.sources import collect_sources
from tests.studio.fakes import Painters, a_recipe, until

pytest.importorskip("ray", reason="the extra “cluster” is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning"),  # in Ray Data itself
]
STORE = 80 * 1024**2  # bytes of an object store


@pytest.fixture(scope="module")
def nodes():
    """A cluster: its head paints nothing, its two nodes have a core each."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 0, "object_store_memory": STORE, "include_dashboard": False},
    )
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=STORE)
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def studio(nodes, tmp_path_factory):
    """A studio whose workers are the nodes. All tests share it, as an actor takes seconds to start."""
    from pixgen.cluster.connection import Cluster
    from tests.cluster.painters import paint_slowly

    folder = tmp_path_factory.mktemp("cluster")
    painter = partial(paint_slowly, str(folder / "marker"))
    with (
        Cluster(nodes.address, painter=painter, patience=4) as cluster,
        Studio(folder / "runs", device="cpu", workers=cluster.workers, save_every=0.3) as opened,
    ):
        cluster.follow(opened)
        yield opened


def undisturbed(folder: Path, recipe) -> bytes:
    """The picture of a recipe that one local device has painted."""
    with Studio(folder, device="cpu", painter=Painters()) as studio:
        job = studio.submit(recipe)
        assert job.wait(30)
        return job.run.picture.read_bytes()


def test_the_status_lists_nodes_and_starts_nothing(nodes, capsys):
    assert main(["cluster", "status", "--cluster", nodes.address, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["nodes"]
    assert sorted((node["cpus"], node["alive"]) for node in found) == [(0, True), (1, True), (1, True)]


def test_a_page_takes_its_share_of_each_device(nodes):
    with open_cluster(nodes.address, share=0.5) as cluster:
        assert [(place.cpus, place.share, place.threads) for place in cluster.places()] == [(0.5, 0.5, 1)] * 2


def test_an_address_without_a_cluster_is_an_error_that_says_what_to_do():
    with pytest.raises(DeviceError, match="ray start --head"):
        open_cluster("ray://127.0.0.1:9")


def test_a_cluster_that_asks_for_a_token_says_so(monkeypatch):
    def refuse(**_: object) -> None:
        raise RuntimeError("ray.exceptions.AuthenticationError: RPC error: InvalidAuthToken")

    monkeypatch.setattr("pixgen.cluster.connection.ray.init", refuse)
    with pytest.raises(DeviceError, match="RAY_AUTH_MODE=token"):
        open_cluster("auto")


def test_pictures_are_indexed_and_classified_as_on_a_local_device(nodes, tmp_path):
    """Before the tests that have a studio: its workers leave no core free."""
    from pixgen.cluster.connection import Cluster
    from pixgen.cluster.data import prepare_sources, read_files

    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("red", "green", "blue"):
        Image.new("RGB", (40, 30), name).save(folder / f"{name}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    sources = collect_sources([folder])
    question = make_question(sources, ("pocket",), labels="red, green, blue")
    with Cluster(nodes.address) as cluster, Studio(tmp_path / "runs", device="cpu") as here:
        reader, found = partial(read_files, cluster, "pocket"), {}
        for kind in ("there", "here"):
            library = PictureLibrary(here, address=str(tmp_path / kind))
            place = library.add(folder)
            *_, last = library.refresh(place, reader=reader if kind == "there" else None)
            assert (last.added, [each.path for each in last.skipped]) == (3, ["broken.png"])
            found[kind] = np.stack([library.vector_of(place, f"{name}.png") for name in ("red", "blue")])
        assert np.allclose(found["there"], found["here"], atol=1e-4)
        *_, last = library.refresh(place, reader=reader)
        assert (last.added, last.unchanged) == (0, 3)
        service = ClassifierService(here)
        classifier = service.classifier(question, ("pocket",))
        embedded = prepare_sources(cluster, ("pocket",), sources)
        answers = [
            [(each.name, bool(each.error), each.answer and each.answer.top(1)[0].label) for each in batch]
            for batch in (
                *service.classify(classifier, ("pocket",), sources),
                *service.classify(classifier, ("pocket",), sources, embedded=embedded),
            )
        ]
    assert answers[0] == answers[1]
    assert [label for _, _, label in answers[0]].count(None) == 1


def test_a_worker_that_a_studio_has_closed_serves_another_once_it_is_reopened(nodes, tmp_path):
    from pixgen.cluster.connection import Cluster
    from tests.cluster.painters import paint_slowly

    painter = partial(paint_slowly, str(tmp_path / "marker"))
    with Cluster(nodes.address, painter=painter, patience=4) as cluster:
        for folder in ("first", "second"):
            for worker in cluster.workers:
                worker.reopen()
            with Studio(tmp_path / folder, device="cpu", workers=cluster.workers) as studio:
                job = studio.submit(a_recipe())
                assert job.wait(60)
                assert job.state == "done"


def test_six_runs_of_three_people_survive_a_node_with_the_same_pixels(nodes, studio, tmp_path):
    recipes = [a_recipe(seed=seed, steps=40) for seed in range(6)]
    people = ["ada", "grace", "alan"]
    jobs = [studio.submit(recipe, owner=people[seed // 2]) for seed, recipe in enumerate(recipes)]
    until(lambda: sum(job.frame is not None and job.frame.step > 10 for job in jobs) == 2)
    assert {job.owner for job in jobs if job.frame is not None} == {"ada", "grace"}
    nodes.remove_node(next(iter(nodes.worker_nodes)), allow_graceful=False)
    notices = set()
    while not all(job.ended for job in jobs):
        notices |= {job.notice for job in jobs}
        time.sleep(0.05)
    assert [(job.state, job.error) for job in jobs] == [("done", None)] * 6
    assert any("continues from its last saved step" in notice for notice in notices)
    for job, recipe in zip(jobs, recipes, strict=True):
        assert job.run.picture.read_bytes() == undisturbed(tmp_path, recipe)


def test_a_node_that_joins_paints(nodes, studio):
    until(lambda: len(studio.workers) == 1)
    nodes.add_node(num_cpus=1, object_store_memory=STORE)
    until(lambda: len(studio.workers) == 2)
    jobs = [studio.submit(a_recipe(seed=seed, steps=500)) for seed in range(2)]
    until(lambda: all(job.frame is not None for job in jobs))
    for job in jobs:
        job.stop()
    assert all(job.wait(20) for job in jobs)


def test_a_run_is_watched_changed_paused_and_stopped_as_on_a_local_device(studio, tmp_path):
    job = studio.submit(a_recipe(seed=3, steps=300))
    seen = next(each for each in job.watch() if each.frame is not None and each.frame.step > 3)
    assert seen.frame.picture.shape == (32, 32, 3)
    job.change(prompts="a blue owl")
    job.pause()
    until(lambda: job.state == "waiting")
    assert job.run.picture.is_file()
    job.resume()
    until(lambda: job.state == "painting" and len(job.recipe.changes) == 1)
    step = job.frame.step
    until(lambda: job.frame.step > step + 3)
    job.stop()
    assert job.wait(20)
    assert (job.state, job.error) == ("stopped", None)
    again = studio.resume(job.id)
    assert again.wait(60)
    assert again.run.picture.read_bytes() == undisturbed(tmp_path, again.recipe)


def test_clips_embed_on_the_workers_while_they_paint(studio, monkeypatch):
    from pixgen.cluster.perceptor import ClusterPerceptor

    here = load_perceptor(("pocket",), "cpu")
    monkeypatch.setattr("pixgen.cluster.perceptor.load_perceptor", None)  # nothing is loaded in this process
    jobs = [studio.submit(a_recipe(seed=seed, steps=500)) for seed in range(2)]
    until(lambda: all(job.frame is not None for job in jobs))
    there = ClusterPerceptor(("pocket",), workers=lambda: studio.workers, device="cpu")
    pictures = torch.randint(256, (40, 3, there.size, there.size)).float() / 255
    with torch.no_grad():
        for _ in range(2):  # while all paint, and when none does
            assert (there.logit_scale, there.logit_bias) == (here.logit_scale, here.logit_bias)
            assert torch.allclose(
                there.embed_texts(["a red fox"]), here.embed_texts(["a red fox"]), atol=1e-4
            )
            assert torch.allclose(there.embed_images(pictures), here.embed_images(pictures), atol=1e-4)
            for job in jobs:
                job.stop()
                assert job.wait(20)
    assert [(job.state, job.error) for job in jobs] == [("stopped", None)] * 2
    with pytest.raises(ModelError, match="no CLIP “nothing”"):
        _ = ClusterPerceptor(("nothing",), workers=lambda: studio.workers, device="cpu").size


def test_a_page_on_a_cluster_classifies_searches_and_explains(studio, tmp_path):
    from pixgen.cluster.perceptor import cluster_models

    workers = studio.workers
    for name in ("red", "green", "blue"):
        Image.new("RGB", (40, 30), name).save(tmp_path / f"{name}.png")
    sources = collect_sources([tmp_path])
    question = make_question(sources, ("pocket",), labels="red, green, blue")
    answers = []
    for models in (None, cluster_models(lambda: workers), cluster_models(list)):
        with Studio(tmp_path / "runs", device="cpu", models=models) as page:
            service, library = ClassifierService(page), PictureLibrary(page)
            classifier = service.classifier(question, ("pocket",))
            (batch,) = service.classify(classifier, ("pocket",), sources)
            place = library.add(tmp_path)
            *_, last = library.refresh(place)
            hits = library.search(place, library.embed(parse_query("red")), top=1)
            heat = service.explain(classifier, ("pocket",), Image.open(tmp_path / "red.png"), label="red")
            answers.append(
                [
                    [each.answer.top(1)[0].label for each in batch],
                    hits[0].row.path,
                    heat.shape,
                    len(last.skipped),
                ]
            )
    assert answers[0] == answers[1] == answers[2]


def test_an_error_on_a_node_is_the_error_of_the_job(studio):
    job = studio.submit(a_recipe(prompts="too large"))
    assert job.wait(60)
    assert (job.state, str(job.error)) == ("failed", "Try fewer cutouts.")


def test_a_frozen_actor_is_replaced(studio, tmp_path):
    recipe = a_recipe(prompts="frozen", seed=3, steps=20)
    job = studio.submit(recipe)
    assert job.wait(80)
    assert (job.state, job.error) == ("done", None)
    assert job.run.picture.read_bytes() == undisturbed(tmp_path, recipe)
    until(lambda: studio.queue() == [])


def test_a_worker_that_has_no_core_to_start_on_can_be_closed(studio):
    from pixgen.cluster.worker import RayWorker

    worker = RayWorker(studio.workers[0].place)  # whose core is reserved
    with ThreadPoolExecutor(1) as thread:
        starting = thread.submit(worker.prepare)
        time.sleep(1)
        assert not starting.done()
        worker.close()
        with pytest.raises(WorkerLost):
            starting.result(30)


def test_a_lost_head_ends_in_runs_that_can_be_resumed(nodes, studio, tmp_path):
    """The last test: it takes the cluster with it."""
    jobs = [studio.submit(a_recipe(seed=seed, steps=600)) for seed in range(3)]
    until(lambda: jobs[0].frame is not None and jobs[0].frame.step > 10)
    nodes.head_node.kill_all_processes(check_alive=False, allow_graceful=False)
    assert all(job.wait(60) for job in jobs)
    assert {job.state for job in jobs} == {"stopped"}
    assert "cluster is not reachable" in jobs[0].notice
    with pytest.raises(StudioError, match="No device is connected"):
        until(lambda: studio.submit(a_recipe()).stop())
    with Studio(studio.folder, device="cpu", painter=Painters()) as here:
        again = here.resume(jobs[0].id)
        assert again.wait(30)
        assert again.run.picture.read_bytes() == undisturbed(tmp_path, a_recipe(seed=0, steps=600))
