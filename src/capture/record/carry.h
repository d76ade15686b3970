/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A trace that travels with the live update: it is written to a memory file
 * that LUO itself preserves (luo_preserve_file(), memfd_luo_preserve()), for
 * machines that have no disk at that moment. The next kernel's `vfiotrace
 * fetch` takes it out.
 *
 * The session is VT_OWN_SESSION and the token VT_OWN_TOKEN: the model leaves
 * them out, so that the tool does not judge itself.
 *
 * Functions return 0 or a negative errno; *WHY then gets a sentence that needs
 * no freeing.
 */
#ifndef VT_CAPTURE_CARRY_H
#define VT_CAPTURE_CARRY_H

#include <stdint.h>

#define CARRY_MIN (256u << 10)

struct carry;

/*
 * The first open of LUO's device rebuilds what arrived with the last live
 * update (luo_session_deserialize()). A recorder that carries its trace would
 * be that first one: it opens and closes the device while it records. Negative errno when
 * LUO itself has failed: nothing can be had out of this kernel by it, then.
 */
int carry__first_open(void);

/* Old kernel: a memory file for BYTES of trace, preserved from here on. All of it is allocated now. */
int carry__open(uint64_t bytes, struct carry **out, const char **why);
/* For the trace's writer: a descriptor of its own, at the place where the trace begins. */
int carry__writer_fd(const struct carry *c);
/* The first BYTES of the trace are whole: what the next kernel may take. */
void carry__stored(struct carry *c, uint64_t bytes);

/*
 * New kernel: takes the memory file back. -ENOENT: none was carried over;
 * -EBUSY: somebody else has the device open. An end without carry__done()
 * loses the trace: LUO ends a session with its last descriptor.
 */
int carry__retrieve(struct carry **out, const char **why);
/* Ends the session: LUO lets go of the memory. */
int carry__done(struct carry *c);

uint64_t carry__bytes(const struct carry *c);
/* The trace to a file as `record` makes one (vt_out__target()), on stable storage when this returns. */
int carry__copy(const struct carry *c, const char *path);
/* NULL is fine. In the old kernel this takes the preservation back. */
void carry__free(struct carry *c);

#endif
