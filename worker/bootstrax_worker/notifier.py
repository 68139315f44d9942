"""Passes lines from the manager on to systemd: Node has no Unix datagram sockets.

Run by its path with `python -I -S`, so it must import nothing but the standard library. It stays
for the manager's whole life, because systemd cannot assign a message whose sender is gone. It ends
with the manager, when standard input does, and sends nothing by itself: while the manager hangs,
systemd receives nothing.
"""

import os
import signal
import socket
import sys

_SEND_SECONDS = 5


def main() -> None:
    """Send each line of standard input as one datagram to $NOTIFY_SOCKET."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    address = os.environ["NOTIFY_SOCKET"]
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.settimeout(_SEND_SECONDS)
        for line in sys.stdin.buffer:
            try:
                notices.sendto(line.rstrip(b"\n"), address)
            except OSError as error:
                # systemd may be restarting; the next line is due soon.
                print(f"systemd was not told {line!r}: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
