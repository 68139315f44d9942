"""Where the next manager finds a fork server: a folder whose name says which process it is.

`socket` is there while the server takes attempts; `retired` once it takes none any more.
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
        crash_point("worker-folder.make:after")

    def listen(self) -> socket.socket:
        """Let managers of this user connect."""
        crash_point("worker-socket.make:before")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # The path of a socket may have 107 bytes; through a descriptor any folder can be named.
        folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        mask = os.umask(0o177)
        try:
            listener.bind(f"/proc/self/fd/{folder}/socket.new")
            listener.listen(16)
            # Only now can somebody find it.
            os.rename("socket.new", "socket", src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(mask)
            os.close(folder)
        listener.setblocking(False)
        crash_point("worker-socket.make:after")
        return listener

    def retire(self) -> None:
        """Nobody is to connect any more; what it is stays visible."""
        crash_point("worker-socket.retire:before")
        os.rename(os.path.join(self.path, "socket"), os.path.join(self.path, "retired"))
        crash_point("worker-socket.retire:after")

    def is_gone(self) -> bool:
        """Whether somebody has removed the state folder, or this part of it."""
        return not os.path.exists(self.path)

    def remove(self) -> None:
        """At the end of the server."""
        crash_point("worker-folder.remove:before")
        shutil.rmtree(self.path, ignore_errors=True)
        crash_point("worker-folder.remove:after")
