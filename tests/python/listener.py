"""An event listener that answers as it is told and writes down what passes.

usage: listener.py RECORD REPLY...

RECORD gets a line of JSON for each message in either direction. The n-th event gets the n-th REPLY, later ones the last:
  ok, fail      the results OK and FAIL
  result:TEXT   a result with this text
  echo          a result with the event's payload
  raw:TEXT      these bytes instead of a result, and nothing more after them
  die           no answer: the listener ends
In TEXT, \\n is a line end.
"""
import json
import sys
import time


def main():
    record, replies = open(sys.argv[1], "a", encoding="utf-8"), sys.argv[2:]
    # The length counts characters.
    stdin, stdout = open(0, encoding="utf-8", newline="\n"), sys.stdout.buffer

    def note(direction, text):
        record.write(json.dumps({direction: text}, ensure_ascii=False) + "\n")
        record.flush()

    def say(text):
        note("from_listener", text)
        stdout.write(text.encode())
        stdout.flush()

    count = 0
    while True:
        say("READY\n")
        header = stdin.readline()
        if not header:
            return
        length = int(dict(token.split(":") for token in header.split())["len"])
        payload = stdin.read(length)
        if len(payload) < length:
            return
        note("to_listener", header + payload)
        reply = replies[min(count, len(replies) - 1)]
        count += 1
        kind, _, text = reply.partition(":")
        text = text.replace("\\n", "\n")
        if kind == "die":
            sys.exit(1)
        if kind == "raw":
            say(text)
            time.sleep(1000)
        if kind in ("ok", "fail"):
            text = kind.upper()
        if kind == "echo":
            text = payload
        say("RESULT %d\n%s" % (len(text.encode()), text))


main()
