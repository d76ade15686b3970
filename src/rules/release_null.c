// SPDX-License-Identifier: GPL-2.0
/* vfio_device_fops_release() on a file that never got its df. */
#include "rules/facts.h"
#include "rules/finding.h"

static const struct vt_telling release_null[] = {
	{ .kind = VT_FACT_RELEASE_NULL, .key = "release-null", .func = "vfio_device_fops_release",
	  .title = "vfio_device_fops_release() is called on a file without a df",
	  .expected = "a file with vfio's operations has a df in private_data before anybody can put it",
	  .seen = "private_data is NULL",
	  .meaning = "Release follows the NULL pointer: an oops in whatever task closes the file.",
	  .ev = { "release of a file whose private_data is NULL", "the file is made", "the call that made it fails" } },
};

const struct vt_rule vt_rule_release_null = {
	.id = "release-null", .name = "release without a df", .severity = VT_ERROR, .subject = VT_ABOUT_VFIO,
	.judges = { "release", "releases", .type = { VT_EV_VFIO_RELEASE } },
	.needs = { { VT_EV_VFIO_RELEASE, VT_ANY } },
	VT_TELLS(release_null),
};
