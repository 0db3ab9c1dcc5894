# The entrances to this repository. Each target is one line of help and a few commands; the work is in scripts/.

TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
COUNT ?= 100000
APPENDS ?= 1000000
ENTRIES ?= 1000000
FUZZ_SECONDS ?= 60
# Our crates as in the release profile, RocksDB and the rest as the tests have built them: see that file.
BENCH := cargo bench --locked --workspace --profile dev --config benches/profile.toml

.PHONY: help setup demo test interop lint bench bench-merkle bench-verify bench-log bench-approvals bench-readers soak load fault fuzz fuzz-merkle screenshots
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s  %s\n", $$1, $$2 }' Makefile

setup: ## install what building needs and this machine lacks (Debian, Ubuntu)
	@scripts/setup.sh

demo: setup ## build, and run the whole story on a temporary server; ARGS=--keep keeps it running
	cargo build --locked --bin countersign
	@"$(TARGET_DIR)/debug/countersign" demo $(ARGS)

test: ## everything: format, lints, docs, tests, the browser; closes with a table
	@scripts/setup.sh --tests
	@scripts/test.sh

interop: ## the log read by clients that others wrote, in Go; downloads their modules once
	@scripts/setup.sh --interop
	@scripts/test.sh interop

lint: setup ## format, lints and docs only
	@scripts/test.sh fmt clippy docs

bench: bench-merkle bench-verify bench-log bench-approvals ## all benchmarks

bench-merkle: setup ## the tree beside the bare hashes and two other crates, as tables; ARGS="--sizes 1000000"; no RocksDB
	@python3 benches/tree.py $(ARGS)

bench-verify: setup ## what verifying a receipt costs in each language, as a table; builds no RocksDB
	@node benches/languages/table.mjs

bench-log: setup ## the log beside RocksDB alone and a bare HTTP handler, as a table; ARGS="--only http" for a part
	$(BENCH) --bench log -- $(ARGS)

bench-readers: setup ## a monitor's first look and an audit of a log of ENTRIES=1000000, with their memory, as a table
	cargo build --locked --workspace --bin countersign --bench soak --config benches/profile.toml
	@python3 benches/readers.py --countersign "$(TARGET_DIR)/debug/countersign" --entries $(ENTRIES)

bench-approvals: setup ## decisions by software passkeys, and 10,000 people who wait, as a table; fails on a bad receipt
	ulimit -n "$$(ulimit -Hn)"; $(BENCH) --bench approvals -- $(ARGS)

soak: setup ## APPENDS=1000000 appends, and what the process holds in memory on the way
	$(BENCH) --bench soak -- --appends $(APPENDS)

load: setup ## build the load generator; it says with --help how to point it at a server
	cargo build --locked --bin load --config benches/profile.toml
	@"$(TARGET_DIR)/debug/load" $(or $(ARGS),--help)

fault: ## every fault, as root, with a table: KILLS=200 kills, IMAGES=40 losses of power, EVERY=1 system call failing
	@scripts/setup.sh --fault
	@KILLS="$(KILLS)" IMAGES="$(IMAGES)" EVERY="$(EVERY)" scripts/fault.sh

fuzz: ## the three verifiers on COUNT=100000 mutants of receipts, of a random SEED that is printed
	@scripts/setup.sh --tests
	cargo build --locked -p verifier --features cli --bin countersign-verify
	@node fuzz/differential.mjs --count $(COUNT) $(if $(SEED),--seed $(SEED))

fuzz-merkle: ## the tree's verify functions under libFuzzer, FUZZ_SECONDS=60 for each; needs nightly Rust and cargo-fuzz
	@cd fuzz && for target in verify_inclusion root_from_inclusion verify_consistency parse_path; do \
		cargo +nightly fuzz run --fuzz-dir merkle $$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

screenshots: ## run the browser tests and leave pictures of every page state in the target folder
	@scripts/setup.sh --tests
	@SCREENSHOTS="$(abspath $(TARGET_DIR))/screenshots" scripts/test.sh browser
