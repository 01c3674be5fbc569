/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The named numbers of the language are those of the system headers, wherever these have
 * them. Exercises consts.def.
 */
#include "config.h"

#include "model/consts.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/if_ether.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* these give way to the C library's when they come after them */
#include <linux/icmp.h>
#include <linux/net_tstamp.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

#include "base/util.h"
#include <criterion/criterion.h>

static const struct {
	const char *name;
	int64_t value;
} rows[] = {
#define SAME(name)          { #name, (int64_t)(name) },
#define OTHER(name, header) { #name, (int64_t)(header) },
#define NEGATIVE(name)      { #name, -(int64_t)(name) },
#define MASK(name)          { #name, INT64_C(1) << (name) },
#define PLUS_ONE(name)      { #name, (int64_t)(name) + 1 },
#include "consts_headers.def"
};

Test(consts, headers)
{
	size_t count, right = 0;

	(void)constants(&count);
	for (size_t i = 0; i < ELEMENTS(rows); i++) {
		struct secl_value value = { .type = SECL_NONE };

		cr_expect_eq(constant_find(rows[i].name, &value), 0, "%s", rows[i].name);
		cr_expect_eq(value.integer, rows[i].value, "%s is %lld here, %lld in the header",
			     rows[i].name, (long long)value.integer, (long long)rows[i].value);
		right += value.integer == rows[i].value;
	}
	cr_log_info("%zu of %zu constants are those of the system headers", right, count);
	cr_expect_eq(ELEMENTS(rows), 1187, "rows were added or lost: say so here");
}
