# SPDX-License-Identifier: GPL-3.0-or-later
# clients.sh - real clients of real servers, for the tests of that name: without
# guard, with the default policy, and with one that refuses one of two ports. The two
# ports lead to the same server; how often somebody came is counted there.
# shellcheck shell=bash
. "${srcdir:-.}/tests/live/tap.sh"
need jq python3

# relays PORT: `open` and `shut` become ports that lead to PORT.
relays()
{
	cat >relay.py <<'END'
import socket, sys, threading

def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass

def serve(listener, name, target):
    count = 0
    while True:
        client, _ = listener.accept()
        count += 1
        with open(f"{name}.count", "w") as f:
            f.write(str(count))
        server = socket.create_connection(("127.0.0.1", target))
        for pair in (client, server), (server, client):
            threading.Thread(target=pump, args=pair, daemon=True).start()

threads = []
for name in "open", "shut":
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    with open(f"{name}.count", "w") as f:
        f.write("0")
    threads.append(threading.Thread(target=serve, args=(listener, name, int(sys.argv[1]))))
    threads[-1].start()
    with open(f"{name}.port", "w") as f:
        f.write(str(listener.getsockname()[1]))
END
	rm -f ./*.port # of those before
	start python3 relay.py "$1"
	eventually test -s open.port -a -s shut.port || exit 99
	ports "$(cat open.port)" "$(cat shut.port)"
}

# ports OPEN SHUT: the policy refuses SHUT.
ports()
{
	open=$1
	shut=$2
	policy clients <<-END
	  - id: no_port
	    expression: connect.addr.port == $shut && connect.addr.ip == 127.0.0.1
	    actions:
	      - block: {errno: EPERM}
	END
}

# free_port: one at which nobody listens now.
free_port()
{
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# What a client runs under: natively, by the default policy, by the refusing one.
under=()
natively() { under=(); "$@"; }
by_default() { under=("$guard" run -q -o file:/dev/null --); "$@"; }
by_policy()
{
	rm -f "$work/events"
	under=("$guard" run -q -p "$work/clients.policy" -o "file:$work/events" --)
	"$@"
}

# same FILE COMMAND...: COMMAND succeeds and says what is in FILE.
same()
{
	local file=$1
	shift
	"$@" >said 2>complaint || { echo "status $?"; cat said complaint; return 1; }
	cmp "$file" said || { diff "$file" said | head -n 20; return 1; }
}
is_refused() # PATTERN FUNCTION
{
	local before status
	before=$(cat shut.count)
	by_policy "$2" "$shut" >said 2>&1
	status=$?
	[ "$status" -ne 0 ] || { echo "it succeeds"; cat said; return 1; }
	grep -Eq -e "$1" said || { echo "no line like $1"; cat said; return 1; }
	verdict_is_there || return
	# they are counted in the order in which they come
	"$t_do" connect 127.0.0.1 "$shut" >/dev/null
	eventually comes_after "$before" || return
	[ "$(cat shut.count)" -eq $((before + 1)) ] || { echo "somebody came"; return 1; }
}
verdict_is_there() { events events 'map(select(.guard.verdict == "blocked" and .agent.rule_id == "no_port")) | length >= 1'; }
comes_after() { [ "$(cat shut.count)" -gt "$1" ]; }

# client NAME PATTERN FUNCTION: FUNCTION PORT runs "${under[@]}" and a client; refused,
# it complains with PATTERN.
client()
{
	natively "$3" "$open" >native 2>complaint
	check "$1: without guard there is an answer" test -s native
	check "$1: without guard at the other port, too" same native natively "$3" "$shut"
	check "$1: by the default policy the same" same native by_default "$3" "$open"
	check "$1: at the allowed port the same" same native by_policy "$3" "$open"
	check "$1: at the refused port an error, and nobody came" is_refused "$2" "$3"
}
