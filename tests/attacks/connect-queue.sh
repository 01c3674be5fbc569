#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# connect: many that wait, few threads to wait in, callers that cannot be read.
# Exercises engine/connect, kernel/worker.
. "${srcdir:-.}/tests/live/tap.sh"
[ "$(id -u)" -eq 0 ] || skip_all "other users need root"
need setpriv
# one that every user may run
python=/usr/bin/python3
need "$python"

start "$t_do" serve-tcp 127.0.0.1 open.port open.count
start "$t_do" serve-full 127.0.0.1 full.port
for file in open full; do
	eventually test -s "$file.port" || exit 99
done
open=$(cat open.port) full=$(cat full.port)
policy queue <<END
  - id: shut
    expression: connect.addr.port == 9
    actions:
      - block: {errno: EPERM}
END
chmod 644 queue.policy
guarded() { timeout -s KILL 180 "$guard" run -q -p queue.policy "$@"; }
# of a number that nobody else has: limits count per user
unprivileged() { setpriv --reuid 64321 --regid 64321 --clear-groups -- "$@"; }
export -f unprivileged

cat >threads.py <<'END'
# as many threads as the limit allows, all of which connect at once
import socket, sys, threading
gate, done, lock = threading.Event(), [], threading.Lock()
def one():
    gate.wait()
    s = socket.socket()
    s.connect(("127.0.0.1", int(sys.argv[1])))
    with lock:
        done.append(1)
threads = []
try:
    while len(threads) < 100:
        t = threading.Thread(target=one, daemon=True)
        t.start()
        threads.append(t)
except RuntimeError:
    pass
gate.set()
for t in threads:
    t.join(20)
print("all" if len(done) == len(threads) > 5 else f"{len(done)} of {len(threads)}")
END
few_threads()
{
	unprivileged bash -c "ulimit -u 40; exec timeout -s KILL 120 '$guard' run -q -p queue.policy -- $python threads.py $open"
}
check "without a thread for each, all connect" prints all few_threads

# many processes whose connects hang
cat >crowd <<'END'
#!/bin/bash
# crowd PROCESSES COUNT FULL OPEN: what others get meanwhile, and how fast
pids=()
for ((i = 0; i < $1; i++)); do
	rm -f "ready$i"
	"$t_do" hang "$2" "$3" "ready$i" &
	pids+=($!)
done
for ((i = 0; i < $1; i++)); do
	until [ -s "ready$i" ]; do sleep 0.05; done
done
"$t_do" connect 127.0.0.1 "$4" # behind all of theirs
before=$(date +%s%N)
"$t_do" connect 127.0.0.1 "$4"
"$t_do" connect-nonblock 127.0.0.1 "$4" | tail -n 1
/bin/echo exec
took=$((($(date +%s%N) - before) / 1000000))
[ "$took" -lt 30000 ] || echo "took $took ms"
kill -KILL "${pids[@]}"
END
chmod +x crowd
export t_do
check "three processes with 400 hanging connects each delay nobody" \
	prints $'ok\nok\nok\nexec' guarded -- ./crowd 3 400 "$full" "$open"

# a caller that cannot be read: refused where something can be refused, else none of guard's
cat >closed.py <<'END'
import ctypes, errno, socket, sys
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    print("ok")
except OSError as e:
    print(errno.errorcode[e.errno])
END
as_user() { unprivileged timeout 120 "$guard" run -q -p queue.policy "$@"; }
check "an unreadable caller is refused" prints EPERM as_user -- "$python" closed.py "$open"
check "but not by a guard that only watches" prints ok as_user -m monitor -- "$python" closed.py "$open"

# connects that wait in the queue have their time limits, too
cat >limits.py <<'END'
import errno, socket, struct, sys, threading, time
full, count, said = int(sys.argv[1]), int(sys.argv[2]), []
def one(limit):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", limit, 0))
    before = time.monotonic()
    try:
        s.connect(("127.0.0.1", full))
    except OSError as e:
        said.append((errno.errorcode[e.errno], time.monotonic() - before < 15))
for i in range(count):
    threading.Thread(target=one, args=(30,), daemon=True).start()
time.sleep(1)
last = [threading.Thread(target=one, args=(2,), daemon=True) for i in range(20)]
for t in last:
    t.start()
for t in last:
    t.join(20)
print(len(said), set(said))
END
check "a time limit holds in the queue as well" prints "20 {('EINPROGRESS', True)}" \
	guarded -- "$python" limits.py "$full" 300
# the ring has room for them; threads have not, and they wait in the journal alone
in_threads() { timeout -s KILL 60 "$t_do" without io_uring "$guard" run -q -p queue.policy "$@"; }
check "and without a ring" prints "20 {('EINPROGRESS', True)}" in_threads -- "$python" limits.py "$full" 300

# signals that another thread takes disturb nobody who waits
cat >siblings.py <<'END'
import os, signal, socket, sys, threading, time
signal.signal(signal.SIGALRM, lambda *a: None)
said = []
def one():
    said.append(socket.socket().connect_ex(("127.0.0.1", int(sys.argv[1]))))
for i in range(8):
    threading.Thread(target=one, daemon=True).start()
signal.setitimer(signal.ITIMER_REAL, .003, .003)
end = time.monotonic() + 3
while time.monotonic() < end:
    sum(range(2000))
print(said, flush=True)
os._exit(0)
END
check "a signal taken by another thread" prints "[]" guarded -- "$python" siblings.py "$full"

# the first thread takes none: each goes to one of the others, and only the kernel knows
# which. That one starts its connect again, and so does nobody else.
cat >chosen.py <<'END'
import os, select, signal, socket, sys, threading
taken, said = 0, []
r, w = os.pipe()
os.set_blocking(w, False)
signal.set_wakeup_fd(w)  # written to in the thread that takes the signal
signal.signal(signal.SIGALRM, lambda *a: None)
signal.siginterrupt(signal.SIGALRM, False)
def one():
    said.append(socket.socket().connect_ex(("127.0.0.1", int(sys.argv[1]))))
for i in range(8):
    threading.Thread(target=one, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
signal.setitimer(signal.ITIMER_REAL, .1, .1)
while taken < 10 and select.select([r], [], [], 60)[0]:
    taken += len(os.read(r, 1))
print(said, taken, flush=True)
os._exit(0)
END
check "without guard: whoever is chosen for a signal goes on waiting" \
	prints "[] 10" "$python" chosen.py "$full"
check "whoever is chosen for a signal goes on waiting" \
	prints "[] 10" guarded -- "$python" chosen.py "$full"
finish
