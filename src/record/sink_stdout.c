/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sink_stdout.c - JSON lines on standard output. */
#include "config.h"

#include "record/stream.h"

const struct sink_type sink_type_stdout = {
	.kind = SINK_STDOUT,
	.open = stream_open,
	.render = render_json,
	.flush = stream_flush,
	.close = stream_close,
};
