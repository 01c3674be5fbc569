#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# block: {pin: true}: a program that a rule names is refused under any other name, a
# hard link, a bind mount, a new name after a rename; also after an upgrade and by a
# supervisor that took over. Exercises policy/peers.c, engine/pinned.c, kernel/programs.c.
if [ -z "${PIN_NAMESPACE:-}" ] && unshare -m true 2>/dev/null; then
	PIN_NAMESPACE=own exec unshare -m --propagation private bash "$0" "$@"
fi
. "${srcdir:-.}/tests/live/tap.sh"
need jq python3

cp "$(type -P true)" tool
cp "$(type -P true)" other
ln tool link
cp tool copy
mkdir -p deep/er && ln tool deep/er/link
printf 'elsewhere' >bound && chmod 755 bound

# rules NAME BLOCK EXPRESSION
rules() { policy "$1" <<<"  - {id: $1, expression: '$3', actions: [{block: {$2}}]}"; }
rules pinned 'pin: true' "exec.file.path == \"$work/tool\""
rules plain '' "exec.file.path == \"$work/tool\""
rules among 'pin: true' "exec.file.path in [\"$work/nothing\", \"$work/tool\", ~\"/no/**\"]"
rules name 'pin: true' "exec.file.path =~ \"$work/too*\""

# under POLICY COMMAND...: its status; 126 when the exec is refused.
under() { "$guard" run -q -o file:events -p "$work/$1.policy" -- "${@:2}"; }

check "by its name" exits 126 under pinned ./tool
check "a hard link" exits 126 under pinned ./link
check "of another directory" exits 126 under pinned deep/er/link
check "which was executed, by its own path" events events "any(.evt.name == \"exec\" and .guard.verdict == \"blocked\" and .file.path == \"$work/deep/er/link\")"
check "a symbolic link to the hard link" bash -c "ln -sf link sym; '$guard' run -q -p pinned.policy -- ./sym; [ \$? -eq 126 ]"
check "control: without pin the link is another program" under plain ./link
check "control: which the rule still refuses by its name" exits 126 under plain ./tool
check "a copy is another file" under pinned ./copy
check "another program" under pinned ./other
check "in a list" exits 126 under among ./link
if [ "${PIN_NAMESPACE:-}" = own ] && mount --bind tool bound; then
	check "a bind mount" exits 126 under pinned ./bound
	check "control: without pin" under plain ./bound
	umount bound
else
	skip "a bind mount" "needs a mount namespace of its own (root)"
fi


# only rules that say so look at the file: the others see the name that was used
policy mixed <<END
  - {id: pins, expression: 'exec.file.path == "$work/tool"', actions: [{block: {pin: true}}]}
  - {id: names, expression: 'exec.file.path == "$work/tool"'}
END
rm -f events
check "beside a rule without pin" exits 126 under mixed ./link
check "that one is not about the link" events events 'map(.agent.rule_id) == ["pins"]'

# in the run: renamed by the workload itself, then another file in its place
renames='mv tool renamed; ./renamed; echo "renamed $?"; cp other tool; ./tool; echo "tool $?"; ./renamed; echo "again $?"
	ln tool new; ./new; echo "new $?"; ./other; echo "other $?"'
restore() { rm -f new; [ ! -e renamed ] || mv -f renamed tool; }
prints_all() # POLICY TEXT
{
	local said
	said=$("$guard" run -q -p "$1.policy" -- sh -c "$renames" 2>/dev/null | tr '\n' ' ')
	restore
	[ "$said" = "$2" ] || { echo "$said"; return 1; }
}
check "renamed, and what is put in its place" prints_all pinned "renamed 126 tool 126 again 126 new 126 other 0 "
check "control: without pin" prints_all plain "renamed 0 tool 126 again 0 new 0 other 0 "

# the process that runs it, at other events
rules actor 'pin: true' "connect.addr.port == 9 && process.file.path == \"$work/talk\""
cp "$t_do_static" talk && ln talk talk-link
connects() { "$guard" run -q -p actor.policy -- "$@" connect 127.0.0.1 9 2>&1; }
check "at a connect of the link" bash -c "$(declare -f connects); guard='$guard'; connects ./talk-link | grep -q EPERM"
check "control: of another program" bash -c "$(declare -f connects); guard='$guard'; connects '$t_do_static' | grep -q ECONNREFUSED"

# a supervisor that takes over was not there when the path meant the file
if ! sanitized; then
	rm -f go came
	mkfifo go
	"$guard" run -q -p pinned.policy -- sh -c 'mv tool renamed; touch came; read -r x <go; ./renamed; echo $? >status' &
	run=$!
	started+=("$run")
	eventually test -e came
	kill -KILL "$(supervisor_of "$run")"
	eventually supervisor_of "$run" >/dev/null
	echo >go
	wait "$run"
	check "after a restart of the supervisor" test "$(cat status)" = 126
	restore
fi

# guard check
"$guard" check --json pinned.policy >json
check "what is pinned is reported" jq -e ".rules[0].needs.paths == [\"$work/tool\"]" json
"$guard" check --json plain.policy >json
check "what is not is not" jq -e '.rules[0].needs.paths == []' json
"$guard" check --json name.policy >json
check "a pattern pins nothing" jq -e '.rules[0].warnings[0] | startswith("nothing to pin")' json
rules socket 'pin: true' "connect.addr.path == \"$work/sock\""
"$guard" check --json socket.policy >json
check "a socket" jq -e ".rules[0] | .warnings == [] and .needs.paths == [\"$work/sock\"]" json

# sockets are known by any name as it is
serve='import socket; s = socket.socket(socket.AF_UNIX); s.bind("sock"); s.listen(9); open("ready", "w"); [s.accept() for i in range(9)]'
start python3 -c "$serve"
eventually test -e ready
ln sock sock-link
dial='import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])'
check "a hard link of the socket" not "$guard" run -q -p socket.policy -- python3 -c "$dial" sock-link
check "control: without the rule" "$guard" run -q -p plain.policy -- python3 -c "$dial" sock-link

many() { seq -f "\"$work/p%g\"" "$1" | paste -sd, ; }
rules most 'pin: true' "exec.file.path in [$(many 64)]"
rules over 'pin: true' "exec.file.path in [$(many 65)]"
check "64 programs" "$guard" check most.policy
"$guard" check over.policy >text
check "more are an error, not left out" grep -q "more than 64 programs are pinned" text
finish
