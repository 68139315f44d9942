"""Where the next manager finds a fork server: a folder whose name says which process it is.

`socket` is there while the server takes attempts; `retired` once it takes none any more. The server
keeps the folder open: one in a copy of the state folder is nobody's.
"""

import os
import shutil
import socket

from .crash_points import crash_point
from .identity import identity, name_of


class ServerFolder:
    """The folder of this process below `parent`."""

    def __init__(self, parent: str) -> None:
        crash_point("worker-folder.make:before")
        self.path = os.path.join(os.path.abspath(parent), name_of(identity(os.getpid())))
        os.makedirs(self.path, mode=0o700)
        self._open = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        crash_point("worker-folder.make:after")

    def listen(self) -> socket.socket:
        """Let managers of this user connect."""
        crash_point("worker-socket.make:before")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # The path of a socket may have 107 bytes; through a descriptor any folder can be named.
        mask = os.umask(0o177)
        try:
            listener.bind(f"/proc/self/fd/{self._open}/socket.new")
            listener.listen(16)
            # Only now can somebody find it.
            os.rename("socket.new", "socket", src_dir_fd=self._open, dst_dir_fd=self._open)
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(mask)
        listener.setblocking(False)
        crash_point("worker-socket.make:after")
        return listener

    def retire(self) -> None:
        """Nobody is to connect any more; what it is stays visible."""
        crash_point("worker-socket.retire:before")
        os.rename(os.path.join(self.path, "socket"), os.path.join(self.path, "retired"))
        crash_point("worker-socket.retire:after")

    def close(self) -> None:
        """In a fork of the server, which the folder is not about."""
        os.close(self._open)

    def is_gone(self) -> bool:
        """Whether somebody has removed the state folder, or this part of it."""
        return not os.path.exists(self.path)

    def remove(self) -> None:
        """At the end of the server."""
        crash_point("worker-folder.remove:before")
        shutil.rmtree(self.path, ignore_errors=True)
        crash_point("worker-folder.remove:after")
