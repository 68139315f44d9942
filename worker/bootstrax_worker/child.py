"""The child of one attempt, where strax runs: the same function, forked warm or started cold."""

import contextlib
import faulthandler
import itertools
import os
import signal
import sys
import time
import traceback

from . import durable, protocol, shared_memory
from .folders import WrittenBytes, place_of
from .progress import Progress
from .shared_state import SharedState
from .versions import versions
from .watch import Watch

# If memory runs out, the kernel kills strax before manager, guardian or database.
_OOM_SCORE_ADJUSTMENT = 500

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_PLAN_INVALID = 2

# A result that cannot be written is tried again for this time, seconds: less than the limit after
# which a child that writes nothing counts as hanging.
_RESULT_PATIENCE_SECONDS = 900
_RESULT_WAITS_SECONDS = (0.2, 1, 5, 10)


def run(directory: str, plan: dict | None, load_context, state: SharedState, guardian: int) -> int:
    """Carry out `plan.json` of an attempt directory; return the exit code.

    `load_context(plan)` gives the LoadedContext: the one of the warm parent, or one built now.
    """
    if plan is None:
        try:
            plan = protocol.read_plan(directory)
        except protocol.ProtocolError as error:
            print(f"cannot start: {error}", file=sys.stderr)
            return EXIT_PLAN_INVALID
    progress = Progress(directory, state, plan["postProcessing"])
    progress.enter("preparing")
    _prepare_process(directory)
    shared_memory.label(plan["attempt"])
    written = WrittenBytes()
    watch = Watch(directory, plan, guardian, state, progress, written)
    watch.start()
    attempt = _Attempt(directory, plan, state, progress, written, watch)
    return attempt.run(load_context)


def _prepare_process(directory: str) -> None:
    sys.stdout.reconfigure(line_buffering=True)
    sys.stdout, sys.stderr = durable.PatientLog(sys.stdout), durable.PatientLog(sys.stderr)
    stacks = open(os.path.join(directory, "stacks.txt"), "a")  # noqa: SIM115
    faulthandler.register(signal.SIGUSR1, file=stacks, all_threads=True)
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write(str(_OOM_SCORE_ADJUSTMENT))
    except OSError as error:
        print(f"cannot raise oom_score_adj: {error}", file=sys.stderr)


class _Attempt:
    def __init__(self, directory, plan, state, progress, written, watch) -> None:
        self._directory = directory
        self._plan = plan
        self._state = state
        self._progress = progress
        self._written = written
        self._watch = watch
        self._folders: list[dict] = []
        self._skipped: list[str] = []
        self._warnings: list[str] = []
        self._input: dict | None = None

    def run(self, load_context) -> int:
        try:
            products = self._process(load_context)
        except BaseException as error:
            return self._fail(error)
        return EXIT_DONE if self._write_result(None, products) else protocol.EXIT_NO_RESULT

    def _process(self, load_context) -> list[dict]:
        loaded = load_context(self._plan)
        from .input_account import InputAccount
        from .processing import Processing
        from .products import read_product

        account = InputAccount(self._directory, self._plan, self._state)
        processing = Processing(self._plan, loaded, self._progress, self._announce, account)
        self._skipped, self._warnings = processing.skipped, processing.warnings
        if self._state.tap is not None:
            self._state.tap.install()
        if self._plan.get("debug"):
            from . import debugging

            debugging.switch_on()
        with self._profiled():
            processing.run()
        self._progress.enter("finishing")
        self._input = account.sum_up()
        products = [read_product(folder) for folder in self._folders]
        durable.sync_file_system(place_of(self._plan))
        return products

    def _profiled(self):
        name = self._plan.get("profile")
        if name is None:
            return contextlib.nullcontext()
        from . import profiling

        return profiling.profiled(profiling.path_of(self._directory, self._plan["runId"], name))

    def _announce(self, folder: dict) -> None:
        self._folders.append(folder)
        self._written.add(folder["location"])
        self._progress.write(folder=folder)

    def _fail(self, error: BaseException) -> int:
        durable.say("".join(traceback.format_exception(error)))
        from .errors import describe, is_broken_pool
        from .products import finished_products

        if is_broken_pool(error):
            self._state.pool_broken = 1
        description = describe(error, place_of(self._plan))
        written = self._write_result(description, finished_products(self._folders))
        return EXIT_FAILED if written else protocol.EXIT_NO_RESULT

    def _write_result(self, error: dict | None, products: list[dict]) -> bool:
        self._watch.measure()
        self._progress.write()
        document = {
            "version": protocol.VERSION,
            "attempt": self._plan["attempt"],
            "run": self._plan["run"],
            "ok": error is None,
            "error": error,
            "products": products,
            "skipped": self._skipped,
            "warnings": self._warnings,
            "input": self._input,
            "seconds": self._progress.seconds(),
            "peakMemoryBytes": self._state.peak_memory,
            "versions": versions(),
        }
        path = os.path.join(self._directory, "result.json")
        limit = time.monotonic() + _RESULT_PATIENCE_SECONDS
        for attempt in itertools.count():
            try:
                durable.write_json(path, document)
                return True
            except OSError as problem:
                durable.say(f"cannot write {path}: {problem}")
            if durable.is_gone(self._directory) or time.monotonic() > limit:
                return False
            time.sleep(_RESULT_WAITS_SECONDS[min(attempt, len(_RESULT_WAITS_SECONDS) - 1)])
