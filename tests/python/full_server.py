"""A server that nobody gets through to: full_server.py unix PATH | inet PORT

Fills the queue of a listening socket that it never accepts from, says `full`, and ends when standard input does.
Standard library only.
"""

import socket
import sys

family, address = (
    (socket.AF_UNIX, sys.argv[2]) if sys.argv[1] == "unix" else (socket.AF_INET, ("127.0.0.1", int(sys.argv[2])))
)
listener = socket.socket(family)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(address)
listener.listen(0)
waiting = []
for _ in range(8):
    client = socket.socket(family)
    client.settimeout(0.5)
    try:
        client.connect(address)
    except (BlockingIOError, TimeoutError):
        break
    waiting.append(client)
print("full", flush=True)
sys.stdin.read()
