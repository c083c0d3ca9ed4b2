#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""lib/http against a real server that misbehaves. Argument: http-tool."""

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import tap  # noqa: E402
import web  # noqa: E402
from tap import contains, equal, ok, run  # noqa: E402

TOOL = sys.argv[1]
TMP = pathlib.Path(tap.tmpdir())
BODY = bytes(range(256)) * 400
SHA256 = hashlib.sha256(BODY).hexdigest()
(TMP / "www").mkdir()
(TMP / "www" / "file").write_bytes(BODY)
(TMP / "www" / "hello").write_text("hello")
SERVER = web.Server(TMP / "www")


def get(*args, **kwargs):
    return run([TOOL, "get", *args], **kwargs)


def refused(name, code, message, *args):
    start = time.monotonic()
    result = get("--json", *args)
    # far below the limits of a request that nobody set
    ok(time.monotonic() - start < 25, f"{name}: ends in time")
    error = json.loads(result.stdout)["error"]
    equal((result.returncode, error["code"]), (2 if code == "invalid" else 1, code), f"{name}: code")
    contains(error["message"], message, f"{name}: message")
    return error["message"]


def test_memory():
    etag = '"' + hashlib.sha256(b"hello").hexdigest()[:16] + '"'
    result = get(f"{SERVER.url}/hello", f"{SERVER.url}/hello")
    line = f"unchanged=0 resumed=0 bytes=5 etag={etag} body=hello\n"
    equal((result.returncode, result.stdout), (0, line * 2), "get: body and ETag")
    result = get("--etag", etag, f"{SERVER.url}/hello")
    equal(result.stdout, f"unchanged=1 resumed=0 bytes=0 etag={etag} body=\n", "get: what the caller has isn't sent again")
    result = get(f"file://{TMP}/www/hello")
    equal(result.stdout, "unchanged=0 resumed=0 bytes=5 etag= body=hello\n", "get: a file")
    (TMP / "www" / "empty").touch()
    contains(get(f"{SERVER.url}/empty").stdout, "bytes=0", "get: an empty body")


def test_limits():
    url = f"{SERVER.url}/x"
    for say, code, message, args in [
        (web.large, "limit", "larger than 5000 bytes", ["--max-bytes", "5000"]),
        (web.endless, "limit", "larger than 5000 bytes", ["--max-bytes", "5000"]),
        (web.endless_headers, "limit", "headers are larger than 65536 bytes", []),
        (web.slow, "timeout", "less than 100 bytes a second for 2 s", ["--slow-bytes-s", "100", "--slow-s", "2"]),
        (web.slow, "timeout", "not done within 2 s", ["--total-s", "2", "--slow-bytes-s", "1"]),
        (web.silent, "timeout", "not done within 2 s", ["--total-s", "2"]),
        (web.truncated, "network", "the connection ended after 500 bytes", []),
        (web.status(404), "not-found", "the server has no such file (HTTP 404)", []),
        (web.status(500), "server", "the server answered HTTP 500", []),
        (web.status(204), "network", "the server answered HTTP 204", []),
        (web.redirect("file:///etc/passwd"), "network", "redirects to a place that is not allowed", []),
        (web.redirect("ftp://127.0.0.1/x"), "network", "redirects to a place that is not allowed", []),
        (web.redirect("/x"), "network", "edirects", []),
    ]:
        SERVER.say["/x"] = say
        name = say.__name__ if say.__name__ != "<lambda>" else message
        text = refused(name, code, message, *args, url)
        contains(text, f"cannot fetch '{url}'", f"{name}: the URL is named")
    exact = get("--max-bytes", str(len(BODY)), f"{SERVER.url}/file")
    equal(exact.returncode, 0, "what is exactly as large as allowed comes")
    refused("a byte more", "limit", f"larger than {len(BODY) - 1} bytes", "--max-bytes", str(len(BODY) - 1), f"{SERVER.url}/file")


def test_places():
    SERVER.say["/moved"] = web.redirect("/hello")
    contains(get(f"{SERVER.url}/moved").stdout, "body=hello", "a redirect on the server is followed")
    SERVER.say["/away"] = web.redirect("http://user:secret@127.0.0.1:1/x")
    text = refused("redirect to a server that is down", "network", "which led to 'http://127.0.0.1:1/x'", f"{SERVER.url}/away")
    ok("secret" not in text, "no password in the message")
    refused("down", "network", "cannot fetch 'http://127.0.0.1:1/x': ", "http://u:secret@127.0.0.1:1/x")
    for url in ["ftp://127.0.0.1/x", "hello", "gopher://x", "HTTPX://x", ""]:
        refused(f"scheme of '{url}'", "invalid", "is no URL that can be fetched; use http, https or file", url)
    refused("no file", "not-found", "there is no such file", f"file://{TMP}/absent")
    # TLS is spoken at once: a server that can't is a failure, never plain text
    refused("no TLS", "network", f"cannot fetch 'https{SERVER.url[4:]}/hello'", f"https{SERVER.url[4:]}/hello")


def test_proxy():
    SERVER.requests.clear()
    contains(get("--proxy", SERVER.url, "http://example.invalid/hello").stdout, "body=hello", "a proxy is asked")
    equal(SERVER.requests[0][0], "http://example.invalid/hello", "… for the whole URL")
    env = {"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"}
    contains(get(f"{SERVER.url}/hello", env=env).stdout, "body=hello", "the environment's proxy isn't")
    contains(get("--proxy", "http://127.0.0.1:1", "--no-proxy", "127.0.0.1", f"{SERVER.url}/hello").stdout, "body=hello",
             "a host that is asked directly")


def test_post():
    SERVER.say.clear()
    result = run([TOOL, "get", "--post", '{"a": 1}', f"{SERVER.url}/inbox", f"{SERVER.url}/inbox"])
    equal((result.returncode, result.stdout), (0, "sent\nsent\n"), "post: taken")
    path, headers, body = SERVER.posted[-1]
    equal((path, headers["Content-Type"], body), ("/inbox", "application/json", b'{"a": 1}'), "post: what comes")
    ok("Expect" not in headers, "post: asks nobody to wait", headers)
    for say, code, message, args in [
        (web.status(500), "server", "the server answered HTTP 500", []),
        (web.status(401), "network", "the server answered HTTP 401", []),
        (web.status(404), "not-found", "the server has no such place (HTTP 404)", []),
        (web.redirect("/other"), "network", "the server answered HTTP 302", []),
        (web.silent, "timeout", "not done within 2 s", ["--total-s", "2"]),
        (web.endless, "limit", "larger than 5000 bytes", ["--max-bytes", "5000"]),
        (web.large, "limit", "larger than 5000 bytes", ["--max-bytes", "5000"]),
    ]:
        SERVER.say["/inbox"] = say
        text = refused(f"post: {message}", code, message, "--post", "{}", *args, f"{SERVER.url}/inbox")
        contains(text, f"cannot send to '{SERVER.url}/inbox'", "… and where to")
    equal([path for path, _, _ in SERVER.posted if path == "/other"], [], "post: a redirect isn't followed")
    for status in [400, 413, 422]:
        SERVER.say["/inbox"] = web.status(status)
        result = get("--json", "--post", "{}", f"{SERVER.url}/inbox")
        equal((result.returncode, json.loads(result.stdout)["error"]["code"]), (3, "verdict"), f"post: HTTP {status} is about this text")
    refused("post: to a file", "invalid", "is no URL to send to; use http or https", "--post", "{}", f"file://{TMP}/x")
    SERVER.say.clear()
    SERVER.requests.clear()


def test_download():
    url, path = f"{SERVER.url}/file", TMP / "out"
    part = TMP / "out.part"
    whole = ["--to", path, "--sha256", SHA256, "--length", str(len(BODY)), url]
    contains(get(*whole).stdout, f"resumed=0 bytes={len(BODY)}", "download")
    ok(path.read_bytes() == BODY and not part.exists(), "… the file is whole, and alone")
    path.unlink()
    SERVER.say["/file"] = web.truncated_once
    refused("truncated", "network", f"ended after {len(BODY) // 2} bytes", *whole)
    ok(not path.exists() and part.stat().st_size == len(BODY) // 2, "… what came is kept under another name")
    contains(get(*whole).stdout, f"resumed=1 bytes={len(BODY) // 2}", "… and the rest is asked for")
    ok(path.read_bytes() == BODY, "… the file is whole")
    path.unlink()
    for name, say, begin, came in [
        ("a server without ranges", web.no_range, BODY[:1000], f"resumed=0 bytes={len(BODY)}"),
        ("another beginning", web.plain, b"y" * 1000, f"resumed=0 bytes={len(BODY)}"),
        ("all came, but not the name", web.plain, BODY, "resumed=0 bytes=0"),
        ("too much came", web.plain, BODY + b"x", f"resumed=0 bytes={len(BODY)}"),
    ]:
        SERVER.say["/file"] = say
        part.write_bytes(begin)
        contains(get(*whole).stdout, came, f"resume: {name}")
        ok(path.read_bytes() == BODY, f"resume: {name}: the file is whole")
        path.unlink()
    part.write_bytes(BODY + b"more")
    contains(get("--to", path, "--sha256", SHA256, url).stdout, f"resumed=0 bytes={len(BODY)}", "resume: behind the end")
    path.unlink()
    part.write_bytes(BODY[:100])
    SERVER.say["/file"] = web.wrong_range
    refused("wrong range", "network", "the server sent bytes from 1 on, not from 100", *whole)
    SERVER.say["/file"] = web.plain


def test_download_refused():
    url, path = f"{SERVER.url}/file", TMP / "refused"
    part = TMP / "refused.part"
    refused("hash", "mismatch", f"has SHA-256 {SHA256}, it should have {'0' * 64}", "--to", path, "--sha256", "0" * 64, url)
    ok(not path.exists() and not part.exists(), "hash: nothing is left")
    refused("length", "mismatch", f"has {len(BODY)} bytes, it should have 5", "--to", path, "--length", "5", url)
    part.symlink_to(TMP / "elsewhere")
    refused("symlink", "system", "cannot create", "--to", path, url)
    ok(not (TMP / "elsewhere").exists(), "symlink: isn't followed")
    part.unlink()
    os.mkfifo(part)
    refused("fifo", "system", "not a regular file", "--to", path, url)
    part.unlink()


def test_interrupt():
    SERVER.say["/x"] = web.slow
    child = subprocess.Popen([TOOL, "get", f"{SERVER.url}/x"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    before = len(SERVER.requests)
    while len(SERVER.requests) == before and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    _, err = child.communicate(timeout=30)
    equal(child.returncode, -signal.SIGTERM, "interrupt: ends as the signal ends it")
    contains(err, "interrupted", "interrupt: says so")


for function in [test_memory, test_limits, test_places, test_proxy, test_post, test_download, test_download_refused, test_interrupt]:
    function()
SERVER.stop()
tap.done()
