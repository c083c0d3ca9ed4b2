# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server of this machine that can behave badly. Server(DIR) serves DIR; a path's behaviour is set by name:

    server = Server(tmp)
    server.say["/slow"] = slow            # a function (handler, body)
    server.requests                       # [(path, headers)] of what was asked
    server.posted                         # [(path, headers, body)] of what was sent; answered with server.take(body)
"""

import hashlib
import http.server
import pathlib
import threading
import time

BODY_FOREVER = b"x" * 65536


def respond(handler, body, status=200, length=None, headers=()):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in headers:
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def plain(handler, body):
    """ETag, If-None-Match and Range, as any web server has them."""
    etag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
    if handler.headers.get("If-None-Match") == etag:
        handler.send_response(304)
        handler.send_header("ETag", etag)
        handler.end_headers()
        return
    wanted = handler.headers.get("Range")
    if wanted:
        start = int(wanted.removeprefix("bytes=").split("-")[0])
        if start >= len(body):
            respond(handler, b"", 416)
            return
        place = f"bytes {start}-{len(body) - 1}/{len(body)}"
        respond(handler, body[start:], 206, headers=[("ETag", etag), ("Content-Range", place)])
        return
    respond(handler, body, headers=[("ETag", etag)])


def no_range(handler, body):
    respond(handler, body)


def slow(handler, body):
    """One byte a second."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    for byte in body:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        if handler.server.stopping.wait(1):
            return


def silent(handler, body):
    """Not even a status line."""
    handler.server.stopping.wait(60)


def endless(handler, body):
    """No length, no end."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stopping.is_set():
        handler.wfile.write(BODY_FOREVER)


def endless_headers(handler, body):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not handler.server.stopping.is_set():
        handler.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")


def truncated(handler, body):
    """The connection is lost in the middle."""
    handler.close_connection = True
    respond(handler, body[: len(body) // 2], length=len(body))


def truncated_once(handler, body):
    """… but not when the rest is asked for."""
    if handler.headers.get("Range"):
        plain(handler, body)
    else:
        truncated(handler, body)


def wrong_range(handler, body):
    """Other bytes than were asked for."""
    if not handler.headers.get("Range"):
        return respond(handler, body)
    return respond(handler, body[1:], 206, headers=[("Content-Range", f"bytes 1-{len(body) - 1}/{len(body)}")])


def large(handler, body):
    """Says it is large, and waits for nobody to ask for it."""
    handler.close_connection = True
    respond(handler, b"x", length=1 << 40)


def status(code):
    return lambda handler, body: respond(handler, b"no\n", code)


def redirect(place):
    return lambda handler, body: respond(handler, b"", 302, headers=[("Location", place)])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        path = self.path
        if path.startswith("http://"):  # as a proxy is asked
            path = "/" + path.split("/", 3)[3]
        server.requests.append((self.path, dict(self.headers)))
        file = server.root / path.lstrip("/")
        say = server.say.get(path) or server.say_all
        try:
            if file.is_file():
                (say or plain)(self, file.read_bytes())
            elif say:
                say(self, b"0123456789" * 100)
            else:
                respond(self, b"no such file\n", 404)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posted.append((self.path, dict(self.headers), body))
        say = self.server.say.get(self.path)
        try:
            if say:
                say(self, b"no")
            else:
                respond(self, b"", self.server.take(body))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, root):
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = pathlib.Path(root)
        self.say, self.say_all, self.requests = {}, None, []
        self.posted, self.take = [], lambda body: 204
        self.stopping = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def stop(self):
        """Whoever still waits gets an end; afterwards nobody listens."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        time.sleep(0)

    def handle_error(self, request, client_address):
        pass
