"""Describes an exception for people and for the manager."""

import errno
import functools
import traceback
from concurrent.futures.process import BrokenProcessPool

import strax

from . import bounded
from .context import ContextUnusable

_HOST_ERRORS = {errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO, errno.ESTALE}
_PERMISSION_ERRORS = {errno.EACCES, errno.EPERM}
_NOTE = "_bootstrax_blame"


class OutputUnusable(Exception):
    """This host cannot write to the output folder."""


def original_error(error: BaseException) -> BaseException:
    """The first exception: strax passes it on as the reason why it killed its mailboxes."""
    while isinstance(error, strax.MailboxKilled) and error.args:
        reason = error.args[0]
        if not (isinstance(reason, tuple | list) and len(reason) > 1):
            break
        if not isinstance(reason[1], BaseException):
            break
        error = reason[1]
    return error


def note_blame(error: BaseException, output_directory: str) -> None:
    """Attach what the frames show: frames do not survive pickling, this does."""
    if not hasattr(error, _NOTE):
        setattr(error, _NOTE, _blame(error, output_directory))


def describe(error: BaseException, output_directory: str) -> dict:
    """The protocol's `result.error`."""
    error = original_error(error)
    note_blame(error, output_directory)
    return {
        "type": type(error).__name__,
        "message": bounded.text(str(error)),
        "traceback": bounded.text("".join(traceback.format_exception(error))),
        **getattr(error, _NOTE),
    }


def is_broken_pool(error: BaseException) -> bool:
    """A worker process of strax died without an error, usually because memory ran out."""
    return isinstance(original_error(error), BrokenProcessPool)


def observed(compute, output_directory: str):
    """A plugin's `do_compute` that notes the blame on any exception, in whichever process."""

    @functools.wraps(compute)
    def do_compute(self, chunk_i=None, **kwargs):
        try:
            return compute(self, chunk_i=chunk_i, **kwargs)
        except Exception as error:
            note_blame(error, output_directory)
            raise

    return do_compute


def _blame(error: BaseException, output_directory: str) -> dict:
    chain = list(_chain(error))
    frames = [frame for link in chain for frame in _frames_innermost_first(link)]
    file = _first(_file_of_error(link) for link in chain) or _first(map(_file_of_frame, frames))
    return {
        "plugin": _first(map(_plugin_of_frame, frames)),
        "file": file,
        "origin": "host" if any(_is_of_host(e, output_directory) for e in chain) else "run",
    }


def _chain(error: BaseException | None):
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _frames_innermost_first(error: BaseException):
    return [frame for frame, _ in traceback.walk_tb(error.__traceback__)][::-1]


def _first(candidates):
    return next((candidate for candidate in candidates if candidate is not None), None)


def _plugin_of_frame(frame) -> str | None:
    plugin = frame.f_locals.get("self")
    if isinstance(plugin, strax.Plugin) and not isinstance(plugin, strax.ParallelSourcePlugin):
        return plugin.provides[0]
    return None


def _file_of_error(error: BaseException) -> str | None:
    if isinstance(error, OSError) and isinstance(error.filename, str):
        return error.filename
    return None


def _file_of_frame(frame) -> str | None:
    if frame.f_code.co_name in ("load_file", "_load_file"):
        file = frame.f_locals.get("f")
        name = file if isinstance(file, str) else getattr(file, "name", None)
        return name if isinstance(name, str) else None
    plugin = frame.f_locals.get("self")
    chunk = frame.f_locals.get("chunk_i")
    if isinstance(plugin, strax.Plugin) and not plugin.depends_on and isinstance(chunk, int):
        directory = plugin.config.get("daq_input_dir")
        if directory:
            return f"{directory}/{chunk:06d}"
    return None


def _is_of_host(error: BaseException, output_directory: str) -> bool:
    if isinstance(error, ContextUnusable | OutputUnusable):
        return True
    if not isinstance(error, OSError):
        return False
    if error.errno in _HOST_ERRORS:
        return True
    return error.errno in _PERMISSION_ERRORS and str(error.filename or "").startswith(
        output_directory
    )
