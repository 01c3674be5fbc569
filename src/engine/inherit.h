/* SPDX-License-Identifier: GPL-3.0-or-later */
/* inherit.h - letting go of what guard was started with.
 *
 * Who reads the workload's output must not wait for guard. Guard's own descriptors
 * are close-on-exec, inherited ones are not: that is how they are told apart.
 */
#pragma once

/* Closes every inherited descriptor from 3 on, and puts /dev/null in the place of the
 * first STREAMS ones.
 */
void inherit_drop(int streams);
