"""An attempt that has a folder of its own writes there, and says so in all that it leaves."""

import json
from pathlib import Path

import pytest
from worker_support import Attempt

DOCUMENT = "65f000000000000000000007"


class InPlace(Attempt):
    """An attempt with a folder of its own beside the output folder."""

    def __init__(self, root: Path, **changes) -> None:
        super().__init__(root, **changes)
        self.output.mkdir(exist_ok=True)
        self.place = root / "output.staging" / self.id
        self.plan |= {"place": str(self.place), "runDocument": DOCUMENT}
        (self.directory / "plan.json").write_text(json.dumps(self.plan))

    def types(self) -> list[str]:
        """What it has made, by its own account."""
        result = self.read("result.json")
        assert result is not None and result["ok"], self.log()
        return sorted(product["type"] for product in result["products"])


def _folders(directory: Path) -> list[str]:
    return sorted(path.name.split("-", 1)[1] for path in directory.iterdir())


@pytest.mark.parametrize("cores", [1, 2])
def test_what_a_killed_attempt_leaves_says_who_began_it(tmp_path, cores):
    # With two cores processes forked by strax have written the chunks.
    attempt = InPlace(
        tmp_path, cores=cores, runConfig={"tiny_fault": "signal:9", "tiny_pause_seconds": 0.5}
    )
    attempt.run_cold()
    assert attempt.read("exit.json")["signal"] == 9
    assert attempt.read("result.json") is None
    assert _folders(tmp_path / "output") == []
    begun = sorted(attempt.place.glob("*_temp/*-metadata.json"))
    assert {path.parent.name.split("-")[1] for path in begun} >= {"tiny_raw", "tiny_double"}
    for path in begun:
        assert json.loads(path.read_text())["bootstrax"] == {
            "attempt": attempt.id,
            "document": DOCUMENT,
            "host": "here.test",
        }
    # No folder of it is without its stamp.
    assert len(begun) == len(list(attempt.place.iterdir()))


def test_what_others_have_in_the_output_folder_is_no_product_of_this_attempt(tmp_path):
    theirs = Attempt(tmp_path, postProcessing=["tiny_late"])
    theirs.run_cold()
    before = _folders(theirs.output)
    assert any(name.startswith("tiny_late") for name in before)
    ours = InPlace(tmp_path, postProcessing=["tiny_late"])
    ours.run_cold()
    assert ours.types() == ["tiny_double", "tiny_late", "tiny_raw", "tiny_sum"]
    assert _folders(ours.output) == before == _folders(ours.place)


def test_of_the_output_folder_only_what_is_kept_is_read(tmp_path):
    theirs = Attempt(tmp_path, postProcessing=["tiny_late"])
    theirs.run_cold()
    kept = [
        str(path)
        for path in theirs.output.iterdir()
        if path.name.split("-")[1] in ("tiny_raw", "tiny_double")
    ]
    before = {path: path.stat().st_mtime_ns for path in theirs.output.glob("*/*")}
    debt = InPlace(tmp_path, postProcessing=["tiny_late"], keep=kept)
    debt.run_cold()
    # Nobody vouches for the sum that is there: it is made, and so is what is made of it afterwards.
    assert debt.types() == ["tiny_late", "tiny_sum"]
    assert {path: path.stat().st_mtime_ns for path in theirs.output.glob("*/*")} == before
