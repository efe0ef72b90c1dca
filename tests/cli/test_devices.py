"""``--devices`` and ``--cluster``: which workers a studio gets."""

import json

import pytest

from pixgen.cli._studio import open_studio
from pixgen.cli.app import main
from pixgen.errors import DeviceError


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    monkeypatch.delenv("PIXGEN_DEVICES", raising=False)
    monkeypatch.delenv("PIXGEN_CLUSTER", raising=False)


def names(folder, **options):
    with open_studio(folder, device="cpu", **options) as studio:
        return [worker.name for worker in studio.workers]


def test_a_studio_has_the_devices_that_are_named(tmp_path, monkeypatch):
    assert names(tmp_path) == ["cpu"]
    assert names(tmp_path, devices="cpu:2") == ["cpu 1", "cpu 2"]
    monkeypatch.setenv("PIXGEN_DEVICES", "cpu:3")
    assert len(names(tmp_path)) == 3
    assert names(tmp_path, devices="cpu") == ["cpu"]


def test_devices_and_a_cluster_exclude_each_other(tmp_path):
    with pytest.raises(DeviceError, match="cannot be combined"):
        names(tmp_path, devices="cpu:2", cluster="local")


def test_a_cluster_without_ray_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("pixgen.cli._studio.find_spec", lambda name: None)
    with pytest.raises(DeviceError, match=r"pip install 'pixgen\[cluster\]'"):
        names(tmp_path, cluster="local")


def test_a_wrong_device_is_an_error_of_the_command(tmp_path, capsys):
    arguments = ["grid", "a fox", "--over", "seed=1-2", "--output-dir", str(tmp_path)]
    assert main([*arguments, "--devices", "gpu:2", "--json"]) == 2
    assert "cuda:0,cuda:1 or cpu:2" in json.loads(capsys.readouterr().err)["error"]
