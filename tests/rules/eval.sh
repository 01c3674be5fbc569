#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The command line of `guard eval`: exit status, messages, limits of its input.
# Exercises src/cmd/eval.c, src/cmd/eval_vars.c, src/model/recorded.c.
. "${srcdir:-.}/tests/live/tap.sh"

status_is() # WANT COMMAND...
{
	local want=$1
	shift
	"$@" >out 2>err
	[ $? -eq "$want" ]
}
said() # FILE TEXT
{
	grep -qF -- "$2" "$1"
}
answers() # LINE ANSWER: what --batch makes of one line
{
	[ "$(printf '%s\n' "$1" | "$guard" eval --batch)" = "$2" ]
}
answers_error() # LINE TEXT
{
	printf '%s\n' "$1" | "$guard" eval --batch >out && said out '"error"' && said out "$2"
}

echo '{"process.comm": "sh", "process.uid": 0}' >event
echo '{"event": "exec", "fields": {"process.comm": "sh"}, "vars": {"v": "sh"}, "macros": {"M": ["sh"]}}' >whole

check "true is 0" status_is 0 "$guard" eval -e 'process.comm == "sh"' --event event
check "and prints it" said out true
check "false is 1" status_is 1 "$guard" eval -e 'process.comm == "x"' --event event
check "a wrong expression is 2" status_is 2 "$guard" eval -e 'process.com == "x"'
check "and suggests a name" said err 'did you mean "process.comm"'
check "and shows the place" said err '^'
check "without an event all is empty" status_is 0 "$guard" eval -e 'process.comm == ""'
check "a whole document brings variables and macros" status_is 0 \
	"$guard" eval -e 'process.comm == ${v} && process.comm in M' --event whole
check "its event type counts" status_is 2 "$guard" eval -e 'open.file.name == "x"' --event whole
check "an event from standard input" bash -c \
	'printf "%s" "{\"process.comm\": \"a\"}" | "$0" eval -e "process.comm == \"a\"" --event -' "$guard"
check "no such file is 2" status_is 2 "$guard" eval -e true --event nothing
check "nothing to do is 2" status_is 2 "$guard" eval
check "--batch with -e is 2" status_is 2 "$guard" eval --batch -e true
check "--help is 0" status_is 0 "$guard" eval --help

check "a line, an answer" answers '{"id": "a", "expr": "true"}' '{"id":"a","result":true}'
check "a number is an id" answers '{"id": 7, "expr": "1 == 2"}' '{"id":7,"result":false}'
check "the clock is pinned" answers \
	'{"id": 1, "now": 10000000000, "fields": {"process.created_at": 4000000000}, "expr": "process.created_at == 6s"}' \
	'{"id":1,"result":true}'
check "macros in order" answers \
	'{"id": 1, "macros": [{"id": "A1", "expression": "1"}, {"id": "B1", "expression": "A1 + 1"}], "expr": "B1 == 2"}' \
	'{"id":1,"result":true}'
check "not before they are declared" answers_error \
	'{"id": 1, "macros": [{"id": "B1", "expression": "A1 + 1"}, {"id": "A1", "expression": "1"}], "expr": "B1 == 2"}' \
	A1
check "predefined variables" answers \
	'{"id": 1, "fields": {"process.pid": 5}, "expr": "${process.pid} == 5 && ${builtins.uuid4.length} == 36"}' \
	'{"id":1,"result":true}'
check "variables have types" answers_error '{"id": 1, "vars": {"v": {}}, "expr": "true"}' vars
check "lists of one kind" answers_error '{"id": 1, "vars": {"v": [1, "a"]}, "expr": "true"}' vars
check "fields of another event" answers_error \
	'{"id": 1, "event": "exec", "expr": "open.file.name == \"x\""}' 'event type open'
check "an unknown event type" answers_error '{"id": 1, "event": "x", "expr": "true"}' 'no event type'
check "an unknown field in the event" answers_error \
	'{"id": 1, "fields": {"process.x": 1}, "expr": "true"}' 'unknown field'
check "no expression" answers_error '{"id": 1}' expr
check "a hidden end of the expression" answers_error '{"id": 1, "expr": "true\u0000 && false"}' expr
check "no JSON" answers_error '{"id": 1,' JSON
check "not an object" answers_error '[1]' expr

deep()
{
	local brackets
	brackets=$(printf '[%.0s' $(seq 100))
	answers_error "{\"id\": 1, \"fields\": $brackets" 'levels deep'
}
check "JSON too deep" deep

long()
{
	{ printf '{"id": 1, "x": "'; head -c 1100000 /dev/zero | tr '\0' x; echo '"}'
	  echo '{"id": 2, "expr": "true"}'; } | "$guard" eval --batch >out &&
		said out 'longer than' && said out '{"id":2,"result":true}' && [ "$(wc -l <out)" -eq 2 ]
}
check "a line too long, and the next is read" long
check "one line each" bash -c '[ "$(printf "\n{\"expr\":\"true\"}\nx\n" | "$0" eval --batch | wc -l)" -eq 2 ]' "$guard"
finish
