#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every form of exec is refused, killed or reported, and what is refused never
# runs: the victim would create a file. Exercises kernel/decode, kernel/verify,
# engine/decide, engine/respond.
. "${srcdir:-.}/tests/live/tap.sh"
need jq

for name in allowed watched refused doomed; do
	cp "$t_do" "$work/$name"
done
policy exec <<END
  - id: watch
    expression: exec.file.path == "$work/watched"
  - id: refuse
    expression: exec.file.path == "$work/refused"
    actions:
      - block: {errno: EPERM}
  - id: doom
    expression: exec.file.path == "$work/doomed"
    actions:
      - kill: {signal: SIGKILL, scope: process}
  - id: refuse_word
    expression: exec.args in [~"*a-forbidden-word*"] && exec.file.name != "t-do"
    actions:
      - block: {errno: EACCES}
END

guarded()
{
	rm -f "$work/events"
	"$guard" run -q -p "$work/exec.policy" -o "file:$work/events" -- "$@"
}

# runs COMMAND...: the victim of COMMAND did its deed.
runs()
{
	rm -f "$work/deed"
	"$@" >/dev/null && [ -e "$work/deed" ]
}

# stopped TEXT COMMAND...: TEXT was printed, and the deed was not done.
stopped()
{
	rm -f "$work/deed"
	prints "$@" && [ ! -e "$work/deed" ]
}

# killed COMMAND...: ended by SIGKILL, and the deed was not done.
killed()
{
	rm -f "$work/deed"
	exits 137 "$@" && [ ! -e "$work/deed" ]
}

# form, what it says when refused
forms="
execve        errno EPERM
execveat-path errno EPERM
execveat-dir  errno EPERM
execveat-fd   errno EPERM
fexecve       errno EPERM
proc-fd       errno EPERM
thread        errno EPERM
thread-alone  errno EPERM
close-range   errno EPERM
posix-spawn   errno EPERM
fork          exit 126
vfork         exit 126
"
for doer in "$t_do" "$t_do_static"; do
	kind=$(basename "$doer")
	while read -r form refusal; do
		[ -n "$form" ] || continue
		check "$kind $form: runs without guard" runs "$doer" "$form" "$work/refused" touch "$work/deed"
		check "$kind $form: allowed runs" runs guarded "$doer" "$form" "$work/allowed" touch "$work/deed"
		check "$kind $form: watched runs" runs guarded "$doer" "$form" "$work/watched" touch "$work/deed"
		check "$kind $form: watched is reported once" verdicts "$work/events" watch detected 1
		check "$kind $form: refused does not run" \
			stopped "$refusal" guarded "$doer" "$form" "$work/refused" touch "$work/deed"
		check "$kind $form: the refusal is reported once" verdicts "$work/events" refuse blocked 1
		case $form in
		fork | vfork | posix-spawn)
			check "$kind $form: doomed is killed" \
				stopped "signal KILL" guarded "$doer" "$form" "$work/doomed" touch "$work/deed"
			;;
		*)
			check "$kind $form: doomed is killed" \
				killed guarded "$doer" "$form" "$work/doomed" touch "$work/deed"
			;;
		esac
		check "$kind $form: the kill is reported once" verdicts "$work/events" doom killed 1
	done <<<"$forms"
done

# by arguments, where there is no path to speak of
word="touch $work/deed a-forbidden-word"
for form in execve memfd fexecve; do
	# shellcheck disable=SC2086 # words
	check "$form: forbidden arguments run without guard" runs "$t_do" "$form" "$work/allowed" $word
	# shellcheck disable=SC2086
	check "$form: forbidden arguments are refused with the errno of the rule" \
		stopped "errno EACCES" guarded "$t_do" "$form" "$work/allowed" $word
	check "$form: as one event" verdicts "$work/events" refuse_word blocked 1
done

# a script is its own file, and names its interpreter
printf '#!%s touch\n' "$work/allowed" >"$work/script"
cp "$work/script" "$work/refused-script"
chmod +x "$work/script" "$work/refused-script"
policy script <<END
  - id: refuse_script
    expression: exec.file.name == "refused-script" && exec.interpreter.file.path == "$work/allowed"
    actions:
      - block: {errno: EPERM}
END
scripted() { "$guard" run -q -p "$work/script.policy" -o "file:$work/events" -- "$@"; }
ran() { "$@"; [ -e "$work/script" ]; }
check "a script runs" exits 1 scripted "$work/script" # its deed, touching itself, cannot be done
check "a refused script does not run" prints "errno EPERM" scripted "$t_do" execve "$work/refused-script"
check "and is reported" verdicts "$work/events" refuse_script blocked 1

# a link is another name of the same file: the rule is about the file
ln -s refused "$work/link"
check "through a symbolic link it is refused" \
	stopped "errno EPERM" guarded "$t_do" execve "$work/link" touch "$work/deed"
cd "$work" || exit 99
check "by a relative path it is refused" \
	stopped "errno EPERM" guarded "$t_do" execve ./refused touch "$work/deed"
check "as the command itself it is refused, with status 126" exits 126 guarded "$work/refused" touch deed
check "as the command itself it does not run" test ! -e deed

# no argument at all
for form in argc0 null-argv; do
	check "$form: refused" prints "errno EPERM" guarded "$t_do" "$form" "$work/refused"
	check "$form: allowed exits as without guard" \
		exits "$("$t_do" "$form" "$work/allowed" 2>/dev/null; echo $?)" \
		guarded "$t_do" "$form" "$work/allowed"
done

# modes
in_mode() { rm -f "$work/events"; "$guard" run -q -m "$1" -p "$work/exec.policy" -o "file:$work/events" -- "${@:2}"; }
check "-m monitor lets it run" runs in_mode monitor "$t_do" execve "$work/refused" touch "$work/deed"
check "-m monitor says what would have been" verdicts "$work/events" refuse would_block 1
check "-m monitor does not kill" runs in_mode monitor "$t_do" execve "$work/doomed" touch "$work/deed"
check "-m off lets it run" runs in_mode off "$t_do" execve "$work/refused" touch "$work/deed"
check "-m off reports nothing of it" events "$work/events" 'length == 0'
check "-m block stops it" stopped "errno EPERM" in_mode block "$t_do" execve "$work/refused" touch "$work/deed"

# the person at the terminal hears of it, unless -q
loud() { "$guard" run -p "$work/exec.policy" -o "file:$work/events" -- "$@"; }
check "a refusal is one line for the person" says "^guard: .*$work/refused.*refuse" \
	loud "$t_do" execve "$work/refused"
check "-q keeps it quiet" not says "^guard: " guarded "$t_do" execve "$work/refused"

# a failed exec is no event
check "what is not there cannot be executed" prints "errno ENOENT" guarded "$t_do" execve "$work/none/watched"
check "and is not reported" events "$work/events" 'length == 0'
: >"$work/not-executable"
check "errno of a missing file is the kernel's" prints "errno ENOENT" guarded "$t_do" execve "$work/none"
check "errno of a plain file is the kernel's" prints "errno EACCES" guarded "$t_do" execve "$work/not-executable"
check "errno of a directory is the kernel's" prints "errno EACCES" guarded "$t_do" execve "$work"
check "errno of a path through a file is the kernel's" \
	prints "errno ENOTDIR" guarded "$t_do" execve "$work/allowed/x"
finish
