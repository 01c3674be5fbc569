/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fixture.h - one process with its ancestors, for the tests of values and
 * reports:
 *
 *	4711 curl <- 4700 (a fork without exec of bash) <- 4000 bash <- 1 init
 */
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>

#include "model/event.h"

#define STRING(text_)                                                                              \
	{                                                                                          \
		.text = (text_), .size = sizeof(text_) - 1                                         \
	}
/* "a\0b" is the list a, b: the NUL that ends the literal ends the last. */
#define LIST(text_, count_)                                                                        \
	{                                                                                          \
		.data = (text_), .size = sizeof(text_), .count = (count_)                          \
	}

struct fixture {
	struct image curl, bash, init;
	struct process init_process, shell, subshell, self;
	struct event event;
};

static inline void fixture_images(struct fixture *f)
{
	f->init = (struct image){
		.file = { .path = STRING("/sbin/init"), .inode = 1, .present = true },
		.argv = LIST("init", 1),
	};
	f->bash = (struct image){
		.file = { .path = STRING("/usr/bin/bash"), .inode = 2, .present = true },
		.argv = LIST("bash\0--password\0hunter2", 3),
		.envp = LIST("HOME=/root", 1),
	};
	f->curl = (struct image){
		.file = { .path = STRING("/usr/bin/curl.real"),
			  .filesystem = STRING("ext4"),
			  .inode = 131,
			  .mount_id = 30,
			  .mode = 0104755,
			  .uid = 0,
			  .gid = 10,
			  .mtime_ns = 1000,
			  .ctime_ns = 2000,
			  .present = true },
		.argv = LIST("curl\0-sL\0--retry\0003\0--header=x\0-o\0-\0http://x/", 8),
		.envp = LIST("PATH=/bin\0SECRET=x\0LD_PRELOAD=/tmp/x.so\0ODD", 4),
		.envp_read = true,
		.aliases = { STRING("/usr/bin/curl"), STRING("/opt/bin/fetch") },
		.exec_time_ns = 5000,
	};
}

static inline struct fixture *fixture_init(struct fixture *f, enum event_type type)
{
	*f = (struct fixture){ 0 };
	fixture_images(f);
	f->init_process = (struct process){ .pid = 1, .image = &f->init, .comm = STRING("init") };
	f->shell = (struct process){ .pid = 4000,
				     .ppid = 1,
				     .parent = &f->init_process,
				     .image = &f->bash,
				     .exec_time_ns = 3000,
				     .flags = PROCESS_IS_EXEC,
				     .comm = STRING("bash") };
	f->subshell = f->shell;
	f->subshell.pid = 4700;
	f->subshell.ppid = 4000;
	f->subshell.parent = &f->shell;
	f->subshell.flags = PROCESS_IS_THREAD;
	f->self = (struct process){
		.pid = 4711,
		.ppid = 4700,
		.parent = &f->subshell,
		.image = &f->curl,
		.fork_time_ns = 4000,
		.exec_time_ns = 5000,
		.cred = { .uid = 1000,
			  .gid = 1000,
			  .euid = 0,
			  .egid = 10,
			  .fsuid = 0,
			  .fsgid = 10,
			  .auid = 4294967295,
			  .cap_effective = 1 << 21,
			  .cap_permitted = 1 << 21 | 1 },
		.comm = STRING("curl"),
		.tty = STRING("pts0"),
		.cgroup = STRING("/docker/9f3c"),
		.container = STRING("9f3c"),
		.container_created_ns = 777,
		.sid = 4000,
		.netns = 4026531840,
		.mntns = 4026531841,
		.flags = PROCESS_IS_EXEC,
		.source = PROCESS_SOURCE_EVENT,
	};
	f->event = (struct event){ .type = type,
				   .time_ns = 1785456000000000000,
				   .process = &f->self,
				   .tid = 4712,
				   .syscall = type == EVENT_EXEC ? "execve" : "connect" };
	if (type == EVENT_EXEC)
		f->event.exec.path = (struct secl_string)STRING("curl");
	/* the two have one layout */
	if (type != EVENT_CONNECT && type != EVENT_BIND)
		return f;
	f->event.connect.protocol = IPPROTO_TCP;
	f->event.connect.addr = (struct socket_address){
		.family = AF_INET,
		.port = 443,
		.ip = { .family = AF_INET, .prefix = 32, .addr = { 192, 0, 2, 7 } },
	};
	return f;
}
