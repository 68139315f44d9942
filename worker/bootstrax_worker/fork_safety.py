"""Is this process safe to fork? Threads and database connections do not survive a fork well."""

import gc
import os
import sys
import threading
import time

# Thread pools of numerical libraries, switched off before the libraries are imported.
THREAD_VARIABLES = (
    "OPENBLAS_NUM_THREADS",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "BLOSC_NTHREADS",
)

_ENDING_SECONDS = 0.1


def switch_off_thread_pools() -> None:
    """Call before numpy, strax or tqdm is imported."""
    for name in THREAD_VARIABLES:
        os.environ[name] = "1"


def switch_off_progress_monitor() -> None:
    """Keep tqdm from starting a thread with its first bar."""
    tqdm = sys.modules.get("tqdm")
    if tqdm is not None:
        tqdm.tqdm.monitor_interval = 0


class ForkSafety:
    """Decides whether a fork is safe. `settle` is called once, when all lasting objects exist."""

    def __init__(self) -> None:
        self._lasting_client: str | None = None

    def settle(self) -> None:
        """Check all objects once and freeze them: later forks copy fewer pages."""
        gc.collect()
        self._lasting_client = _open_client()
        gc.freeze()

    @staticmethod
    def freeze() -> None:
        """Freeze newer objects, so that no collection in a child touches them."""
        gc.freeze()

    def objection(self) -> str | None:
        """Why a fork would not be safe now, or None. Takes milliseconds after `settle`."""
        others = [t.name for t in threading.enumerate() if t is not threading.current_thread()]
        if others:
            return f"other threads are running in the fork server: {', '.join(sorted(others))}"
        native = _lasting_native_threads()
        if native:
            return f"a library keeps {native} threads of its own running in the fork server"
        client = self._lasting_client or _open_client()
        if client:
            return f"a database client is open in the fork server: {client}"
        return None


def _lasting_native_threads() -> int:
    # A thread that was joined is still in the kernel's list for a moment.
    deadline = time.monotonic() + _ENDING_SECONDS
    while (native := len(os.listdir("/proc/self/task")) - 1) and time.monotonic() < deadline:
        time.sleep(0.001)
    return native


def _open_client() -> str | None:
    """A pymongo client that was not closed, among the objects not yet frozen."""
    pymongo = sys.modules.get("pymongo")
    if pymongo is None:
        return None
    kinds = (pymongo.MongoClient, getattr(pymongo, "AsyncMongoClient", pymongo.MongoClient))
    for candidate in gc.get_objects():
        # Not isinstance: proxies answer it by doing work of their own.
        if issubclass(type(candidate), kinds) and not candidate._closed:
            return type(candidate).__name__
    return None
