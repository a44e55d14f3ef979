#!/usr/bin/env python3
"""The HTTP service as its clients see it: serve_test.py PROGRAM [requests | memory | browser]

requests: every endpoint, bad bodies, limits, the token, reload, the journal and SIGTERM. memory: it does not grow with reloads. browser: the page in a headless Chromium. Exit status 77: there is none.
"""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse

PROGRAM = sys.argv[1]
TOKEN = "a secret of the test"


def check(condition, *words):
    if not condition:
        raise AssertionError(" ".join(map(str, words)))


class Server:
    """The program, started on a free port."""

    def __init__(self, *arguments):
        self.log = tempfile.TemporaryFile("w+")  # a pipe would be full after some hundred lines
        self.process = subprocess.Popen([PROGRAM, "--port", "0", *arguments], stdout=self.log, stderr=subprocess.PIPE, text=True)
        self.head = []
        for line in self.process.stderr:
            self.head.append(line)
            if match := re.match(r"listening on http://127\.0\.0\.1:(\d+)/", line):
                self.port = int(match[1])
                return
        raise AssertionError(f"the program ended: {self.head}")

    def send(self, method, path, body=None, headers=None, connection=None):
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        own.request(method, path, body=body, headers={"Content-Type": "application/json", **(headers or {})})
        response = own.getresponse()
        text = response.read()
        if connection is None:
            own.close()
        return response.status, text

    def post(self, path, body, **more):
        status, text = self.send("POST", path, body, **more)
        return status, json.loads(text)

    def stop(self):
        """SIGTERM; the lines of its log."""
        self.process.send_signal(signal.SIGTERM)
        err = self.process.communicate(timeout=30)[1]
        check(self.process.returncode == 0, "exit status", self.process.returncode, err)
        self.log.seek(0)
        return [json.loads(line) for line in self.log]


@contextlib.contextmanager
def serving(*arguments):
    server = Server(*arguments)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def refused(server, path, body, status, field, words=""):
    got, answer = server.post(path, body)
    error = answer.get("error", {})
    check(got == status and error.get("field") == field and words in error["message"], path, str(body)[:100], "is answered by", got, answer)


def endpoints(server):
    status, answer = server.post("/recommend", {"user": "listener_0000007", "count": 5})
    check(status == 200 and answer["source"] == "model" and len(answer["items"]) == 5 and answer["version"] == 1, answer)
    scores = [item["score"] for item in answer["items"]]
    check(scores == sorted(scores, reverse=True), scores)
    first = answer["items"][0]["key"]
    check(first != server.post("/recommend", {"user": "listener_0000007", "exclude": [first]})[1]["items"][0]["key"], "exclude")
    status, answer = server.post("/recommend", {"history": ["artist_0000003", {"item": "artist_0000020", "value": 4}, "nobody has this"]})
    check(status == 200 and answer["source"] == "model" and answer["unknown_items"] == ["nobody has this"], answer)
    check({item["key"] for item in answer["items"]}.isdisjoint({"artist_0000003", "artist_0000020"}), answer)
    status, why = server.post("/explain", {"history": ["artist_0000003", "artist_0000020"], "item": answer["items"][0]["key"]})
    check(status == 200 and {part["key"] for part in why["parts"]} == {"artist_0000003", "artist_0000020"}, why)
    check(server.post("/explain", {"user": "listener_0000007", "item": first})[0] == 200, "explain")
    check(server.post("/recommend", {})[1]["source"] == "popularity", "popularity")
    check(server.post("/recommend", {"fallback": "none"})[1]["items"] == [], "no fallback")
    only = server.post("/recommend", {"user": "listener_0000007", "only": ["artist_0000003", "artist_0000004"], "known": "all"})[1]
    check({item["key"] for item in only["items"]} == {"artist_0000003", "artist_0000004"}, only)
    status, answer = server.post("/similar", {"item": "artist_0000003", "count": 3})
    check(status == 200 and len(answer["items"]) == 3, answer)
    status, answer = server.post("/observe", {"user": "a new one", "item": "artist_0000003", "time": 1_700_000_000})
    check(status == 200, answer)
    check(server.post("/recommend", {"user": "a new one"})[1]["source"] == "model", "observed")
    status, text = server.send("GET", "/health")
    check(status == 200 and json.loads(text) == {"status": "ok", "version": 1, "users": 2000, "items": 1000}, text)
    status, text = server.send("GET", "/")
    check(status == 200 and b"<script>" in text and b"src=" not in text and b"href=" not in text, "page")
    text = server.send("GET", "/metrics")[1].decode()
    check('kindred_requests_total{path="/recommend",status="200"}' in text and "kindred_observed_events_total 1\n" in text, text)
    for line in text.splitlines():
        check(re.fullmatch(r"# (HELP|TYPE) .+|[a-z_]+(\{[^{}]*\})? [-+.0-9e]+", line), "not Prometheus:", line)
    buckets = [int(n) for n in re.findall(r'bucket\{path="/recommend",le=.*\} (\d+)', text)]
    check(buckets == sorted(buckets) and buckets[-1] == int(re.search(r'seconds_count\{path="/recommend"\} (\d+)', text)[1]), buckets)


def bad_requests(server):
    for field, value in {"count": [0, 101, -1, 1.5, "ten", None, True, 2**63, 10**30], "user": ["", [], {}, 1.5, None, "x" * 513],
                         "history": [1, {}, [[]], [{}], [{"item": "artist_0000003", "value": "much"}], [""], ["a"] * 1001, [{"item": 1, "x": 1}]],
                         "profile": [[], {"a": []}], "only": ["a", [None], ["a"] * 1001], "known": ["some", 1], "fallback": ["luck"],
                         "popularity_penalty": [-0.1, 1.1, "a"], "usr": [1]}.items():
        for one in value:
            status, answer = server.post("/recommend", {field: one})
            check(status == 400 and answer["error"]["field"].startswith(field), field, str(one)[:50], status, answer)
    refused(server, "/recommend", {"history": [{"item": "artist_0000003", "value": 1e39}]}, 400, "history[0].value", "range")
    refused(server, "/recommend", {"profile": {"country": "Sweden"}, "user": "listener_0000007"}, 400, "profile")
    refused(server, "/similar", {"item": "what"}, 404, "item", "'what'")
    refused(server, "/similar", {}, 400, "item", "missing")
    refused(server, "/explain", {"user": "what", "item": "artist_0000003"}, 404, "user")
    refused(server, "/observe", {"user": "u"}, 400, "item")
    refused(server, "/observe", {"item": "artist_0000003"}, 400, "user")
    refused(server, "/observe", {"user": "u", "item": "artist_0000003", "kind": "buy"}, 400, "kind")
    refused(server, "/observe", {"user": "u", "item": "artist_0000003", "time": 1_700_000_000_000}, 400, "time")
    refused(server, "/observe", {"user": "u", "item": "../../etc/passwd"}, 404, "item")
    refused(server, "/reload", {"file": "/etc/passwd"}, 400, "file")
    refused(server, "/reload", {}, 409, None, "without a model file")
    check(server.send("POST", "/recommend", "{}", headers={"Content-Type": "text/plain"})[0] == 415, "type")
    check(server.send("POST", "/recommend", "x" * 300_000)[0] == 413, "long body")
    check(server.send("PUT", "/recommend", "{}")[0] == 405, "method")
    for path in ["/what", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/recommend/"]:
        status, text = server.send("GET", path)
        check(status == 404 and b"root:" not in text, path, status, text)
        check(server.send("POST", path, "{}")[0] == 404, path)
    # One connection goes on after each of them: in chunks, compressed, without end.
    import gzip
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    check(server.send("POST", "/recommend", gzip.compress(b" " * 50_000_000), {"Content-Encoding": "gzip"}, connection)[0] == 413, "bomb")
    connection.request("POST", "/recommend", body=iter([b"x" * 100_000] * 20), headers={"Content-Type": "application/json"}, encode_chunked=True)
    response = connection.getresponse()
    check(response.status == 413 and response.read(), "chunks")
    check(server.send("POST", "/recommend", "{}", {"Content-Type": "text/plain"}, connection)[0] == 415, "type")
    check(server.send("POST", "/recommend", "{", None, connection)[0] == 400, "half an object")
    check(server.send("POST", "/recommend", "{}", None, connection)[0] == 200, "the connection goes on")


def fuzz(server):
    """Changed and made-up bodies: an answer with a status below 500 that is JSON, whatever comes."""
    chance = random.Random(7)
    seeds = [json.dumps(body).encode() for body in [
        {"user": "listener_0000007", "count": 5, "known": "all", "exclude": ["artist_0000003"]},
        {"history": ["artist_0000003", {"item": "artist_0000020", "value": 4.5}], "fallback": "none", "popularity_penalty": 0.5},
        {"item": "artist_0000003", "count": 3, "only": ["a"]}, {"user": "u", "item": "artist_0000003", "value": -1.5, "time": 1}]]
    seeds += [b"[" * 20_000, b'{"a":' * 20_000, b"\xff\xfe", b"", b"null", b'{"user":"\\ud800"}', b'{"user":"\xc3\x28"}', b'{"count":1e400}']
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    statuses = {}
    for n in range(2_000):
        which = chance.randrange(len(seeds))
        body = bytearray(seeds[which])
        for _ in range(chance.randrange(3)):
            place = chance.randrange(len(body) + 1)
            body[place:place + chance.randrange(3)] = chance.choice([b"", b"\0", b'"', b"{", b"]", b",", b"9" * 30, b"-", b"e9", bytes([chance.randrange(256)])])
        path = chance.choice(["/recommend", "/similar", "/explain", "/observe"] + 4 * [["/recommend", "/recommend", "/similar", "/observe"][min(which, 3)]])
        status, text = server.send("POST", path, bytes(body), None, connection)
        json.loads(text)
        check(status in (200, 400, 404), path, bytes(body[:200]), status, text)
        statuses[status] = statuses.get(status, 0) + 1
    check(statuses[200] > 100 and statuses[400] > 500, statuses)
    for raw in [b"\0\0\0\r\n\r\n", b"GET\r\n\r\n", b"POST /recommend HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"A" * 20_000, b"GET / HTTP/9.9\r\n\r\n"]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as wire, contextlib.suppress(OSError):
            wire.sendall(raw)
            wire.recv(1_000)
    check(server.send("GET", "/health")[0] == 200, "after the fuzz")


def with_a_file(folder):
    """Token, journal, save, reload, and a process that is killed."""
    model, journal, secret = folder / "shop.kindred", folder / "shop.journal", folder / "secret"
    secret.write_text(TOKEN + "\n")
    subprocess.run([PROGRAM, "--write-sample", str(model)], check=True)
    before = model.stat().st_mtime_ns
    guard = {"Authorization": f"Bearer {TOKEN}"}
    options = ["--model", str(model), "--journal", str(journal), "--token-file", str(secret), "--quiet"]
    event = {"user": "a new one", "item": "artist_0000003"}
    with serving(*options) as server:
        for token in ["", "Bearer", "Bearer x", "Bearer " + TOKEN[:-1], "Bearer " + TOKEN + "x", TOKEN]:
            for path in ["/observe", "/reload"]:
                check(server.post(path, event, headers={"Authorization": token})[0] == 401, token)
        check(server.post("/recommend", {})[0] == 200, "no token is needed")
        for n in range(20):
            check(server.post("/observe", {**event, "item": f"artist_{n + 1:07}"}, headers=guard)[0] == 200, "observe")
        wanted = server.post("/recommend", {"user": "a new one"})[1]["items"]
        server.process.kill()
        server.process.wait()
    with serving(*options) as server:
        check("20 events again" in server.head[0], server.head)
        check(server.post("/recommend", {"user": "a new one"})[1]["items"] == wanted, "after SIGKILL")
        # Reloads while clients ask: every answer is whole, and of a version that does not go back.
        def client(_):
            connection, version = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30), 0
            for _ in range(100):
                status, text = server.send("POST", "/recommend", {"user": "a new one"}, None, connection)
                answer = json.loads(text)
                check(status == 200 and answer["items"] == wanted and answer["version"] >= version, status, answer)
                version = answer["version"]
        with concurrent.futures.ThreadPoolExecutor(4) as clients:
            running = [clients.submit(client, n) for n in range(4)]
            for n in range(5):
                status, answer = server.post("/reload", {}, headers=guard)
                check(status == 200 and answer["version"] == n + 2, answer)
            for one in running:
                one.result()
        check(server.stop() == [], "--quiet")
    check(model.stat().st_mtime_ns == before, "nothing was saved")
    with serving(*options, "--save-seconds", "3600") as server:
        check(server.post("/observe", event, headers=guard)[0] == 200, "observe")
        server.stop()
    check(model.stat().st_mtime_ns > before and journal.stat().st_size == 32, "saved at the end, the journal is empty")
    with serving(*options) as server:
        model.write_text("damaged")
        status, answer = server.post("/reload", {}, headers=guard)
        check(status == 500 and str(folder) not in str(answer), answer)
        check(server.post("/recommend", {"user": "a new one"})[0] == 200, "the old model goes on")
    for arguments, words in [(["--host", "0.0.0.0"], "token-file"), (["--model", str(folder / "none")], "none"), (["--token-file", str(model)], "16 characters")]:
        result = subprocess.run([PROGRAM, "--port", "0", *arguments], capture_output=True, text=True, timeout=60)
        check(result.returncode == 1 and words in result.stderr, arguments, result.stderr)


def requests():
    with serving() as server:
        endpoints(server)
        bad_requests(server)
        fuzz(server)
        # A client that is slow to send holds its own connection alone; SIGTERM waits for requests that run, and not for it.
        with socket.create_connection(("127.0.0.1", server.port)) as slow:
            slow.sendall(b"POST /recommend HTTP/1.1\r\n")
            check(server.send("GET", "/health")[0] == 200, "beside a slow client")
            lines = server.stop()
        check(any(line["path"] == "/recommend" and line["status"] == 200 and line["ms"] > 0 for line in lines), lines[:3])
        check(all({"time", "method", "path", "status", "ms", "bytes", "client"} == set(line) for line in lines), "lines")
    with tempfile.TemporaryDirectory() as folder:
        with_a_file(pathlib.Path(folder))
    print("every endpoint, limit and refusal as written")


def memory():
    """Reloads, each from a new connection and so by another thread, while clients ask."""
    def reload(server, times):
        stop = threading.Event()

        def client(first):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            while not stop.is_set():
                for n in range(20):
                    body = {"user": f"listener_{first + n:07}"} if n % 2 else {"history": [f"artist_{first + n:07}"]}
                    check(server.send("POST", "/recommend", body, None, connection)[0] == 200, body)
            connection.close()

        with concurrent.futures.ThreadPoolExecutor(4) as clients:
            running = [clients.submit(client, 100 * n) for n in range(4)]
            try:
                for _ in range(times):
                    check(server.post("/reload", {})[0] == 200, "reload")
            finally:
                stop.set()
            for one in running:
                one.result()
        check(server.post("/reload", {})[0] == 200, "reload")  # no request holds the model before it

    def metric(server, name):
        return int(re.search(rf"\n{name} (\d+)", server.send("GET", "/metrics")[1].decode())[1])

    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder) / "shop.kindred"
        subprocess.run([PROGRAM, "--write-sample", str(model)], check=True)
        size = model.stat().st_size
        arguments = ["--model", str(model), "--quiet", "--connections", "16"]
        # Small freed blocks that each thread keeps count as allocated: the first service keeps none.
        os.environ["GLIBC_TUNABLES"] = "glibc.malloc.tcache_count=0"
        with serving(*arguments) as server:
            reload(server, 20)
            first = metric(server, "kindred_allocated_bytes")
            reload(server, 80)
            last = metric(server, "kindred_allocated_bytes")
        del os.environ["GLIBC_TUNABLES"]
        print(f"a model of {size} bytes; allocated after 21 reloads {first}, after 102 {last}")
        if first < size:
            print("skipped: the allocator does not say what it holds")
            return 77
        check(last - first < size // 20, "allocated bytes grow with reloads")
        with serving(*arguments) as server:
            first = metric(server, "process_resident_memory_bytes")
            reload(server, 60)
            last = metric(server, "process_resident_memory_bytes")
        print(f"resident before a reload {first}, after 61 {last}")
        check(last - first < 10 * size, "freed memory stays resident")
    return 0


def browser():
    if shutil.which("chromium") is None:
        print("skipped: there is no chromium")
        return 77 if "KINDRED_REQUIRE_REPORT_TOOLS" not in os.environ else 1
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        def dom(lines):
            address = f"http://127.0.0.1:{server.port}/#" + urllib.parse.quote("\n".join(lines))
            result = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--user-data-dir={folder}/profile",
                                     "--virtual-time-budget=20000", "--dump-dom", address], capture_output=True, text=True, timeout=180)
            check(result.returncode == 0 and "CONSOLE" not in result.stderr, result.stderr[-2000:])
            return result.stdout.split("<body>")[1].split("<script>")[0]
        page = dom([])
        check(page.count('class="name"') == 10 and "What most people listen to" in page and "because of" not in page, page)
        page = dom(["artist_0000003", "artist_0000020", "<b>nobody</b>"])
        check(page.count('class="name"') == 10 and "For you; not known: &lt;b&gt;nobody&lt;/b&gt;" in page, page)
        check(page.count("because of") >= 5 and "<b>" not in page, page)
    print("lists with reasons, and what is typed stays text")
    return 0


if __name__ == "__main__":
    sys.exit({"requests": requests, "memory": memory, "browser": browser}[sys.argv[2] if len(sys.argv) > 2 else "requests"]())
