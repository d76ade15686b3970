// SPDX-License-Identifier: GPL-2.0
/* What vfio_df_open() did for a file, its release undoes. */
#include "rules/facts.h"
#include "rules/finding.h"

static const struct vt_telling left_open[] = {
	{ .kind = VT_FACT_DF_LEFT_OPEN, .key = "left-open", .func = "vfio_device_fops_release", .absence = true,
	  .title = "a vfio file is released and its device stays open",
	  .expected = "vfio_df_close() for what vfio_df_open() opened, before the df is freed",
	  .seen = "the df is freed, and vfio_df_close() has not run for it",
	  .meaning = "The device stays bound to its iommufd, with nobody left to unbind it: its open_count never comes down, and it is never reset.",
	  .ev = { "the df is freed", "opens the device", "the file is released" } },
};

const struct vt_rule vt_rule_df_left_open = {
	.id = "df-left-open", .name = "device left open by a released file", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO, .by_call = VT_VFIO_CALLS,
	.judges = { "opened df", "opened dfs", .type = { VT_EV_VFIO_DF_OPEN } },
	.needs = { { VT_EV_VFIO_DF_CLOSE, VT_ANY }, { VT_EV_VFIO_DF_OPEN, VT_ANY }, { VT_EV_MEM_FREE, VT_ANY }, { VT_EV_VFIO_RELEASE, VT_ANY },
		   { VT_EV_VFIO_DF_ALLOC, VT_ANY } },
	VT_TELLS(left_open),
};
