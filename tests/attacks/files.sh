#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A workload that runs as root changes guard's files under a running guard: program,
# policy, configuration, event log. Guard goes on as it started, and says what became of
# its log. Exercises record/spawn (recorder_pin), record/sink_file, engine/keeper.
. "${srcdir:-.}/tests/live/tap.sh"
need jq
reachable_by_all
cp "$t_do_static" refused

write_policy() # NAME ERRNO
{
	policy "$1" <<-END
		  - id: refuse
		    expression: exec.file.path == "$work/refused"
		    actions:
		      - block: {errno: $2}
	END
}
write_policy strict EPERM
: >guard.conf

# the workload does what it is told by files, one word each, and says when it is done
cat >tampering <<'END'
#!/bin/bash
while [ ! -e "$work/end" ]; do
	for word in replace overwrite try truncate remove; do
		[ -e "$work/do-$word" ] || continue
		case $word in
		replace)
			printf '#!/bin/sh\ntouch "%s/replaced"\n' "$work" >evil && chmod 755 evil
			mv evil "$work/bin/guard-recorder"
			printf 'rules:\n' >strict.policy
			printf '[protection]\nactive = off\n' >guard.conf
			;;
		overwrite)
			printf '#!/bin/sh\ntouch "%s/replaced"\n' "$work" | dd of="$work/bin/guard-recorder" conv=notrunc status=none
			;;
		try) "$t_do" execve "$work/refused" status 0 >said ;;
		truncate) : >events ;;
		remove) rm -f events ;;
		esac
		rm -f "$work/do-$word"
	done
	sleep 0.02
done
END
chmod +x tampering
export work t_do
tell() { : >"do-$1" && eventually test ! -e "do-$1"; }
begin() # [SINK]
{
	rm -f end events other said
	start "$guard" run -q --config guard.conf -p strict.policy -o "file:$work/events" "$@" -- ./tampering
	guard_pid=$!
	tell try
}
end() { : >end; wait "$guard_pid"; }
another_than() { [ "$("$1" "$2" 2>/dev/null | tail -n 1)" ] && [ "$(started_at "$("$1" "$2")")" != "$3" ]; }
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }
end_one() # recorder_of|supervisor_of: another has followed
{
	local pid since

	pid=$("$1" "$guard_pid")
	since=$(started_at "$pid")
	kill -KILL "$pid"
	eventually another_than "$1" "$guard_pid" "$since"
}

for how in replace overwrite; do
	begin
	check "$how: a rule is enforced" grep -q EPERM said
	tell "$how"
	check "$how: another recorder is started" end_one recorder_of
	check "$how: and another supervisor" end_one supervisor_of
	rm -f said
	tell try
	check "$how: the rule is still enforced" grep -q EPERM said
	end
	check "$how: and reported by the recorder that was there" verdicts events refuse blocked 2
	check "$how: what took its place never ran" test ! -e replaced
	cp "$builddir/guard-recorder" bin/guard-recorder
	write_policy strict EPERM
	: >guard.conf
done

# the log is the workload's to spoil where it is root, but not without a word
for how in truncate remove; do
	: >.background
	begin -o "file:$work/other"
	tell "$how"
	tell try
	end
	check "$how: the other sink has the event" internal other "map(select(.agent.rule_id == \"sink_damaged\" and .guard.sink == \"file:$work/events\")) | length == 1 and (.[0].guard.damage | startswith(\"$how\"))"
	check "$how: and all that was refused" verdicts other refuse blocked 2
	check "$how: it is said on standard error" grep -q "sink file:$work/events: was $how" .background
done
begin -o "file:$work/other"
tell truncate
end
check "what is emptied last is seen, too" internal other 'any(.agent.rule_id == "sink_damaged")'
check "and stands in the file itself" internal events 'any(.agent.rule_id == "sink_damaged")'
begin
end
check "a log that nobody touches is in order" internal events 'all(.agent.rule_id != "sink_damaged")'
check "it is for guard's user alone" prints 600 stat -c %a events

if [ "$(id -u)" -eq 0 ]; then
	chmod 777 .
	others() { "$guard" run -q -p strict.policy --user nobody -o "file:$work/events" -- sh -c 'cat events || : >events' 2>/dev/null; }
	check "another user can neither read nor empty it" not others
fi
finish
