"""Python's own client in all its moods: built-in types, None, Binary, DateTime, gzip, MultiCall, large and odd texts.

usage: clients.py PORT SOCKET

The daemon has multicall_results=array, a cache with values=any, and a program `noisy` that prints what XML can't carry.
Ends at the first answer that differs.
"""
import datetime
import sys
import xmlrpc.client as xmlrpclib

from supervisor.xmlrpc import SupervisorTransport


def expect(what, got, wanted):
    if type(got) is not type(wanted) or got != wanted:
        sys.exit("%s gave %.300r, not %.300r" % (what, got, wanted))


class Noting(xmlrpclib.Transport):
    """Notes how answers came, and packs requests of more than 1,000 bytes."""

    encode_threshold = 1000
    packed = None

    def parse_response(self, response):
        self.packed = response.getheader("Content-Encoding") == "gzip"
        return super().parse_response(response)


def there_and_back(s, values, fetched=lambda value: value):
    for value in values:
        expect("store %.40r" % (value,), s.cache.store("k", value), True)
        expect("fetch", s.cache.fetch("k"), fetched(value))


EVERYTHING = [
    "", " ", "plain", "<&>\"']]>", "grüße 日本 😀", "a\tb\nc", 0, 1, -1, 2**31 - 1, -2**31, 1.25, -0.0, 1e300, 5e-324,
    True, False, [], [1, ["two", [3.0]]], {}, {"a": 1, "b": {"c": [], "": "x", "ключ": False}},
]


def builtin_types(url):
    s = xmlrpclib.ServerProxy(url, use_builtin_types=True, allow_none=True)
    there_and_back(s, EVERYTHING)
    there_and_back(s, [None, [None], {"n": None}])
    there_and_back(s, [b"", b"text", bytes(range(256)), "é".encode(), b"\xff\xfe\0", bytes(range(256)) * 4000])
    there_and_back(s, [datetime.datetime(2024, 2, 29, 23, 59, 58), datetime.datetime(1, 1, 1)])
    # Beyond 32 bits: read by Python, though not written by it.
    expect("the text", s.system.methodHelp("cache.fetch").splitlines()[0], "Give the value of a key.")


def own_types(url):
    s = xmlrpclib.ServerProxy(url)
    there_and_back(s, EVERYTHING)
    there_and_back(s, [xmlrpclib.Binary(b"\0\xff text"), xmlrpclib.Binary(b"")])
    there_and_back(s, [xmlrpclib.DateTime("20240229T23:59:58")])
    s.cache.store("k", xmlrpclib.Binary(b"abc"))
    # A carriage return does not survive XML, by its rules (RPC-132).
    there_and_back(s, ["a\r\nb\rc"], lambda value: "a\nb\nc")
    try:
        s.cache.fetch("nobody")
    except xmlrpclib.Fault as fault:
        expect("the fault", (fault.faultCode, fault.faultString), (10, "BAD_NAME"))
    else:
        sys.exit("no fault")


def large(url):
    """8 MB there and back, packed and not."""
    transport = Noting()
    s = xmlrpclib.ServerProxy(url, transport=transport)
    hard = "".join("%08x" % (i * 2654435761 % 2**32) for i in range(1 << 20))
    for text in ["x" * (8 << 20), hard, "é<&>\n" * (1 << 20)]:
        expect("store", s.cache.store("k", text), True)
        expect("fetch", s.cache.fetch("k"), text)
    text = "process_01 RUNNING pid 4711, uptime 0:00:01\n" * 5000
    expect("store", s.cache.store("k", text), True)
    expect("packed", transport.packed, False)
    expect("fetch", s.cache.fetch("k"), text)
    expect("packed", transport.packed, True)
    transport.accept_gzip_encoding = False
    expect("fetch", s.cache.fetch("k"), text)
    expect("packed", transport.packed, False)


def multicall(s):
    m = xmlrpclib.MultiCall(s)
    m.cache.store("m", "value")
    m.cache.fetch("m")
    m.supervisor.getState()
    m.supervisor.getProcessInfo("nobody")
    m.supervisor.getAPIVersion()
    m.supervisor.startProcess("noisy")
    m.supervisor.stopProcess("noisy")
    results = m()
    expect("a result", results[0], True)
    expect("a result", results[1], "value")
    expect("a result", results[2], {"statecode": 1, "statename": "RUNNING"})
    try:
        results[3]
    except xmlrpclib.Fault as fault:
        expect("the fault", (fault.faultCode, fault.faultString), (10, "BAD_NAME: nobody"))
    else:
        sys.exit("no fault")
    expect("the results behind it", [results[4], results[5], results[6]], ["3.0", True, True])


def logs(s):
    """BUG-010, BUG-011: Supervisor answers 500, or what no client can parse."""
    wanted = "nul \ufffd esc \ufffd[31m bad \ufffd\ufffd ok é end\n"
    s.supervisor.clearProcessLogs("noisy")
    expect("startProcess", s.supervisor.startProcess("noisy"), True)
    log = ""
    while not log.endswith("end\n"):
        log = s.supervisor.readProcessStdoutLog("noisy", 0, 0)
    expect("the log", log, wanted)
    size = len(b"nul \0 esc \x1b[31m bad \xff\xc3 ok \xc3\xa9 end\n")
    expect("its tail", s.supervisor.tailProcessStdoutLog("noisy", 0, 100), [wanted, size, False])
    expect("a part of it", s.supervisor.readProcessStdoutLog("noisy", 4, 1), "\ufffd")
    expect("stopProcess", s.supervisor.stopProcess("noisy"), True)


def main():
    port, socket = int(sys.argv[1]), sys.argv[2]
    url = "http://127.0.0.1:%d/RPC2" % port
    builtin_types(url)
    own_types(url)
    large(url)
    unix = xmlrpclib.ServerProxy("http://127.0.0.1", SupervisorTransport("", "", "unix://" + socket))
    for s in (xmlrpclib.ServerProxy(url), unix):
        multicall(s)
        logs(s)
        there_and_back(s, EVERYTHING)
    print("all as expected")


main()
