#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file server that does not answer holds up nobody but who asks it, and that one
# not beyond the deadline. Exercises engine/exec, kernel/worker, kernel/resolve.
if [ -z "${FUSE_NAMESPACE:-}" ] && unshare -m true 2>/dev/null; then
	FUSE_NAMESPACE=own exec unshare -m --propagation private bash "$0" "$@"
fi
. "${srcdir:-.}/tests/live/tap.sh"
[ "${FUSE_NAMESPACE:-}" = own ] || skip_all "no mount namespace of one's own here"
[ -c /dev/fuse ] || skip_all "needs /dev/fuse"
need jq

mkdir mount
# what hangs in the server cannot be removed before it is gone
trap 'umount -l "$work/mount"; tap_leave' EXIT
start "$t_do" serve-fuse "$work/mount" "$t_do_static" mounted
mounted() { [ -e mounted ] || ! kill -0 "$!" 2>/dev/null; }
eventually mounted || exit 99
[ -e mounted ] || skip_all "FUSE cannot be mounted: $(tail -n 1 .background)"

policy hang <<END
  - id: shut
    expression: exec.file.name == "shut"
    actions:
      - block: {errno: EPERM}
END
guarded() { rm -f events; timeout -s KILL 120 "$guard" run -q -p hang.policy -o "file:$work/events" "$@"; }
milliseconds() { # LOW HIGH COMMAND...: it takes so long
	local before after
	before=$(date +%s%N)
	"${@:3}"
	after=$((($(date +%s%N) - before) / 1000000))
	[ "$after" -ge "$1" ] && [ "$after" -le "$2" ] || { echo "took $after ms"; return 1; }
}

# the first look: the file does not come to light
check "an exec that cannot be judged in time is refused" prints "errno EPERM" \
	guarded -- "$t_do" execve "$work/mount/hang"
check "and reported with the reason" events events \
	'map(select(.guard.reason == "deadline" and .guard.verdict == "blocked")) | length == 1'
check "at the deadline" milliseconds 4500 30000 guarded -- "$t_do" execve "$work/mount/hang"

# more of them than one process may have workers, and others besides
cat >many <<'END'
#!/bin/bash
for i in {1..40}; do "$t_do" execve "$1/hang" >/dev/null & done
/bin/echo on
wait
END
chmod +x many
export t_do
check "forty hang and others go on" prints on guarded -- ./many "$work/mount"

# a server that does not say what it is
check "a program on a server without STATFS runs" exits 7 \
	guarded -- "$t_do" execve "$work/mount/x" status 7

# a first line that cannot be read may name any interpreter
policy script <<END
  - id: shut
    expression: exec.interpreter.file.name == "shut"
    actions:
      - block: {errno: EPERM}
END
scripted() { rm -f events; timeout -s KILL 120 "$guard" run -q -p script.policy -o "file:$work/events" "$@"; }
check "without guard it does not run for the kernel either" prints "errno EIO" "$t_do" execve "$work/mount/broken"
check "a file that cannot be read is no file without a first line" prints "errno EPERM" \
	scripted -- "$t_do" execve "$work/mount/broken"
check "one that can be runs" exits 7 scripted -- "$t_do" execve "$work/mount/x" status 7
finish
