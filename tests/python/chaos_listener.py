"""An event listener that now and then does what a listener must not do.

usage: chaos_listener.py RECORD

Each event's data is a number. RECORD gets a line for each event: what was done with it, the number, and both serials.
"""
import os
import random
import sys
import time


def main():
    stdin = open(0, encoding="utf-8", newline="\n")
    record = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    while True:
        os.write(1, b"READY\n")
        header = stdin.readline()
        if not header:
            return
        tokens = dict(token.split(":") for token in header.split())
        number = stdin.read(int(tokens["len"])).split("\n")[1]
        fate = random.choice(["die", "cut", "noise", "fail"]) if random.random() < 0.08 else "ok"
        os.write(record, ("%s %s %s %s\n" % (fate, number, tokens["serial"], tokens["poolserial"])).encode())
        if fate == "ok":
            os.write(1, b"RESULT 2\nOK")
        elif fate == "fail":
            os.write(1, b"RESULT 4\nFAIL")
        elif fate == "die":
            os._exit(1)
        elif fate == "cut":
            os.write(1, b"RESULT 2\nO")
            os._exit(1)
        else:
            os.write(1, b"WHAT?\n")
            # Deaf from here on: somebody has to start it again.
            time.sleep(0.1)
            os._exit(0)


main()
