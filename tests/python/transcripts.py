"""The two conversations that every release must be able to hold, with Python's own client.

usage: transcripts.py PORT SOCKET ROUNDS

Each round holds both over TCP and both over the unix socket, and then leaves the daemon as it found it.
Ends at the first answer that differs.
"""
import re
import sys
import time
import xmlrpc.client as xmlrpclib

from supervisor.xmlrpc import SupervisorTransport


def expect(what, got, wanted):
    if type(got) is not type(wanted) or got != wanted:
        sys.exit("%s gave %r, not %r" % (what, got, wanted))


def twiddler(s, round_number):
    """TWID-090 and 091; the group is taken away again, so that the next round meets a fresh one."""
    expect("getAPIVersion", s.twiddler.getAPIVersion(), "0.1")
    expect("addGroup", s.twiddler.addGroup("dynamic_procs", 999), True)
    options = {"command": "ls -l", "autostart": "false", "autorestart": "false", "startsecs": "0"}
    expect("addProgramToGroup", s.twiddler.addProgramToGroup("dynamic_procs", "ls", options), True)
    expect("startProcess", s.supervisor.startProcess("dynamic_procs:ls"), True)
    listing = first_bytes(s)
    if not re.match(r"total \d+\n[-dlrwxs]{10}", listing) or len(listing) != 50:
        sys.exit("readProcessLog gave %r" % listing)

    names = [(p["group"], p["name"]) for p in s.supervisor.getAllProcessInfo()]
    if ("dynamic_procs", "ls") not in names:
        sys.exit("the new process is not listed: %r" % names)
    expect("getGroupNames", "dynamic_procs" in s.twiddler.getGroupNames(), True)
    path = s.supervisor.getProcessInfo("dynamic_procs:ls")["logfile"]
    with open(path) as log:
        expect("the log file", log.read(50), listing)
    expect("removeProcessGroup", stopped_and_removed(s), True)


def first_bytes(s):
    """`ls` was only just started: its output is there at once when it has ended, and that takes well under 1 s."""
    deadline = time.monotonic() + 1
    while True:
        listing = s.supervisor.readProcessLog("dynamic_procs:ls", 0, 50)
        if listing or time.monotonic() > deadline:
            return listing


def stopped_and_removed(s):
    deadline = time.monotonic() + 10
    while True:
        try:
            return s.supervisor.removeProcessGroup("dynamic_procs")
        except xmlrpclib.Fault as fault:
            if fault.faultCode != 91 or time.monotonic() > deadline:
                raise


def cache(s):
    """CACHE-040."""
    expect("getKeys", s.cache.getKeys(), [])
    expect("store", s.cache.store("foo", "bar"), True)
    expect("fetch", s.cache.fetch("foo"), "bar")
    expect("getKeys", s.cache.getKeys(), ["foo"])


def main():
    port, socket, rounds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    for round_number in range(rounds):
        inet = xmlrpclib.ServerProxy("http://localhost:%d" % port)
        # The URL is superfluous, but its path is what gets sent (HTTP-150).
        unix = xmlrpclib.ServerProxy("http://127.0.0.1/whatever", SupervisorTransport("", "", "unix://" + socket))
        for s in (inet, unix):
            twiddler(s, round_number)
            cache(s)
            expect("clear", s.cache.clear(), True)
        # One cache for the whole daemon (BUG-100).
        expect("store over TCP", inet.cache.store("shared", "é <&>"), True)
        expect("fetch over the unix socket", unix.cache.fetch("shared"), "é <&>")
        expect("store an empty text", unix.cache.store("shared", ""), True)
        expect("fetch over TCP", inet.cache.fetch("shared"), "")
        expect("clear", inet.cache.clear(), True)
        expect("getKeys over the unix socket", unix.cache.getKeys(), [])
        inet("close")()
        unix("close")()
    print("%d rounds" % rounds)


main()
