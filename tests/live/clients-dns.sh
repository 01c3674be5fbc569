#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# dig, which sends its questions by sendmsg(2) over sockets that it connects, and
# python, which sends them by sendto(2). The server is a few lines of python and
# counts questions; it answers at two ports. See clients.sh.
. "${srcdir:-.}/tests/live/clients.sh"

cat >answer.py <<'END'
import socket, struct, threading

def answer(question):
    end = question.index(b"\0", 12) + 5
    head = question[:2] + b"\x85\x80" + struct.pack(">HHHH", 1, 1, 0, 0)
    record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("192.0.2.77")
    return head + question[12:end] + record

lock = threading.Lock()
counts = {"open": 0, "shut": 0}

def count(name):
    with lock:
        counts[name] += 1
        with open(f"{name}.count", "w") as f:
            f.write(str(counts[name]))

def datagrams(s, name):
    while True:
        question, peer = s.recvfrom(4096)
        count(name)
        if len(question) > 12:
            s.sendto(answer(question), peer)

def streams(listener, name):
    while True:
        s, _ = listener.accept()
        count(name)
        threading.Thread(target=stream, args=(s,), daemon=True).start()

def stream(s):
    with s, s.makefile("rb") as f:
        while len(size := f.read(2)) == 2:
            data = answer(f.read(struct.unpack(">H", size)[0]))
            s.sendall(struct.pack(">H", len(data)) + data)

def both(name):
    while True:
        listener = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(listener.getsockname())
            return listener, udp
        except OSError:
            continue

for name in counts:
    listener, udp = both(name)
    with open(f"{name}.count", "w") as f:
        f.write("0")
    threading.Thread(target=streams, args=(listener, name)).start()
    threading.Thread(target=datagrams, args=(udp, name)).start()
    with open(f"{name}.port", "w") as f:
        f.write(str(listener.getsockname()[1]))
END
start python3 answer.py
eventually test -s open.port -a -s shut.port || exit 99
ports "$(cat open.port)" "$(cat shut.port)"

if command -v dig >/dev/null; then
	ask() { "${under[@]}" dig @127.0.0.1 -p "$1" +tries=1 +time=10 +noall +answer +nocookie "${@:2}"; }
	with_dig() { ask "$1" name.test A; }
	client dig 'permission denied|not permitted' with_dig
	with_dig_tcp() { ask "$1" +tcp name.test A; }
	client "dig, TCP" 'permission denied|not permitted|connection refused' with_dig_tcp
	with_dig_many() { seq 1 20 | sed 's/.*/name&.test A/' >names; ask "$1" -f names; }
	client "dig, twenty names" 'permission denied|not permitted' with_dig_many
else
	skip dig "dig is not installed"
fi

cat >ask.py <<'END'
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
question = b"\4name\4test\0" + struct.pack(">HH", 1, 1)
for n in range(20):
    message = struct.pack(">HHHHHH", n, 0x100, 1, 0, 0, 0) + question
    where = "127.0.0.1", int(sys.argv[2])
    if sys.argv[1] == "sendto":
        s.sendto(message, where)
    else:
        s.sendmsg([message[:5], message[5:]], [], 0, where)
    print(s.recv(4096).hex())
END
with_sendto() { "${under[@]}" python3 ask.py sendto "$1"; }
client "python, sendto" 'PermissionError: .Errno 1' with_sendto
with_sendmsg() { "${under[@]}" python3 ask.py sendmsg "$1"; }
client "python, sendmsg" 'PermissionError: .Errno 1' with_sendmsg
finish
