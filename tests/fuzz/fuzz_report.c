/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any workload makes one line of JSON that fits in 16 KiB, every field of it
 * loads, and what follows "password=" is in no line.
 */
#include "config.h"

#include <jansson.h>

#include "model/field.h"
#include "model/report.h"

enum { SMALL = 16 * 1024, LARGE = 128 * 1024, SCRATCH = 4 << 20 };

struct input {
	const uint8_t *data;
	size_t left;
};

static uint64_t take_number(struct input *in)
{
	uint64_t value = 0;
	size_t n = MIN(in->left, sizeof value);

	memcpy(&value, in->data, n);
	in->data += n;
	in->left -= n;
	return value;
}

static struct secl_string take_string(struct input *in)
{
	size_t size = MIN(in->left, (size_t)(take_number(in) & 0x1fff));
	struct secl_string s = { (const char *)in->data, MIN(size, in->left) };

	in->data += s.size;
	in->left -= s.size;
	return s;
}

static struct string_list take_list(struct input *in)
{
	struct secl_string s = take_string(in);

	return (struct string_list){ s.text, (uint32_t)s.size, 0, take_number(in) & 1 };
}

static struct file_info take_file(struct input *in)
{
	return (struct file_info){ .path = take_string(in),
				   .filesystem = take_string(in),
				   .inode = take_number(in),
				   .size = take_number(in),
				   .mode = (uint32_t)take_number(in),
				   .mtime_ns = (int64_t)take_number(in),
				   .error = (int)(take_number(in) % 200) - 100,
				   .present = take_number(in) & 1 };
}

static void take_image(struct input *in, struct image *image)
{
	*image = (struct image){ .file = take_file(in),
				 .interpreter = take_file(in),
				 .argv = take_list(in),
				 .envp = take_list(in),
				 .envp_read = true,
				 .aliases = { take_string(in), take_string(in) } };
}

static void take_process(struct input *in, struct process *p)
{
	p->pid = (pid_t)take_number(in);
	p->comm = take_string(in);
	p->tty = take_string(in);
	p->cgroup = take_string(in);
	p->container = take_string(in);
	p->fork_time_ns = (int64_t)take_number(in);
	p->cred.cap_effective = take_number(in);
	p->flags = (unsigned)take_number(in);
	p->source = (enum process_source)take_number(in);
}

static void take_event(struct input *in, struct event *event, struct secl_string names[2])
{
	event->time_ns = (int64_t)take_number(in);
	event->retval = (int64_t)take_number(in);
	if (event->type == EVENT_EXEC) {
		event->exec.path = take_string(in);
		return;
	}
	names[0] = take_string(in);
	names[1] = take_string(in);
	event->connect.protocol = (uint16_t)take_number(in);
	event->connect.addr = (struct socket_address){ .family = (uint16_t)take_number(in),
						       .port = (uint16_t)take_number(in),
						       .path = take_string(in),
						       .hostnames = names,
						       .nhostnames = 2 };
	event->connect.addr.ip.family = take_number(in) & 1 ? 2 : 10;
}

static void check_line(const struct report *report, size_t size)
{
	static char buf[LARGE];
	ssize_t n = report_write(report, buf, size);
	json_t *json;

	if (n <= 0 || (size_t)n >= size || memchr(buf, '\n', (size_t)n))
		abort();
	json = json_loadb(buf, (size_t)n, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	if (!json || memmem(buf, (size_t)n, "hunter2", 7))
		abort();
	json_decref(json);
}

static void load_one(void *data, const struct secl_field *field)
{
	struct secl_context *ctx = data;
	size_t mark = arena_mark(ctx->scratch);
	struct secl_value value;

	(void)event_schema.load(ctx, field, -1, &value);
	arena_release(ctx->scratch, mark);
}

static void load_all(const struct event *event)
{
	static struct arena scratch;
	struct field_source source = { .event = event };
	struct secl_context ctx = { .schema = &event_schema,
				    .event = &source,
				    .scratch = &scratch };

	if (!scratch.base && arena_init(&scratch, SCRATCH) < 0)
		abort();
	field_each(load_one, &ctx);
	arena_reset(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct report_origin origin = { .version = "0", .origin = "ebpfless" };
	static const struct report_rule rule = { .id = "r" };
	static const char secret[] = "x\0--password=hunter2\0password\0hunter2";
	struct image images[2];
	struct process self = { .image = &images[0] }, parent = { .image = &images[1] }, oldest;
	struct secl_string names[2];
	struct input in = { data, size };
	struct event event = { .type = take_number(&in) & 1 ? EVENT_EXEC : EVENT_CONNECT,
			       .process = &self };
	struct report report = { .origin = &origin, .rule = &rule, .event = &event };

	/* the input must not itself be the secret that is looked for */
	if (size && memmem(data, size, "hunter", 6))
		return 0;
	take_event(&in, &event, names);
	take_process(&in, &self);
	take_image(&in, &images[0]);
	take_process(&in, &parent);
	take_image(&in, &images[1]);
	oldest = parent;
	images[1].argv = (struct string_list){ secret, sizeof secret, 4, false };
	self.parent = &parent;
	parent.parent = &oldest;
	report.verdict.kind = (enum verdict_kind)(take_number(&in) % VERDICT_COUNT);
	check_line(&report, SMALL);
	check_line(&report, LARGE);
	load_all(&event);
	return 0;
}
