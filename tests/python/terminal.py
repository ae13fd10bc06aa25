"""Runs a command at a terminal of its own: terminal.py COMMAND [ARGUMENT ...]

What arrives on standard input is typed at the terminal, what the terminal shows goes to standard output. Ends with
the command, and with its exit status. Ends the command when standard input ends. Standard library only.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios


def main():
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(sys.argv[1], sys.argv[1:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    sources = [terminal, 0]
    while terminal in sources:
        ready, _, _ = select.select(sources, [], [])
        for source in ready:
            try:
                piece = os.read(source, 65536)
            except OSError:
                # So a terminal says that nobody has it open any more.
                piece = b""
            if source == terminal:
                os.write(1, piece)
            elif piece:
                os.write(terminal, piece)
            else:
                os.kill(child, signal.SIGHUP)
            if not piece:
                sources.remove(source)
    _, status = os.waitpid(child, 0)
    sys.exit(os.waitstatus_to_exitcode(status) % 256)


main()
