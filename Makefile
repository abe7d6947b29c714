# Everything that a person types. `make` alone lists it. Works as root and, with sudo, as anybody.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.ONESHELL:
MAKEFLAGS += --no-print-directory

export CARGO_TARGET_DIR ?= $(CURDIR)/target
export PATH := $(PATH):$(HOME)/.cargo/bin

# One set of packages and features for every cargo call, so that nothing is compiled twice.
ALL := --workspace --locked

# What the recipes below run. Inside `make test` all was built with the tests: building a part alone would choose other features
# of the dependencies, and compile most of them again.
BUILD_TERRASIFT := cargo build --locked --package terrasift --bin terrasift
BUILD_FAULTS := cargo build --locked --package terrasift-load-tests --bin terrasift-faults
BUILD_TESTS := cargo test $(ALL) --lib --bins --tests --no-run --quiet
test: BUILD_TERRASIFT := $(BUILD_TESTS)
test: BUILD_FAULTS := $(BUILD_TESTS)
CARGO_DENY_VERSION := 0.20.2

# Arguments of `make demo`, for example ARGS='--tenants 20 --workspaces 50 --exit-after-sync'.
ARGS ?=
# The demo inside `make test`: the size that issue 2 asks for.
DEMO_TEST_ARGS ?= --tenants 20 --workspaces 50
CANARIES_MIN := 1000
# Real states, served by the demo inside `make test` when the folder is there.
STATES ?= ../shared/corpus/tfstate

##@ Try it

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: packages ## Install what is missing, build, and run everything on this machine; ARGS='--tenants 20 …'
	cargo build --release --locked --package terrasift
	exec "$$CARGO_TARGET_DIR/release/terrasift" demo $(ARGS)

# Nodes of `make kafka`: 1, or 3 of which one may be lost.
NODES ?= 1
KAFKA_LIBS := $(abspath $(CARGO_TARGET_DIR))/kafka/libs

.PHONY: kafka
kafka: packages kafka-jars ## Run a real Apache Kafka on this machine, NODES=3 for a cluster; prints its address, Ctrl-C stops it
	cargo build --locked --package terrasift
	exec "$$CARGO_TARGET_DIR/debug/terrasift" kafka --libs '$(KAFKA_LIBS)' --nodes $(NODES)

##@ Work on it

.PHONY: unit
unit: toolchain ## The inner loop: what needs no server (unit, table, property, golden, tidy, architecture)
	cargo test $(ALL) --lib --bins --test tidy --test architecture --test contract

.PHONY: golden
golden: toolchain ## Write the golden files anew: generated schemas, docs/rules.md and snapshots; read the diff before you commit
	UPDATE_GOLDEN=1 INSTA_UPDATE=always cargo test $(ALL) --lib --bins --test contract

.PHONY: format
format: toolchain ## Format the source
	cargo fmt --all

.PHONY: bench
bench: packages ## Measure the engine with criterion; ARGS go to criterion
	cargo bench --locked --package terrasift-benches -- $(ARGS)

.PHONY: bench-startup
bench-startup: packages ## Measure how long `terrasift sanitize` takes to start; ARGS='--runs 500'
	cargo build --release --locked --package terrasift --package terrasift-benches --bin terrasift --bin startup
	"$$CARGO_TARGET_DIR/release/startup" $(ARGS)

.PHONY: bench-ratios
bench-ratios: packages ## Measure speed beside serde_json skipping the same bytes, and memory up to 500 MB; ARGS='--rounds 9'
	cargo build --release --locked --package terrasift-benches --bin ratios
	"$$CARGO_TARGET_DIR/release/ratios" $(ARGS)

.PHONY: bench-planted
bench-planted: packages ## Plant 100,000 secrets and ten times as many look-alikes, and judge what became of each; ARGS='--seed 7'
	cargo build --release --locked --package terrasift-benches --bin planted
	"$$CARGO_TARGET_DIR/release/planted" $(ARGS)

# $(call install-kingfisher,VERSION): below the target folder, once.
define install-kingfisher
folder="$$CARGO_TARGET_DIR/peers/kingfisher-$(1)"
if [[ ! -x "$$folder/kingfisher/bin/kingfisher" ]]; then
	command -v python3 > /dev/null || { echo "python3 is missing: kingfisher is installed with it" >&2; exit 1; }
	python3 -m pip --quiet --disable-pip-version-check install --root-user-action ignore --no-deps \
		--target "$$folder" kingfisher-bin==$(1)
fi
endef

# The last kingfisher whose rules have examples.
EXAMPLES_VERSION := 1.112.0

.PHONY: bench-foreign
bench-foreign: packages ## Look for the secrets in another scanner's own examples; ARGS='--json'
	@$(call install-kingfisher,$(EXAMPLES_VERSION))
	cargo build --release --locked --package terrasift-benches --bin foreign
	"$$CARGO_TARGET_DIR/release/foreign" \
		--kingfisher "$$CARGO_TARGET_DIR/peers/kingfisher-$(EXAMPLES_VERSION)/kingfisher/bin/kingfisher" $(ARGS)

# What we compare with, each from its own registry, below the target folder and nowhere else.
RUST_SANITIZE_VERSION := 0.15.0
KINGFISHER_VERSION := 2.14.0
GITLEAKS_VERSION := 8.30.0
GITLEAKS := github.com/zricethezav/gitleaks/v8

.PHONY: bench-peers
bench-peers: packages peers-installed ## Compare with rust-sanitize, kingfisher and gitleaks on one core; ARGS='--rounds 5'
	cargo build --release --locked --package terrasift --package terrasift-load-tests --package terrasift-benches \
		--bin terrasift --bin terrasift-simulator --bin peers
	peers="$$CARGO_TARGET_DIR/peers"
	"$$CARGO_TARGET_DIR/release/peers" --folder "$$peers/run" \
		--rust-sanitize "$$peers/rust-sanitize-$(RUST_SANITIZE_VERSION)/bin/sanitize" \
		--kingfisher "$$peers/kingfisher-$(KINGFISHER_VERSION)/kingfisher/bin/kingfisher" \
		--gitleaks "$$peers/gitleaks-$(GITLEAKS_VERSION)/gitleaks" $(ARGS)

# Executions of `make fuzz`, of each target: documents through the sanitizer, texts through the rules; and processes that share them.
RUNS ?= 10000000
FUZZ_TARGETS ?= sift inspect
FUZZ_JOBS ?= 2
CARGO_FUZZ_VERSION := 0.13.2

.PHONY: fuzz
fuzz: toolchain ## Compare with slow twins over made-up input, RUNS=10000000 executions of each target; stops at a difference
	@cargo fuzz --version &> /dev/null || env -u CARGO_TARGET_DIR CARGO_INCREMENTAL=0 \
		cargo install --quiet --locked cargo-fuzz@$(CARGO_FUZZ_VERSION)
	built="$$CARGO_TARGET_DIR/fuzz"
	# Each execution takes megabytes and gives them back: without these, half of the time goes into pages.
	export MALLOC_TRIM_THRESHOLD_=1000000000 MALLOC_MMAP_THRESHOLD_=200000 MALLOC_TOP_PAD_=67108864
	# A stable compiler has no sanitizers; what is looked for are differences and panics.
	(cd engine/fuzz && CARGO_TARGET_DIR="$$built" cargo fuzz build -O -s none --no-trace-compares --fuzz-dir .)
	trap 'kill $$(jobs -p) 2> /dev/null || true' EXIT
	for target in $(FUZZ_TARGETS); do
		mkdir -p "$$built/found/$$target"
		logs=()
		for job in $$(seq $(FUZZ_JOBS)); do
			logs+=("$$built/found/$$target-$$job.log")
			"$$built"/*/release/"$$target" "$$built/found/$$target" "engine/fuzz/corpus/$$target" -runs=$$(($(RUNS) / $(FUZZ_JOBS))) \
				-max_len=160 -use_counters=0 -entropic=0 -reduce_inputs=0 -print_final_stats=1 \
				-artifact_prefix="$$built/found/$$target-" > "$${logs[-1]}" 2>&1 &
		done
		status=0
		for job in $$(seq $(FUZZ_JOBS)); do wait -n || { status=$$?; break; }; done
		executions=$$(sed -nE 's/^stat::number_of_executed_units: ([0-9]+)$$/\1/p' "$${logs[@]}" | awk '{ sum += $$1 } END { print sum }')
		if [[ $$status -ne 0 ]]; then
			grep -a -h -A4 panicked "$${logs[@]}" >&2 || tail -q -n 5 "$${logs[@]}" >&2
			echo "$$target: a difference or a panic after $${executions:-?} executions, the input is in $$built/found" >&2
			exit 1
		fi
		echo "$$target: $$executions executions, 0 differences, 0 panics"
	done

# A scenario of load-tests/scenarios; SCENARIO=list lists them. ARGS go to the driver: --broker, --api, --simulator, --keys.
SCENARIO ?= steady

.PHONY: load
load: packages kafka-jars ## Drive load in open loop and report: SCENARIO=noisy-neighbour, SCENARIO=list; ARGS='--broker …' for an installation
	cargo build --release --locked --package terrasift --package terrasift-load-tests --bin terrasift --bin terrasift-load
	load=("$$CARGO_TARGET_DIR/release/terrasift-load" --scenarios load-tests/scenarios)
	if [[ '$(SCENARIO)' == list ]]; then exec "$${load[@]}" --list; fi
	exec "$${load[@]}" --scenario '$(SCENARIO)' --out '$(CURDIR)/target/load' --kafka-libs '$(KAFKA_LIBS)' $(ARGS)

.PHONY: load-api
load-api: packages ## Hold 10,000 connections to the API and ask 1,000 times a second; ARGS='--seconds 10 --connections 500 --entities 20000 --tenants 50'
	cargo build --release --locked --package terrasift --package terrasift-load-tests --bin terrasift --bin terrasift-load-api
	exec "$$CARGO_TARGET_DIR/release/terrasift-load-api" --out '$(CURDIR)/target/load-api' $(ARGS)

.PHONY: isolation
isolation: packages ## Try to reach other tenants' rows in Postgres, SEED=7, and whether weakened schemas are noticed; ARGS='--every'
	cargo build --locked --package terrasift-load-tests --bin terrasift-isolation
	exec "$$CARGO_TARGET_DIR/debug/terrasift-isolation" --seed '$(or $(SEED),1)' $(ARGS)

# Requests that are dropped around begin and commit.
ABORTS ?= 10000

.PHONY: aborts
aborts: packages ## Drop requests around begin and commit, ABORTS=10000, and look for other tenants' rows
	ABORTS='$(ABORTS)' CASE=aborted_futures cargo test --locked --package terrasift-postgres --test store -- --nocapture

# An outside judge of row-level security, below the target folder and nowhere else.
PGRLS_VERSION := 0.57.1

.PHONY: pgrls
pgrls: packages python-packages ## Have pgrls judge the schema's row-level security
	pgrls="$$CARGO_TARGET_DIR/pgrls-$(PGRLS_VERSION)"
	[[ -x "$$pgrls/bin/pgrls" ]] || { python3 -m venv "$$pgrls" && "$$pgrls/bin/pip" install --quiet 'pgrls==$(PGRLS_VERSION)'; }
	cargo build --locked --package terrasift-load-tests --bin terrasift-isolation
	exec "$$CARGO_TARGET_DIR/debug/terrasift-isolation" -- "$$pgrls/bin/pgrls" lint --config connectors/postgres/pgrls.toml

# An outside judge of the API, below the target folder and nowhere else.
SCHEMATHESIS_VERSION := 4.32.5

.PHONY: schemathesis
schemathesis: packages python-packages ## Have schemathesis hold the API against its OpenAPI document, SEED=7; ARGS go to it
	schemathesis="$$CARGO_TARGET_DIR/schemathesis-$(SCHEMATHESIS_VERSION)"
	[[ -x "$$schemathesis/bin/schemathesis" ]] || { python3 -m venv "$$schemathesis" && \
		"$$schemathesis/bin/pip" install --quiet 'schemathesis==$(SCHEMATHESIS_VERSION)'; }
	SCHEMATHESIS="$$schemathesis/bin/schemathesis" SCHEMATHESIS_ARGS='--seed $(or $(SEED),1) $(ARGS)' \
		cargo test --locked --package terrasift-http --test doors an_outside_judge -- --nocapture

# Minutes of the rows `soak` and `budget`; the figures that count are those of 30.
MINUTES ?= 30

.PHONY: measure
measure: packages kafka-jars ## Measure the rows of docs/benchmarks.md with durability on: ROW=unchanged, ROW=list, MINUTES=5, or all
	cargo build --release --locked --package terrasift --package terrasift-benches --bin terrasift --bin measure
	measure=("$$CARGO_TARGET_DIR/release/measure" --kafka-libs '$(KAFKA_LIBS)')
	if [[ '$(ROW)' == list ]]; then exec "$${measure[@]}" --list; fi
	row='$(ROW)'
	exec "$${measure[@]}" --folder '$(CURDIR)/target/measure' --minutes '$(MINUTES)' $${row:+--row "$$row"} $(ARGS)

##@ Backstage

BACKSTAGE_INSTALLED := backstage/node_modules/.yarn-state.yml

.PHONY: backstage-install
backstage-install: node-packages $(BACKSTAGE_INSTALLED) ## Install what the packages in backstage/ need

$(BACKSTAGE_INSTALLED): backstage/yarn.lock backstage/package.json $(wildcard backstage/*/*/package.json)
	@backstage/yarn.sh install --immutable | grep -v 'YN0002\|YN0004\|YN0086'
	touch '$@'

.PHONY: backstage-test
backstage-test: packages backstage-install ## Formatting, types, lint, generated types, API reports and unit tests of backstage/
	yarn=backstage/yarn.sh
	"$$yarn" prettier:check
	"$$yarn" tsc
	"$$yarn" lint:all --max-warnings 0
	"$$yarn" generate --check
	"$$yarn" build:api-reports --ci
	$(BUILD_TERRASIFT)
	CI=true "$$yarn" test --maxWorkers 2

# Named as npm names them: nothing of a path begins with @, which Yarn would take for a scope.
BACKSTAGE_PACKAGES := $(abspath $(CARGO_TARGET_DIR))/backstage-packages

.PHONY: backstage-packages
backstage-packages: backstage-install ## Build our packages for a Backstage of your own: four archives in target/backstage-packages
	@rm -rf '$(BACKSTAGE_PACKAGES)'
	mkdir -p '$(BACKSTAGE_PACKAGES)'
	yarn=backstage/yarn.sh
	"$$yarn" tsc
	"$$yarn" workspaces foreach --all --no-private run build
	"$$yarn" workspaces foreach --all --no-private exec cp ../../../LICENSE .
	"$$yarn" workspaces foreach --all --no-private pack --out '$(BACKSTAGE_PACKAGES)/%s-%v.tgz' > /dev/null
	for file in '$(BACKSTAGE_PACKAGES)'/@*; do mv "$$file" "$${file/@/}"; done
	ls '$(BACKSTAGE_PACKAGES)'

.PHONY: backstage-fresh
backstage-fresh: packages backstage-install chromium-packages ## Follow the README's install section in an app that create-app has just made, over a demo, and look at it; 7 to 15 min
	@$(BUILD_TERRASIFT)
	backstage/fresh/fresh.sh $(ARGS)

# The bundle of the dev app, made anew when a source is newer.
BACKSTAGE_APP := backstage/packages/app/dist/index.html
DEV_PORT ?= 7007
BACKSTAGE_DEV := cd backstage/packages/backend && \
	NODE_ENV=development exec node --require ../../node_modules/@backstage/cli/config/nodeTransform.cjs src/index.ts --config ../../app-config.yaml

$(BACKSTAGE_APP): $(BACKSTAGE_INSTALLED) backstage/app-config.yaml $(shell find backstage/packages/app backstage/plugins -name node_modules -prune -o -name dist -prune -o -path '*/src/*' -type f -print)
	@DEV_PORT=$(DEV_PORT) backstage/yarn.sh workspace app build --config ../../app-config.yaml

.PHONY: backstage
backstage: backstage-install packages $(BACKSTAGE_APP) ## A real Backstage with our plugins over a running demo, on loopback: http://127.0.0.1:7007, or DEV_PORT=n
	@cargo build --locked --release --package terrasift --bin terrasift
	export TERRASIFT="$$CARGO_TARGET_DIR/release/terrasift" DEV_PORT=$(DEV_PORT)
	$(BACKSTAGE_DEV)

# Where the pictures go.
IMAGES ?= docs/images

.PHONY: backstage-look
backstage-look: backstage-install packages chromium-packages $(BACKSTAGE_APP) ## Look at each card in Chromium, light and dark, with axe; screenshots go to docs/images, or IMAGES=folder
	@$(BUILD_TERRASIFT)
	log=$$(mktemp)
	( $(BACKSTAGE_DEV) ) > "$$log" 2>&1 &
	app=$$!
	trap 'kill $$app; wait $$app || true; rm "$$log"' EXIT
	for (( second = 0; second < 240; second++ )); do
		if ! kill -0 $$app 2> /dev/null; then cat "$$log" >&2; exit 1; fi
		url=$$(sed -nE 's/^Backstage: (.*)/\1/p' "$$log")
		if [[ -n $$url ]]; then break; fi
		sleep 1
	done
	mkdir -p '$(IMAGES)'
	node backstage/packages/app/look/look.mjs "$$url" "$$(realpath '$(IMAGES)')" || { tail -n 50 "$$log" >&2; exit 1; }

# The engine of `make backstage-sync`.
TERRASIFT ?= $(abspath $(CARGO_TARGET_DIR))/debug/terrasift

.PHONY: backstage-sync
backstage-sync: packages backstage-install ## Kill a real catalog and the real engine at the steps of a page, and compare them at the end; SEED=7, or SEEDS=1-50 one after the other
	[[ -n '$(filter-out file,$(origin TERRASIFT))' ]] || $(BUILD_TERRASIFT)
	backstage/yarn.sh workspace @terrasift/backstage-plugin-catalog-backend-module-terrasift \
		sync --seeds '$(if $(filter file,$(origin SEEDS)),$(or $(SEED),1),$(SEEDS))' --terrasift '$(TERRASIFT)'

# Of `make backstage-latency`: how many entities, `catalog.processingInterval` (the catalog's own when empty), how many changes
# of the world are measured, each of which changes some entities, and seconds between two of them.
ENTITIES ?= 20000
INTERVAL ?= 30m
CHANGES ?= 150
CHANGE_EVERY ?= 2

.PHONY: backstage-latency
backstage-latency: packages backstage-install ## Time changes from the feed to a real catalog of ENTITIES=20000 with INTERVAL=30m, INTERVAL= for the catalog's own; one line of JSON
	engine='$(TERRASIFT)'
	if [[ -z '$(filter-out file,$(origin TERRASIFT))' ]]; then
		cargo build --locked --release --package terrasift --bin terrasift
		engine="$$CARGO_TARGET_DIR/release/terrasift"
	fi
	backstage/yarn.sh workspace @terrasift/backstage-plugin-catalog-backend-module-terrasift latency \
		--entities '$(ENTITIES)' --interval '$(INTERVAL)' --changes '$(CHANGES)' --change-every '$(CHANGE_EVERY)' \
		--seed '$(or $(SEED),1)' --terrasift "$$engine"

##@ Before you push

.PHONY: check
check: packages deny-installed ## Formatting, clippy with our bans, licences and sources of what is linked
	cargo fmt --all --check
	cargo clippy $(ALL) --all-targets -- -D warnings
	cargo deny --locked --log-level error check --hide-inclusion-graph bans licenses sources

.PHONY: test
test: check suites demo-test faults-test backstage-test backstage-sync ## Everything that CI runs; from an empty machine too

.PHONY: suites
suites: packages kafka-jars ## All tests: unit, table, property, golden, tidy, architecture, real Postgres and Redis, in-process and real Kafka
	cargo test $(ALL) --lib --bins --tests --no-run
	TERRASIFT_KAFKA_LIBS='$(KAFKA_LIBS)' cargo test $(ALL) --lib --bins --tests --no-fail-fast

.PHONY: demo-test
demo-test: packages ## The demo end to end, once over generated and once over real states; looks for planted secrets
	$(BUILD_TESTS)
	demo=("$$CARGO_TARGET_DIR/debug/terrasift" demo --exit-after-sync --json)
	summary=$$("$${demo[@]}" $(DEMO_TEST_ARGS) | tail -n 1)
	echo "$$summary"
	number() { sed -nE "s/.*\"$$1\":([0-9]+).*/\1/p" <<< "$$summary"; }
	planted=$$(number canaries_planted) found=$$(number canaries_found)
	if [[ $${planted:-0} -lt $(CANARIES_MIN) || $${found:-1} -ne 0 ]]; then
		echo "demo-test: expected at least $(CANARIES_MIN) planted secrets and none found outside" >&2
		exit 1
	fi
	if [[ -d '$(STATES)' ]]; then
		summary=$$("$${demo[@]}" --tenants 4 --workspaces 150 --states '$(STATES)' | tail -n 1)
		echo "$$summary"
		[[ $$(number states) -gt 0 && $$(number entities) -gt 0 ]]
	else
		echo "demo-test: $(STATES) is absent: real states are skipped"
	fi

# Rows and seeds of `make faults`; BUG=3 applies load-tests/bugs/3.patch to a scratch copy and has to catch it.
ROW ?=
ROWS ?= $(ROW)
SEED ?=
SEEDS ?= $(or $(SEED),1 2 3 4 5)
BUG ?=
comma := ,
space := $(subst ,, )
# Not called `words`: that is a function of make itself, and it counts.
listed = $(subst $(space),$(comma),$(strip $(1)))

.PHONY: faults
faults: packages kafka-jars faults-packages ## Make things go wrong on real servers: ROW=kill-random SEED=3, ROWS=list, or all; BUG=1 has to be caught
	$(BUILD_TERRASIFT)
	$(BUILD_FAULTS)
	faults="$$CARGO_TARGET_DIR/debug/terrasift-faults"
	if [[ '$(ROWS)' == list ]]; then exec "$$faults" --list; fi
	if [[ -n '$(BUG)' ]]; then
		cp "$$faults" "$$CARGO_TARGET_DIR/debug/terrasift-catches"
		exec load-tests/bugs/catch.sh '$(BUG)' "$$CARGO_TARGET_DIR/debug/terrasift-catches" '$(KAFKA_LIBS)'
	fi
	rows='$(call listed,$(ROWS))'
	exec "$$faults" --kafka-libs '$(KAFKA_LIBS)' --folder '$(CURDIR)/target/faults' --seeds '$(call listed,$(SEEDS))' \
		$${rows:+--row "$$rows"} $(ARGS)

# The short seed of every row inside `make test`.
.PHONY: faults-test
faults-test: packages kafka-jars faults-packages ## Every row of the fault matrix once, short
	$(BUILD_TERRASIFT)
	$(BUILD_FAULTS)
	"$$CARGO_TARGET_DIR/debug/terrasift-faults" --kafka-libs '$(KAFKA_LIBS)' --folder "$$CARGO_TARGET_DIR/faults" --short

.PHONY: clean
clean: ## Remove what was built
	cargo clean

##@ What the others need

# Installs what is in the array `missing`; asks apt only when something is.
define INSTALL_MISSING
[[ $${#missing[@]} -gt 0 ]] || exit 0
echo "installing: $${missing[*]}"
as_root=()
if [[ $$(id -u) -ne 0 ]]; then
	command -v sudo > /dev/null || { echo "not root, and no sudo: ask an administrator to install these packages" >&2; exit 1; }
	as_root=(sudo)
fi
command -v apt-get > /dev/null || { echo "no apt-get here: install these (as your system names them) by hand" >&2; exit 1; }
apt=("$${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
"$${apt[@]}" update
"$${apt[@]}" install -y --no-install-recommends "$${missing[@]}" > /dev/null
endef

# A C++ toolchain, make, zlib and OpenSSL for librdkafka; Postgres' and Redis' server programs (the system's own servers are
# never used); curl, openssl and kcat for the three commands that the demo prints.
.PHONY: packages
packages: toolchain ## Install missing system packages
	@missing=()
	have() { command -v "$$1" > /dev/null; }
	have gcc || missing+=(gcc libc6-dev)
	have g++ || missing+=(g++)
	have pkg-config || missing+=(pkg-config)
	have curl || missing+=(curl)
	have openssl || missing+=(openssl)
	have kcat || missing+=(kcat)
	[[ -e /usr/include/zlib.h ]] || missing+=(zlib1g-dev)
	[[ -e /usr/include/openssl/ssl.h ]] || missing+=(libssl-dev)
	have initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || missing+=(postgresql)
	have redis-server || missing+=(redis-server)
	$(INSTALL_MISSING)

# The clock of one replica is moved by this library; redis-cli reads Redis' dump.
.PHONY: faults-packages
faults-packages:
	@missing=()
	compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' > /dev/null || missing+=(libfaketime)
	command -v redis-cli > /dev/null || missing+=(redis-tools)
	$(INSTALL_MISSING)

.PHONY: node-packages
node-packages:
	@missing=()
	command -v node > /dev/null || missing+=(nodejs)
	command -v npm > /dev/null || missing+=(npm)
	$(INSTALL_MISSING)

.PHONY: chromium-packages
chromium-packages:
	@missing=()
	command -v chromium > /dev/null || missing+=(chromium)
	$(INSTALL_MISSING)

.PHONY: python-packages
python-packages:
	@missing=()
	python3 -c 'import ensurepip' &> /dev/null || missing+=(python3-venv)
	$(INSTALL_MISSING)

# Java to run Kafka, Maven to fetch it: for tests and load only, so the demo does without.
.PHONY: kafka-packages
kafka-packages:
	@missing=()
	command -v java > /dev/null || missing+=(default-jre-headless)
	command -v mvn > /dev/null || missing+=(maven)
	$(INSTALL_MISSING)

.PHONY: kafka-jars
kafka-jars: kafka-packages $(KAFKA_LIBS)/.resolved ## Fetch the jars of Apache Kafka

$(KAFKA_LIBS)/.resolved: deploy/kafka/pom.xml
	@rm -rf '$(KAFKA_LIBS)'
	mvn -q -B -Dstyle.color=never -f deploy/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory='$(KAFKA_LIBS)'
	touch '$@'

.PHONY: toolchain
toolchain:
	@command -v cargo > /dev/null || { echo "cargo is missing: install Rust 1.90 or later, see https://rustup.rs" >&2; exit 1; }
	for tool in clippy rustfmt; do
		if ! "cargo-$${tool/rustfmt/fmt}" --version &> /dev/null; then
			rustup component add "$$tool" || { echo "$$tool is missing: install that component of your Rust" >&2; exit 1; }
		fi
	done

# Unoptimised and without debug information: a minute instead of five on two cores, and quick enough to run.
.PHONY: deny-installed
deny-installed:
	@cargo deny --version &> /dev/null || env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0 \
		cargo install --quiet --debug --locked cargo-deny@$(CARGO_DENY_VERSION)

# Go's linker tells gitleaks its version, as its own build does. Python's package carries the program itself, which is
# run without the interpreter.
.PHONY: peers-installed
peers-installed: toolchain
	@peers="$$CARGO_TARGET_DIR/peers"
	needs() { command -v "$$1" > /dev/null || { echo "$$1 is missing: $$2 is installed with it" >&2; exit 1; }; }
	folder="$$peers/rust-sanitize-$(RUST_SANITIZE_VERSION)"
	[[ -x "$$folder/bin/sanitize" ]] || cargo install --quiet --locked --root "$$folder" --bin sanitize \
		--target-dir "$$peers/build" rust-sanitize@$(RUST_SANITIZE_VERSION)
	$(call install-kingfisher,$(KINGFISHER_VERSION))
	folder="$$peers/gitleaks-$(GITLEAKS_VERSION)"
	if [[ ! -x "$$folder/gitleaks" ]]; then
		needs go gitleaks
		GOBIN="$$(realpath --canonicalize-missing "$$folder")" go install \
			-ldflags '-X $(GITLEAKS)/version.Version=$(GITLEAKS_VERSION)' $(GITLEAKS)@v$(GITLEAKS_VERSION)
	fi
