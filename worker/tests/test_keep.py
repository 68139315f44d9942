"""What a done run has is read and never written anew."""

import numpy as np
import pytest
import strax

from bootstrax_worker.folders import Kept, Place


class _Raw(strax.Plugin):
    provides = "raw"
    depends_on = ()
    dtype = strax.time_fields
    data_kind = "raw"

    def is_ready(self, chunk_i):
        return chunk_i < 1

    def source_finished(self):
        return True

    def compute(self, chunk_i):
        data = np.zeros(5, self.dtype)
        data["time"], data["endtime"] = np.arange(5), np.arange(5) + 1
        return self.chunk(start=0, end=10, data=data)


class _Pair(strax.Plugin):
    provides = ("left", "right")
    depends_on = ("raw",)
    data_kind = {"left": "left", "right": "right"}  # noqa: RUF012
    dtype = dict.fromkeys(("left", "right"), strax.time_fields)
    save_when = strax.SaveWhen.TARGET

    def compute(self, raw):
        return {"left": raw, "right": raw}


STAMP = {"attempt": "a" * 24, "document": "run-7", "host": "here.test"}


def _make(directory, target, place=None, keep=()):
    """Make a target of run 7; `place`: elsewhere than in `directory`, where `keep` is read."""
    announced = []
    storage = [Place(str(place or directory), announced.append, STAMP, keep)]
    if place is not None:
        storage.append(Kept(str(directory), keep))
    context = strax.Context(
        storage=storage,
        register=[_Raw, _Pair],
    )
    context.make("000007", target, progress_bar=False)
    return [folder["type"] for folder in announced]


@pytest.fixture
def output(tmp_path):
    assert sorted(_make(tmp_path, "left")) == ["left", "raw"]
    return tmp_path


def _changes(directory):
    return {path: path.stat().st_mtime_ns for path in directory.glob("*/*")}


def test_only_what_is_missing_is_made(output, tmp_path_factory):
    before = _changes(output)
    place = tmp_path_factory.mktemp("place")
    keep = [str(path) for path in output.iterdir()]
    assert _make(output, "right", place, keep) == ["right"]
    assert _changes(output) == before
    assert [path.name.split("-")[1] for path in place.iterdir()] == ["right"]


def test_what_nobody_vouches_for_is_made_anew_and_not_touched(output, tmp_path_factory):
    before = _changes(output)
    place = tmp_path_factory.mktemp("place")
    (kept,) = output.glob("000007-left-*")
    made = _make(output, "right", place, keep=[str(kept)])
    assert sorted(made) == ["raw", "right"]
    assert _changes(output) == before


def test_what_is_to_be_kept_is_never_opened_for_writing(output):
    (kept,) = output.glob("000007-left-*")
    storage = Place(str(output), pytest.fail, STAMP, [f"{kept}/"])
    key = strax.DataKey("000007", "left", {})
    key._lineage_hash = kept.name.rsplit("-", 1)[1]
    with pytest.raises(strax.DataNotAvailable):
        storage.saver(key, metadata={})
