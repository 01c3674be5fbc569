#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The completions for bash, zsh and fish offer the commands and options there are.
# Exercises contrib/completion, guard help --dump.
. "${srcdir:-.}/tests/live/tap.sh"

PATH=$builddir:$PATH
export PATH

complete_bash() # WORD...: what is offered for the last one
{
	bash --norc -c '
		. "$srcdir/contrib/completion/guard.bash"
		COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		_guard
		printf "%s\n" "${COMPREPLY[@]}"' - "$@"
}
complete_fish()
{
	HOME=$work fish --no-config -c "source $srcdir/contrib/completion/guard.fish; complete -C '$*'" |
		cut -f 1
}
# What the function hands to zsh's own: those work only at a terminal.
complete_zsh()
{
	zsh -f -c '
		words=("$@") CURRENT=$#
		_call_program() { shift; "$@" }
		_describe() { print -rl -- "${(@)${(@P)2}%%:*}" }
		_arguments() { print -rl -- "${(@)${(@)@#\*}%%\[*}" }
		. "$srcdir/contrib/completion/_guard"' - "$@"
}
offers() # WHAT COMPLETE WORD...
{
	"${@:2}" >"$work/offered"
	grep -Fxq -e "$1" "$work/offered" || { echo "no '$1' in:"; cat "$work/offered"; return 1; }
}
export srcdir
commands=$("$guard" help --dump | sed -n 's/^command\t\([^\t]*\).*/\1/p')
for shell in bash fish zsh; do
	command -v "$shell" >/dev/null || { skip "$shell" "$shell is not installed"; continue; }
	check "$shell: offers each command" test "$(complete_"$shell" guard '' | grep -Fxc "$commands")" \
		-eq "$(wc -l <<<"$commands")"
	while IFS=$'\t' read -r kind command long _; do
		[ "$kind" = option ] && grep -Fxq "$command" <<<"$commands" || continue
		check "$shell: $command $long" offers "$long" complete_"$shell" guard "$command" "${long:0:5}"
	done < <("$guard" help --dump)
done
finish
