#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# exec as no well-behaved program calls it: pointers that lead nowhere, lengths at
# every limit, crowds of threads, chains of scripts, callers that hide or are traced,
# names of any bytes. Guard neither falls over nor lets go, and says what the kernel
# says. Exercises kernel/target, kernel/resolve, kernel/script, engine/exec.
. "${srcdir:-.}/tests/live/tap.sh"
need jq python3

cp "$t_do_static" good
cp "$t_do_static" evil
policy odd <<END
  - id: path
    expression: exec.file.path == "$work/evil"
    every: 1ns
    actions:
      - block: {errno: EPERM}
  - id: argument
    expression: exec.argv in ["evil"] || exec.envp in ["EVIL=1"]
    actions:
      - block: {errno: EPERM}
END
guarded() { rm -f events; timeout -k 5 180 "$guard" run -q -p odd.policy -o "file:$work/events" -- "$@"; }
both() { "$@" 2>&1; echo "status $?"; }
as_native()
{
	local native
	native=$(both "$@")
	prints "$native" both guarded "$@"
}
refused() { prints $'errno EPERM\nstatus 1' both guarded "$@" && verdicts events path blocked 1; }

check "pointers that lead nowhere" as_native "$t_do" odd-pointers "$work/good" status 3
for length in 4094 4095 4096 5000; do
	check "a path of $length bytes" as_native "$t_do" long-path "$length" "$work/good" status 0
done
check "a path of 4095 bytes to the forbidden" refused "$t_do" long-path 4095 "$work/evil" status 0
check "a path of 4096 bytes to the forbidden does not run it" prints $'errno ENAMETOOLONG\nstatus 1' \
	both guarded "$t_do" long-path 4096 "$work/evil" status 0
while read -r count size; do
	check "$count arguments of $size bytes" as_native "$t_do" many-arguments "$count" "$size" "$work/good" status 0
	check "$count arguments of $size bytes to the forbidden" \
		not exits 0 guarded "$t_do" many-arguments "$count" "$size" "$work/evil" status 0
done <<END
100000 10
15 131071
15 131072
1000000 4
END
check "more pointers than any exec takes" as_native "$t_do" scattered-arguments 700000 "$work/good"
check "a forbidden word behind a hundred thousand" not exits 0 \
	guarded "$t_do" many-arguments 100000 10 "$work/good" status 0 evil
check "a forbidden variable is refused" exits 126 guarded env -i EVIL=1 "$work/good" status 0

# all threads of a process at once: one wins or none, and nothing is left behind
check "crowds of threads exec" prints "ran 60 of 60" guarded "$t_do" crowd 60 40 "$work/good" status 0
# two threads under a tracer while a third is in its exec wait for each other for ever
check "three threads exec at once" prints "ran 300 of 300" guarded "$t_do" crowd 300 3 "$work/good" status 0
check "crowds of threads exec what is forbidden" prints "ran 0 of 20" guarded "$t_do" crowd 20 40 "$work/evil" status 0
check "each one is reported" verdicts events path blocked 800
printf '#!%s status\n' "$work/good" >script
chmod +x script
# long enough for the slots of the journal to run out, were some left behind
check "crowds of threads exec a script" guarded "$t_do" crowd 200 40 "$work/script"

# scripts of scripts: as deep as the kernel goes, and one deeper
ln -s "$work/evil" depth0
for depth in 1 2 3 4 5 6; do
	printf '#!%s/depth%d\n' "$work" $((depth - 1)) >depth$depth
	chmod +x depth$depth
done
policy deep <<END
  - id: deep
    expression: exec.interpreter.file.path == "$work/evil"
    actions:
      - block: {errno: EPERM}
END
deep() { rm -f events; "$guard" run -q -p deep.policy -o "file:$work/events" -- "$t_do" execve "$work/depth$1"; }
for depth in 1 2 3 4 5; do
	check "an interpreter $depth scripts deep is refused" prints "errno EPERM" deep "$depth"
done
check "scripts deeper than the kernel goes: as without guard" prints "$("$t_do" execve "$work/depth6")" deep 6

# callers that hide, and callers in other hands
check "a caller that is not dumpable" prints "errno EPERM" guarded "$t_do" undumpable "$work/evil"
check "a caller that is not dumpable runs what is allowed" exits 0 guarded "$t_do" undumpable "$work/good" status 0
check "a traced caller does not run the forbidden" not exits 0 guarded "$t_do" traced "$work/evil" status 0
check "its refusal says why" events events 'map(.guard.reason) | any(. == "traced" or . == "rule")'

# names of any bytes: one line each, valid, and the bytes can be told apart
cat >fuzz.py <<'END'
import os, random, subprocess, sys
random.seed(int(sys.argv[1]))
os.makedirs("names", exist_ok=True)
n = 0
for i in range(int(sys.argv[2])):
    name = bytes(random.choice(b'\n\r\t"\\\x1b\x7f\x80\xc3\xed\xa0\xf4\xff\xe2\x80\xa8a{},:') for _ in range(random.randint(1, 60)))
    if name in (b".", b".."):
        continue
    path = b"names/" + name
    try:
        os.link("evil", path)
    except FileExistsError:
        pass
    args = [name, bytes(random.randint(1, 255) for _ in range(random.randint(1, 80)))]
    try:
        subprocess.run(args, executable=path, env={b"A" + name.replace(b"=", b""): name})
        print("ran", path)
    except PermissionError:
        n += 1
print(n)
END
policy names <<END
  - id: names
    expression: exec.file.path =~ "$work/names/**"
    every: 1ns
    actions:
      - block: {errno: EPERM}
END
named() { rm -f names.events; timeout -k 5 180 "$guard" run -q -p names.policy -o "file:$work/names.events" -- python3 fuzz.py "$1" 200; }
seed=$RANDOM
count=$(named "$seed")
check "names of random bytes are refused (seed $seed)" test "$count" -gt 150
valid()
{
	python3 - "$1" <<-'END'
		import json, sys
		data = open("names.events", "rb").read()
		lines = data.split(b"\n")
		assert lines.pop() == b""
		rows = [json.loads(line.decode("utf-8")) for line in lines]
		assert not any(c < 32 or c == 127 for line in lines for c in line)
		rows = [r for r in rows if r["agent"]["rule_id"] == "names"]
		assert len(rows) == int(sys.argv[1]), len(rows)
	END
}
check "each of them is one valid line (seed $seed)" valid "$count"

# few descriptors: it starts and judges, or does not start
for limit in 20 30 64; do
	few() { (ulimit -n "$limit"; rm -f deed; ! guarded "$t_do" execve "$work/evil" touch "$work/deed" 2>/dev/null && [ ! -e deed ]); }
	check "with $limit descriptors nothing forbidden runs" few
done

# pids that are used again at once: nothing hits a stranger
if unshare -pf --mount-proc true 2>/dev/null; then
	cat >reuse <<-'END'
		#!/bin/bash
		[ "$2" = no ] || echo 400 >/proc/sys/kernel/pid_max
		sleep 1000 & stranger=$!
		"$guard" run -q -p odd.policy -o "file:$work/events" -- "$t_do" short-lives "$1" "$work/good" "$work/evil"
		echo "guard $?"
		kill -0 $stranger && echo "the stranger lives"
	END
	chmod +x reuse
	export guard t_do work
	# a limit of the namespace's own since Linux 6.14, before that the whole machine's
	own_limit=$([ "$(printf '%s\n' 6.14 "$(uname -r)" | sort -V | head -n 1)" = 6.14 ] && echo yes || echo no)
	rm -f events
	timeout 180 unshare -pf --mount-proc ./reuse 2 "$own_limit" >said
	echo "# $(head -n 1 said)"
	check "processes killed in the middle of their exec: guard and strangers live" \
		prints $'guard 0\nthe stranger lives' tail -n 2 said
	check "processes killed in the middle of their exec: none ran the forbidden" grep -q 'evil 0$' said
	check "no event names a program that was not in it" events events \
		"map(select(.agent.rule_id == \"path\" and (.process.executable.path != \"$work/evil\" or .guard.reason != \"rule\"))) | length == 0"
else
	skip "processes killed in the middle of their exec" "no pid namespaces here"
fi
finish
