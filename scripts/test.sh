#!/usr/bin/env bash
# Runs the parts of the test suite, each timed, and closes with a table of them; exits 1 if one of them failed, after it has
# said once more which tests those were.
#
#   scripts/test.sh                    all parts
#   scripts/test.sh fmt clippy docs    some of them, in this order
#   scripts/test.sh interop            the one part that is not among all of them, because it needs Go
#
# All cargo calls take the whole workspace, so that every dependency is built with one set of features, and so once.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
# The browser tests run in a folder of their own, where a relative path would mean something else.
case "${CARGO_TARGET_DIR:-}" in '' | /*) ;; *) export CARGO_TARGET_DIR="$PWD/$CARGO_TARGET_DIR" ;; esac
case "${COUNTERSIGN_VECTORS:-}" in '' | /*) ;; *) export COUNTERSIGN_VECTORS="$PWD/$COUNTERSIGN_VECTORS" ;; esac

ALL=(fmt clippy docs no_std tests vectors javascript python differential browser mcp mail webhooks)
results=()
failed=()
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

part_fmt() { cargo fmt --all --check; }

part_clippy() { cargo clippy --workspace --all-targets --locked -- -D warnings; }

part_docs() { RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked; }

# A library without the standard library that links merkle: merkle/no_std.rs says how it would fail.
part_no_std() {
  local built="${CARGO_TARGET_DIR:-$PWD/target}/debug"
  cargo build -p merkle --lib --locked &&
    rustc --edition 2024 --crate-name no_std --crate-type staticlib -C panic=abort --extern "merkle=$built/libmerkle.rlib" \
      -L "dependency=$built/deps" -o "$logs/no_std.a" merkle/no_std.rs
}

part_tests() { cargo test --workspace --locked --no-fail-fast; }

# Tests on vectors of others (Wycheproof, WebAuthn, RFC 8785, RFC 6962), which are not part of this repository. They are
# ignored in a plain `cargo test` and live in files named *vectors*.
part_vectors() {
  if [ -z "${COUNTERSIGN_VECTORS:-}" ]; then
    note='skipped, COUNTERSIGN_VECTORS is not set'
    printf 'third-party vectors: %s\n' "$note"
    return 0
  fi
  if [ ! -d "$COUNTERSIGN_VECTORS" ]; then
    printf 'third-party vectors: COUNTERSIGN_VECTORS names %s, which is not a folder\n' "$COUNTERSIGN_VECTORS" >&2
    return 1
  fi
  cargo test --workspace --locked --no-fail-fast --test '*vectors*' -- --include-ignored
}

# The other two verifiers. Their own tests skip the third-party vectors, and say so, where the folder is not set. The SDK is
# tested against our binaries, built with --tests for the reason given below.
part_javascript() {
  (cd verifier-js && npm ci --no-audit --no-fund && npm run types && npm test) &&
    cargo build --workspace --bins --tests --locked &&
    (cd sdk/typescript && npm ci --no-audit --no-fund && npm run types && npm test)
}

# First with the standard library alone; then, in an environment of its own, with the packages that the SDK is tested
# against, which are downloaded once for each list of them.
part_python() {
  local environment="${CARGO_TARGET_DIR:-$PWD/target}/python" wanted=sdk/python/tests/requirements.txt
  cargo build --workspace --bins --tests --locked && python3 -m unittest discover -s sdk/python/tests || return
  if ! cmp -s "$wanted" "$environment/installed"; then
    rm -rf "$environment" && python3 -m venv "$environment" &&
      "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$wanted" &&
      cp "$wanted" "$environment/installed" || return
  fi
  "$environment/bin/python" -m unittest discover -s sdk/python/tests/with_packages
}

# All three verifiers on the same mutants of receipts, always the same ones here; `make fuzz` takes others. With --tests the
# binary has the features that the tests have built already.
part_differential() {
  cargo build --workspace --bins --tests --locked && node fuzz/differential.mjs --seed countersign --count 1000
}

# The pages in a real browser, against target/debug/countersign. With --tests the binary has the features that the tests
# have built already; without it a third of the dependencies would be compiled again.
part_browser() {
  cargo build --workspace --bins --tests --locked && (cd web/tests && npm ci --no-audit --no-fund && npm test)
}

# The official MCP clients, in TypeScript and Python, against the tools over HTTP and over stdio.
part_mcp() {
  local target="${CARGO_TARGET_DIR:-$PWD/target}"
  export COUNTERSIGN_TARGET="$target/debug"
  cargo build --workspace --bins --tests --locked &&
    (cd mcp/clients && npm ci --no-audit --no-fund && npm test) &&
    python3 -m venv "$target/mcp-clients" &&
    "$target/mcp-clients/bin/pip" install --quiet --disable-pip-version-check --requirement mcp/clients/requirements.txt &&
    (cd mcp/clients && "$target/mcp-clients/bin/python" -m unittest)
}

# Mail against an SMTP server of others, in Python, in an environment of its own. The tests are ignored elsewhere.
part_mail() {
  local environment="${CARGO_TARGET_DIR:-$PWD/target}/mail" wanted=cli/tests/smtp/requirements.txt
  if ! cmp -s "$wanted" "$environment/installed"; then
    rm -rf "$environment" && python3 -m venv "$environment" &&
      "$environment/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$wanted" &&
      cp "$wanted" "$environment/installed" || return
  fi
  COUNTERSIGN_SMTP_PYTHON="$environment/bin/python" \
    cargo test --workspace --locked --test command -- --include-ignored mail::
}

# Webhooks, to a receiver that checks them with the library of Standard Webhooks. The tests are ignored elsewhere.
part_webhooks() {
  (cd cli/tests/webhooks && npm ci --no-audit --no-fund) &&
    cargo test --workspace --locked --test command -- --include-ignored webhooks::
}

# Clients that others wrote, in Go, against a server of their own. Built with --tests for the same reason.
part_interop() {
  cargo build --workspace --bins --tests --locked &&
    (
      export COUNTERSIGN_BIN="${CARGO_TARGET_DIR:-$PWD/target}/debug/countersign"
      cd interop && go vet ./... && go test -count=1 ./...
    )
}

run() {
  local name=$1 start=$SECONDS took outcome
  note=ok
  printf '\n== %s\n' "$name"
  if "part_$name" > >(tee "$logs/$name") 2>&1; then outcome=$note; else outcome=FAILED && failed+=("$name"); fi
  wait $! # tee has written all of it
  took=$((SECONDS - start))
  printf '== %s %d s %s\n' "$name" "$took" "$outcome"
  results+=("$(printf '%-12s %5d s  %s' "$name" "$took" "$outcome")")
}

# The lines that name a failed test in what a part printed, each with the one after it, which often says why; where there
# are none, its last lines.
why() {
  local lines
  lines=$(grep -E -A 1 '^test .* FAILED|panicked at|^error|^not ok|^(FAIL|ERROR): |^✖ ' "$logs/$1") || lines=$(tail -n 20 "$logs/$1")
  printf '\n== %s FAILED:\n' "$1"
  head -n 40 <<<"$lines"
}

parts=("$@")
[ $# -gt 0 ] || parts=("${ALL[@]}")
for part in "${parts[@]}"; do
  if ! declare -F "part_$part" >/dev/null; then
    printf 'no part is called %s; there are: %s\n' "$part" "${ALL[*]}" >&2
    exit 2
  fi
done
for part in "${parts[@]}"; do run "$part"; done

printf '\n'
printf '%s\n' "${results[@]}"
printf '%-12s %5d s\n' all "$SECONDS"
if [ ${#failed[@]} -ne 0 ]; then
  for part in "${failed[@]}"; do why "$part"; done
  exit 1
fi
printf 'all parts passed\n'
