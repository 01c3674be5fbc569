#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Terminal behaviour as a shell expects it: Ctrl-C once, Ctrl-Z and fg, job
# control inside. Exercises engine/keeper; terminal.py types.
. "${srcdir:-.}/tests/live/tap.sh"
need python3
python3 -c 'import pty, os; os.close(pty.openpty()[0])' 2>/dev/null || skip_all "no pseudo-terminals here"

policy quiet <<END
  - id: watch
    expression: exec.file.name == "sleep"
END
export t_do
for scenario in interrupt_once interrupt_ends job_of_a_shell shell_inside hangup window_size; do
	about=${scenario//_/ }
	check "$about, without guard" python3 "$srcdir/tests/live/terminal.py" "$scenario" env
	check "$about, under guard" python3 "$srcdir/tests/live/terminal.py" "$scenario" \
		"$guard" run -q -p "$work/quiet.policy" -o "file:$work/events" --
done
finish
