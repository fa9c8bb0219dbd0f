#!/bin/bash
# make-guest.sh OUTDIR: makes a minimal Linux guest that writes and verifies data on its disks (see guest/init).
#
# OUTDIR/vmlinuz and OUTDIR/initrd.img are made from Debian's cloud kernel package, which is downloaded and unpacked but
# never installed, and from this machine's busybox-static. Nothing is done again while OUTDIR is up to date.
# Needs apt-get (package lists are fetched when there are none), dpkg-deb, cpio, gzip and busybox-static; no root.
set -euo pipefail

fail() {
    echo "make-guest: $*" >&2
    exit 1
}

[ $# -eq 1 ] || fail "usage: make-guest.sh OUTDIR"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)

busybox=$(command -v busybox) || fail "busybox is missing: apt-get install busybox-static"
for tool in dpkg-deb:dpkg cpio:cpio gzip:gzip apt-get:apt sha256sum:coreutils flock:util-linux; do
    command -v "${tool%:*}" >/dev/null || fail "${tool%:*} is missing: apt-get install ${tool#*:}"
done
if LC_ALL=C grep -aq '/ld-linux' "$busybox"; then
    fail "$busybox needs shared libraries: apt-get install busybox-static"
fi

# One builder at a time; the others find its result.
exec 9>"$out/.lock"
flock 9

stamp=$(cat "$here/guest/init" "$here/make-guest.sh" "$busybox" | sha256sum | cut -d' ' -f1)
if [ -s "$out/vmlinuz" ] && [ -s "$out/initrd.img" ] && [ "$(cat "$out/stamp" 2>/dev/null)" = "$stamp" ]; then
    exit 0
fi

work=$out/work
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT

# The package that Debian's meta-package names today.
newest_kernel() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        sed -n 's/^ *Depends: *\(linux-image-[^ ]*\)$/\1/p' | head -n 1
}

fetch_kernel() {
    local name
    name=$(newest_kernel)
    if [ -z "$name" ]; then
        echo "make-guest: fetching package lists" >&2
        apt-get update -qq >&2 || true
        name=$(newest_kernel)
    fi
    [ -n "$name" ] || fail "apt knows no linux-image-cloud-amd64; this needs Debian's package sources for amd64"
    if ! (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$name" >&2); then
        apt-get update -qq >&2 || true
        (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$name" >&2) || fail "cannot download $name"
    fi
    mkdir "$work/kernel"
    dpkg-deb -x "$work/$name"_*.deb "$work/kernel"
    rm -rf "$out/kernel"
    mv "$work/kernel" "$out/kernel"
}

[ -d "$out/kernel/boot" ] || fetch_kernel
set -- "$out"/kernel/boot/vmlinuz-*
vmlinuz=$1
[ -s "$vmlinuz" ] || fail "the kernel package holds no boot/vmlinuz-*"
version=${vmlinuz##*/vmlinuz-}

# The initramfs: busybox, init, and the modules it loads, in the order of their dependencies.
root=$work/root
mkdir -p "$root"/{bin,dev,proc,sys,tmp,mnt,sums,modules}
cp "$busybox" "$root/bin/busybox"
cp "$here/guest/init" "$root/init"
chmod 0755 "$root/init" "$root/bin/busybox"

modules=$out/kernel/lib/modules/$version
[ -s "$modules/modules.dep" ] || "$busybox" depmod -b "$out/kernel" "$version"
: >"$root/modules/order"
add_module() {
    local path=$1 file=${1##*/} each
    grep -qx "$file" "$root/modules/order" && return 0
    for each in $(sed -n "s|^$path: *||p" "$modules/modules.dep"); do add_module "$each"; done
    grep -qx "$file" "$root/modules/order" && return 0
    cp "$modules/$path" "$root/modules/$file"
    echo "$file" >>"$root/modules/order"
}
for name in virtio_pci virtio_blk virtio_scsi sr_mod virtio-rng button evdev crc32c-intel ext4; do
    path=$(sed -n "s|^\([^:]*/${name//[_-]/[_-]}\.ko[^:]*\):.*|\1|p" "$modules/modules.dep" | head -n 1)
    # What is not a module is built into this kernel, or absent: init says so when it misses it.
    if [ -n "$path" ]; then add_module "$path"; fi
done

(cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0) | gzip -1 >"$work/initrd.img"
cp "$vmlinuz" "$work/vmlinuz"
mv "$work/vmlinuz" "$out/vmlinuz"
mv "$work/initrd.img" "$out/initrd.img"
echo "$stamp" >"$out/stamp"
