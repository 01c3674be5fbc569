#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The action hash and the fields *.file.hashes, with the programs that everybody hashes
# with as oracles. Exercises engine/later, engine/exec_hash, engine/hashing, kernel/digest.
. "${srcdir:-.}/tests/live/tap.sh"
need jq sha1sum sha256sum md5sum

guarded() { rm -f events; timeout -s KILL 120 "$guard" run -q -p "$policy.policy" "${config[@]}" -o "file:$work/events" -- "$@"; }
config=()
digest() { "$1sum" <"$2" | cut -d' ' -f1; }
fuzzy()
{
	ssdeep -s -b "$1" 2>/dev/null | sed -n '2s/,"[^"]*"$//p'
}
# hashed FILE RULE N: N events of RULE show the hashes of FILE, whatever it is called.
hashed()
{
	events events "map(select(.agent.rule_id == \"$2\" and .file.hash_state == \"Done\" and
		(.file.hashes | contains([\"sha1:$(digest sha1 "$1")\", \"sha256:$(digest sha256 "$1")\"])))) | length == $3"
}
# state STATE [OBJECT]: the one event of rule "watch" says it of its file.
state()
{
	events events "map(select(.agent.rule_id == \"watch\")) | length == 1 and
		(.[0]${2:-.file} | .hash_state == \"$1\" and (.hashes == null) == (\"$1\" != \"Done\"))"
}

# ---- the action -------------------------------------------------------------------

# no two that are alike, so that none has the hashes of another
for name in watched other dropper replaced; do
	cp "$t_do" $name
	echo $name >>$name
done
cp "$BASH" shell && echo shell >>shell
policy watch <<END
  - id: watch
    expression: exec.file.name in ["watched", "script", "shell", "huge"] || exec.argv in ["watch-this"]
    actions:
      - hash: {}
  - id: quiet
    expression: exec.file.name == "watched"
END
policy=watch
check "a watched program runs" exits 7 guarded ./watched status 7
check "its hashes are those of sha1sum and sha256sum" hashed watched watch 1
check "the action is reported as done" events events 'map(select(.agent.rule_id == "watch")) | .[0].agent.rule_actions |
	map(select(.type == "hash" and .state == "Done" and (.path | endswith("/watched")))) | length == 1'
check "a rule without the action has them, too, if they are known by then, or says nobody asked" \
	events events 'map(select(.agent.rule_id == "quiet")) | .[0].file.hash_state | . == "NoHash" or . == "Done"'
if grep -q '^#define HAVE_FUZZY' "$builddir/config.h" && command -v ssdeep >/dev/null; then
	check "ssdeep agrees" events events "map(select(.file.hashes) | select(.file.hashes | contains([\"ssdeep:$(fuzzy watched)\"]))) | length >= 1"
else
	skip "ssdeep agrees" "no libfuzzy, or ssdeep is not installed"
fi

check "a memfd" exits 7 guarded "$t_do" memfd "$work/other" status 7 watch-this
check "has the hashes of what is in it" hashed other watch 1

cat >script <<END
#!$work/shell
exit 5
END
chmod +x script
check "a script runs" exits 5 guarded ./script
check "and is hashed, not its interpreter" hashed script watch 1

# It removes itself, and waits until it was reported: whoever looks for the name is late.
check "a program that removes itself" exits 0 \
	guarded ./shell -c "rm $work/shell; until grep -q '\"rule_id\":\"watch\"' $work/events; do :; done"
cp "$BASH" shell && echo shell >>shell
check "is hashed" hashed shell watch 1
check "one that puts a FIFO in its place" exits 0 \
	guarded ./shell -c "rm $work/shell; mkfifo $work/shell; until grep -q '\"rule_id\":\"watch\"' $work/events; do :; done"
rm -f shell && cp "$BASH" shell && echo shell >>shell
check "is hashed as what it was" hashed shell watch 1
check "one that is replaced" exits 0 \
	guarded ./shell -c "mv $work/replaced $work/shell; until grep -q '\"rule_id\":\"watch\"' $work/events; do :; done"
rm -f shell && cp "$BASH" shell && echo shell >>shell
check "is hashed as what it was, too" hashed shell watch 1

# 10 MiB and a byte
cp "$t_do" huge && truncate -s $((10 * 1024 * 1024 + 1)) huge
check "a program beyond the limit runs" exits 7 guarded ./huge status 7
check "and is not hashed" state FileTooBig
truncate -s $((10 * 1024 * 1024)) huge
check "at the limit it runs" exits 7 guarded ./huge status 7
check "and is hashed" hashed huge watch 1
policy limit <<END
  - id: watch
    expression: exec.file.name == "watched"
    actions:
      - hash: {max_file_size: $(stat -c %s watched)}
END
policy=limit
guarded ./watched status 0
check "the limit of the action itself" hashed watched watch 1
sed -i "s/max_file_size: .*}/max_file_size: $(($(stat -c %s watched) - 1))}/" limit.policy
guarded ./watched status 0
check "is kept" state FileTooBig

# ---- other files -------------------------------------------------------------------

policy others <<END
  - id: watch
    expression: connect.addr.port == 9
    actions:
      - hash: {field: process.file}
      - hash: {field: process.parent.file}
        filter: process.parent.file.name == "shell"
  - id: script
    expression: exec.file.name == "script"
    actions:
      - hash: {field: exec.interpreter.file}
      - hash: {}
        filter: exec.file.name == "another"
END
policy=others
guarded ./watched connect 127.0.0.1 9 >/dev/null
check "of a connect it is the program" state Done .process.executable
check "with its hashes" events events "map(select(.process.executable.hashes // [] | contains([\"sha256:$(digest sha256 watched)\"]))) | length == 1"
check "what a filter lets out is not hashed" state NoHash .process.parent.executable
guarded ./shell -c './watched connect 127.0.0.1 9; exit' >/dev/null
check "the parent, if the filter lets it in" events events "map(select(.process.parent.executable.hashes // [] | contains([\"sha256:$(digest sha256 shell)\"]))) | length == 1"
guarded ./script
check "an interpreter is hashed" events events \
	"map(select(.process.interpreter.hashes // [] | contains([\"sha256:$(digest sha256 shell)\"]))) | length == 1"
check "and its script is not" events events 'map(select(.agent.rule_id == "script")) | .[0].file.hash_state == "NoHash"'
cat >script <<END
#!$work/shell
rm $work/script; mkfifo $work/script
exec 3<>/dev/tcp/127.0.0.1/9
END
guarded ./script 2>/dev/null
check "a script that is gone, with a FIFO in its place, holds nobody up" state FileNotFound .process.executable
rm -f script

# ---- configuration -------------------------------------------------------------------

printf '[hash]\nalgorithms = md5\n' >md5.conf
config=(--config md5.conf)
policy=watch
guarded ./watched status 0
check "md5 alone, if guard.conf says so" events events \
	"map(select(.agent.rule_id == \"watch\")) | .[0].file.hashes == [\"md5:$(digest md5 watched)\"]"
printf '[hash]\nmax_file_size = 1KiB\n' >small.conf
config=(--config small.conf)
guarded ./watched status 0
check "the limit of guard.conf" state FileTooBig
printf '[hash]\nalgorithms = sha3\n' >wrong.conf
config=(--config wrong.conf)
check "an algorithm that is not known is an error" exits 125 guarded true
config=()

# ---- hashes in expressions -------------------------------------------------------------

policy=shut
policy shut <<END
  - id: shut
    expression: exec.file.hashes in ["sha256:$(digest sha256 watched)"]
    actions:
      - block: {errno: EACCES}
      - hash: {}
  - id: interpreter
    expression: exec.interpreter.file.hashes in ["md5:$(digest md5 shell)"]
    actions:
      - block: {errno: EPERM}
  - id: caller
    expression: connect.addr.port == 9 && process.file.hashes in ["sha1:$(digest sha1 other)"]
    actions:
      - block: {errno: ENETDOWN}
  - id: child
    expression: exec.file.name == "dropper" && process.parent.file.hashes in ["sha1:$(digest sha1 other)"]
    actions:
      - block: {errno: EPERM}
END
# runs COMMAND...: the deed was done
runs() { rm -f deed; "$@" >/dev/null; [ -e deed ]; }
stopped() { rm -f deed; prints "$@" && [ ! -e deed ]; }
cp watched copy
ln watched hard-link
ln -s watched link
for name in watched copy hard-link link; do
	check "$name runs without guard" runs "$t_do" execve "$work/$name" touch deed
	check "$name is refused, whatever it is called" \
		stopped "errno EACCES" guarded "$t_do" execve "$work/$name" touch deed
	check "$name: with the hashes in the event" hashed watched shut 1
done
check "a memfd with it is refused" stopped "errno EACCES" guarded "$t_do" memfd "$work/watched" touch deed
check "another program runs" runs guarded "$t_do" execve "$work/dropper" touch deed
truncate -s +1 copy
check "one byte more is another program" runs guarded "$t_do" execve "$work/copy" touch deed
cat >script <<END
#!$work/shell
: >$work/deed
END
chmod +x script
check "a script of a forbidden interpreter runs without guard" runs ./script
check "and is refused" stopped "errno EPERM" guarded "$t_do" execve "$work/script"
sed -i "1s|.*|#!$BASH|" script
check "with another interpreter it runs" runs guarded "$t_do" execve "$work/script"
check "a forbidden program may not connect" prints "errno ENETDOWN" guarded ./other connect 127.0.0.1 9
check "nor a child of it execute" prints "exit 126" guarded ./other fork "$work/dropper" touch deed
check "others may" prints "errno ECONNREFUSED" guarded "$t_do" connect 127.0.0.1 9
truncate -s 30M huge
sed -i "s/\"sha256:[0-9a-f]*\"/\"sha256:$(digest sha256 huge)\"/" shut.policy
check "for a verdict files of any size are hashed" stopped "errno EACCES" guarded "$t_do" execve "$work/huge" touch deed

policy only <<END
  - id: only
    expression: >-
      exec.file.hashes not in ["sha256:$(digest sha256 "$t_do")", "sha256:$(digest sha256 dropper)"]
    actions:
      - block: {errno: EPERM}
END
policy=only
check "where only listed programs run, one does" runs guarded "$t_do" execve "$work/dropper" touch deed
check "another does not" stopped "errno EPERM" guarded "$t_do" execve "$work/other" touch deed

policy see <<END
  - id: see
    expression: exec.file.hashes in ["sha256:$(digest sha256 watched)"]
  - id: see_ssdeep
    expression: exec.file.hashes in [~"ssdeep:*"]
END
policy=see
check "a rule that only watches lets it run" runs guarded "$t_do" execve "$work/hard-link" touch deed
check "and sees it" hashed watched see 1
check "in no other program" events events 'map(select(.agent.rule_id == "see")) | length == 1'
finish
