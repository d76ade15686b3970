/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every format of a report: its name, under which vt_report_NAME() writes it,
 * whether several reports can follow each other in one output, and whom it is
 * for. The first is the default. Options, help and the man page come from here.
 */
#define VT_FORMATS(X) \
	X(text, true, "for people") \
	X(json, false, "for programs: docs/report.schema.json") \
	X(html, false, "for people, as one page: both kernels on one axis") \
	X(jsonl, true, "the same on one line: for a fleet's collector") \
	X(ktap, false, "for kernel test runners") \
	X(junit, false, "for CI systems: JUnit XML") \
	X(sarif, false, "for code scanning: SARIF 2.1.0") \
	X(prometheus, false, "for node_exporter's textfile collector")
