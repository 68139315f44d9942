"""The folder in which the next manager finds a fork server, named by its process.

`socket` is there while the server takes attempts; `retired` once it takes none any more. The server
keeps the folder open: a copy of the state folder belongs to no server.
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
        """Accept connections of managers of this user."""
        crash_point("worker-socket.make:before")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # The path of a socket may have 107 bytes; through a descriptor any folder can be named.
        mask = os.umask(0o177)
        try:
            listener.bind(f"/proc/self/fd/{self._open}/socket.new")
            listener.listen(16)
            # From now on managers can find it.
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
        """Accept no connection any more; the folder stays visible."""
        crash_point("worker-socket.retire:before")
        os.rename(os.path.join(self.path, "socket"), os.path.join(self.path, "retired"))
        crash_point("worker-socket.retire:after")

    def close(self) -> None:
        """Close it in a fork of the server, which it does not belong to."""
        os.close(self._open)

    def is_gone(self) -> bool:
        """Whether the state folder, or this folder in it, was removed."""
        return not os.path.exists(self.path)

    def remove(self) -> None:
        """Remove the folder at the end of the server."""
        crash_point("worker-folder.remove:before")
        shutil.rmtree(self.path, ignore_errors=True)
        crash_point("worker-folder.remove:after")
