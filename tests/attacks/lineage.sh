#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Rules about who a process is (process.file, process.argv, process.euid) against
# processes that guard meets late: orphans, children of parents that have become
# something else, threads without a leader, arguments beyond any size. The server
# that must not be reached counts. Exercises engine/proctab, engine/imagepool.
. "${srcdir:-.}/tests/live/tap.sh"

start "$t_do" serve-tcp 127.0.0.1 port count
eventually test -s port || exit 99
port=$(cat port)
reached() { cat count; }
more_than() { [ "$(reached)" -gt "$1" ]; }
cp "$t_do" evil
cat >evil.sh <<END
#!/bin/bash
# as itself, as an orphan, and as the child of a script that it becomes
case \$1 in
direct) true 3<>/dev/tcp/127.0.0.1/$port ;;
orphan)
	# the middle one is dead when its parent goes on
	( ( until [ -e gone ]; do :; done; true 3<>/dev/tcp/127.0.0.1/$port; echo \$? >late ) & )
	: >gone
	;;
reexec)
	( until [ -e became ]; do :; done; true 3<>/dev/tcp/127.0.0.1/$port; echo \$? >late ) &
	exec ./good.sh
	;;
esac 2>/dev/null
END
printf '#!/bin/bash\n: >became\nuntil [ -s late ]; do :; done\n' >good.sh
chmod +x evil.sh good.sh
policy who <<END
  - id: script
    expression: connect.addr.port == $port && process.file.name == "evil.sh"
    actions:
      - block: {errno: EPERM}
  - id: program
    expression: connect.addr.port == $port && process.file.path == "$work/evil"
    actions:
      - block: {errno: EPERM}
  - id: arguments
    expression: connect.addr.port == $port && process.argv in ["--pool", "connect-child-of-another"]
    actions:
      - block: {errno: EPERM}
  - id: user
    expression: connect.addr.port == $port && process.euid == 1234
    actions:
      - block: {errno: EPERM}
END
guarded()
{
	rm -f late became gone
	timeout 180 "$guard" run -q -p who.policy -o "file:$work/events" -- "$@"
}

# refused NAME COMMAND...: natively the server is reached by it, under guard it is not.
refused()
{
	local name=$1 before
	shift
	before=$(reached)
	rm -f late became gone
	"$@" >/dev/null 2>&1
	check "$name: reaches the server without guard" eventually more_than "$before"
	before=$(reached)
	guarded "$@" >said 2>&1
	sleep 0.1 # what would still be in the listener's queue
	check "$name: not under guard" test "$(reached)" = "$before"
}

refused "a program" ./evil connect-plainly "$port"
refused "an orphan" ./evil connect-orphan "$port" late
refused "a thread without its leader" ./evil connect-without-leader "$port"
refused "a script" ./evil.sh direct
refused "an orphan of a script" ./evil.sh orphan
refused "a child whose script became another" ./evil.sh reexec
refused "a child whose program became another" "$t_do" connect-child-of-another "$port" late /bin/sleep 0.3
refused "an argument behind a megabyte" "$t_do" with-padding 1100000 "$t_do" connect-plainly "$port" --pool
if [ "$(id -u)" = 0 ]; then
	refused "a thread with an id of its own" "$t_do" connect-thread-euid "$port" 1234
else
	skip "a thread with an id of its own" "needs root to change it"
fi
if setarch -R true 2>/dev/null; then
	refused "an orphan of a script, at addresses that are not random" setarch -R ./evil.sh orphan
	refused "an orphan, at addresses that are not random" setarch -R ./evil connect-orphan "$port" late
else
	skip "addresses that are not random" "personality(2) does not allow it"
fi
if command -v strace >/dev/null; then
	refused "a script whose exec could not be verified" strace -f -o /dev/null ./evil.sh direct
else
	skip "a script whose exec could not be verified" "strace is not installed"
fi

# others are not taken for it
allowed()
{
	local before
	before=$(reached)
	guarded "$@" >said 2>&1
	eventually more_than "$before"
}
check "another program is let through" allowed "$t_do" connect-plainly "$port"
check "its orphan too" allowed "$t_do" connect-orphan "$port" late
check "a thread of it without leader too" allowed "$t_do" connect-without-leader "$port"
check "no vector is forged" not grep -q forged <(guarded "$t_do" connect-forged-vector "$port")

# a new supervisor knows what the one before it saw
cat >patient.sh <<END
#!/bin/bash
( until [ -e go ]; do :; done; true 3<>/dev/tcp/127.0.0.1/$port; echo \$? >late ) 2>/dev/null &
: >waiting
wait
END
mkdir there && cp patient.sh there/evil.sh
chmod +x patient.sh there/evil.sh
has_another() { grep -q supervisor_restarted events && [ -n "$(supervisor_of "$1")" ]; }
after_restart() # COMMAND
{
	local pid
	rm -f go waiting late events
	"$guard" run -q -p who.policy -o "file:$work/events" -- "$@" &
	pid=$!
	eventually test -e waiting || return
	kill -KILL "$(supervisor_of "$pid")"
	eventually has_another "$pid" || return
	: >go
	wait "$pid"
	[ -s late ]
}
before=$(reached)
check "the supervisor dies while a script waits" after_restart there/evil.sh
check "its child is still known for what it is" test "$(reached)" = "$before"
check "and so while another one waits" after_restart ./patient.sh
check "which is still let through" eventually more_than "$before"
finish
