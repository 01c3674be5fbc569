/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "engine/proctab.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "engine/imagepool.h"
#include "engine/snapshot.h"
#include "kernel/target.h"

enum {
	PROCESSES_MAX = PROCTAB_SLOTS,
	HASH_SIZE = 8192,   /* a power of two */
	LINEAGE_MAX = 1000, /* parents followed when a process is first met */
	TRIM_DEBT = 3,      /* entries looked at for each that is new */
	TRIM_BATCH = 16,    /* so many at a time: one call asks for all of them */
	CGROUP_MAX = 512,
	CHILDREN_MAX = 64, /* met at once when their parent dies or executes */
};

struct entry {
	struct process process;
	struct entry *next_hash, *next_free;
	unsigned children; /* entries whose parent this is */
	bool used, hashed;
	bool member;         /* made a notified call: of the workload */
	bool outside;        /* guard's own, or above it: not of the workload */
	bool doubtful;       /* the image may be another by now */
	int pidfd;           /* of the process, -1 = none */
	uint64_t asked;      /* when, in calls of proctab_get() */
	uint64_t stat_clock; /* when its stat was read, likewise; 0 = not yet */
	uint64_t token;      /* of its memory when that was last asked */
	uint64_t known;      /* enum event_need that were read */
	char comm[16], tty[24], cgroup[CGROUP_MAX];
};

struct proctab {
	struct proctab_options options;
	struct imagepool *images; /* borrowed */
	struct entry *entries;
	struct entry *free;
	unsigned fresh, used, pidfds, hand;
	unsigned debt; /* entries to look at */
	int orphans;   /* list of the reaper's children; -1 = not open */
	struct entry *hash[HASH_SIZE];
	uint64_t clock;
	int64_t boot_ns;
	struct arena scratch;
	struct image unknown;
};

static struct entry *entry_of(const struct process *process)
{
	return CONTAINER_OF(process, struct entry, process);
}

int proctab_new(const struct proctab_options *options, struct proctab **ret)
{
	struct proctab *tab = calloc(1, sizeof *tab);
	int r;

	if (!tab)
		return -ENOMEM;
	tab->options = *options;
	tab->images = options->images;
	tab->orphans = -1;
	tab->boot_ns = procfs_boot_time_ns();
	tab->unknown = (struct image){ .argv.data = "", .envp.data = "", .unknown = true };
	tab->entries = mmap(NULL, PROCESSES_MAX * sizeof *tab->entries, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (tab->entries == MAP_FAILED) {
		free(tab);
		return -ENOMEM;
	}
	r = arena_init(&tab->scratch, 1024 * 1024);
	if (r < 0) {
		proctab_free(tab);
		return r;
	}
	*ret = tab;
	return 0;
}

void proctab_free(struct proctab *tab)
{
	if (!tab)
		return;
	for (unsigned i = 0; i < tab->fresh; i++) {
		if (tab->entries[i].used && tab->entries[i].pidfd >= 0)
			(void)close(tab->entries[i].pidfd);
	}
	if (tab->orphans >= 0)
		(void)close(tab->orphans);
	arena_done(&tab->scratch);
	(void)munmap(tab->entries, PROCESSES_MAX * sizeof *tab->entries);
	free(tab);
}

/* ---- entries ------------------------------------------------------------ */

static struct entry **hash_slot(struct proctab *tab, pid_t pid)
{
	return &tab->hash[(uint32_t)pid & (HASH_SIZE - 1)];
}

static struct entry *hash_find(struct proctab *tab, pid_t pid)
{
	struct entry *e = *hash_slot(tab, pid);

	while (e && e->process.pid != pid)
		e = e->next_hash;
	return e;
}

/* The pid may belong to somebody else from now on; children keep the entry. */
static void unhash(struct proctab *tab, struct entry *entry)
{
	struct entry **p = hash_slot(tab, entry->process.pid);

	if (!entry->hashed)
		return;
	while (*p != entry)
		p = &(*p)->next_hash;
	*p = entry->next_hash;
	entry->hashed = false;
	if (entry->pidfd >= 0) {
		(void)close(entry->pidfd);
		entry->pidfd = -1;
		tab->pidfds--;
	}
}

static void set_image(struct proctab *tab, struct entry *entry, const struct image *image)
{
	const struct image *old = entry->process.image;

	if (image != old && tab->options.lineage)
		lineage_changed(tab->options.lineage, entry->process.slot, entry->children);
	if (image != &tab->unknown)
		imagepool_ref(tab->images, image);
	entry->process.image = image;
	if (old && old != &tab->unknown)
		imagepool_unref(tab->images, old);
}

/* Frees ENTRY, which is dead or just not kept, and every dead parent that only it had
 * kept.
 */
static void release(struct proctab *tab, struct entry *entry, bool dead)
{
	while (entry && entry->used && !entry->hashed && !entry->children) {
		const struct process *parent = entry->process.parent;

		if (dead && tab->options.forget)
			tab->options.forget(tab->options.data, entry->process.pid,
					    entry->process.start_ticks);
		dead = true;
		if (entry->process.image != &tab->unknown)
			imagepool_unref(tab->images, entry->process.image);
		entry->used = false;
		entry->next_free = tab->free;
		tab->free = entry;
		tab->used--;
		entry = parent ? entry_of(parent) : NULL;
		if (entry)
			entry->children--;
	}
}

static bool alive(const struct entry *entry)
{
	struct proc_stat stat;

	if (entry->pidfd >= 0)
		return syscall(SYS_pidfd_send_signal, entry->pidfd, 0, NULL, 0) == 0 ||
		       errno != ESRCH;
	return procfs_stat(entry->process.pid, &stat) == 0 &&
	       stat.start_ticks == entry->process.start_ticks;
}

/* The least recently asked-for entry among a sample: it is read from /proc
 * again, should it come back.
 */
static void evict(struct proctab *tab)
{
	struct entry *oldest = NULL;

	for (unsigned i = 0; i < 64; i++) {
		struct entry *e = &tab->entries[tab->hand++ % PROCESSES_MAX];

		if (e->used && !e->children && e->asked != tab->clock &&
		    (!oldest || e->asked < oldest->asked))
			oldest = e;
	}
	if (!oldest)
		return;
	unhash(tab, oldest);
	release(tab, oldest, false);
}

static struct entry *take_entry(struct proctab *tab)
{
	struct entry *e;

	for (unsigned tries = 0; !tab->free && tab->fresh == PROCESSES_MAX && tries < 256; tries++)
		evict(tab);
	e = tab->free;
	if (e)
		tab->free = e->next_free;
	else if (tab->fresh < PROCESSES_MAX)
		e = &tab->entries[tab->fresh++];
	else
		return NULL;
	*e = (struct entry){ .used = true, .pidfd = -1 };
	e->process.slot = (unsigned)(e - tab->entries) + 1;
	if (tab->options.lineage)
		lineage_changed(tab->options.lineage, e->process.slot, false);
	tab->used++;
	/* where nobody is added nobody is looked for who has gone */
	tab->debt = MIN(tab->debt + TRIM_DEBT, (unsigned)PROCESSES_MAX);
	return e;
}

/* ---- reading a process for the first time -------------------------------- */

static void set_snapshot(struct proctab *tab, struct entry *entry, pid_t tid, bool unknown)
{
	const struct proctab_options *o = &tab->options;
	const struct image *image;
	bool may;

	arena_reset(&tab->scratch);
	may = entry->outside || !o->begin_reading || o->begin_reading(o->data);
	/* what is not shown may be anything */
	image = snapshot_image(tab->images, o->host, &tab->scratch, tid, unknown || !may, may,
			       !unknown && o->follows);
	if (may && !entry->outside && o->end_reading)
		o->end_reading(o->data);
	if (!image)
		image = &tab->unknown;
	set_image(tab, entry, image);
	/* set_image() took a reference of its own */
	if (image != &tab->unknown)
		imagepool_unref(tab->images, image);
	entry->process.source = PROCESS_SOURCE_SNAPSHOT;
}

/* The image whose exec laid out the memory that TID has. Where several have the
 * same token (no address space randomisation) the parent decides, if it has one
 * of them.
 */
static const struct image *image_by_token(struct proctab *tab, struct entry *entry, pid_t tid)
{
	const struct process *parent = entry->process.parent;
	const struct image *image;
	bool ambiguous;
	uint64_t token;

	entry->token = 0;
	if (procfs_token(tid, &token) < 0)
		return NULL;
	entry->token = token;
	image = imagepool_find(tab->images, token, &ambiguous);
	if (!ambiguous)
		return image;
	return parent && parent->image->token == token ? parent->image : NULL;
}

static void load_image(struct proctab *tab, struct entry *entry, pid_t tid)
{
	const struct image *image;

	if (entry->outside || !tab->options.follows) {
		set_snapshot(tab, entry, tid, false);
		return;
	}
	image = image_by_token(tab, entry, tid);
	if (!image) {
		set_snapshot(tab, entry, tid, true);
		return;
	}
	set_image(tab, entry, image);
	if (!(entry->process.flags & PROCESS_IS_EXEC))
		entry->process.flags |= PROCESS_IS_THREAD;
	entry->process.source = PROCESS_SOURCE_EVENT;
}

/* Looks again at an image that was or became uncertain. */
static void reload_image(struct proctab *tab, struct entry *entry, pid_t tid)
{
	const struct image *image;
	uint64_t known;

	if (!tab->options.follows) {
		if (entry->doubtful || !snapshot_same_program(tid, entry->process.image))
			load_image(tab, entry, tid);
		entry->doubtful = false;
		return;
	}
	if (!entry->doubtful && !entry->process.image->unknown)
		return;
	/* an exec that was not verified may not have happened yet: the doubt stays */
	known = entry->token;
	image = image_by_token(tab, entry, tid);
	if (image ? image == entry->process.image : known && known == entry->token)
		return;
	load_image(tab, entry, tid);
}

enum { KERNEL_THREAD_FLAG = 0x00200000 /* PF_KTHREAD, linux/sched.h */ };

static void store_stat(struct proctab *tab, struct entry *entry, const struct proc_stat *stat)
{
	struct process *p = &entry->process;

	p->ppid = stat->ppid;
	p->sid = stat->sid;
	p->start_ticks = stat->start_ticks;
	p->fork_time_ns = tab->boot_ns + procfs_ticks_to_ns(stat->start_ticks);
	memcpy(entry->comm, stat->comm, sizeof entry->comm);
	p->comm = (struct secl_string){ .text = entry->comm, .size = strlen(entry->comm) };
	p->tty = (struct secl_string){ .text = entry->tty,
				       .size = procfs_tty_name(stat->tty, entry->tty,
							       sizeof entry->tty) };
	if (stat->kernel_flags & KERNEL_THREAD_FLAG)
		p->flags |= PROCESS_IS_KWORKER;
	entry->stat_clock = tab->clock;
}

/* CALLER, when it is this very process, gives its own descriptor. */
static void keep_pidfd(struct proctab *tab, struct entry *entry, struct caller *caller)
{
	int fd;

	if (tab->pidfds >= tab->options.pidfds)
		return;
	if (caller && caller->tid == entry->process.pid && caller->pidfd >= 0) {
		fd = caller->pidfd;
		caller->known = &entry->process;
	} else {
		fd = (int)syscall(SYS_pidfd_open, entry->process.pid, 0);
	}
	if (fd < 0)
		return;
	entry->pidfd = fd;
	tab->pidfds++;
}

/* A process without its parent and image. CALLER, when it is this process and the
 * table can keep its pidfd, spares the first reading of /proc: who it is, it has
 * said itself, and the pidfd holds its identity.
 */
static struct entry *make_entry(struct proctab *tab, pid_t pid, struct caller *caller,
				int *ret_error)
{
	bool known = caller && caller->tid == pid && caller->pidfd >= 0 &&
		     tab->pidfds < tab->options.pidfds;
	struct entry **slot, *entry;
	struct proc_stat stat;
	int r;

	r = known ? 0 : procfs_stat(pid, &stat);
	if (r < 0) {
		*ret_error = r;
		return NULL;
	}
	entry = take_entry(tab);
	if (!entry) {
		*ret_error = -ENOMEM;
		return NULL;
	}
	entry->process.pid = pid;
	entry->process.image = &tab->unknown;
	entry->process.cred.auid = UINT32_MAX;
	if (known)
		entry->process.ppid = caller->who.ppid;
	else
		store_stat(tab, entry, &stat);
	slot = hash_slot(tab, pid);
	entry->next_hash = *slot;
	entry->hashed = true;
	entry->asked = tab->clock;
	*slot = entry;
	keep_pidfd(tab, entry, caller);
	return entry;
}

static void bury(struct proctab *tab, struct entry *const *dead, unsigned count);

static struct entry *find_alive(struct proctab *tab, pid_t pid)
{
	struct entry *entry = hash_find(tab, pid);

	if (entry && !alive(entry)) {
		bury(tab, &entry, 1);
		return NULL;
	}
	return entry;
}

static void adopt(struct proctab *tab, struct entry *child, struct entry *parent)
{
	child->process.parent = &parent->process;
	parent->children++;
	if (parent->process.pid == tab->options.reaper)
		child->process.flags |= PROCESS_LINEAGE_INFERRED;
}

/* The workload begins below the supervisor or, of orphans, below the keeper. */
static bool is_guard(const struct proctab *tab, pid_t pid)
{
	return pid == getpid() || pid == tab->options.reaper;
}

/* Makes ENTRY's ancestors up to one that is known, then the images from the top
 * down: a child may share its parent's. ENTRY's own is left to the caller.
 */
static void load_lineage(struct proctab *tab, struct entry *entry)
{
	UNCLEARED struct entry *chain[LINEAGE_MAX];
	unsigned n = 0;
	int error;

	chain[n++] = entry;
	while (n < LINEAGE_MAX && chain[n - 1]->process.ppid > 0) {
		struct entry *child = chain[n - 1];
		struct entry *parent = find_alive(tab, child->process.ppid);
		bool known = parent;

		if (!parent)
			parent = make_entry(tab, child->process.ppid, NULL, &error);
		if (!parent || parent == child)
			break;
		adopt(tab, child, parent);
		if (known)
			break;
		parent->outside = child->outside || is_guard(tab, parent->process.pid);
		chain[n++] = parent;
	}
	while (n-- > 1)
		load_image(tab, chain[n], chain[n]->process.pid);
}

/* A child that has not been met yet: it has the memory of its parent. */
static void meet(struct proctab *tab, pid_t pid, const struct image *image)
{
	struct entry *entry;
	int error;

	if (hash_find(tab, pid) || pid == getpid())
		return;
	entry = make_entry(tab, pid, NULL, &error);
	if (!entry)
		return;
	load_lineage(tab, entry);
	if (image) {
		set_image(tab, entry, image);
		entry->process.flags |= PROCESS_IS_THREAD;
		entry->process.source = PROCESS_SOURCE_EVENT;
	} else {
		load_image(tab, entry, pid);
	}
}

/* Meets the children of PARENT, which becomes something else than IMAGE. */
static void meet_children(struct proctab *tab, pid_t parent, const struct image *image)
{
	UNCLEARED pid_t children[CHILDREN_MAX];
	ssize_t count = procfs_children(parent, children, ELEMENTS(children));

	for (ssize_t i = 0; i < count; i++)
		meet(tab, children[i], image);
}

/* Meets those whose parent has died. That is asked at every death, of a process that
 * stays: its list is kept open.
 */
static void meet_orphans(struct proctab *tab)
{
	UNCLEARED pid_t children[CHILDREN_MAX];
	ssize_t count;

	if (tab->orphans < 0)
		tab->orphans = procfs_children_open(tab->options.reaper);
	count = tab->orphans < 0 ? 0
				 : procfs_children_read(tab->orphans, children, ELEMENTS(children));
	for (ssize_t i = 0; i < count; i++)
		meet(tab, children[i], NULL);
}

/* Dead processes; the reaper has their children by now. Those are met before the last
 * reference to what they run is gone.
 */
static void bury(struct proctab *tab, struct entry *const *dead, unsigned count)
{
	bool members = false;

	for (unsigned i = 0; i < count; i++) {
		unhash(tab, dead[i]);
		members |= dead[i]->member;
	}
	if (members && tab->options.follows)
		meet_orphans(tab);
	for (unsigned i = 0; i < count; i++)
		release(tab, dead[i], true);
}

/* As long as its process is not gone nobody else has its number: the task that makes a
 * call under this number is its first thread.
 */
int proctab_caller(struct proctab *tab, pid_t tid, struct caller *ret)
{
	struct entry *entry = hash_find(tab, tid);
	struct caller caller = { .tid = tid };

	if (!entry || entry->pidfd < 0 || procfs_pidfd_identity(entry->pidfd, &caller.who) < 0 ||
	    caller.who.tgid != tid)
		return caller_open(tid, ret);
	caller.pidfd = entry->pidfd;
	caller.known = &entry->process;
	*ret = caller;
	return 0;
}

/* What poll(2) says of a descriptor is believed when it has ended and been waited for;
 * one that nobody has waited for yet is there still.
 */
static bool has_gone(const struct entry *entry, int events)
{
	return events & POLLHUP || ((events || entry->pidfd < 0) && !alive(entry));
}

/* One call for many that are alive: asking each costs more than all else here. */
static void look_at_some(struct proctab *tab)
{
	struct entry *seen[TRIM_BATCH], *dead[TRIM_BATCH];
	struct pollfd ends[TRIM_BATCH];
	unsigned nseen = 0, ndead = 0;

	for (unsigned i = 0; i < MIN((unsigned)TRIM_BATCH, tab->fresh); i++) {
		struct entry *e = &tab->entries[tab->hand++ % tab->fresh];

		if (!e->used || !e->hashed)
			continue;
		ends[nseen] = (struct pollfd){ .fd = e->pidfd, .events = POLLIN };
		seen[nseen++] = e;
	}
	if (poll(ends, nseen, 0) < 0)
		return;
	for (unsigned i = 0; i < nseen; i++) {
		if (has_gone(seen[i], ends[i].revents))
			dead[ndead++] = seen[i];
	}
	bury(tab, dead, ndead);
}

void proctab_trim(struct proctab *tab)
{
	if (tab->debt < TRIM_BATCH)
		return;
	tab->debt -= TRIM_BATCH;
	look_at_some(tab);
}

static void take_ids(struct entry *entry, const struct caller *caller)
{
	struct credentials *cred = &entry->process.cred, old = *cred;

	if (!caller->who.has_cred)
		return;
	*cred = caller->who.cred;
	cred->auid = old.auid;
	cred->cap_effective = old.cap_effective;
	cred->cap_permitted = old.cap_permitted;
}

static struct process *get(struct proctab *tab, struct caller *caller, bool own_image,
			   int *ret_error)
{
	struct entry *entry;

	tab->clock++;
	entry = caller->known ? entry_of(caller->known) : find_alive(tab, caller->who.tgid);
	*ret_error = 0;
	if (!entry) {
		entry = make_entry(tab, caller->who.tgid, caller, ret_error);
		if (!entry)
			return NULL;
		load_lineage(tab, entry);
		if (own_image)
			load_image(tab, entry, caller->tid);
	} else if (own_image) {
		reload_image(tab, entry, caller->tid);
	}
	entry->asked = tab->clock;
	entry->member = true;
	take_ids(entry, caller);
	return &entry->process;
}

struct process *proctab_get(struct proctab *tab, struct caller *caller, int *ret_error)
{
	return get(tab, caller, true, ret_error);
}

struct process *proctab_get_for_exec(struct proctab *tab, struct caller *caller, int *ret_error)
{
	return get(tab, caller, false, ret_error);
}

struct process *proctab_get_traced(struct proctab *tab, pid_t pid)
{
	struct entry *entry = hash_find(tab, pid);

	tab->clock++;
	if (!entry)
		return NULL;
	entry->asked = tab->clock;
	return &entry->process;
}

/* ---- reading more --------------------------------------------------------- */

static int read_credentials(struct entry *entry, pid_t tid)
{
	struct proc_status status;
	int r = procfs_status(tid, &status);

	if (r < 0)
		return r;
	entry->process.cred = status.cred;
	entry->process.cred.auid = procfs_loginuid(entry->process.pid);
	return 0;
}

static int read_cgroup(struct entry *entry)
{
	struct process *p = &entry->process;
	ssize_t n = procfs_cgroup(p->pid, entry->cgroup, sizeof entry->cgroup);
	const char *id = NULL;

	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	p->cgroup = (struct secl_string){ .text = entry->cgroup, .size = (size_t)n };
	p->container.size = procfs_container_id(entry->cgroup, (size_t)n, &id);
	p->container.text = id;
	return 0;
}

static int read_stat(struct proctab *tab, struct entry *entry)
{
	struct proc_stat stat;
	int r;

	if (entry->stat_clock == tab->clock)
		return 0;
	r = procfs_stat(entry->process.pid, &stat);
	if (r < 0)
		return r;
	store_stat(tab, entry, &stat);
	return 0;
}

int proctab_refresh(struct proctab *tab, struct process *process, pid_t tid, uint64_t needs)
{
	struct entry *entry = entry_of(process);
	int r = 0;

	if (needs & NEED_CREDENTIALS)
		r = read_credentials(entry, tid);
	if (r == 0 && needs & (NEED_COMM | NEED_TTY))
		r = read_stat(tab, entry);
	if (r == 0 && needs & NEED_CGROUP)
		r = read_cgroup(entry);
	if (r == 0 && needs & NEED_NAMESPACES && !(entry->known & NEED_NAMESPACES)) {
		process->netns = procfs_namespace(process->pid, "net");
		process->mntns = procfs_namespace(process->pid, "mnt");
	}
	entry->known |= needs;
	/* of ancestors what does not change is read once */
	if (r == 0 && needs & NEED_ANCESTORS) {
		for (const struct process *p = process->parent; p; p = p->parent) {
			struct entry *e = entry_of(p);

			if ((e->known & needs) == needs)
				break;
			if (e->hashed && needs & NEED_CREDENTIALS)
				(void)read_credentials(e, p->pid);
			if (e->hashed && needs & NEED_CGROUP)
				(void)read_cgroup(e);
			if (e->hashed && needs & (NEED_COMM | NEED_TTY) && !e->stat_clock)
				(void)read_stat(tab, e);
			e->known |= needs;
		}
	}
	return r;
}

/* ---- execs ---------------------------------------------------------------- */

struct process proctab_candidate(const struct process *process, const struct image *image)
{
	struct process candidate = *process;

	candidate.image = image;
	candidate.exec_time_ns = image->exec_time_ns;
	candidate.source = PROCESS_SOURCE_EVENT;
	candidate.flags &= ~(unsigned)PROCESS_IS_THREAD;
	candidate.flags |= PROCESS_IS_EXEC;
	if (process->flags & PROCESS_IS_EXEC)
		candidate.flags |= PROCESS_IS_EXEC_CHILD;
	return candidate;
}

int proctab_exec(struct proctab *tab, struct process *process, const struct image *image)
{
	struct entry *entry = entry_of(process);
	const struct image *copy;

	if (tab->options.follows && process->source == PROCESS_SOURCE_EVENT &&
	    !process->image->unknown)
		meet_children(tab, process->pid, process->image);
	copy = imagepool_copy(tab->images, image);
	entry->process = proctab_candidate(process, process->image);
	entry->process.exec_time_ns = image->exec_time_ns;
	entry->doubtful = false;
	set_image(tab, entry, copy ? copy : &tab->unknown);
	if (!copy)
		return -ENOMEM;
	imagepool_unref(tab->images, copy);
	return 0;
}

void proctab_set_comm(struct process *process, struct secl_string comm)
{
	struct entry *entry = entry_of(process);
	size_t size = MIN(comm.size, sizeof entry->comm - 1);

	memcpy(entry->comm, comm.text, size);
	entry->comm[size] = '\0';
	process->comm = (struct secl_string){ .text = entry->comm, .size = size };
}

void proctab_doubt(struct proctab *tab UNUSED, struct process *process)
{
	entry_of(process)->doubtful = true;
}

void proctab_image_keep(struct proctab *tab, const struct image *image)
{
	if (image != &tab->unknown)
		imagepool_ref(tab->images, image);
}

void proctab_image_drop(struct proctab *tab, const struct image *image)
{
	if (image != &tab->unknown)
		imagepool_unref(tab->images, image);
}

struct process *proctab_find(struct proctab *tab, pid_t pid)
{
	struct entry *entry = hash_find(tab, pid);

	return entry ? &entry->process : NULL;
}

size_t proctab_members(const struct proctab *tab, pid_t *ret, size_t size)
{
	size_t count = 0;

	for (unsigned i = 0; i < tab->fresh && count < size; i++) {
		const struct entry *e = &tab->entries[i];

		if (e->used && e->hashed && e->member && alive(e))
			ret[count++] = e->process.pid;
	}
	return count;
}

unsigned proctab_used(const struct proctab *tab)
{
	return tab->used;
}
