#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What guard tells about itself: which rules are in force, how often the others would
# have spoken. Exercises engine/loaded, engine/heartbeat, engine/limiter, policy/about.
. "${srcdir:-.}/tests/live/tap.sh"
need jq python3
export t_do

validates() # FILE
{
	python3 - "$srcdir/tests/data/internal.schema.json" "$1" <<-'END'
		import json, sys, jsonschema
		schema = json.load(open(sys.argv[1], encoding="utf-8"))
		jsonschema.Draft7Validator.check_schema(schema)
		validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
		lines = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
		lines = [line for line in lines if "evt" not in line]
		bad = [f"{e.json_path}: {e.message[:200]}" for l in lines for e in validator.iter_errors(l)]
		print("\n".join(bad))
		sys.exit(not lines or bool(bad))
	END
}
have_schema=no
python3 -c 'import jsonschema' 2>/dev/null && have_schema=yes
validated() # NAME FILE
{
	if [ "$have_schema" = yes ]; then
		check "$1" validates "$2"
	else
		skip "$1" "python3-jsonschema is not installed"
	fi
}

# ---- ruleset_loaded
cat >many.policy <<END
version: 2.1.0
rules:
  - id: full
    version: 1.2.3
    description: what all it can say
    expression: exec.file.name == "nothing_$$"
    agent_version: ">= 7.0"
    filters: ['os == "linux"', 'os == "windows"']
    tags: {team: core, level: "2"}
    product_tags: ["a:b", "c"]
    actions:
      - kill: {signal: SIGKILL, scope: tree}
        filter: process.uid == 99999
      - set: {name: seen, value: 3, append: false}
      - log: {level: info, message: "it \"happened\""}
  - id: elsewhere
    expression: exec.file.name == "a"
    filters: ['os == "windows"']
  - id: too_old
    expression: exec.file.name == "a"
    agent_version: "< 5"
  - id: unwatched
    expression: dns.question.name == "a"
  - id: off
    disabled: true
    expression: exec.file.name == "a"
  - id: wrong
    expression: exec.file.nmae == "a"
END
policy whole <<END
  - id: fine
    expression: exec.file.name == "nothing_$$"
END
policy elsewhere <<END
  - id: only_windows
    expression: exec.file.name == "a"
    filters: ['os == "windows"']
END
policy rejected <<END
  - id: no_such_field
    expression: exec.nothing == 1
END
echo 'rules: [' >broken.policy
"$guard" run -q -p many.policy -p whole.policy -p elsewhere.policy -p rejected.policy -p broken.policy \
	-o file:events -- true 2>said
validated "ruleset_loaded is what the schema says" events
loaded() # FILTER: true of the event's policies, by name, and of the rules by id
{
	internal events 'map(select(.agent.rule_id == "ruleset_loaded")) | length == 1 and (.[0].policies
		| INDEX(.name) as $p | ([.[].rules[]] | INDEX(.id)) as $r | '"$1"')'
}
while IFS='|' read -r name filter; do
	check "$name" loaded "$filter"
done <<'END'
it names every policy|($p | keys) == ["broken.policy", "elsewhere.policy", "many.policy", "rejected.policy", "whole.policy"]
with version and source|$p["many.policy"] | .version == "2.1.0" and .source == "file" and (.path | endswith("many.policy"))
one whose rules are all in force is loaded|$p["whole.policy"].status == "loaded"
one with a wrong rule is loaded in part|$p["many.policy"].status == "partially_loaded"
one for another system is filtered|$p["elsewhere.policy"].status == "fully_filtered"
one without a right rule is rejected|$p["rejected.policy"].status == "fully_rejected"
what is no policy says why|$p["broken.policy"] | .status == "error" and (.message | length > 0)
a rule has its text|$r.full | .version == "1.2.3" and (.expression | startswith("exec.file.name ==")) and .status == "loaded" and .protection == "blocking"
its conditions|$r.full | .agent_version == ">= 7.0" and .filters == ["os == \"linux\"", "os == \"windows\""]
its tags|$r.full | .tags == {"team": "core", "level": "2"} and .product_tags == ["a:b", "c"]
its actions|$r.full.actions == [{"kill": {"signal": "SIGKILL", "scope": "tree"}, "filter": "process.uid == 99999"}, {"set": {"name": "seen", "value": 3, "append": false}}, {"log": {"level": "info", "message": "it \"happened\""}}]
a filtered one says by what|$r.elsewhere | .status == "filtered" and .filter_type == "rule_filter" and (.message | length > 0) and .expression == "exec.file.name == \"a\""
or by its version|$r.too_old | .status == "filtered" and .filter_type == "agent_version"
or that nobody watches it|$r.unwatched | .status == "filtered" and .filter_type == "event_type"
a disabled one is there|$r.off.status == "disabled"
a wrong one says why|$r.wrong | .status == "error" and (.message | test("nmae")) and (.expression | test("nmae"))
END

# more rules than a line holds
python3 - >huge.policy <<-'END'
	print("version: 1.0.0\nrules:")
	for i in range(1500):
	    print(f"  - id: r{i}\n    expression: exec.file.path == \"/nowhere/{'x' * 200}/{i}\"")
END
"$guard" run -q -p huge.policy -o file:huge -- true
validated "a large ruleset is told in valid parts" huge
check "which together name every rule once" internal huge \
	'map(select(.agent.rule_id == "ruleset_loaded") | .policies[].rules[].id) | length == 1500 and (unique | length) == 1500'
check "numbered, and the last one says so" internal huge \
	'map(select(.agent.rule_id == "ruleset_loaded")) | (map(.part) == [range(1; length + 1)]) and (map(.last) | .[-1] and (.[:-1] | any | not))'
check "nothing was lost" internal huge 'all(.guard.lost == 0)'
check "no number is missing" event_filter huge 'map(.guard.seq) | sort | . == [range(1; length + 1)]'

# ---- rates
times() # N COMMAND...
{
	local n=$1
	shift
	while [ $((n--)) -gt 0 ]; do
		"$@"
	done
}
export -f times
cp "$t_do_static" noisy
cp "$t_do_static" other
cp "$t_do_static" denied
policy rates <<END
  - id: once
    expression: exec.file.name == "noisy"
    every: 1h
  - id: by_argument
    expression: exec.file.name == "noisy"
    every: 1h
    limiter_token: [exec.args, process.uid]
  - id: usual
    expression: exec.file.name == "other"
    every: 0
  - id: refused
    expression: exec.file.name == "denied"
    every: 1h
    actions: [{block: {errno: EPERM}}]
END
cat >storm <<'END'
times 10 ./noisy status 0
times 5 ./noisy status 1
./noisy status 2
times 100 ./other status 0
times 20 ./denied status 0 2>/dev/null
exit 0
END
"$guard" run -q -p rates.policy -o file:rated -- bash storm
of() { echo "map(select(.agent.rule_id == \"$1\"))"; }
last_beat='map(select(.agent.rule_id == "heartbeat")) | last'
check "every: one in its time" events rated "$(of once) | length == 1"
check "limiter_token: one for each tuple" events rated "$(of by_argument) | map(.process.args) | . == [[\"status\",\"0\"],[\"status\",\"1\"],[\"status\",\"2\"]]"
check "every 0 is the usual rate" events rated "$(of usual) | length >= 40"
check "a denial is never withheld" events rated "$(of refused) | length == 20 and all(.guard.verdict == \"blocked\")"
validated "the heartbeat at the end is what the schema says" rated
check "it tells of all that was withheld" internal rated "$last_beat | .counts | .withheld == (.rules | map(.withheld) | add)"
check "by rule" internal rated "$last_beat | .counts.rules | INDEX(.id) | .once.withheld == 15 and .by_argument.withheld == 13 and (.refused == null)"
check "withheld or reported, none is missing" event_filter rated \
	"($last_beat | .counts) as \$c | map(select(.evt and .guard.verdict == \"detected\")) | length + \$c.withheld == \$c.detected"
check "and what came of the others" internal rated "$last_beat | .counts | .detected == 132 and .blocked == 20 and .killed == 0 and .lost == 0"

# the next line of a rule says how many came before it
policy slow <<END
  - id: slow
    expression: exec.file.name == "noisy"
    every: 1s
END
cat >pulse <<'END'
times 5 ./noisy status 0
until grep -qs withheld later; do ./noisy status 0; done
END
"$guard" run -q -p slow.policy -o file:later -- bash pulse
check "a later line tells how many were withheld" events later '.[0].guard.withheld == null and (.[-1].guard.withheld >= 4)'

# ---- heartbeats
printf '[events]\nheartbeat = 50ms\n' >quick.conf
printf '[events]\nheartbeat = 0s\n' >never.conf
three_beats='until [ "$(grep -c heartbeat beats)" -ge 3 ]; do sleep 0.05; done'
check "heartbeats come while nothing happens" timeout 120 "$guard" run -q --config quick.conf -p whole.policy \
	-p slow.policy -o file:beats -- bash -c "$three_beats"
validated "they are what the schema says" beats
check "for each policy" internal beats 'map(select(.agent.rule_id == "heartbeat") | .policy.name) | unique == ["slow.policy", "whole.policy"]'
check "with its status and time" internal beats 'map(select(.agent.rule_id == "heartbeat")) | all(.policy.status == "loaded" and .counts.uptime >= 0)'
"$guard" run -q --config never.conf -p whole.policy -o file:silence -- sleep 0.3
check "or not at all" internal silence 'any(.agent.rule_id == "heartbeat") | not'

# a successor goes on counting
cat >killing <<'END'
times 10 ./noisy status 0
echo $$ >ready
until [ -e go ]; do sleep 0.02; done
times 10 ./noisy status 0
END
rm -f ready go
start "$guard" run -q -p rates.policy -o file:counted -- bash killing
guard_pid=$!
eventually test -s ready
kill -KILL "$(supervisor_of "$guard_pid")"
: >go
ended() { wait "$guard_pid"; }
check "the supervisor is replaced" ended
check "and what was withheld before counts" internal counted "$last_beat | .counts | .restarts == 1 and (.rules | INDEX(.id) | .once.withheld >= 18)"
finish
