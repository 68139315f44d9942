"""The fork server's end of its connection to a manager: lines of JSON both ways."""

import json
import os
import socket
import struct
import sys

from . import protocol

# Limit for a message to a manager that stands still, seconds: it must not block the server.
_SEND_SECONDS = 10
_LONGEST_LINE = 1 << 20
_CREDENTIALS = struct.Struct("3i")


def is_ours(connection: socket.socket) -> bool:
    """Whether the process at the other end runs as the same user."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(found)[1] == os.geteuid()


class ManagerLink:
    """The connection to one manager. Any error counts as the end of the manager."""

    def __init__(self, connection: socket.socket) -> None:
        # Other processes of the server must not keep it open.
        connection.set_inheritable(False)
        connection.settimeout(_SEND_SECONDS)
        self._connection = connection
        self._pending = b""

    def fileno(self) -> int:
        """File descriptor, for a selector."""
        return self._connection.fileno()

    def send(self, message: dict) -> bool:
        """Send a message; whether it was sent."""
        try:
            self._connection.sendall(json.dumps(message, allow_nan=False).encode() + b"\n")
        except OSError:
            return False
        return True

    def receive(self) -> list[dict] | None:
        """Received messages; None at the end. Waits for one if there is none."""
        try:
            data = self._connection.recv(65536)
        except OSError:
            return None
        if not data:
            return None
        *lines, self._pending = (self._pending + data).split(b"\n")
        if len(self._pending) > _LONGEST_LINE:
            return None
        return [message for line in lines if (message := _read(line)) is not None]

    def receive_one(self) -> dict | None:
        """The first message; None if there is none in time."""
        while (messages := self.receive()) == []:
            pass
        return messages[0] if messages else None

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def _read(line: bytes) -> dict | None:
    try:
        message = json.loads(line)
        protocol.check("managerMessage", message)
    except ValueError as error:
        # The rest of the line may contain passwords.
        what = f"{str(error)[:200]}: {line[:200]!r}"
        print(f"ignored a line from the manager: {what}", file=sys.stderr)
        return None
    return message
