"""Logs the activity of strax's mailboxes, and how full they are, into the log of the attempt."""

import logging
import sys
import threading
import time
import weakref

import strax

_INTERVAL_SECONDS = 5
_MOST_SHOWN = 10
# The debug output of these libraries is long, and of no interest here.
_TALKATIVE = ("numba", "llvmlite", "jax", "jaxlib", "matplotlib", "pymongo", "urllib3", "asyncio")

_mailboxes: weakref.WeakSet = weakref.WeakSet()


def switch_on() -> None:
    """Log at debug level from here on, and show the fullest mailboxes every few seconds."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        force=True,
    )
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    _note_mailboxes()
    threading.Thread(target=_watch, name="mailbox-watch", daemon=True).start()


def _note_mailboxes() -> None:
    make = strax.Mailbox.__init__

    def make_and_note(self, *args, **kwargs) -> None:
        make(self, *args, **kwargs)
        _mailboxes.add(self)

    strax.Mailbox.__init__ = make_and_note


def _watch() -> None:
    log = logging.getLogger("bootstrax.mailboxes")
    while True:
        time.sleep(_INTERVAL_SECONDS)
        text = fill_of(list(_mailboxes))
        if text:
            log.debug(text)


def fill_of(mailboxes: list) -> str:
    """One line: the fullest mailboxes, each with its number of messages and its limit."""
    fullest = sorted(mailboxes, key=_fraction, reverse=True)[:_MOST_SHOWN]
    return " | ".join(
        f"{mailbox.name} {len(mailbox._mailbox)}/{mailbox.max_messages}"
        f"{' FULL' if _fraction(mailbox) >= 1 else ''}"
        for mailbox in fullest
    )


def _fraction(mailbox) -> float:
    return len(mailbox._mailbox) / max(1, mailbox.max_messages)
