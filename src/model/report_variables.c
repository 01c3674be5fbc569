/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "model/report_parts.h"
#include "model/scrub.h"

static void write_net(struct report_doc *doc, const struct secl_net *net)
{
	char text[INET6_ADDRSTRLEN + 8] = "";
	size_t size;

	if (net->family)
		(void)inet_ntop(net->family, net->addr, text, INET6_ADDRSTRLEN);
	size = strlen(text);
	if (net->family && net->prefix != (net->family == AF_INET ? 32 : 128))
		size += (size_t)snprintf(text + size, sizeof text - size, "/%u", net->prefix);
	report_element(doc, (struct secl_string){ text, size }, sizeof text);
}

/* It may come from a command line; cut first, scrubbed then: so no part of a secret
 * remains.
 */
static void write_text(struct report_doc *doc, struct scrub *scrub, struct secl_string text)
{
	char clean[1024];

	if (text.size > doc->limits->arg_bytes) {
		text.size = doc->limits->arg_bytes;
		doc->cut = true;
	}
	text.size = scrub_argument(scrub, text, clean, sizeof clean);
	text.text = clean;
	report_element(doc, text, sizeof clean * 6);
}

static void write_scalar(struct report_doc *doc, struct scrub *scrub, const struct secl_value *v)
{
	switch (v->type) {
	case SECL_BOOL: jsonw_bool(&doc->w, v->boolean); break;
	case SECL_INT: jsonw_int(&doc->w, v->integer); break;
	case SECL_STRING: write_text(doc, scrub, v->string); break;
	case SECL_NET: write_net(doc, &v->net); break;
	case SECL_NONE: jsonw_null(&doc->w); break;
	}
}

static void write_list(struct report_doc *doc, struct scrub *scrub, const struct secl_value *v)
{
	size_t count = MIN(v->list.count, doc->limits->tags);

	jsonw_begin_array(&doc->w);
	for (size_t i = 0; i < count; i++) {
		struct secl_value one = secl_value_element(v, i);

		write_scalar(doc, scrub, &one);
	}
	jsonw_end_array(&doc->w);
	doc->cut |= count < v->list.count;
}

void report_variables(struct report_doc *doc, enum report_scope scope)
{
	size_t written = 0;

	for (size_t i = 0; i < doc->nvariables; i++) {
		const struct report_variable *variable = &doc->variables[i];
		struct scrub scrub = { .scrubber = doc->origin->scrubber };

		if (variable->scope != scope)
			continue;
		if (written == doc->limits->tags) {
			doc->cut = true;
			break;
		}
		if (written++ == 0) {
			jsonw_key(&doc->w, "variables");
			jsonw_begin_object(&doc->w);
		}
		jsonw_key(&doc->w, variable->name);
		if (variable->value.array)
			write_list(doc, &scrub, &variable->value);
		else
			write_scalar(doc, &scrub, &variable->value);
	}
	if (written)
		jsonw_end_object(&doc->w);
}
