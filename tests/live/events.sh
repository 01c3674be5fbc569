#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Events: whatever bytes the workload brings, one valid line each, to every sink.
# Exercises base/jsonw, model/event_json, record/sink_*.
. "${srcdir:-.}/tests/live/tap.sh"
need jq python3

policy all <<END
  - id: all_true
    description: "a description with \"quotes\" and \\\\ and ü"
    expression: exec.file.name =~ "*true*"
    every: 1ns
  - id: refuse_false
    expression: exec.file.name == "false"
    actions:
      - block: {errno: EPERM}
END
run() { "$guard" run -q -p "$work/all.policy" "$@"; }

# Strict: UTF-8 throughout, each line one object, no duplicate keys, no raw controls;
# N of them are events of rules.
valid_lines() # FILE N
{
	python3 - "$1" "$2" <<-'END'
		import json, sys
		def unique(pairs):
		    keys = [k for k, _ in pairs]
		    assert len(keys) == len(set(keys)), keys
		    return dict(pairs)
		data = open(sys.argv[1], "rb").read()
		assert data.endswith(b"\n"), data[-80:]
		lines = data[:-1].split(b"\n")
		events = 0
		for line in lines:
		    text = line.decode("utf-8")
		    assert not any(ord(c) < 32 or ord(c) == 127 for c in text), text
		    assert len(line) <= 131072, len(line)
		    events += "evt" in json.loads(text, object_pairs_hook=unique)
		assert events == int(sys.argv[2]), f"{events} events"
	END
}
every_byte()
{
	local n
	for n in {1..255}; do
		# shellcheck disable=SC2059 # the format is the byte
		/bin/true "$(printf "\\x$(printf %x "$n")")x"
	done
}
export -f every_byte
rm -f events
check "each byte in an argument" run -o file:events -- bash -c every_byte
check "is one valid line each" valid_lines events 255
check "and they can be told apart" events events \
	'map(.process.args[0]) | map(select(. != null)) | unique | length > 120'

mangled=$'tr\xff\n\x1b[31m\u2028"\\true'
cp /bin/true "$work/$mangled"
rm -f events
check "a path of any bytes" run -o file:events -- "./$mangled"
check "a path of any bytes is one valid line" valid_lines events 1
rm -f events
check "an environment of any bytes" env -- $'LD_PRELOAD=\n\xc0\x80\xed\xa0\x80' $'A\xffB=x' \
	"$guard" run -q -p all.policy -o file:events -- /bin/true
check "an environment of any bytes is one valid line" valid_lines events 1
rm -f events
check "a hundred thousand bytes of arguments" run -o file:events -- /bin/true "$(printf '%0100000d' 0)" x
check "is one valid line of bounded length" valid_lines events 1
check "marked as cut" events events '.[0].process.args_truncated == true'
rm -f events
check "three thousand arguments" run -o file:events -- /bin/true $(seq 3000)
check "three thousand arguments are one valid line" valid_lines events 1

# secrets
rm -f events
check "a secret in the arguments" run -o file:events -- /bin/true --password=s3cr3tvalue --access_token s3cr3tvalue
check "is not in the event" not grep -q s3cr3tvalue events
check "but the event is there" valid_lines events 1

# facts of one event
rm -f events
run --service web --tag env=test --tag team=core -o file:events -- bash -c '/bin/true one two; exit 0'
while IFS='|' read -r name filter; do
	check "an event has $name" events events ".[0] | $filter"
done <<'END'
the rule|.agent.rule_id == "all_true"
the policy|.agent.policy_name == "all.policy" and .agent.policy_version == "1.0.0"
the description as title|.title == "a description with \"quotes\" and \\ and ü"
its type and category|.evt.name == "exec" and .evt.category == "Process Activity"
the outcome|.evt.outcome == "Success"
a date of today|.date[:4] | tonumber >= 2024
the program|.process.executable.path | endswith("/true")
its arguments|.process.args == ["one", "two"]
its argv[0]|.process.argv0 | endswith("true")
its parent|.process.parent.executable.path | endswith("/bash")
its user|.usr.id == (env.USER // "root") or .usr.id != ""
the verdict|.guard.verdict == "detected"
the service|.guard.service == "web"
the tags|(.guard.tags | index("env:test")) != null and (.guard.tags | index("team:core")) != null
a number|.guard.seq >= 1
what was lost|.guard.lost == 0
the workload|.guard.workload | test("^[0-9a-f]{8}-[0-9a-f-]{27}$")
END
check "numbers count up" events events 'map(.guard.seq) | . == sort and (unique | length) == length'

# sinks
check "-o - writes to standard output" prints 1 bash -c "'$guard' run -q -p all.policy -o - -- true | grep -c '\"rule_id\":\"all_true\"'"
says_event() { "$@" 2>&1 >/dev/null | grep -q all_true; }
check "-o stderr writes to standard error" says_event run -o stderr -- true
rm -f one two
check "two sinks" run -o file:one -o file:two -- true
check "get the same" cmp one two
check "a file is appended to" run -o file:one -- true
check "and keeps what it had" valid_lines one 2
umask 022
run -o file:fresh -- true
check "a fresh event file is for its owner only" prints 600 stat -c %a fresh

rm -f socket
python3 - <<-'END' &
	import os, socket
	s = socket.socket(socket.AF_UNIX)
	s.bind("socket"); s.listen()
	os.chmod("socket", 0o777)  # who connects is not privileged
	open("listening", "w").close()
	c, _ = s.accept()
	with open("received", "wb") as f:
	    while data := c.recv(65536):
	        f.write(data)
END
receiver=$!
started+=("$receiver")
eventually test -e listening
check "-o unix:PATH" run -o "unix:$work/socket" -- bash -c 'true; /bin/true; /bin/false; exit 0'
wait "$receiver"
check "the socket got them as lines" valid_lines received 2

# a sink that fails: the workload and the verdicts go on
check "a full disk does not disturb the workload" exits 126 run -o file:/dev/full -- bash -c '/bin/false 2>/dev/null'
check "a full disk is said once" prints 1 bash -c \
	"'$guard' run -p all.policy -o file:/dev/full -- bash -c '/bin/true; /bin/true; /bin/true; exit 0' 2>&1 | grep -c '^guard: .*space'"
mkfifo stalled
sleep 1000 3<>stalled &
started+=("$!")
eventually test -e "/proc/$!/fd/3"
check "a tag without a value is an error" exits 125 run --tag team -- true
check "a stalled sink does not disturb the workload" timeout 180 "$guard" run -q -p all.policy \
	-o "file:$work/stalled" -- bash -c 'for i in {1..800}; do /bin/true; done; /bin/false 2>/dev/null; [ $? = 126 ]'
finish
