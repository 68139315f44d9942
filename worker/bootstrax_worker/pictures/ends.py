"""What connects a child with the process that makes its pictures (`tap`)."""

from __future__ import annotations

import mmap
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .tap import Receiver, Tap

# Shared memory in which the reader names the types that it wants.
WANTED_BYTES = 4096


class Ends:
    """Both ends, made before the forks: each process closes what is not its own."""

    def __init__(self) -> None:
        kept = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.count_to, self.count_from = kept
        # Datagrams queue in a small number: few copies are ever under way.
        self.rows_to, self.rows_from = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for each in (self.count_to, self.count_from, self.rows_to, self.rows_from):
            each.setblocking(False)
        self.wanted = mmap.mmap(-1, WANTED_BYTES)

    @classmethod
    def of(cls, plan: dict) -> Ends | None:
        """Those for this plan; None: there are no pictures of it."""
        if plan.get("pictures") is False:
            return None
        try:
            return cls()
        except OSError as error:
            print(f"no pictures of attempt {plan['attempt']}: {error}", file=sys.stderr)
            return None

    def sender(self) -> Tap:
        """The end of the child."""
        from .tap import Tap

        self.count_from.close()
        self.rows_from.close()
        return Tap(self.count_to, self.rows_to, self.wanted)

    def receiver(self) -> Receiver:
        """The end of the reader."""
        from .tap import Receiver

        self.count_to.close()
        self.rows_to.close()
        return Receiver(self.count_from, self.rows_from, self.wanted)

    def close(self) -> None:
        """Of a process that has neither end."""
        for each in (self.count_to, self.count_from, self.rows_to, self.rows_from):
            each.close()
