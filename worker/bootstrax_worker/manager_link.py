"""The fork server's end of its connection to a manager: lines of JSON both ways."""

import json
import os
import socket
import struct
import sys

from . import protocol

# A manager that stands still must not hold up the server, seconds.
_SEND_SECONDS = 10
_LONGEST_LINE = 1 << 20
_CREDENTIALS = struct.Struct("3i")


def is_ours(connection: socket.socket) -> bool:
    """Does whoever is at the other end run as the same user?"""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return _CREDENTIALS.unpack(found)[1] == os.geteuid()


class ManagerLink:
    """One manager. Whatever goes wrong with the connection is the manager's end."""

    def __init__(self, connection: socket.socket) -> None:
        # What is started beside the server must not keep it open.
        connection.set_inheritable(False)
        connection.settimeout(_SEND_SECONDS)
        self._connection = connection
        self._pending = b""

    def fileno(self) -> int:
        """For a selector."""
        return self._connection.fileno()

    def send(self, message: dict) -> bool:
        """Whether the message is on its way."""
        try:
            self._connection.sendall(json.dumps(message, allow_nan=False).encode() + b"\n")
        except OSError:
            return False
        return True

    def receive(self) -> list[dict] | None:
        """Messages that have come; None at the end. Waits for something if nothing has come."""
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
        # It may hold passwords, further on.
        what = f"{str(error)[:200]}: {line[:200]!r}"
        print(f"ignored a line from the manager: {what}", file=sys.stderr)
        return None
    return message
