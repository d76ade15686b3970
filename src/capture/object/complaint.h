/* SPDX-License-Identifier: GPL-2.0 */
/* libbpf's voice: kept, as what it says is the reason that a user is told. */
#ifndef VT_CAPTURE_COMPLAINT_H
#define VT_CAPTURE_COMPLAINT_H

/* From here on libbpf is listened to. */
void complaint__listen(void);
/* What libbpf last complained of, "" when nothing. */
const char *complaint__last(void);
/* The program that libbpf last could not load, "" since complaint__forget(). */
const char *complaint__culprit(void);
void complaint__forget(void);

#endif
