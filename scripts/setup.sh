#!/usr/bin/env bash
# Installs what building Countersign needs and this machine lacks; with --tests also what its tests need,
# with --fault what the faults need, with --interop what the tests with clients in Go need.
#
# On Debian and Ubuntu by apt-get; anywhere else it names what is missing and exits 1. Says nothing when nothing is to
# be done. Rust itself is only checked, never installed.
set -euo pipefail
cd "$(dirname "$0")/.."

NODE_MIN=20
with_tests=no
with_fault=no
with_interop=no
case "${1:-}" in
  '') ;;
  --tests) with_tests=yes ;;
  --fault) with_fault=yes ;;
  --interop) with_interop=yes ;;
  *) printf 'usage: scripts/setup.sh [--tests | --fault | --interop]\n' >&2; exit 2 ;;
esac

say() { printf 'setup: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }
# Whether one of the given paths exists; called with unquoted patterns.
any() { local path; for path in "$@"; do [ -e "$path" ] && return 0; done; return 1; }

check_rust() {
  local wanted have
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  if ! has cargo || ! has rustc; then
    say "Rust is missing. Install Rust $wanted or newer, for example with rustup (https://rustup.rs), and run this again."
    exit 1
  fi
  have=$(rustc --version | sed 's/^rustc \([0-9][0-9.]*\).*/\1/')
  if [ "$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n 1)" != "$wanted" ]; then
    say "Rust $have is too old: Countersign needs $wanted or newer. With rustup: rustup update stable"
    exit 1
  fi
  if [ "$with_tests" = yes ] && ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
    say 'The tests need rustfmt and clippy. With rustup: rustup component add rustfmt clippy'
    exit 1
  fi
}

# Only that it is there: an older Go fetches the one that go.mod names by itself, or says that it may not.
check_go() {
  if [ "$with_interop" = yes ] && ! has go; then
    say "Go is missing: install Go $(sed -n 's/^go //p' interop/go.mod) or newer (https://go.dev/dl) and run this again."
    exit 1
  fi
}

# RocksDB and aws-lc are C and C++, compiled by the crates that bring them.
has_compilers() { has "${CC:-cc}" && has "${CXX:-c++}"; }

# bindgen reads RocksDB's C header with libclang, and libclang needs the C headers that come with it (stddef.h). The
# program clang is not needed.
has_libclang() {
  [ -z "${LIBCLANG_PATH:-}" ] || return 0
  any /usr/lib/llvm-*/lib/libclang*.so* /usr/lib/*/libclang-[0-9]*.so* /usr/lib/libclang.so* /usr/lib64/libclang.so* \
    /usr/local/lib/libclang.so* /Library/Developer/CommandLineTools/usr/lib/libclang.dylib || return 1
  any /usr/lib/llvm-*/lib/clang/*/include/stddef.h /usr/lib/clang/*/include/stddef.h \
    /usr/lib64/clang/*/include/stddef.h /usr/local/lib/clang/*/include/stddef.h \
    /Library/Developer/CommandLineTools/usr/lib/clang/*/include/stddef.h
}

# As web/tests/browser.js looks for it.
has_chromium() { [ -x "${CHROMIUM:-/usr/bin/chromium}" ]; }

has_node() {
  local version
  has node || return 1
  version=$(node --version)
  version=${version#v}
  [ "${version%%.*}" -ge "$NODE_MIN" ]
}

has_python() { has python3 && python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

# The lists of what is missing: as a person calls it, and as apt calls it.
find_missing() {
  missing=() packages=()
  has_compilers || { missing+=('a C and C++ compiler') packages+=(g++); }
  has_libclang || { missing+=('libclang with its headers (LIBCLANG_PATH may say where it is)') packages+=(libclang-dev); }
  if [ "$with_tests" = yes ]; then
    has_chromium || { missing+=('Chromium (CHROMIUM may say where it is)') packages+=(chromium); }
    has_node || { missing+=("Node.js $NODE_MIN or newer") packages+=(nodejs); }
    has npm || { missing+=('npm') packages+=(npm); }
    has_python || { missing+=('Python 3.10 or newer with venv') packages+=(python3 python3-venv); }
    has curl || { missing+=('curl') packages+=(curl); }
    has openssl || { missing+=('openssl') packages+=(openssl); }
  fi
  if [ "$with_fault" = yes ]; then
    has strace || { missing+=('strace') packages+=(strace); }
    has faketime || { missing+=('libfaketime') packages+=(faketime); }
    has mkfs.ext4 || { missing+=('mkfs.ext4') packages+=(e2fsprogs); }
    has mkfs.xfs || { missing+=('mkfs.xfs') packages+=(xfsprogs); }
    has mount && has umount || { missing+=('mount and umount') packages+=(mount); }
    has unshare || { missing+=('unshare') packages+=(util-linux); }
  fi
}

join() { local first=$1; shift; printf '%s' "$first"; [ $# -eq 0 ] || printf ', %s' "$@"; }

apt() {
  if [ "$(id -u)" -eq 0 ]; then
    env DEBIAN_FRONTEND=noninteractive apt-get "$@"
  elif has sudo; then
    sudo env DEBIAN_FRONTEND=noninteractive apt-get "$@"
  else
    say "Run this as root: apt-get install ${packages[*]}"
    exit 1
  fi
}

install_missing() {
  find_missing
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! has apt-get; then
    say "Please install: $(join "${missing[@]}")."
    say "On Debian these are the packages: ${packages[*]}."
    exit 1
  fi
  say "installing ${packages[*]} with apt-get"
  apt update -qq
  apt install -y --no-install-recommends "${packages[@]}"
  find_missing
  if [ ${#missing[@]} -gt 0 ]; then
    say "Still missing after apt-get: $(join "${missing[@]}"). Please install it by hand and run this again."
    exit 1
  fi
}

announce_rocksdb() {
  if ! any "${CARGO_TARGET_DIR:-target}"/debug/build/librocksdb-sys-*/out/librocksdb.a; then
    say 'The first build compiles RocksDB, the embedded store, from its C++ source: about 11 minutes on two cores, once.'
    say 'Cargo prints nothing while it does.'
  fi
}

check_go
check_rust
install_missing
announce_rocksdb
