# SPDX-License-Identifier: GPL-2.0
# Lines of the sources, by debug information that is compiled here: a module (an object file that is not linked) and a
# vmlinux, whose functions have the names of the traces' call sites. Where the calls are in them, objdump tells.
tree=$tmp/tree
mkdir -p "$tree/drivers/vfio" "$tree/mm" "$tree/mods/kernel/drivers" "$tree/sub"

cat >"$tree/drivers/vfio/vfio_main.c" <<'END'
void kvfree(const void *p);
void kfree(const void *p);
static inline __attribute__((always_inline)) void undo(void *df)
{
	kvfree(df);	/* line 5 */
}
int vfio_device_cdev_open(void *inode, void *df)
{
	asm volatile(".skip 0x80, 0x90");
	undo(df);
	asm volatile("");
	return -12;
}
void vfio_device_fops_release(void *inode, void *df)
{
	kfree(df);	/* line 16 */
	asm volatile("");
}
const char name[] __attribute__((section(".modinfo"), used)) = "name=vfio";
const char vermagic[] __attribute__((section(".modinfo"), used)) = "vermagic=" RELEASE " SMP preempt";
END
cat >"$tree/mm/memfd_luo.c" <<'END'
void *kmalloc(unsigned long size);
void vfree(const void *p);
__attribute__((noipa)) void *kmalloc(unsigned long size) { return (void *)size; }
__attribute__((noipa)) void vfree(const void *p) { asm volatile(""); }
__attribute__((noipa)) long memfd_luo_preserve(void *p)
{
	void *l = kmalloc(64);	/* line 7 */

	asm volatile("" ::: "memory");
	vfree(l);	/* line 10 */
	asm volatile("");
	return 0;
}
void _start(void) { memfd_luo_preserve(0); }
END

site() { # OBJECT FUNCTION CALLEE: the offset of the call
	local begin call
	read -r begin call <<<"$(objdump -dr --no-show-raw-insn "$1" | awk -v fn="<$2>:" -v callee="$3" '
		$2 == fn { begin = $1; in_it = 1; next } /^$/ { in_it = 0 }
		in_it && $2 ~ /^(call|bl)/ { call = substr($1, 1, length($1) - 1) }
		in_it && index($0, callee) && call { print begin, call; exit }')"
	printf '0x%x\n' $((0x$call - 0x$begin))
}
mod=$tree/mods/kernel/drivers/vfio.ko vmlinux=$tree/mods/vmlinux
compile() { # RELEASE FLAG...
	local release=$1
	shift
	(cd "$tree" && gcc -g -O2 "$@" -DRELEASE="\"$release\"" -c drivers/vfio/vfio_main.c -o "$mod" &&
		gcc -g -O2 "$@" -fno-pie -no-pie -static -nostdlib -Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567 mm/memfd_luo.c -o "$vmlinux") 2>"$tmp/err" ||
		not_ok "debuginfo: cannot compile: $(head -3 "$tmp/err")"
}
seeded() { # EXTRA-META...: old.vt and new.vt whose sites are those of the module
	prepare "$here/cases/alloc-mismatch-seed.case" || not_ok "debuginfo: no case"
	sed -i -e "s/vfio_device_cdev_open+0xf1/vfio_device_cdev_open+$(site "$mod" vfio_device_cdev_open kvfree)/" \
		-e "s/vfio_device_fops_release+0x5c/vfio_device_fops_release+$(site "$mod" vfio_device_fops_release kfree)/" "$tmp/new.txt"
	sed -i "2a meta kernel.build_id 0123456789abcdef0123456789abcdef01234567" "$tmp/old.txt" "$tmp/new.txt"
	make old && make new
}
says() { # TEXT FILE WHAT
	tr -s ' \n' '  ' <"$2" | grep -qF -- "$1" && ok || not_ok "debuginfo: $3: no '$1' in $(grep -i -A3 source "$2" | head -5)"
}

if command -v gcc >/dev/null && command -v objdump >/dev/null; then
	for flags in "-gdwarf-4" "-gdwarf-5" "-gdwarf-5 -gz"; do
		# shellcheck disable=SC2086
		compile 7.3.4 $flags
		seeded
		"$tool" diff --debuginfo "$mod" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/src" 2>"$tmp/err"
		[ $? = 1 ] && [ ! -s "$tmp/err" ] && ok || not_ok "debuginfo $flags: $(cat "$tmp/err")"
		says "[vfio] is drivers/vfio/vfio_main.c:5 (undo())" "$tmp/src" "inlined, $flags"
		says "[vfio] is drivers/vfio/vfio_main.c:16 (vfio_device_fops_release())" "$tmp/src" "$flags"
	done
	# As clang's LTO names what was static; what only begins like it is another.
	mkdir -p "$tmp/lto"
	for suffix in .llvm.14864891386947930391 .llvm _llvm.1; do
		objcopy --redefine-sym "vfio_device_fops_release=vfio_device_fops_release$suffix" "$mod" "$tmp/lto/vfio.ko"
		"$tool" diff --debuginfo "$tmp/lto/vfio.ko" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/src" 2>"$tmp/err"
		case $suffix:$(grep -c "vfio_main.c:16" "$tmp/src") in
		.llvm.*:[1-9]* | .llvm:0 | _llvm.1:0) ok ;;
		*) not_ok "debuginfo: a symbol with $suffix" ;;
		esac
	done
	"$tool" diff "$tmp/old.vt" "$tmp/new.vt" >"$tmp/plain" 2>&1
	grep -q 'vfio_main.c' "$tmp/plain" && not_ok "debuginfo: lines out of nowhere" || ok

	# The same in a directory, in all formats, and one of them given twice.
	"$tool" diff -f json --debuginfo "$tree/mods" --debuginfo "$mod" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/src.json" 2>"$tmp/err"
	jq -e '.findings[0].sources[0] | .file == "drivers/vfio/vfio_main.c" and .line == 5 and .function == "undo" and .side == "POST"' "$tmp/src.json" >/dev/null && ok ||
		not_ok "debuginfo: JSON: $(jq -c '.findings[0].sources' "$tmp/src.json")"
	jq -e '[.debuginfo[] | .sides == ["PRE", "POST"]] | length == 3 and all' "$tmp/src.json" >/dev/null && ok || not_ok "debuginfo: JSON: $(jq -c .debuginfo "$tmp/src.json")"
	if python3 -c 'import jsonschema' 2>/dev/null; then
		jq 'walk(if type == "object" and has("properties") and (.type == "object") then .additionalProperties = false else . end)' \
			"$here/../../../docs/report.schema.json" >"$tmp/strict.schema"
		python3 -m jsonschema -i "$tmp/src.json" "$tmp/strict.schema" >"$tmp/out" 2>&1 && ok || not_ok "debuginfo: schema: $(tail -2 "$tmp/out" | grep -o "[^:]*$")"
	fi
	"$tool" diff -f sarif --debuginfo "$mod" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/src.sarif"
	jq -e '.runs[0].results[0] | .locations[0].physicalLocation | .artifactLocation.uri == "drivers/vfio/vfio_main.c" and .artifactLocation.uriBaseId == "SRCROOT" and
		.region.startLine == 5 and .region.startColumn > 0' "$tmp/src.sarif" >/dev/null && ok || not_ok "debuginfo: SARIF: $(jq -c '.runs[0].results[0].locations' "$tmp/src.sarif")"
	jq -e '.runs[0].results[0] | (.relatedLocations | length == 1) and ([.codeFlows[].threadFlows[].locations[].location.physicalLocation.region.startLine] | index(5) and index(16))' \
		"$tmp/src.sarif" >/dev/null && ok || not_ok "debuginfo: SARIF flows: $(jq -c '.runs[0].results[0].relatedLocations' "$tmp/src.sarif")"
	"$tool" diff -f html --debuginfo "$mod" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/src.html"
	grep -q "is drivers/vfio/vfio_main.c:5 (undo())" "$tmp/src.html" && ok || not_ok "debuginfo: HTML"
	"$tool" show --debuginfo "$mod" -e mem.free "$tmp/new.vt" >"$tmp/src"
	says "source=drivers/vfio/vfio_main.c:16" "$tmp/src" show
	"$tool" show -f json --debuginfo "$mod" -e mem.free "$tmp/new.vt" | jq -se '[.[] | select(.source) | .source.line] | index(5) and index(16)' >/dev/null && ok ||
		not_ok "debuginfo: show -f json"

	# A vmlinux, by its build id.
	prepare "$here/cases/object-mismatch.case"
	sed -i "2a meta kernel.build_id 0123456789abcdef0123456789abcdef01234567" "$tmp/old.txt" "$tmp/new.txt"
	sed -i -E -e "/obj.alloc/s/(memfd_luo_preserve)\+0x[0-9a-f]+/\1+$(site "$vmlinux" memfd_luo_preserve kmalloc)/" \
		-e "/obj.free/s/(memfd_luo_preserve)\+0x[0-9a-f]+/\1+$(site "$vmlinux" memfd_luo_preserve vfree)/" "$tmp/old.txt" "$tmp/new.txt"
	make old && make new
	"$tool" diff --debuginfo "$vmlinux" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/src" 2>"$tmp/err"
	says "is mm/memfd_luo.c:7 (memfd_luo_preserve())" "$tmp/src" vmlinux
	[ ! -s "$tmp/err" ] && ok || not_ok "debuginfo: $(cat "$tmp/err")"
	# Of another build it is not used, and that is told; of the other kernel's only, it is used for that one.
	sed -i 's/^meta kernel.build_id 01/meta kernel.build_id ff/' "$tmp/old.txt"
	make old
	"$tool" diff --debuginfo "$vmlinux" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/src" 2>"$tmp/err"
	grep -q 'memfd_luo.c' "$tmp/src" && not_ok "debuginfo: the other kernel's vmlinux is used" || ok
	"$tool" check --debuginfo "$vmlinux" "$tmp/old.vt" >"$tmp/src" 2>"$tmp/err"
	code=$?
	grep -q 'memfd_luo.c' "$tmp/src" && not_ok "debuginfo: another vmlinux is used" || ok
	[ $code = 1 ] && grep -qF "is not used: its build id is 0123456789abcdef0123456789abcdef01234567, the recorded kernel's ff23" "$tmp/err" && ok ||
		not_ok "debuginfo: a wrong build id: $code: $(cat "$tmp/err")"
	# A module of another release.
	compile 7.3.5
	seeded
	"$tool" diff --debuginfo "$mod" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/src" 2>"$tmp/err"
	grep -qF "is not used: it is a module for 7.3.5, the recorded kernel is 7.3.4" "$tmp/err" && ! grep -q 'vfio_main.c' "$tmp/src" && ok ||
		not_ok "debuginfo: another release: $(cat "$tmp/err")"
	# What says nothing is a slip, told at once.
	objcopy --strip-debug "$mod" "$tree/sub/vfio.ko"
	for bad in "$tree/sub/vfio.ko" "$tree/sub" "$tree/drivers/vfio/vfio_main.c" /dev/null; do
		"$tool" diff --debuginfo "$bad" "$tmp/old.vt" "$tmp/new.vt" >"$tmp/src" 2>"$tmp/err"
		[ $? = 64 ] && grep -qF -- "--debuginfo $bad: " "$tmp/err" && [ ! -s "$tmp/src" ] && ok || not_ok "debuginfo: $bad: $(cat "$tmp/err")"
	done
	"$tool" diff --debuginfo "$tree/nowhere" "$tmp/old.vt" "$tmp/new.vt" >/dev/null 2>&1
	[ $? = 74 ] && ok || not_ok "debuginfo: a file that is not there"
	# Files that are cut or bent are refused or used, and nothing worse.
	compile 7.3.4 -gdwarf-5
	size=$(stat -c %s "$mod")
	for at in 40 $((size / 4)) $((size / 2)) $((size * 3 / 4)); do
		cp "$mod" "$tree/sub/vfio.ko" && printf '\xff\xff\xff\xff\xff\xff\xff\xff' | dd of="$tree/sub/vfio.ko" bs=1 seek="$at" conv=notrunc status=none
		"$tool" diff --debuginfo "$tree/sub/vfio.ko" "$tmp/old.vt" "$tmp/new.vt" >/dev/null 2>"$tmp/err"
		case $? in 1 | 64) ok ;; *) not_ok "debuginfo: bent at $at: $(tail -3 "$tmp/err")" ;; esac
		head -c "$at" "$mod" >"$tree/sub/vfio.ko"
		"$tool" diff --debuginfo "$tree/sub/vfio.ko" "$tmp/old.vt" "$tmp/new.vt" >/dev/null 2>"$tmp/err"
		case $? in 1 | 64) ok ;; *) not_ok "debuginfo: cut at $at: $(tail -3 "$tmp/err")" ;; esac
	done
else
	skip "no gcc or objdump: debug information not made"
fi
