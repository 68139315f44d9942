"""Carries out a plan with strax."""

import importlib.util
import os

import strax

from .context import LoadedContext, save_when
from .errors import OutputUnusable, observed
from .folders import Kept, Place, place_of
from .input_account import InputAccount
from .progress import Progress
from .stamp import stamp_of


class UnknownTarget(Exception):
    """A target that the context does not know."""


class NothingStored(Exception):
    """strax ended without an error, but a target is missing in the place."""


class Processing:
    """strax set up for one plan; `folders` grows as strax creates them."""

    def __init__(
        self,
        plan: dict,
        loaded: LoadedContext,
        progress: Progress,
        announce,
        account: InputAccount,
    ) -> None:
        self._plan = plan
        self._account = account
        self._loaded = loaded
        self._progress = progress
        self._context = loaded.context
        self._parallel = plan["processor"] == "threaded_mailbox" and plan["cores"] > 1
        self.skipped: list[str] = []
        self.warnings: list[str] = []
        self._open_storage(announce)
        if loaded.prepare is not None:
            loaded.prepare(self._context, plan)
        self._set_options()
        self._spare_repetitions()
        self._observe_plugins()

    def run(self) -> None:
        """Make the targets, then the post-processing targets one by one."""
        registry = self._loaded.registry()
        targets = list(dict.fromkeys(self._plan["targets"]))
        unknown = [target for target in targets if target not in registry]
        if unknown:
            raise UnknownTarget(
                f"context {self._loaded.name} makes no {', '.join(unknown)}; "
                "correct the targets of this run's mode or the context"
            )
        self._progress.enter("waiting_for_data")
        if self._plan["processor"] == "threaded_mailbox":
            self._make_together(targets)
        # strax stores a type that is saved only as a target only if it is asked for by itself or
        # together with types of another kind; and single_thread makes one target at a time.
        for target in targets:
            if self._is_missing(target):
                self._make((target,))
        for target in targets:
            if self._is_missing(target):
                raise NothingStored(
                    f"strax ended without an error, but {target} of run {self._plan['runId']} "
                    f"is not in {place_of(self._plan)}"
                )
        for target in self._plan["postProcessing"]:
            self._post_process(target, registry)

    def _make_together(self, targets: list[str]) -> None:
        if self._plan.get("keep"):
            # strax cannot make some of several targets and load the others.
            targets = [target for target in targets if self._is_missing(target)]
        if targets:
            self._make(tuple(targets))

    def _post_process(self, target: str, registry: dict) -> None:
        if target not in registry:
            self.skipped.append(target)
            self._progress.write(
                warning=f"post-processing of {target} skipped: "
                f"context {self._loaded.name} does not know it"
            )
        elif not self._context.is_stored(self._plan["runId"], target):
            self._progress.enter("post_processing", target)
            self._make((target,))

    def _make(self, targets: tuple[str, ...]) -> None:
        explicit = tuple(t for t in targets if self._save_when(t) == strax.SaveWhen.EXPLICIT)
        self._context.make(
            self._plan["runId"],
            targets,
            save=explicit,
            allow_multiple=True,
            max_workers=self._plan["cores"],
            processor=self._plan["processor"],
            progress_bar=False,
        )

    def _save_when(self, target: str) -> strax.SaveWhen:
        return save_when(self._loaded.registry()[target], target)

    def _is_missing(self, target: str) -> bool:
        return self._save_when(target) != strax.SaveWhen.NEVER and not self._context.is_stored(
            self._plan["runId"], target
        )

    def _open_storage(self, announce) -> None:
        directory = place_of(self._plan)
        # strax skips a folder that it cannot write, and ends without an error.
        try:
            os.makedirs(directory, exist_ok=True)
        except OSError as error:
            raise OutputUnusable(f"folder {directory} cannot be made: {error}") from error
        if not os.access(directory, os.W_OK | os.X_OK):
            raise OutputUnusable(f"folder {directory} is not writable")
        self._context.storage = self._storage(directory, announce)

    def _storage(self, directory: str, announce) -> list:
        keep = self._plan.get("keep") or ()
        storage = [Place(directory, announce, stamp_of(self._plan), keep)]
        if keep:
            storage.append(Kept(self._plan["outputDirectory"], keep))
        if self._plan.get("frontends"):
            from .frontends import open_frontends

            storage += open_frontends(self._plan, self._warn)
        return storage

    def _warn(self, warning: str) -> None:
        print(warning, flush=True)
        self.warnings.append(warning)
        self._progress.write(warning=warning)

    def _set_options(self) -> None:
        shared_memory = importlib.util.find_spec("npshmex") is not None
        self._context.set_context_config(
            {
                "allow_multiprocess": self._parallel,
                "allow_shm": self._parallel and shared_memory,
                "allow_lazy": False,
                "max_messages": self._plan["maxMessages"],
                "timeout": self._plan["timeoutSeconds"],
            }
        )
        self._context.set_config(self._plan["runConfig"])
        # Plugin instances keep option values that they resolved for an earlier run.
        self._context._fixed_plugin_cache = None
        if self._parallel:
            # A loader that rechunks splits chunks, and with several workers it has only promises
            # of chunks ("'Future' object has no attribute 'data'").
            for plugin in set(self._loaded.registry().values()):
                plugin.rechunk_on_load = False

    def _spare_repetitions(self) -> None:
        # strax hashes its whole configuration some five hundred times before the first chunk is
        # read, and searches stored data of every type to scale a progress bar that nobody sees:
        # together 40 % of the time to the first chunk. From here on nothing changes either.
        unchanging = self._context._context_hash()
        self._context._context_hash = lambda: unchanging
        self._context.estimate_run_start_and_end = lambda *_, **__: (0, float("inf"))

    def _observe_plugins(self) -> None:
        progress, account = self._progress, self._account
        compute = observed(strax.Plugin.do_compute, place_of(self._plan))
        account.begin()

        def do_compute(self, chunk_i=None, **kwargs):
            if not self.depends_on:
                with account.chunk(self, chunk_i):
                    result = compute(self, chunk_i=chunk_i, **kwargs)
                progress.chunk_read(chunk_i, _duration_ns(result))
                return result
            result = compute(self, chunk_i=chunk_i, **kwargs)
            if progress.phase == "waiting_for_data":
                progress.enter("processing")  # The chunks of the source are stored already.
            return result

        strax.Plugin.do_compute = do_compute


def _duration_ns(result) -> int:
    chunks = [result] if isinstance(result, strax.Chunk) else list(result.values())
    return int(max(chunk.end for chunk in chunks) - min(chunk.start for chunk in chunks))
