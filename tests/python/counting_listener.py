"""An event listener that accepts everything as fast as it can, and keeps the numbers it was given.

usage: counting_listener.py RECORD

Each event's data is a number. RECORD gets them, in order, as numbers of 8 bytes.
"""
import os
import sys


def main():
    record = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    unread = b""
    os.write(1, b"READY\n")
    while True:
        more = os.read(0, 65536)
        if not more:
            return
        unread += more
        while True:
            line = unread.find(b"\n")
            if line < 0:
                break
            end = line + 1 + int(unread[unread.rfind(b":", 0, line) + 1:line])
            if len(unread) < end:
                break
            number = int(unread[unread.rfind(b"\n", 0, end) + 1:end])
            unread = unread[end:]
            os.write(record, number.to_bytes(8, sys.byteorder))
            os.write(1, b"RESULT 2\nOKREADY\n")


main()
