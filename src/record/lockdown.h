/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lockdown.h - the system calls that the recorder keeps.
 *
 * It reads JSON that holds a workload's bytes. Should that go wrong, what is
 * left to the intruder is writing to descriptors that are open, and connecting to
 * local sockets as nobody: no file can be opened, no program started, no other
 * process touched, no memory made executable.
 */
#pragma once
#include "base/err.h"

/* Everything that is not on the list fails with EPERM from here on. What the
 * libraries would open later (time zone, random seed) is opened before. no_new_privs must be set. 0
 * or a negative errno with a line in *err. A build with sanitizers keeps all calls.
 */
int lockdown(struct err *err);
