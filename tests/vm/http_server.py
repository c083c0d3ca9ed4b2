# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server for the guests: serves a folder, and misbehaves when told to.

    server = Server(folder)
    server.fault = "slow"       # one byte a second
    server.requests             # what was asked for so far: (path, status, bytes sent)"""

import http.server
import os
import pathlib
import threading
import time
import urllib.parse

# How it can misbehave; 'only' limits that to paths that end so.
FAULTS = ("down", "slow", "endless", "truncated", "error")


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def _answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.server.note(self.path, status, len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def _range(self, body, tag):
        """The part asked for, if the file is still the same."""
        asked = self.headers.get("Range", "")
        start = asked.removeprefix("bytes=").removesuffix("-")
        if not asked.startswith("bytes=") or not start.isdigit() or self.headers.get("If-Range", tag) != tag:
            return None
        return int(start) if int(start) < len(body) else None

    def do_GET(self):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        fault = self.server.owner.fault
        if fault and self.path.endswith(self.server.owner.only):
            return self._misbehave(fault, path)
        file = self.server.folder / path.lstrip("/")
        if ".." in path.split("/") or not file.is_file():
            return self._answer(404)
        body = file.read_bytes()
        tag = f'"{file.stat().st_mtime_ns:x}-{len(body):x}"'
        if self.headers.get("If-None-Match") == tag:
            return self._answer(304, headers=[("ETag", tag)])
        start = self._range(body, tag)
        if start is not None:
            return self._answer(206, body[start:], [("ETag", tag), ("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")])
        return self._answer(200, body, [("ETag", tag)])

    do_HEAD = do_GET

    def _misbehave(self, fault, path):
        self.close_connection = True
        self.server.note(self.path, fault, 0)
        if fault == "down":
            return
        if fault == "error":
            return self._answer(503)
        file = self.server.folder / path.lstrip("/")
        body = file.read_bytes() if file.is_file() else b"x" * 4096
        self.send_response(200)
        if fault != "endless":
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            if fault == "truncated":
                self.wfile.write(body[:len(body) // 2])
            elif fault == "slow":
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(1)
            else:
                while True:
                    self.wfile.write(os.urandom(65536))
        except OSError:
            pass  # who asked went away


class Server:
    def __init__(self, folder, fault=None, only=""):
        """Serves until the process ends."""
        self.fault, self.only, self.requests = fault, only, []
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads = True
        self._http.folder, self._http.owner = pathlib.Path(folder), self
        self._http.note = lambda *what: self.requests.append(what)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
