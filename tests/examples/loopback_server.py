# Serves a folder on the loopback address, with ranges: loopback_server.py FOLDER PORT_FILE. Below /cut/ it hangs up in the middle of a file.
import http.server, os, sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        cut = self.path.startswith("/cut/")
        path = os.path.join(sys.argv[1], os.path.basename(self.path))
        if not os.path.isfile(path):
            self.send_error(404)
            return
        with open(path, "rb") as file:
            content = file.read()
        first = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        if first >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(len(content) - first))
        if "Range" in self.headers:
            self.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(content[first : first + (len(content) - first) // 2 if cut else None])

    def log_message(self, form, *values):
        with open(sys.argv[2] + ".log", "a") as log:
            log.write(f"{self.path} {self.headers.get('Range')}\n")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[2] + ".part", "w") as port:
    port.write(str(server.server_address[1]))
os.rename(sys.argv[2] + ".part", sys.argv[2])
server.serve_forever()
