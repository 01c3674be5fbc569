#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A Go program: no libc, a runtime of many threads, signals all the time. It starts
# programs and connects, allowed and refused, from many goroutines.
. "${srcdir:-.}/tests/live/tap.sh"
need go jq

cat >main.go <<'END'
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
)

// outcomes counts how N attempts from many goroutines at once ended.
func outcomes(n int, attempt func() error) string {
	var ok, refused, other int64
	var all sync.WaitGroup
	for i := 0; i < n; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			switch err := attempt(); {
			case err == nil:
				atomic.AddInt64(&ok, 1)
			case isRefused(err):
				atomic.AddInt64(&refused, 1)
			default:
				fmt.Fprintln(os.Stderr, err)
				atomic.AddInt64(&other, 1)
			}
		}()
	}
	all.Wait()
	return fmt.Sprintf("ok %d refused %d other %d", ok, refused, other)
}

func isRefused(err error) bool {
	switch e := err.(type) {
	case *os.PathError:
		return e.Err == syscall.EPERM
	case *net.OpError:
		if s, ok := e.Err.(*os.SyscallError); ok {
			return s.Err == syscall.EPERM
		}
	}
	return false
}

func dial(port string) func() error {
	return func() error {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err
	}
}

func main() {
	fmt.Println("exec", outcomes(50, func() error { return exec.Command("/bin/true").Run() }))
	fmt.Println("exec", outcomes(50, func() error { return exec.Command("/bin/true", "forbidden").Run() }))
	fmt.Println("dial", outcomes(50, dial(os.Args[1])))
	fmt.Println("dial", outcomes(50, dial(os.Args[2])))
}
END
cat >go.mod <<'END'
module test
go 1.18
END
build_it() { HOME=$work GOCACHE=$work/cache GOFLAGS=-mod=mod GOPROXY=off CGO_ENABLED=0 go build -o client .; }
check "the Go program builds" build_it

start "$t_do" serve-tcp 127.0.0.1 open.port open.count
start "$t_do" serve-tcp 127.0.0.1 shut.port shut.count
eventually test -s open.port -a -s shut.port
open=$(cat open.port)
shut=$(cat shut.port)
policy go <<END
  - id: no_word
    expression: exec.args in [~"*forbidden*"]
    actions:
      - block: {errno: EPERM}
  - id: no_port
    expression: connect.addr.port == $shut
    actions:
      - block: {errno: EPERM}
END
native="exec ok 50 refused 0 other 0
exec ok 50 refused 0 other 0
dial ok 50 refused 0 other 0
dial ok 50 refused 0 other 0"
check "without guard all goes through" prints "$native" ./client "$open" "$shut"
counted() { [ "$(cat open.count) $(cat shut.count)" = "$*" ]; }
check "both servers counted 50" eventually counted 50 50
guarded="exec ok 50 refused 0 other 0
exec ok 0 refused 50 other 0
dial ok 50 refused 0 other 0
dial ok 0 refused 50 other 0"
check "under guard exactly the forbidden is refused" prints "$guarded" \
	"$guard" run -q -p "$work/go.policy" -o "file:$work/events" -- ./client "$open" "$shut"
check "the open server counted 50 more, the other none" eventually counted 100 50
check "50 execs are reported" verdicts events no_word blocked 50
check "50 connects are reported" verdicts events no_port blocked 50
finish
