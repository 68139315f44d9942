"""Ledgers of several processes and threads, and what they say together."""

import json
import multiprocessing
import os
import threading
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest
import strax

from bootstrax_worker import input_account, ledger
from bootstrax_worker.input_account import InputAccount, count_file
from bootstrax_worker.shared_state import SharedState

THREADS = {"reader0": 2, "reader1": 1}
PLUGIN = SimpleNamespace(config={})


@pytest.fixture
def folders(tmp_path):
    for name in ("attempt", "live"):
        (tmp_path / name).mkdir()
    return tmp_path / "attempt", tmp_path / "live"


@pytest.fixture
def account(folders):
    return new_account(folders)


@pytest.fixture(autouse=True)
def _undone(monkeypatch):
    monkeypatch.setattr(strax, "load_file", strax.load_file)
    monkeypatch.setattr(strax.io, "load_file", strax.io.load_file)
    monkeypatch.setattr(input_account, "_current", None)


def new_account(folders, state=None, **plan) -> InputAccount:
    attempt, live = folders
    plan = {
        "liveDataDirectory": str(live),
        "runConfig": {"readout_threads": THREADS},
        **plan,
    }
    return InputAccount(str(attempt), plan, state or SharedState())


def take(live, number: int, rows: int = 5, names=("reader0_1", "reader0_2", "reader1_1")) -> None:
    """Live data of one chunk and the overlaps beside it."""
    for suffix in ("_pre", "", "_post") if number else ("", "_post"):
        folder = live / f"{number:06d}{suffix}"
        folder.mkdir()
        for name in names:
            (folder / name).write_bytes(b"x" * 8 * rows)


def read(account, live, number: int, rows: int = 5) -> None:
    """As a plugin that reads files in its own way would."""
    with account.chunk(PLUGIN, number):
        for suffix in ("_pre", "", "_post"):
            folder = live / f"{number:06d}{suffix}"
            for path in sorted(folder.glob("*")):
                account.count(str(path), rows)


def whole(number_of_chunks: int) -> dict:
    files = 3 * (3 * number_of_chunks - 1)
    return {
        "accounted": True,
        "chunks": number_of_chunks,
        "files": files,
        "bytes": files * 40,
        "rows": files * 5,
        "missing": [],
        "missingCount": 0,
        "unreadable": [],
        "unreadableCount": 0,
        "unread": [],
        "unreadCount": 0,
        "quiet": [],
    }


def in_processes(*work) -> None:
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=each) for each in work]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0


def ledgers(folders):
    return sorted(folders[0].glob("input-*.ndjson"))


def test_what_processes_have_read_is_added_up(folders, account):
    for number in range(6):
        take(folders[1], number)
    in_processes(
        lambda: [read(account, folders[1], number) for number in (0, 2, 4)],
        lambda: [read(account, folders[1], number) for number in (1, 3)],
    )
    read(account, folders[1], 5)
    assert len(ledgers(folders)) == 3
    assert account.sum_up() == whole(6)


def test_what_is_read_again_by_whichever_process_counts_once(folders, account):
    for number in range(3):
        take(folders[1], number)
    for _ in range(2):
        in_processes(lambda: [read(account, folders[1], number) for number in range(3)])
    for number in range(3):
        read(account, folders[1], number)
    assert account.sum_up() == whole(3)


def test_folders_of_other_names_are_counted_as_well(folders, account):
    (folders[1] / "second-1").mkdir()
    path = folders[1] / "second-1" / "reader0_1"
    path.write_bytes(b"12345678")
    for _ in range(2):
        with account.chunk(PLUGIN, 0):
            account.count(str(path), 1)
    found = account.sum_up()
    assert (found["chunks"], found["files"], found["rows"]) == (1, 1, 1)
    # One of reader0's two files, and that of reader1.
    assert found["missingCount"] == 2


def test_a_file_that_is_read_twice_hides_none_that_is_missing(folders, account):
    take(folders[1], 0, names=("reader0_1", "reader1_1"))
    path = str(folders[1] / "000000" / "reader0_1")
    with account.chunk(PLUGIN, 0):
        account.count(path, 5)
        account.count(path, 5)
        account.count(str(folders[1] / "000000" / "reader1_1"), 5)
    found = account.sum_up()
    assert {"chunk": "000000", "reader": "reader0", "files": 1} in found["missing"]


def test_files_that_a_reader_loads_in_threads_of_its_own_belong_to_its_chunk(folders, account):
    for number in range(2):
        take(folders[1], number)
    both = threading.Barrier(2)

    def make(number):
        with account.chunk(PLUGIN, number):
            both.wait()
            for suffix in ("_pre", "", "_post"):
                for path in (folders[1] / f"{number:06d}{suffix}").glob("*"):
                    thread = threading.Thread(target=account.count, args=(str(path), 5))
                    thread.start()
                    thread.join()
            both.wait()

    threads = [threading.Thread(target=make, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.sum_up() == whole(2)


@pytest.mark.parametrize("tail", [b'{"stretches": {"0000', b'{"torn"}', b"\0" * 4096, b"\xff\xfe"])
def test_a_line_that_was_cut_leaves_the_sums_before_it_and_says_so(folders, account, tail):
    for number in range(3):
        take(folders[1], number)
        read(account, folders[1], number)
    with ledgers(folders)[0].open("ab") as file:
        file.write(tail)
    assert account.sum_up() == {**whole(3), "accounted": False}


def test_lines_longer_than_what_is_read_at_once_are_found(folders, account):
    names = [f"reader{index}_{'x' * 200}_1" for index in range(400)]
    take(folders[1], 0, names=names)
    read(account, folders[1], 0)
    with ledgers(folders)[0].open("ab") as file:
        file.write(b"x" * 100_000)
    found = account.sum_up()
    assert (found["files"], found["accounted"]) == (800, False)


def test_a_disk_that_was_full_for_a_moment_costs_one_line_and_is_told(
    folders, account, monkeypatch
):
    for number in range(4):
        take(folders[1], number)
    read(account, folders[1], 0)
    write = ledger.durable.write_all

    def half(fd, data):
        write(fd, data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger.durable, "write_all", half)
    # The third file of this chunk is missing: also what this line names is lost, but counted.
    (folders[1] / "000001" / "reader1_1").unlink()
    read(account, folders[1], 1)
    monkeypatch.setattr(ledger.durable, "write_all", write)
    (folders[1] / "000002" / "reader1_1").unlink()
    read(account, folders[1], 2)
    read(account, folders[1], 3)
    found = account.sum_up()
    assert not found["accounted"]
    assert found["files"] == whole(4)["files"] - 2
    assert found["missingCount"] == 2
    assert found["missing"] == [{"chunk": "000002", "reader": "reader1", "files": 1}]


def test_a_process_with_the_number_of_an_earlier_one_gets_a_file_of_its_own(folders):
    take(folders[1], 0)
    take(folders[1], 1)
    state = SharedState()
    for number in range(2):
        read(new_account(folders, state), folders[1], number)
    assert len(ledgers(folders)) == 2
    assert new_account(folders, state).sum_up() == whole(2)


def test_of_much_that_is_missing_the_first_is_named_and_all_is_counted(folders, account):
    for number in range(100):
        take(folders[1], number, names=("reader0_1", "reader0_2"))
    in_processes(
        lambda: [read(account, folders[1], number) for number in range(0, 100, 2)],
        lambda: [read(account, folders[1], number) for number in range(1, 100, 2)],
    )
    found = account.sum_up()
    assert found["missingCount"] == 299
    assert len(found["missing"]) == 50
    assert [each["chunk"] for each in found["missing"][:4]] == [
        "000000",
        "000000_post",
        "000001",
        "000001_post",
    ]


def test_what_nobody_accounts_for_is_said(folders, account):
    take(folders[1], 0)
    with account.chunk(PLUGIN, 0):
        (folders[1] / "000000" / "reader0_1").read_bytes()
    found = account.sum_up()
    assert (found["accounted"], found["files"]) == (False, 0)


def test_who_reads_in_his_own_way_may_account_for_it(folders, account):
    take(folders[1], 0)
    count_file(folders[1] / "000000" / "reader0_1", 5)
    account.begin()
    with account.chunk(PLUGIN, 0):
        for path in sorted(folders[1].glob("*/*")):
            count_file(path, 5)
        # Not of the live data.
        count_file(folders[0], 7)
    assert account.sum_up() == whole(1)


def test_a_damaged_file_is_told_whoever_reads_it_and_whenever(folders):
    account = new_account(folders, salvage=True)
    account.begin()
    take(folders[1], 0)
    take(folders[1], 1)
    damaged = folders[1] / "000001" / "reader0_2"
    damaged.write_bytes(b"no frame")
    row = np.dtype([("value", "<i8")])
    # Before any chunk is made, and again within one, twice.
    assert len(strax.load_file(str(damaged), "lz4", row)) == 0
    for _ in range(2):
        read(account, folders[1], 0)
        with account.chunk(PLUGIN, 1):
            assert len(strax.load_file(str(damaged), "lz4", row)) == 0
    found = account.sum_up()
    assert found["unreadableCount"] == 1
    (bad,) = found["unreadable"]
    assert (bad["chunk"], bad["file"], bad["bytes"]) == ("000001", "reader0_2", 8)


def test_a_long_run_costs_nothing_at_its_end(folders):
    """Six readers, five processes: no line is read but the last of each."""
    chunks, processes = 3000, 5
    threads = {f"reader{index}_reader_0": 6 for index in range(6)}
    state = SharedState()
    account = new_account(folders, state, runConfig={"readout_threads": threads})
    readers = {reader: [6, 1, 100_000, 5000] for reader in threads}
    for process in range(processes):
        mine = ledger.Ledger(str(folders[0]), threads, state)
        for number in range(process, chunks, processes):
            stretches = {}
            for suffix in ("_pre", "", "_post"):
                stretch = ledger.Stretch()
                stretch.readers = readers
                stretches[f"{number:06d}{suffix}"] = stretch
            mine.add(stretches)
    assert len(ledgers(folders)) == processes
    read_bytes = _count_read_bytes(account)
    tracemalloc.start()
    found = account.sum_up()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["chunks"] == chunks
    assert found["files"] == 3 * chunks * 36
    assert sum(path.stat().st_size for path in ledgers(folders)) > 1_500_000
    assert read_bytes() < 200_000
    assert peak < 500_000


def _count_read_bytes(account):
    def now() -> int:
        with open(f"/proc/{os.getpid()}/io") as file:
            return int(dict(line.split(": ") for line in file)["rchar"])

    begin = now()
    return lambda: now() - begin


def test_stretches_that_nobody_read_are_found_without_a_look_into_the_others(
    folders, account, monkeypatch
):
    for number in range(200):
        take(folders[1], number)
    for number in range(150):
        read(account, folders[1], number)
    looked_into = []
    scandir = os.scandir

    def noting(path):
        looked_into.append(os.path.basename(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", noting)
    found = account.sum_up()
    # Chunk 150 begins with what chunk 149 ends with.
    assert found["unreadCount"] == 3 * 50 - 1
    assert [each["chunk"] for each in found["unread"][:3]] == ["000150", "000150_post", "000151"]
    assert len(looked_into) == 3 * 50 - 1 + 1


def test_a_line_says_what_was_read_of_its_chunk_and_all_sums_so_far(folders, account):
    for number in range(2):
        take(folders[1], number)
        read(account, folders[1], number)
    first, second = map(json.loads, ledgers(folders)[0].read_text().splitlines())
    assert first["stretches"]["000000"] == {"reader0": [2, 0, 80, 10], "reader1": [1, 0, 40, 5]}
    assert second["sums"]["files"] == 15
    assert first["sums"]["files"] == 6
