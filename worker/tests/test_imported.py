"""What a process is made of, and what of it has changed."""

import os
import subprocess
import sys

import pytest
from worker_support import environment

PROGRAM = """
import os, sys
from bootstrax_worker.imported import Imported
folder = sys.argv[1]
sys.path.insert(0, folder)
imported = Imported(ignored=os.path.join(folder, "scratch"))
import made_of
for name in ("read.txt", "scratch/own.txt", "absent.txt", "code.nbi"):
    try:
        open(os.path.join(folder, name)).close()
    except OSError:
        pass
with open(os.path.join(folder, "written.txt"), "w") as file:
    file.write("by itself")
open(os.path.join(folder, "written.txt")).close()
imported.settle()
open(os.path.join(folder, "later.txt")).close()
imported.add_reported(lambda: [os.path.join(folder, "reported")])
print("ready", flush=True)
for line in sys.stdin:
    print(repr(imported.changed()), flush=True)
"""


@pytest.fixture
def process(tmp_path):
    (tmp_path / "scratch").mkdir()
    (tmp_path / "reported").mkdir()
    for name in ("read.txt", "scratch/own.txt", "later.txt", "code.nbi", "reported/map.h5"):
        (tmp_path / name).write_text("as it was")
    (tmp_path / "made_of.py").write_text("VALUE = 1\n")
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env={**environment(), "PYTHONDONTWRITEBYTECODE": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def changed() -> list[str]:
        child.stdin.write("?\n")
        child.stdin.flush()
        return eval(child.stdout.readline())

    assert child.stdout.readline() == "ready\n"
    yield changed
    child.kill()
    child.communicate()


def test_nothing_has_changed_while_nothing_changes(process):
    assert process() == []


@pytest.mark.parametrize("name", ["scratch/own.txt", "later.txt", "code.nbi", "written.txt"])
def test_what_is_no_part_of_it_may_change(process, tmp_path, name):
    (tmp_path / name).write_text("something else")
    assert process() == []


def test_compiled_code_may_be_written_anew(process, tmp_path):
    (compiled,) = (tmp_path / "__pycache__").iterdir()
    compiled.write_bytes(compiled.read_bytes() + b"\0")
    assert process() == []


@pytest.mark.parametrize("name", ["made_of.py", "read.txt", "reported/map.h5"])
def test_a_file_that_was_read_or_named_has_changed(process, tmp_path, name):
    (tmp_path / name).write_text("as it is now!")
    assert process() == [f"{tmp_path / name} has changed"]


def test_a_file_of_the_same_size_and_time_is_told_from_the_one_before(process, tmp_path):
    before = (tmp_path / "made_of.py").stat()
    (tmp_path / "new").write_text("VALUE = 2\n")
    os.utime(tmp_path / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.rename(tmp_path / "new", tmp_path / "made_of.py")
    assert process() == [f"{tmp_path / 'made_of.py'} has changed"]


def test_a_file_that_is_gone_and_one_that_was_not_there(process, tmp_path):
    (tmp_path / "read.txt").unlink()
    (tmp_path / "absent.txt").touch()
    assert sorted(process()) == [
        f"{tmp_path / 'absent.txt'} is there now",
        f"{tmp_path / 'read.txt'} is gone",
    ]


def test_a_file_added_to_a_named_folder(process, tmp_path):
    (tmp_path / "reported" / "another.h5").touch()
    assert process() == [f"{tmp_path / 'reported'} has changed"]


def test_a_context_that_cannot_name_its_files_is_made_anew():
    from bootstrax_worker.imported import Imported

    imported = Imported()
    imported.settle()

    def files():
        raise KeyError("maps")

    imported.add_reported(files)
    assert imported.changed() == ["watched_files of the context failed: KeyError('maps')"]
