#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Web clients under guard: curl, wget, git over http, python (urllib, asyncio), node,
# a Go program with a server of its own. See clients.sh.
. "${srcdir:-.}/tests/live/clients.sh"
need curl git

head -c 300000 /dev/urandom | base64 >file
export HOME=$work GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 no_proxy='*'
unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY
git init -q -b main source
for n in 1 2 3; do
	seq "$n" 2000 >"source/file$n"
	git -C source add . && git -C source -c user.name=t -c user.email=t@example.org commit -q -m "$n"
done
git clone -q --bare source repository.git

cat >web.py <<'END'
import http.server, os, subprocess

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def backend(self):
        path, _, query = self.path.partition("?")
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        env = dict(os.environ, GIT_PROJECT_ROOT=os.getcwd(), GIT_HTTP_EXPORT_ALL="1",
                   PATH_INFO=path, QUERY_STRING=query, REQUEST_METHOD=self.command,
                   CONTENT_TYPE=self.headers.get("Content-Type") or "",
                   CONTENT_LENGTH=str(size), REMOTE_ADDR="127.0.0.1",
                   HTTP_CONTENT_ENCODING=self.headers.get("Content-Encoding") or "",
                   GIT_PROTOCOL=self.headers.get("Git-Protocol") or "")
        out = subprocess.run(["git", "http-backend"], input=body, env=env,
                             capture_output=True).stdout
        head, _, rest = out.partition(b"\r\n\r\n")
        lines = dict(l.split(": ", 1) for l in head.decode().split("\r\n"))
        self.answer(int(lines.get("Status", "200").split()[0]),
                    lines.get("Content-Type", "text/plain"), rest)

    def do_GET(self):
        if self.path.startswith("/repository.git"):
            self.backend()
        else:
            with open("file", "rb") as f:
                self.answer(200, "text/plain", f.read())

    do_POST = backend

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open("web.port", "w") as f:
    f.write(str(server.server_port))
server.serve_forever()
END
start python3 web.py
eventually test -s web.port || exit 99
relays "$(cat web.port)"

with_curl() { "${under[@]}" curl -sSv --max-time 60 "http://127.0.0.1:$1/file"; }
client curl 'Operation not permitted' with_curl
many_curls()
{
	"${under[@]}" curl -sS -Z --max-time 60 "http://127.0.0.1:$1/file?[1-20]" -o 'part#1' &&
		cat part1 part20 && rm -f part*
}
client "curl, twenty at once" "connect to server" many_curls
by_name()
{
	"${under[@]}" curl -sS --max-time 60 --resolve "web.test:$1:127.0.0.1" "http://web.test:$1/file"
}
client "curl, by a name" "connect to server" by_name

with_git()
{
	rm -rf clone
	"${under[@]}" git clone -q "http://127.0.0.1:$1/repository.git" clone &&
		git -C clone log --format='%H %s' && git -C clone fsck --strict
}
client "git clone" "unable to access .*connect to" with_git

if command -v wget >/dev/null; then
	with_wget()
	{
		"${under[@]}" wget -O - --tries=1 "http://127.0.0.1:$1/file" 2>said.wget || { cat said.wget; return 1; }
	}
	client wget 'Operation not permitted' with_wget
else
	skip wget "wget is not installed"
fi

cat >fetch_url.py <<'END'
import sys, urllib.request
with urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/file", timeout=60) as answer:
    sys.stdout.buffer.write(answer.read())
END
with_urllib() { "${under[@]}" python3 fetch_url.py "$1"; }
client "python, urllib" 'Errno 1. Operation not permitted' with_urllib

cat >loop.py <<'END'
import asyncio, sys

async def fetch(n):
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
    writer.write(b"GET /file HTTP/1.0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.write_eof()
    data = await reader.read()
    writer.close()
    await writer.wait_closed()
    return data.partition(b"\r\n\r\n")[2]

async def main():
    for data in await asyncio.gather(*map(fetch, range(10))):
        sys.stdout.buffer.write(data)

asyncio.run(main())
END
with_asyncio() { "${under[@]}" python3 loop.py "$1"; }
client "python, asyncio" "PermissionError" with_asyncio

if command -v node >/dev/null; then
	cat >client.js <<'END'
const http = require("http");
const get = () => new Promise((done, failed) =>
  http.get({ host: "127.0.0.1", port: process.argv[2], path: "/file", agent: false }, (answer) => {
    const parts = [];
    answer.on("data", (part) => parts.push(part));
    answer.on("end", () => done(Buffer.concat(parts)));
  }).on("error", failed));
Promise.all([1, 2, 3, 4, 5].map(get)).then(
  (all) => process.stdout.write(Buffer.concat(all)),
  (error) => { console.error(error.message); process.exitCode = 1; });
END
	with_node() { "${under[@]}" node client.js "$1"; }
	client node 'connect EPERM 127.0.0.1' with_node
else
	skip node "node is not installed"
fi

if command -v go >/dev/null; then
	cat >main.go <<'END'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// get copies what the server says, which answers within the time limit of the dialer.
func get(url string) error {
	client := http.Client{Timeout: 60 * time.Second}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "its own server answers", r.URL.Path)
		}))
		err = get("http://" + listener.Addr().String() + "/self")
	}
	if err == nil {
		err = get("http://127.0.0.1:" + os.Args[1] + "/file")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
END
	printf 'module test\ngo 1.18\n' >go.mod
	build_it() { GOCACHE=$work/cache GOFLAGS=-mod=mod GOPROXY=off CGO_ENABLED=0 go build -o client .; }
	check "the Go program builds" build_it
	with_go() { "${under[@]}" ./client "$1"; }
	client "Go, net/http" "connect: operation not permitted" with_go
else
	skip Go "go is not installed"
fi
finish
