"""Each folder says who made it, and none is made where another's lies."""

import json

import pytest
import strax

from bootstrax_worker.folders import Place
from bootstrax_worker.stamp import ForeignFolder

OURS = {"attempt": "a" * 24, "document": "run-7", "host": "here.test"}
THEIRS = {**OURS, "attempt": "b" * 24, "host": "there.test"}


def _key() -> strax.DataKey:
    return strax.DataKey("000007", "things", {"things": ["Things", "0", {}]})


def _saver(directory, stamp=OURS):
    storage = Place(str(directory), lambda _: None, stamp)
    metadata = {
        "run_id": "000007",
        "data_type": "things",
        "lineage": {},
        "dtype": strax.np.dtype(int),
    }
    return storage.saver(_key(), metadata=metadata)


def _leave(directory, suffix, stamp):
    folder = directory / f"{_key()}{suffix}"
    folder.mkdir()
    metadata = {"chunks": []} if stamp is None else {"chunks": [], "bootstrax": stamp}
    (folder / f"things-{_key().lineage_hash}-metadata.json").write_text(json.dumps(metadata))
    return folder


def test_the_first_metadata_say_who_makes_the_folder(tmp_path):
    saver = _saver(tmp_path)
    (path,) = tmp_path.glob("*_temp/*-metadata.json")
    assert json.loads(path.read_text())["bootstrax"] == OURS
    saver.close()
    (path,) = tmp_path.glob("*/*-metadata.json")
    assert json.loads(path.read_text())["bootstrax"] == OURS
    assert not path.parent.name.endswith("_temp")


@pytest.mark.parametrize("suffix", ["", "_temp"])
@pytest.mark.parametrize("stamp", [THEIRS, None])
def test_strax_removes_no_folder_of_somebody_else(tmp_path, suffix, stamp):
    folder = _leave(tmp_path, suffix, stamp)
    with pytest.raises(ForeignFolder, match=str(folder)):
        _saver(tmp_path)
    assert list(folder.iterdir())


def test_what_this_attempt_left_unfinished_is_made_anew(tmp_path):
    _leave(tmp_path, "_temp", OURS)
    _saver(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == [str(_key())]
