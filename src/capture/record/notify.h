/* SPDX-License-Identifier: GPL-2.0 */
/* The protocol of sd_notify(3): one datagram to the socket that systemd names. */
#ifndef VT_CAPTURE_NOTIFY_H
#define VT_CAPTURE_NOTIFY_H

/* Lines of KEY=VALUE. 0 without $NOTIFY_SOCKET; negative errno when the message did not get there. */
int notify__send(const char *lines);

#endif
