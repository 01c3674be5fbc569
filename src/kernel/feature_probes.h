/* SPDX-License-Identifier: GPL-3.0-or-later */
/* feature_probes.h - one function a row of features.def, for feature.c alone.
 *
 * They run one after the other, most often in a throw-away child, where they may leave
 * behind whatever they like. Those that a start needs also run without one, and leave
 * no descriptor.
 */
#pragma once
#include "kernel/feature.h"

struct feature_probe {
	const struct feature_report *report; /* kernel and privileges are filled in */
	struct feature_result *result;
	int listener;  /* left by the probe of LISTENER for those that follow, or -1; given
			* by the caller, it answers for that probe */
	pid_t child;   /* started by the first probe that needs one, shared by all; or 0 */
	int child_end; /* its life line, see feature_probes_done() */
	bool borrowed; /* CHILD is the caller's, and is not to be stopped */
};

/* Ends and reaps the child. (One whose prober was killed ends by itself.) */
void feature_probes_done(struct feature_probe *probe);

/* 0 when the feature is there, else -errno; may fill result->reason. */
typedef int feature_probe_function(struct feature_probe *probe);

#define FEATURE(id, name, without, event, on, purpose) feature_probe_function feature_probe_##id;
#include "kernel/features.def"
#undef FEATURE
