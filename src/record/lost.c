/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "record/lost.h"

#include "base/jsonw.h"

static void optional(struct jsonw *w, const char *key, const char *text)
{
	if (text)
		jsonw_kv_string(w, key, text);
}

/* LOST = 0 and DAMAGE = NULL: that one is left out. */
static struct line *make_line(const struct lost_origin *origin, const struct sink *sink,
			      const char *id, uint64_t lost, const char *damage)
{
	char buf[4096], name[256];
	struct jsonw w;
	ssize_t size;

	jsonw_init(&w, buf, sizeof buf);
	jsonw_begin_object(&w);
	jsonw_key(&w, "agent");
	jsonw_begin_object(&w);
	jsonw_kv_string(&w, "rule_id", id);
	jsonw_kv_string(&w, "version", PACKAGE_VERSION);
	jsonw_kv_string(&w, "os", "linux");
	jsonw_end_object(&w);
	jsonw_kv_time(&w, "date", now_realtime_ns());
	optional(&w, "service", origin->service);
	jsonw_key(&w, "guard");
	jsonw_begin_object(&w);
	if (lost)
		jsonw_kv_uint(&w, "lost", lost);
	jsonw_kv_string(&w, "sink", sink_name(sink, name, sizeof name));
	optional(&w, "damage", damage);
	optional(&w, "service", origin->service);
	optional(&w, "hostname", origin->hostname);
	optional(&w, "workload", origin->workload);
	jsonw_end_object(&w);
	jsonw_end_object(&w);
	size = jsonw_finish(&w);
	return size < 0 ? NULL : line_new(buf, (size_t)size, 0);
}

struct line *lost_line(const struct lost_origin *origin, const struct sink *sink, uint64_t lost)
{
	return make_line(origin, sink, "events_lost", lost, NULL);
}

struct line *damaged_line(const struct lost_origin *origin, const struct sink *sink,
			  const char *damage)
{
	return make_line(origin, sink, "sink_damaged", 0, damage);
}
