# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by run.sh: the table of allocations that record --fail made fail.

sweep_of() { # NAME CASE-TEXT PROBES-SED WANTED...
	local name=$1 want
	printf '%s\n' "$2" >"$tmp/sweep.case"
	prepare "$tmp/sweep.case" >"$tmp/why" 2>&1 || { not_ok "$name: $(head -3 "$tmp/why")"; return; }
	if [ -n "$3" ]; then
		printf '%b\n' "$3" >>"$tmp/new.probes"
		make new || { not_ok "$name: no trace"; return; }
	fi
	shift 3
	"$tool" sweep -s retrieve --pre "$tmp/old.vt" --trace "$tmp/new.vt" >"$tmp/text" 2>&1
	echo "exit $?" >>"$tmp/text"
	tr -s ' \n' '  ' <"$tmp/text" >"$tmp/flat"
	for want in "$@"; do
		grep -qF -- "$want" "$tmp/flat" && continue
		not_ok "$name: the table does not say '$want': $(cat "$tmp/flat")"
		return
	done
	ok
}

inject='agent inject.fail point session=vm0 token=0x1 count=1 order=0 name=kmalloc-96 site=vfio_allocate_device_file+0x1a'
sweep_of "sweep, a failing call" "use new new-failed
line new 40100 ev 40150 cpu1 43/43 $inject" "" \
	"1 vfio_allocate_device_file+0x1a kmalloc-96 -ENOMEM allowed: retrieve-failed" "1 allocations in section retrieve" "exit 0"
sweep_of "sweep, a finding about the call" "line new 40100 ev 40150 cpu1 43/43 $inject
edit new s/file.f_mode=0x20e001b/file.f_mode=0x20e0003/" "" \
	"absorbed file-fields" "exit 1"
sweep_of "sweep, a finding about none" "edit new s/file.f_mode=0x20e001b/file.f_mode=0x20e0003/" "" \
	"0 allocations" "1 finding about none of them" "exit 1"
sweep_of "sweep, what could not be made to fail" "line new 40100 ev 40150 cpu1 43/43 $inject" \
	'probe should_fail_alloc_page vmlinux none missing inject.fail reason="this kernel was built without CONFIG_FAIL_PAGE_ALLOC"' \
	"Page allocations were not made to fail: this kernel was built without CONFIG_FAIL_PAGE_ALLOC"
sweep_of "sweep, sites" "use new new-failed
line new 40100 ev 40150 cpu1 43/43 $inject
line new 40150 ev 40160 cpu1 43/43 agent obj.alloc point session=vm0 token=0x1 obj=ptr#9 callee=__kmalloc_noprof family=kmalloc site=vfio_pci_liveupdate_retrieve+0x40 within=op.retrieve
line new 50400 ev 50450 cpu1 43/43 agent obj.alloc point obj=ptr#8 callee=__kmalloc_noprof family=kmalloc site=elsewhere+0x4" "" \
	"1 site failed; reached, and never made to fail: vfio_pci_liveupdate_retrieve+0x40 vfio_allocate_device_file+0x21 exit"
# The place that failed is known by where it returns to, the others by where they stand.
site_of_both="use new new-failed
line new 40100 ev 40150 cpu1 43/43 ${inject/0x1a/0x26}"
sweep_of "sweep, one site" "$site_of_both" "" "1 site failed exit"
sweep_of "sweep, one site on arm64" "${site_of_both/0x26/0x25}" "meta machine aarch64" "1 site failed exit"
sweep_of "sweep, another site" "${site_of_both/0x26/0x25}" "" "1 site failed; reached, and never made to fail: vfio_allocate_device_file+0x21 exit"
