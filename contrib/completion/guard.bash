# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of guard(1) for bash. What there is to complete is asked of guard itself
# (`guard help --dump`), so this file knows no option by name.
# shellcheck shell=bash

_guard_argument() # NAME-OF-ARGUMENT VALUES: completes the argument of an option
{
	local cur=${COMP_WORDS[COMP_CWORD]}

	if [ "$2" != - ]; then
		mapfile -t COMPREPLY < <(compgen -W "${2//|/ }" -- "$cur")
		return
	fi
	case $1 in
	POLICY | FILE) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	DIRECTORY) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
	USER) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	GROUP) mapfile -t COMPREPLY < <(compgen -g -- "$cur") ;;
	SINK) mapfile -t COMPREPLY < <(compgen -W "- stderr journal syslog file: unix:" -- "$cur") ;;
	esac
}

_guard()
{
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} rows i kind of long letter argument values

	COMPREPLY=()
	rows=$("${COMP_WORDS[0]}" help --dump 2>/dev/null | tr '\t' '\a') || return
	if [ "$COMP_CWORD" -eq 1 ] || [[ $COMP_CWORD -eq 2 && $command == help && $cur != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^command\a\([^\a]*\).*/\1/p' <<<"$rows")" -- "$cur")
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		# after -- it is another command's line
		if [ "${COMP_WORDS[i]}" = -- ]; then
			declare -F _command_offset >/dev/null && _command_offset $((i + 1)) && return
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			return
		fi
	done
	local options=()
	while IFS=$'\a' read -r kind of long letter argument values _; do
		[ "$kind" = option ] && [ "$of" = "$command" ] || continue
		if [ "$argument" != - ] && [[ $previous == "$long" || $previous == "$letter" ]]; then
			_guard_argument "$argument" "$values"
			return
		fi
		options+=("$long")
	done <<<"$rows"
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${options[*]} --" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -o filenames -o nosort -F _guard guard
