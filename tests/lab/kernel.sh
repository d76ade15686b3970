#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Gives the lab a kernel: finds it in the cache, or builds it from Debian's source
# package with the lab's configuration and patches.
#
# What is printed on stdout is a directory with bzImage, modules/, config,
# System.map, vmlinux.btf and release. It appears there whole or not at all, and
# its name says what went into it: source, configuration, patches, tool chain.
set -eu -o pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

APT_DIR=$CACHE_DIR/apt
DEB_DIR=$CACHE_DIR/debs
KERNEL_DIR=$CACHE_DIR/kernels
WORK_DIR=$CACHE_DIR/work
OWN_DIR=$CACHE_DIR/own

# What the compiler made before, for whichever kernel. It needs no part in a kernel's
# key: what comes out is the same.
export CCACHE_DIR=$CACHE_DIR/ccache CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-6G}

# Where newer kernels than that of the running release come from.
SUITES="trixie-backports forky sid"

# Raised when the steps below change in a way that changes what they make.
RECIPE=1

# The suffix of the distribution's newest clang and lld, for the variant that is built by them.
LAB_LLVM=${LAB_LLVM:--19}

# The image that make names, under arch/ and the architecture's boot/.
case $LAB_ARCH in
x86) IMAGE=bzImage ;;
*) IMAGE=Image ;;
esac

usage() {
	cat <<USAGE
usage: kernel.sh build [VARIANT-]SERIES|newest|own	print the directory of a ready kernel
       kernel.sh update [SERIES]	look for a newer source package
       kernel.sh list			what is in the cache
       kernel.sh apt TOOL ARGUMENTS...	run a tool of apt with the lab's own package lists

SERIES is 7.2, 7.3, ... or newest. VARIANT is "stock", without the lab's patches;
"bare", which is stock without fault injection; "16k" and "64k", arm64 with pages of that size;
"distro" and "distro-FLAVOUR", patched and configured like a distribution's (kernel-distro*.config); or "lto", patched and
small as with none, made by clang with LTO and CFI.
If no archive has the SERIES any more, the exit code is 75. "own" is the tree in LINUX_SRC, built outside of it; with
LAB_PATCH=1 a copy of it gets the lab's patches first; LAB_CONFIG names one more
configuration fragment. The cache is VFIOTRACE_CACHE, or ~/.cache/vfiotrace.
LAB_ARCH is the architecture, x86 or arm64: the machine's own if it is not set. bzImage is arm64's Image, too.
USAGE
}

#
# Progress: one live line on a terminal, one line per phase anywhere else.
#
phase_name=''
phase_start=$SECONDS
running=''	# process group of the current phase
scratch=''	# directory of the current build

# A build that ends early, by whatever, takes its processes and its gigabytes along.
cleanup() {
	[ -z "$running" ] || kill -- "-$running" 2>/dev/null || true
	[ -z "$scratch" ] || rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

phase() {
	phase_name=$1
	phase_start=$SECONDS
	told=$SECONDS
	[ -t 2 ] || echo "lab: $phase_name" >&2
}

# In a pipe a line each half minute, so that whoever reads it sees that something goes on.
show_progress() { # LOG
	local objects=''
	if [ ! -t 2 ]; then
		[ $((SECONDS - told)) -ge 30 ] || return 0
		told=$SECONDS
		objects=$(grep -cE '^ +(CC|AS|LD|AR)' "$1" 2>/dev/null || true)
		echo "lab: $phase_name, $((SECONDS - phase_start)) s$([ "${objects:-0}" = 0 ] || echo ", $objects objects")" >&2
		return 0
	fi
	objects=$(grep -cE '^ +(CC|AS|LD|AR)' "$1" 2>/dev/null || true)
	printf '\r\033[Klab: %s, %d s' "$phase_name" $((SECONDS - phase_start)) >&2
	[ "${objects:-0}" = 0 ] || printf ', %s objects' "$objects" >&2
}

end_progress() {
	[ ! -t 2 ] || printf '\r\033[K' >&2
}

# Runs a command with its output in the log, and shows the end of that if it fails.
logged() { # LOG COMMAND...
	local log=$1 status=0
	shift
	# A process group of its own, since make does not take all of its children along.
	set -m
	"$@" >>"$log" 2>&1 </dev/null &
	running=$!
	set +m
	while kill -0 "$running" 2>/dev/null; do
		show_progress "$log"
		sleep 0.5
	done
	wait "$running" || status=$?
	running=''
	end_progress
	[ "$status" != 0 ] || return 0
	tail -n 30 "$log" >&2
	die "$phase_name failed; all of it is in $log"
}

#
# The source package
#
# The address of the archive that serves the running release, and its keyring:
# whatever mirror or proxy the machine uses is what we use.
archive_from_deb822() { # CODENAME FILE...
	local codename=$1
	shift
	awk -v RS= -v codename="$codename" '
		{
			uri = suites = components = key = types = ""
			enabled = 1
			count = split($0, lines, "\n")
			for (i = 1; i <= count; i++) {
				if (lines[i] ~ /^#/)
					continue
				value = lines[i]
				sub(/^[^:]*:[ \t]*/, "", value)
				if (lines[i] ~ /^URIs:/) uri = value
				if (lines[i] ~ /^Suites:/) suites = " " value " "
				if (lines[i] ~ /^Types:/) types = " " value " "
				if (lines[i] ~ /^Components:/) components = " " value " "
				if (lines[i] ~ /^Signed-By:/) key = value
				if (lines[i] ~ /^Enabled: *no/) enabled = 0
			}
			if (!enabled || types !~ / deb / || components !~ / main /)
				next
			if (index(suites, " " codename " ")) {
				split(uri, uris, " ")
				print uris[1], key
				exit
			}
		}' "$@"
}

archive_from_list() { # CODENAME FILE...
	local codename=$1
	shift
	awk -v codename="$codename" '
		$1 == "deb" {
			key = ""
			line = $0
			if (match(line, /\[[^]]*\]/)) {
				options = substr(line, RSTART + 1, RLENGTH - 2)
				line = substr(line, 1, RSTART - 1) substr(line, RSTART + RLENGTH)
				count = split(options, words, " ")
				for (i = 1; i <= count; i++)
					if (sub(/^signed-by=/, "", words[i]))
						key = words[i]
			}
			count = split(line, words, " ")
			if (words[3] != codename)
				next
			for (i = 4; i <= count; i++) {
				if (words[i] == "main") {
					print words[2], key
					exit
				}
			}
		}' "$@"
}

find_archive() {
	local codename found='' file
	local -a deb822=() list=()

	if [ -n "${LAB_DEBIAN_MIRROR:-}" ]; then
		echo "$LAB_DEBIAN_MIRROR"
		return
	fi
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	for file in /etc/apt/sources.list.d/*.sources; do
		[ ! -r "$file" ] || deb822+=("$file")
	done
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -r "$file" ] || list+=("$file")
	done
	[ ${#deb822[@]} = 0 ] || found=$(archive_from_deb822 "$codename" "${deb822[@]}")
	[ -n "$found" ] || [ ${#list[@]} = 0 ] ||
		found=$(archive_from_list "$codename" "${list[@]}")
	[ -n "$found" ] ||
		die "no entry for $codename main in the machine's apt sources: set LAB_DEBIAN_MIRROR"
	echo "$found"
}

# apt with its own lists and state: the machine's are neither read nor changed. Its
# settings (a proxy, say) still hold. Lists that have expired will do, as a frozen mirror has
# them: signatures are checked all the same, and an older kernel source is no danger to a lab.
private_apt() { # TOOL ARGUMENTS...
	local tool=$1
	shift
	"$tool" -qq \
		-o "Dir::Etc::SourceList=$APT_DIR/sources.list" \
		-o "Dir::Etc::SourceParts=/dev/null" \
		-o "Dir::State=$APT_DIR/state" \
		-o "Dir::State::status=$APT_DIR/state/status" \
		-o "Dir::Cache=$APT_DIR/cache" \
		-o "APT::Architecture=amd64" \
		-o "APT::Architectures=amd64" \
		-o "APT::Sandbox::User=root" \
		-o "Acquire::Languages=none" \
		-o "Acquire::Retries=3" \
		-o "Acquire::Check-Valid-Until=false" \
		"$@"
}

apt_update() {
	local uri keyring suite found
	phase "reading the package lists"
	found=$(find_archive)
	read -r uri keyring <<<"$found"
	: "${keyring:=/usr/share/keyrings/debian-archive-keyring.gpg}"

	mkdir -p "$APT_DIR"/state/lists/partial "$APT_DIR"/cache/archives/partial
	: >"$APT_DIR/state/status"
	for suite in $SUITES; do
		echo "deb [signed-by=$keyring] $uri $suite main"
	done >"$APT_DIR/sources.list"
	logged "$CACHE_DIR/apt.log" private_apt apt-get update
	rm -f "$APT_DIR/packages"
}

# The names of the source packages, kept until the lists change: apt takes a second to
# find them, and every run of a scenario asks twice.
archived_packages() {
	local kept=$APT_DIR/packages
	[ -f "$APT_DIR/sources.list" ] || return 0
	if [ ! -s "$kept" ]; then
		private_apt apt-cache search --names-only '^linux-source-[0-9]+\.[0-9]+$' |
			cut -d' ' -f1 >"$kept.$$"
		mv "$kept.$$" "$kept"
	fi
	cat "$kept"
}

newest_series() {
	{
		find "$DEB_DIR" -name 'linux-source-*.deb' -printf '%f\n' | cut -d_ -f1
		archived_packages
	} | sed 's/^linux-source-//' | sort -V | tail -n 1
}

cached_deb() { # SERIES
	find "$DEB_DIR" -name "linux-source-$1_*.deb" | sort -V | tail -n 1
}

download_deb() { # SERIES
	local package=linux-source-$1 version
	version=$(private_apt apt-cache madison "$package" |
		awk '{ print $3 }' | sort -V | tail -n 1)
	[ -n "$version" ] || { echo "lab: no suite of $SUITES has $package" >&2; exit "$GONE"; }

	[ ! -f "$DEB_DIR/${package}_${version}_all.deb" ] || return 0
	phase "fetching $package $version"
	rm -rf "$DEB_DIR/partial"
	mkdir -p "$DEB_DIR/partial"
	(
		cd "$DEB_DIR/partial"
		logged "$CACHE_DIR/apt.log" private_apt apt-get download "$package=$version"
		mv ./*.deb "$DEB_DIR/"
	)
}

# Without a network once the package is here: only "update" looks for a newer one.
source_deb() { # SERIES
	local deb
	exec 8>"$CACHE_DIR/.apt.lock"
	flock 8
	deb=$(cached_deb "$1")
	if [ -z "$deb" ]; then
		apt_update
		download_deb "$1"
		deb=$(cached_deb "$1")
	fi
	exec 8>&-
	echo "$deb"
}

resolve_series() { # SERIES|newest
	local series=$1
	if [ "$series" = newest ]; then
		[ -f "$APT_DIR/sources.list" ] || (exec 8>"$CACHE_DIR/.apt.lock"; flock 8; apt_update)
		series=$(newest_series)
		[ -n "$series" ] || die "no kernel source is known"
	fi
	echo "$series"
}

#
# What goes into a build
#
# Sets cc, linker and tools: a variant's compiler and linker, and what make has to be told.
choose_tools() { # VARIANT
	cc=${CC:-${LAB_CROSS}gcc} linker=${LAB_CROSS}ld tools=()
	[ -z "$LAB_CROSS" ] || tools=("ARCH=$LAB_ARCH" "CROSS_COMPILE=$LAB_CROSS")
	case $1 in
	lto)
		cc=clang$LAB_LLVM linker=ld.lld$LAB_LLVM
		tools+=("LLVM=$LAB_LLVM")
		;;
	esac
}

toolchain_version() {
	"$cc" --version | head -n 1
	"$linker" --version | head -n 1
	pahole --version
}

lab_patches() { # SERIES
	find "$LAB_DIR/patches" -maxdepth 1 -name '*.patch' | sort
	[ ! -d "$LAB_DIR/patches/$1" ] ||
		find "$LAB_DIR/patches/$1" -name '*.patch' | sort
}

our_changes() { # SERIES
	lab_patches "$1" | xargs cat
	(cd "$LAB_DIR/overlay" && find . -type f | sort | xargs tail -n +1)
}

build_key() { # VARIANT SERIES FRAGMENT...
	local variant=$1 series=$2
	shift 2
	{
		echo "recipe $RECIPE"
		toolchain_version
		cat "$@"
		! is_patched "$variant" || our_changes "$series"
	} | sha256sum | cut -c1-12
}

# Whether the kernels of a VARIANT have our patches.
is_patched() { # VARIANT
	case $1 in
	lab | 16k | 64k | lto | distro | distro-*) return 0 ;;
	*) return 1 ;;
	esac
}

is_variant() { # WORD
	case $1 in
	lab | stock) return 0 ;;
	*) [ -f "$LAB_DIR/kernel-$1.config" ] && [[ $1 =~ ^(bare|16k|64k|lto|distro|distro-[a-z]+)$ ]] ;;
	esac
}

# What a variant asks of kconfig. A later fragment has the last word on an option.
variant_fragments() { # VARIANT SERIES
	echo "$LAB_DIR/kernel.config"
	if is_patched "$1"; then
		echo "$LAB_DIR/kernel-lab.config"
		[ ! -f "$LAB_DIR/kernel-lab-$2.config" ] || echo "$LAB_DIR/kernel-lab-$2.config"
	fi
	case $1 in
	distro-*) echo "$LAB_DIR/kernel-distro.config" ;;
	esac
	case $1 in
	bare | lto | distro*) echo "$LAB_DIR/kernel-$1.config" ;;
	esac
	arch_fragment
	case $1 in
	16k | 64k) echo "$LAB_DIR/kernel-$1.config" ;;
	esac
	[ -z "${LAB_CONFIG:-}" ] || echo "$LAB_CONFIG"
}

# x86-64 has its own in the others.
arch_fragment() {
	[ ! -f "$LAB_DIR/kernel-$LAB_ARCH.config" ] || echo "$LAB_DIR/kernel-$LAB_ARCH.config"
}

check_tools() {
	local tool
	for tool in "$cc" "$linker" make flex bison bc pahole patch cpio xz "${LAB_CROSS}strip" "${LAB_CROSS}objcopy"; do
		command -v "$tool" >/dev/null ||
			die "building a kernel needs $tool: tests/deps.sh installs it"
	done
}

unpack() { # DEB DIRECTORY
	mkdir -p "$2"
	dpkg-deb --fsys-tarfile "$1" |
		tar -xO --wildcards './usr/src/linux-source-*.tar.xz' |
		tar -xJ -C "$2" --strip-components=1
}

apply_patches() { # SERIES TREE
	local patch
	for patch in $(lab_patches "$1"); do
		patch -d "$2" -p1 -F0 --no-backup-if-mismatch <"$patch" || return 1
	done
	cp -R "$LAB_DIR/overlay/." "$2/"
}

# One line per option that any FRAGMENT speaks about, the last that does.
merge_fragments() { # FRAGMENT...
	awk '
		/^CONFIG_[A-Za-z0-9_]*=/ { split($0, word, "="); option = word[1] }
		/^# CONFIG_[A-Za-z0-9_]* is not set$/ { option = $2 }
		option != "" {
			if (!(option in line))
				order[++count] = option
			line[option] = $0
			option = ""
		}
		END {
			for (i = 1; i <= count; i++)
				print line[order[i]]
		}' "$@"
}

# Everything that was asked for must be there: kconfig drops in silence whatever
# its dependencies do not allow.
check_config() { # CONFIG ASKED
	local config=$1 line option
	while read -r line; do
		case $line in
		CONFIG_*)
			grep -qxF "$line" "$config" ||
				die "kernel configuration: $line did not take"
			;;
		'# CONFIG_'*' is not set')
			option=${line#\# }
			! grep -q "^${option%% *}=" "$config" ||
				die "kernel configuration: ${option%% *} is set and must not be"
			;;
		esac
	done <"$2"
}

configure() { # LOG TREE OBJECTS FRAGMENT...
	local log=$1 tree=$2 objects=$3
	shift 3
	mkdir -p "$objects"
	merge_fragments "$@" >"$objects/lab.config"
	logged "$log" make -C "$tree" "O=$objects" ${tools[@]+"${tools[@]}"} "CC=$cc" \
		"KCONFIG_ALLCONFIG=$objects/lab.config" allnoconfig
	check_config "$objects/.config" "$objects/lab.config"
}

# By way of ccache if it is there. Not for what kconfig asks of the compiler, whose
# answers depend on more than ccache knows.
compile() { # LOG TREE OBJECTS
	local compiler=$cc cached=0
	command -v ccache >/dev/null && cached=1 compiler="ccache $cc"
	[ "$cached" = 0 ] || ccache --zero-stats >/dev/null
	logged "$1" nice make -C "$2" "O=$3" ${tools[@]+"${tools[@]}"} "CC=$compiler" \
		"-j$(nproc)" "$IMAGE" modules
	[ "$cached" = 0 ] || ccache --show-stats >>"$1"
}

# What the guest needs, without the gigabytes that made it.
collect() { # OBJECTS DIRECTORY
	local objects=$1 dir=$2 module
	mkdir -p "$dir/modules"
	cp "$objects/arch/$LAB_ARCH/boot/$IMAGE" "$dir/bzImage"
	cp "$objects/System.map" "$dir/"
	cp "$objects/.config" "$dir/config"
	"${LAB_CROSS}objcopy" --dump-section ".BTF=$dir/vmlinux.btf" "$objects/vmlinux" "$dir/discard"
	rm "$dir/discard"
	# Not every *.ko in there: a tree built before may hold stale ones.
	sed 's/\.o$/.ko/' "$objects/modules.order" | while read -r module; do
		# Debug info goes, and is a hundred times the rest. BTF stays.
		"${LAB_CROSS}strip" --strip-debug -o "$dir/modules/${module##*/}" "$objects/$module"
	done
	cat "$objects/include/config/kernel.release" >"$dir/release"
}

#
# The builds
#
wait_for() { # DESCRIPTOR WHAT
	flock -n "$1" && return
	phase "waiting for $2"
	# In short waits, since a shell hears signals only between commands.
	until flock -w 1 "$1"; do
		show_progress /dev/null
	done
	end_progress
}

# What a build from nothing takes at most on two cores: where LAB_DEADLINE comes first it is not begun, and what needs it is skipped.
BUILD_SECONDS=1500

build_series() { # VARIANT SERIES
	local variant=$1 series=$2 deb version id final work log cc linker
	local -a fragments tools

	case $LAB_ARCH-$variant in
	x86-16k | x86-64k) die "the variant $variant is for arm64 only" ;;
	x86-* | *-lab | *-stock | *-bare | arm64-16k | arm64-64k) ;;
	*) die "the variant $variant is for x86-64 only" ;;
	esac
	choose_tools "$variant"
	mapfile -t fragments < <(variant_fragments "$variant" "$series")
	check_tools
	deb=$(source_deb "$series")
	version=$(basename "$deb" | cut -d_ -f2)
	[ "$variant" = lab ] || version=$version-$variant
	[ "$LAB_ARCH" = x86 ] || version=$version-$LAB_ARCH
	id=$version-$(build_key "$variant" "$series" "${fragments[@]}")
	final=$KERNEL_DIR/$id
	work=$WORK_DIR/linux
	log=$CACHE_DIR/build-$id.log

	# Whoever comes second waits, and finds the work done.
	exec 9>"$KERNEL_DIR/.$id.lock"
	wait_for 9 "another build of $version"
	if ! kernel_is_ready "$final"; then
		# One place for all builds, and one build at a time: only objects with the
		# same path are the same to ccache, and each build takes all CPUs anyway.
		exec 7>"$WORK_DIR/.lock"
		wait_for 7 "the build of another kernel"
		! out_of_time "$BUILD_SECONDS" || { echo "lab: no time is left to build linux $version" >&2; exit "$GONE"; }
		rm -rf "$work" "$final"
		scratch=$work
		: >"$log"
		phase "unpacking linux $version"
		logged "$log" unpack "$deb" "$work/tree"
		if is_patched "$variant"; then
			phase "patching linux $version"
			logged "$log" apply_patches "$series" "$work/tree"
		fi
		phase "configuring linux $version"
		configure "$log" "$work/tree" "$work/objects" "${fragments[@]}"
		phase "compiling linux $version"
		compile "$log" "$work/tree" "$work/objects"
		collect "$work/objects" "$work/result"
		mv "$work/result" "$final"
		rm -rf "$work"
		scratch=''
		exec 7>&-
	fi
	exec 9>&-
	echo "$final"
}

# A copy of the developer's tree with our patches. Files that are not patched keep
# their times, so that the next build of the copy is a short one.
copy_patched() { # TREE COPY
	local file
	mkdir -p "$2"
	lab_patches own | xargs sed -n 's,^+++ b/,,p' | while read -r file; do
		rm -f "$2/$file"
	done
	(cd "$1" && tar -c --exclude=./.git .) | tar -x -C "$2" --keep-newer-files 2>/dev/null
	apply_patches own "$2"
}

build_own() {
	local source id objects tree log cc linker
	local -a fragments=("$LAB_DIR/kernel.config") tools
	choose_tools own
	[ -f "${LINUX_SRC:-}/Kbuild" ] || die "LINUX_SRC must name a kernel tree"
	check_tools

	source=$(realpath "$LINUX_SRC")
	id=$(echo "$source ${LAB_PATCH:-0}${LAB_CROSS:+ $LAB_ARCH}" | sha256sum | cut -c1-12)
	objects=$OWN_DIR/$id/objects
	log=$OWN_DIR/$id/build.log
	tree=$source
	mkdir -p "$objects"
	exec 9>"$OWN_DIR/$id/.lock"
	flock 9
	: >"$log"

	if [ "${LAB_PATCH:-0}" = 1 ]; then
		tree=$OWN_DIR/$id/tree
		phase "copying and patching $source"
		logged "$log" copy_patched "$source" "$tree"
		fragments+=("$LAB_DIR/kernel-lab.config")
	fi
	mapfile -t -O ${#fragments[@]} fragments < <(arch_fragment)
	[ -z "${LAB_CONFIG:-}" ] || fragments+=("$LAB_CONFIG")
	phase "configuring $source"
	configure "$log" "$tree" "$objects" "${fragments[@]}"
	phase "compiling $source"
	compile "$log" "$tree" "$objects"
	rm -rf "$OWN_DIR/$id/new" "$OWN_DIR/$id/old"
	collect "$objects" "$OWN_DIR/$id/new"
	[ ! -d "$OWN_DIR/$id/kernel" ] || mv "$OWN_DIR/$id/kernel" "$OWN_DIR/$id/old"
	mv "$OWN_DIR/$id/new" "$OWN_DIR/$id/kernel"
	rm -rf "$OWN_DIR/$id/old"
	exec 9>&-
	echo "$OWN_DIR/$id/kernel"
}

update() { # [SERIES]
	exec 8>"$CACHE_DIR/.apt.lock"
	flock 8
	apt_update
	download_deb "${1:-$(newest_series)}"
}

list() {
	local dir
	for dir in "$KERNEL_DIR"/* "$OWN_DIR"/*/kernel; do
		! kernel_is_ready "$dir" || echo "$(cat "$dir/release") $dir"
	done
}

mkdir -p "$DEB_DIR" "$KERNEL_DIR" "$WORK_DIR" "$OWN_DIR"
case ${1:-} in
build)
	[ $# = 2 ] || { usage >&2; exit 64; }
	case $2 in
	own) build_own ;;
	newest | *-newest | [0-9]*.[0-9]* | *-[0-9]*.[0-9]*)
		variant=${2%-*}
		[ "$variant" != "$2" ] || variant=lab
		is_variant "$variant" || die "$variant is not a variant of a kernel"
		series=$(resolve_series "${2##*-}")
		build_series "$variant" "$series"
		;;
	*) die "$2 is not a kernel series" ;;
	esac
	;;
update) update "${2:-}" ;;
list) list ;;
apt)
	exec 8>"$CACHE_DIR/.apt.lock"
	flock 8
	[ -f "$APT_DIR/sources.list" ] || apt_update
	shift
	private_apt "$@"
	;;
-h | --help) usage ;;
*) usage >&2; exit 64 ;;
esac
