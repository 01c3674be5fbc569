#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Programs that live on AF_UNIX sockets: under rules about other sockets and about ports
# they work as without guard, under a rule about their own they are refused. Exercises
# engine/local, engine/send_local, kernel/ancillary.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

policy ports <<END
  - id: no_port
    expression: connect.addr.port == 9
    actions:
      - block: {errno: EPERM}
END
policy others <<END
  - id: no_docker
    expression: connect.addr.path in ["/run/docker.sock", "@nobody"]
    actions:
      - block: {errno: EPERM}
END
policy own <<END
  - id: none_of_these
    expression: connect.addr.path =~ "$work/sockets/*" || connect.addr.path =~ "@guard-$$-*"
    actions:
      - block: {errno: EPERM}
END
mkdir sockets
guarded() { timeout 60 "$guard" run -q -p "$work/$1.policy" -o "file:$work/events" -- "${@:2}"; }
has() { command -v "$1" >/dev/null; }
# as_ever NAME COMMAND...: the same words and status without guard, and under each rule
# that is about something else.
as_ever()
{
	local native under policy
	native=$("${@:2}" 2>&1; echo "status $?")
	for policy in ports others; do
		under=$(guarded "$policy" "${@:2}" 2>&1; echo "status $?")
		check "$1: as without guard, $policy" test "$native" = "$under"
		[ "$native" = "$under" ] || diff <(echo "$native") <(echo "$under") | sed 's/^/# /'
	done
}
# refused NAME PATTERN COMMAND...: under the rule about it COMMAND says PATTERN and fails.
refused()
{
	local said status
	rm -f events
	said=$(guarded own "${@:3}" 2>&1)
	status=$?
	check "$1: refused by its rule" test "$status" -ne 0
	check "$1: and says so" says_it "$2" "$said"
	check "$1: which is reported" events events 'map(select(.guard.verdict == "blocked")) | length >= 1'
}

says_it() { grep -q -e "$1" <<<"$2" || { echo "$2"; return 1; }; }

if has curl && has socat; then
	cat >docker <<'END'
#!/bin/bash
read -r line
printf 'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nOK\n'
END
	chmod +x docker
	start socat "UNIX-LISTEN:$work/sockets/docker,fork" "EXEC:$work/docker"
	eventually test -S sockets/docker || exit 99
	as_ever "curl --unix-socket" curl -sS --unix-socket sockets/docker http://localhost/_ping
	refused "curl --unix-socket" "connect" curl -sS --unix-socket sockets/docker http://localhost/_ping

	start socat "ABSTRACT-LISTEN:guard-$$-X99,fork" "SYSTEM:echo display"
	x_answers() { [ "$(socat -u "ABSTRACT-CONNECT:guard-$$-X99" -)" = display ]; }
	eventually x_answers || exit 99
	as_ever "an abstract display" socat -u "ABSTRACT-CONNECT:guard-$$-X99" -
	refused "an abstract display" "Operation not permitted" socat -u "ABSTRACT-CONNECT:guard-$$-X99" -
else
	skip "curl --unix-socket" "curl or socat is not installed"
fi

if has ssh-agent && has ssh-add; then
	start ssh-agent -D -a "$work/sockets/agent"
	eventually test -S sockets/agent || exit 99
	export SSH_AUTH_SOCK=$work/sockets/agent
	as_ever "ssh-add" ssh-add -l
	refused "ssh-add" "Operation not permitted" ssh-add -l
else
	skip "ssh-add" "ssh is not installed"
fi

if has dbus-daemon && has dbus-send; then
	start dbus-daemon --session --nofork --nopidfile "--address=unix:path=$work/sockets/bus"
	eventually test -S sockets/bus || exit 99
	# the bus asks the kernel who it is that calls; names of connections are counted on
	ask() { dbus-send "--bus=unix:path=$work/sockets/bus" --print-reply=literal --dest=org.freedesktop.DBus / "$@"; }
	export -f ask
	export work
	as_ever "dbus-send" bash -c 'ask org.freedesktop.DBus.GetConnectionUnixUser string:org.freedesktop.DBus'
	as_ever "dbus-send --type=method_call" bash -c 'ask org.freedesktop.DBus.NameHasOwner string:org.freedesktop.DBus'
	refused "dbus-send" "" bash -c 'ask org.freedesktop.DBus.ListNames'
	if has gdbus; then
		call() { gdbus call --address "unix:path=$work/sockets/bus" -d org.freedesktop.DBus -o / -m "$@"; }
		export -f call
		# a program of several threads, which sends what it has in messages
		as_ever "gdbus" bash -c 'call org.freedesktop.DBus.GetConnectionUnixUser org.freedesktop.DBus'
	else
		skip "gdbus" "gdbus is not installed"
	fi
else
	skip "dbus-send" "dbus is not installed"
fi

if has logger; then
	start "$t_do" serve-unix dgram "$work/sockets/log" log.count log.seen
	eventually test -s log.count || exit 99
	as_ever "logger" logger -d -u "$work/sockets/log" hello
	eventually test "$(cat log.count)" -ge 3
	check "logger: the log knows the program's pid" grep -q "^message pid [1-9]" log.seen
	refused "logger" "" logger -d -u "$work/sockets/log" --socket-errors=on hello
else
	skip "logger" "logger is not installed"
fi

if has tmux; then
	# each client hands its terminal to the server
	cat >terminals <<'END'
#!/bin/bash
tmux -f /dev/null -S sockets/tmux new-session -d -s one cat && tmux -S sockets/tmux new-window -t one: cat &&
	tmux -S sockets/tmux list-windows -t one: -F '#{session_name} #{window_index}'
tmux -S sockets/tmux kill-server
END
	chmod +x terminals
	as_ever "tmux" ./terminals
else
	skip "tmux" "tmux is not installed"
fi

cat >hand-over.py <<'END'
# processes hand each other open files: multiprocessing, asyncio, socket.send_fds
import asyncio, multiprocessing, os, socket

def child(connection):
    with os.fdopen(multiprocessing.reduction.recv_handle(connection)) as f:
        connection.send(f.readline())

async def echo():
    async def serve(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()
    server = await asyncio.start_unix_server(serve, "sockets/echo")
    reader, writer = await asyncio.open_unix_connection("sockets/echo")
    writer.write(b"echo\n")
    print(await reader.readline())
    writer.close()
    server.close()

if __name__ == "__main__":
    multiprocessing.set_start_method("forkserver")
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=child, args=(theirs,))
    process.start()
    with open("hand-over.py") as f:
        multiprocessing.reduction.send_handle(ours, f.fileno(), process.pid)
        print(ours.recv())
    process.join()
    a, b = socket.socketpair()
    with open("/etc/hostname") as f:
        socket.send_fds(a, [b"one"], [f.fileno(), 0])
    data, fds, flags, address = socket.recv_fds(b, 10, 5)
    print(data, len(fds), os.readlink(f"/proc/self/fd/{fds[0]}"))
    asyncio.run(echo())
END
as_ever "python: files handed over" /usr/bin/python3 hand-over.py
check "python: it works at all" grep -q "/etc/hostname" <(/usr/bin/python3 hand-over.py)
finish
