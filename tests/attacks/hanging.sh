#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Connects that hang: what the others get beside them, what is left when their callers
# are killed, and what they come to when the supervisor is. Exercises engine/connect_wait,
# engine/connect_ring, kernel/ring, engine/start.
. "${srcdir:-.}/tests/live/tap.sh"
need python3
# it does not look for leaks under a tracer, and would say so by its status
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

start "$t_do" serve-full 127.0.0.1 full.port
eventually test -s full.port || exit 99
full=$(cat full.port)
policy hanging <<END
  - id: shut
    expression: connect.addr.port == 9
    actions:
      - block: {errno: EPERM}
END
# in how many rounds, and what else the slowest may take where others use the machine
rounds=4 samples=250 deaths=1000 patience=20000
[ "${TIER:-}" = full ] && rounds=40 samples=1000 patience=100
guarded=(timeout -k 5 120 "$guard" run -q -p hanging.policy --)

# beside WHAT HOW HANGING: others are not slowed down by more than half. The median of
# what is measured in turn is sharp; of the slowest one in a hundred a busy machine
# decides, so it gets some room, and three tries.
beside()
{
	"${guarded[@]}" "$t_do" pace "$@" "$full" "$rounds" "$samples" >pace.said || return
	sed "s/^/# $1 beside $3 $2, µs of 50, 90, 99 %: /" pace.said | tee -a paces
	awk -v patience="$patience" '{ median[NR] = $2; slowest[NR] = $4 }
		END { exit !(NR == 2 && median[2] <= 1.5 * median[1] + 30 &&
			slowest[2] <= 1.5 * slowest[1] + patience) }' pace.said
}
thrice() { "$@" || "$@" || "$@"; }
while read -r what how hanging; do
	check "$what keeps its pace beside $hanging $how that hang" thrice beside "$what" "$how" "$hanging"
done <<END
connect threads 100
connect processes 200
exec processes 100
END
cat paces

# killed callers: nothing of them stays with the supervisor, neither a socket nor a timer
# that looks after them
cat >killed <<'END'
#!/bin/bash
"$t_do" hang-and-die 5 4 "$full" >/dev/null
: >warm
until [ -e go ]; do sleep 0.02; done
"$t_do" hang-and-die "$deaths" 4 "$full"
: >killed.done
until [ -e enough ]; do sleep 0.02; done
END
chmod +x killed
export t_do full deaths
sockets() { find "/proc/$supervisor/fd" -lname 'socket:*' | wc -l; }
# of its timers the one that looks after them repeats, and the one of heartbeats does not
timers() { grep -h '^it_interval' "/proc/$supervisor/fdinfo/"* 2>/dev/null; }
is_idle() { timers | grep -q . && ! timers | grep -qv '^it_interval: (0, 0)'; }
has_at_most() { [ "$(sockets)" -le "$1" ]; }
if [ "$(id -u)" -eq 0 ]; then
	start "${guarded[@]}" ./killed
	timeout_pid=$!
	eventually test -e warm
	supervisor=$(supervisor_of "$(children "$timeout_pid" | grep -oE '^[0-9]+')")
	check "nothing waits any more" eventually is_idle
	before=$(sockets)
	: >go
	for _ in 1 2 3 4 5; do
		eventually test -e killed.done && break
	done
	check "$deaths times callers were killed, and their calls are over" eventually is_idle
	check "no socket of theirs is left" eventually has_at_most "$before"
	: >enough
	check "and all were killed" eventually grep -q "rounds $deaths" .background
else
	skip "what killed callers leave behind" "only root looks into guard"
fi

# the supervisor is killed: a server that is full for now, and half a hundred who wait
cat >server.py <<'END'
import os, socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(0)
port = s.getsockname()[1]
fill = [socket.socket() for i in range(4)]
for f in fill:
    f.setblocking(False)
    f.connect_ex(("127.0.0.1", port))
with open("late.new", "w") as f:
    f.write(str(port))
os.rename("late.new", "late.port")
while not os.path.exists("late.open"):
    time.sleep(.02)
s.listen(256)
kept = []
while True:
    kept.append(s.accept())
END
cat >waiters.py <<'END'
# each says what its connect came to; some have a time limit, some are interrupted
import collections, errno, os, signal, socket, struct, sys, threading, time
port, words, lock = int(open("late.port").read()), collections.Counter(), threading.Lock()
TCP_INFO, SYN_SENT = 11, 2
def wait(s, kind):
    error = s.connect_ex(("127.0.0.1", port))
    with lock:
        words[kind, errno.errorcode.get(error, "ok")] += 1
threads, sockets = [], []
for i in range(50):
    s = socket.socket()
    kind = "limited" if i % 5 == 0 else "plain"
    if kind == "limited":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 3600, 0))
    sockets.append(s)
    threads.append(threading.Thread(target=wait, args=(s, kind), daemon=True))
for t in threads:
    t.start()
while any(s.getsockopt(socket.IPPROTO_TCP, TCP_INFO, 1)[0] != SYN_SENT for s in sockets):
    time.sleep(.02)
open("waiting", "w").close()
for t in threads:
    t.join(60)
print(sorted(words.items()))
END
late() # [COMMAND]...
{
	local keeper=
	rm -f late.port late.open waiting late.said
	start python3 server.py
	eventually test -s late.port || return
	start "$@" bash -c 'python3 waiters.py >late.new; mv late.new late.said'
	timeout_pid=$!
	eventually test -e waiting || return
	if [ "$1" = timeout ]; then
		keeper=$(children "$timeout_pid" | grep -oE '^[0-9]+')
		for _ in 1 2 3; do
			killed "$keeper" || return
		done
	fi
	: >late.open
	eventually test -e late.said || eventually test -e late.said
	cat late.said
}
# killed KEEPER: its supervisor is, and there is another one, which may have its number
killed()
{
	local supervisor before
	supervisor=$(supervisor_of "$1") && before=$(began "$supervisor") || return
	kill -KILL "$supervisor"
	eventually has_another "$1" "$before"
}
has_another() { supervisor=$(supervisor_of "$1") && [ "$(began "$supervisor")" != "$2" ]; }
began() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
all="[(('limited', 'ok'), 10), (('plain', 'ok'), 40)]"
check "without guard all get in" prints "$all" late env
check "with a supervisor that is killed three times as well" prints "$all" late "${guarded[@]}"

# it is killed when it has connected and not yet said so
start "$t_do" serve-tcp 127.0.0.1 open.port open.count
eventually test -s open.port || exit 99
open=$(cat open.port)
cat >done <<'END'
#!/bin/bash
: >done.ready
until [ -e done.go ]; do sleep 0.02; done
"$t_do" connect-again 127.0.0.1 "$open" >done.new
mv done.new done.said
END
chmod +x done
export open
traced() { grep -q '^TracerPid:.[1-9]' "/proc/$1/status"; }
reached_once() { [ "$(cat open.count)" -eq 1 ]; }
between()
{
	local keeper supervisor
	start "${guarded[@]}" ./done
	timeout_pid=$!
	eventually test -e done.ready || return
	keeper=$(children "$timeout_pid" | grep -oE '^[0-9]+')
	supervisor=$(supervisor_of "$keeper") || return
	start strace -qq -o /dev/null -p "$supervisor" -e trace=io_uring_enter \
		-e inject=io_uring_enter:delay_exit=1500000:when=1
	eventually traced "$supervisor" || return
	: >done.go
	eventually reached_once || return
	kill -KILL "$supervisor"
	eventually test -e done.said || return
	cat done.said
	eventually reached_once || echo "it was reached $(cat open.count) times"
}
if command -v strace >/dev/null && [ "$(id -u)" -eq 0 ] && "$guard" doctor | grep -q '^io_uring  *yes'; then
	check "one that was made is made no second time, and the next is told so" \
		prints $'ok\nerrno EISCONN\nok' between
else
	skip "a supervisor killed between deed and answer" "needs strace, root and io_uring"
fi

# it is killed again and again while connects are made as fast as may be
cat >storm.py <<'END'
import collections, errno, os, socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(64)
words = collections.Counter()
open("storming", "w").close()
while not os.path.exists("calm"):
    c = socket.socket()
    words[errno.errorcode.get(c.connect_ex(s.getsockname()), "ok")] += 1
    try:
        words["again " + errno.errorcode.get(c.connect_ex(s.getsockname()), "ok")] += 1
        if c.getpeername() != s.getsockname():
            words["somebody else"] += 1
    except OSError as e:
        words["no peer"] += 1
    s.accept()[0].close()
    c.close()
words.pop("again EISCONN")
print(words.pop("ok") > 100, dict(words))
END
storm()
{
	local keeper
	rm -f storming calm storm.said
	start "${guarded[@]}" bash -c 'python3 storm.py >storm.new; mv storm.new storm.said'
	timeout_pid=$!
	eventually test -e storming || return
	keeper=$(children "$timeout_pid" | grep -oE '^[0-9]+')
	for _ in {1..12}; do
		killed "$keeper" || return
		sleep 0.1
	done
	: >calm
	eventually test -e storm.said
	cat storm.said
}
check "twelve times in a storm of connects: none fails" prints "True {}" storm
finish
