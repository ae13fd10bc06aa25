"""A web page that works until the file named second is there; that file is removed at the start.

usage: page.py PORT BREAKER REQUESTS

Each request is written to the file REQUESTS: the client's name and the status it got.
"""
import http.server
import os
import sys

port, breaker, requests = int(sys.argv[1]), sys.argv[2], sys.argv[3]


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = 500 if os.path.exists(breaker) else 200
        with open(requests, "a") as file:
            file.write("%s %d\n" % (self.headers.get("User-Agent"), status))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"a page")

    def log_message(self, *args):
        pass


if os.path.exists(breaker):
    os.remove(breaker)
http.server.HTTPServer(("127.0.0.1", port), Page).serve_forever()
