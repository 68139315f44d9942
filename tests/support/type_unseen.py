"""Runs a command on a terminal, types a line at each prompt, prints all that the terminal showed.

Arguments: the lines, joined by "|", and the command.
"""

import os
import pty
import sys

lines = sys.argv[1].split("|")
child, terminal = pty.fork()
if child == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
shown = b""
answered = 0
while True:
    try:
        piece = os.read(terminal, 1024)
    except OSError:
        break
    if not piece:
        break
    shown += piece
    if shown.count(b": ") > answered and answered < len(lines):
        os.write(terminal, lines[answered].encode() + b"\r")
        answered += 1
_, status = os.waitpid(child, 0)
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(status))
