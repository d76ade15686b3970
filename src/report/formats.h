/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every format of a report: its name, under which vt_report_NAME() writes it,
 * and whom it is for. The first is the default. Options, help and the man page
 * come from here.
 */
#define VT_FORMATS(X) \
	X(text, "for people") \
	X(json, "for programs: docs/report.schema.json") \
	X(ktap, "for kernel test runners") \
	X(junit, "for CI systems: JUnit XML") \
	X(sarif, "for code scanning: SARIF 2.1.0")
