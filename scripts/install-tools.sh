#!/bin/bash
# install-tools.sh: installs what building and testing need on Debian, through apt and pip, when something is missing.
# As root it installs; without root it names what is missing and ends with 1. Does nothing, quickly, when all is there.
set -euo pipefail

packages=(
    # to build: Swift's own needs are Swift's; these are the C libraries that the package links, and the fetching of packages
    git ca-certificates libcrypt-dev libpam0g-dev libssl-dev libsqlite3-dev libxml2-dev zlib1g-dev libdeflate-dev libzstd-dev liblzma-dev
    # the programs that tests compare with and run
    qemu-system-x86 qemu-utils xz-utils zstd libnbd-bin python3-libnbd nbdkit libvhdi-utils python3-libvhdi libqcow-utils libvmdk-utils fio strace curl openssl python3 e2fsprogs xfsprogs util-linux mount procps groff-base
    # the guest of the tests, and its disk
    busybox-static cpio gzip
)

fail() {
    echo "install-tools: $*" >&2
    exit 1
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null)" = "ii " ]; }
has_xenapi() { python3 -c 'import XenAPI' 2>/dev/null; }
has_pip() { python3 -m pip --version >/dev/null 2>&1; }

command -v swift >/dev/null || fail "Swift 6.3 or newer is missing: see https://www.swift.org/install/linux/"
command -v dpkg-query >/dev/null || fail "this is not Debian; install by hand: ${packages[*]}, and XenAPI from PyPI"

missing=()
for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
done
if ! has_xenapi && ! has_pip; then missing+=(python3-pip); fi

if [ ${#missing[@]} -eq 0 ] && has_xenapi; then exit 0; fi
if [ "$(id -u)" -ne 0 ]; then
    [ ${#missing[@]} -eq 0 ] || echo "install-tools: as root: apt-get install ${missing[*]}" >&2
    has_xenapi || echo "install-tools: then: python3 -m pip install XenAPI" >&2
    exit 1
fi

if [ ${#missing[@]} -gt 0 ]; then
    echo "install-tools: installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq </dev/null
    apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null
fi

if ! has_xenapi; then
    echo "install-tools: installing XenAPI for $(command -v python3)"
    # Debian's Python refuses pip outside a virtual environment unless told; older pips do not know the option.
    python3 -m pip install --quiet XenAPI </dev/null 2>/dev/null ||
        python3 -m pip install --quiet --break-system-packages XenAPI </dev/null
    has_xenapi || fail "XenAPI was installed but $(command -v python3) does not find it"
fi
