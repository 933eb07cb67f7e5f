# Quittance: `make help` lists the targets.
CC      ?= gcc
VERSION := 0.1.0
# SAN: empty, or a list for -fsanitize= (address,undefined | thread); each kind has its own build folder.
SAN     ?=
comma   := ,
B       := build$(if $(SAN),/$(subst $(comma),-,$(SAN)))
OPT     ?= $(if $(SAN),-O1 -g -fno-omit-frame-pointer,-O2 -g)

# V=1 shows the commands.
Q := $(if $(V),,@)

STRICT := -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow -Wconversion -Wswitch-enum -Wstrict-prototypes \
          -Wmissing-prototypes -Wformat=2 -Wcast-qual -Wvla -Wundef -fstack-protector-strong -fPIE \
          $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all,-D_FORTIFY_SOURCE=2)
LINK   := -pie -Wl,-z,relro,-z,now -pthread $(if $(SAN),-fsanitize=$(SAN))
LIBS   := -lsecp256k1 -lcurl -ljansson -lmicrohttpd -lsqlite3 -lpq -lnettle -lsodium -lzstd -lz -linih

MAIN := gateway/main.c
SRC  := $(filter-out $(MAIN),$(wildcard gateway/*.c gateway/*/*.c chain/*.c store/*.c api/*.c))
OBJ  := $(SRC:%.c=$(B)/%.o) $(B)/build/pages/assets.o
SQL  := $(patsubst %.sql,$(B)/%.sql.o,$(wildcard store/schema/*.sql))
CONTRACTS := $(B)/build/contracts/Settlement.json.o $(B)/build/contracts/DevToken.json.o
DATA := $(SQL) $(CONTRACTS)
DATA += $(patsubst %.json,$(B)/%.json.o,$(wildcard api/*.json))
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/*/test_*.c))
SUPPORT := $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))

.DELETE_ON_ERROR:
.PHONY: all help claim-digest test demo unit sim sim-bench histories popularity-game e2e test-geth soak-leak soak bench contracts forge forge-ci model bench-gas coverage slither smt clean plots busy bench-programs instructions
all: $(B)/quittance ## build build/quittance (the default)

help: ## list the targets
	@awk -F':.*## ' '/^[a-z0-9-]+:.*## /{printf "%-18s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

$(B)/quittance: $(MAIN:%.c=$(B)/%.o) $(B)/libquittance.a
	$(Q)$(CC) $(LINK) -o $@ $^ $(LIBS)

$(B)/libquittance.a: $(OBJ) $(DATA)
	@rm -f $@
	@ar qcs $@ $^

$(B)/%.o: %.c Makefile
	@echo '  cc  $<'
	@mkdir -p $(@D)
	$(Q)$(CC) $(STRICT) $(OPT) -DQUITTANCE_VERSION='"$(VERSION)"' -I. -MMD -MP $(CFLAGS) -c $< -o $@

# Files the binary carries: the linker names them _binary_store_schema_..., from their path.
$(B)/%.sql.o: %.sql
	@mkdir -p $(@D)
	$(Q)ld -r -b binary -z noexecstack -o $@ $<
$(B)/api/%.json.o: api/%.json
	@mkdir -p $(@D)
	$(Q)ld -r -b binary -z noexecstack -o $@ $<

# The pages, bundled into a C table.
build/pages/assets.c: $(wildcard api/pages/* api/pages/*/*) scripts/build-pages package-lock.json
	@echo '  pages'
	@node scripts/build-pages

claim-digest: ## print the SHA-256 of claim.html, and put it into the README
	@digest=$$(node scripts/build-pages --digest) && echo "$$digest" && \
		sed -i -E "s/^(SHA-256 of claim\.html: )\`[0-9a-f]{64}\`/\1\`$$digest\`/" README.md

$(B)/tests/%: $(B)/tests/%.o $(SUPPORT) $(B)/libquittance.a
	$(Q)$(CC) $(LINK) -o $@ $^ $(LIBS) -lcmocka

# UNIT: folders of tests to run, all of them when empty.
UNIT ?=
RUN  := $(if $(UNIT),$(foreach d,$(UNIT),$(filter $(B)/tests/$(d)/%,$(TESTS))),$(TESTS))
unit: $(RUN) $(B)/quittance ## build and run the C unit tests (SAN=address,undefined or thread; UNIT="store api")
	@$(if $(RUN),,$(error there are no tests in tests/{$(UNIT)}))scripts/run-unit $(RUN)

# The simulator: the gateway's own objects, but for the network, the clock, the log and the keys (tests/sim/README.md).
SIM_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/sim/*.c)) $(B)/tests/support/rng.o $(B)/tests/support/settle_books.o
SIM_WRAP := clock_sleep_ms clock_monotonic_ms rpc_send_raw store_tx_insert transactions_live signer_sign_tx \
            store_attempt_insert fee_replace store_tx_next_nonce look_missing store_tx_unmined \
            store_settlement_committed confirmed_height payments_scan store_payment_add store_set_load attempt_is_void \
            db_commit store_settler_check
$(B)/tests/sim/sim: $(SIM_OBJ) $(B)/libquittance.a
	$(Q)$(CC) $(LINK) $(SIM_WRAP:%=-Wl,--wrap=%) -o $@ $^ $(LIBS)

sim: $(B)/tests/sim/sim ## the simulator: 2 000 seeds, the same twice, every crash point, planted bugs
	@$< --twice
	@$< --sweep
	@$< --mutations
	@$< --seeds 2000

sim-replicas: $(B)/tests/sim/sim ## the simulator with two and three gateways on one PostgreSQL: 1 000 ends, stops and cuts
	@scripts/with-postgres sh -ec 'for n in 2 3; do $< --replicas $$n --store "$$QUITTANCE_TEST_STORE" --rounds 500; done; \
	$< --replicas 3 --store "$$QUITTANCE_TEST_STORE" --twice; $< --replicas 3 --store "$$QUITTANCE_TEST_STORE" --mutations'

# The same, but for what settling and catching up ask a node, and for planted bugs (tests/histories/README.md).
HISTORY_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/histories/*.c))
HISTORY_WRAP := behind_look settlement_header settlement_header_at chain_view_read settlement_read confirmed_block \
                store_adjustment_add store_debts_insert nets_settle corrections_fill market_next market_price market_capacity \
                store_demand_add intake_new quote_matches rules_judge rules_judge_credit rules_period_start credit_use \
                store_receipt_refuse
$(B)/tests/histories/driver: $(HISTORY_OBJ) $(SUPPORT) $(B)/libquittance.a
	$(Q)$(CC) $(LINK) $(HISTORY_WRAP:%=-Wl,--wrap=%) -o $@ $^ $(LIBS) -lcmocka

HISTORIES ?= 10000
histories: $(B)/tests/histories/driver ## random histories (HISTORIES=10000) against a second model of the books, in another language; planted bugs
	@node tests/histories/run.mjs --driver $< --mutations
	@node tests/histories/run.mjs --driver $< --histories $(HISTORIES) --progress

sim-bench: $(B)/tests/sim/sim ## 100 000 seeds, how often each fault was met, lives a second
	@$< --seeds 100000 --progress

popularity-game: $(B)/tests/core/test_popularity_game ## 20 000 random tries to buy popularity, and what each strategy came to
	@$< --rounds 20000

# Bench programs: tests/bench/bench_*.c, and the load generator that the others are driven with (tests/bench/README.md).
BENCH_PROGRAMS := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/bench/bench_*.c)) $(B)/tests/bench/loadgen
LOADGEN_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/loadgen*.c))
$(B)/tests/bench/loadgen: $(LOADGEN_OBJ) $(B)/libquittance.a
	$(Q)$(CC) $(LINK) -o $@ $^ $(LIBS)

# TRACES: CSV files; none: a made-up one.
TRACES ?=
plots: $(B)/tests/market/trace ## price TRACES under three market settings and draw them into build/plots
	@scripts/plot-market $(TRACES)

test: ## everything that guards main (scripts/test --help lists the parts)
	@scripts/test

demo: ## the whole job on this machine (scripts/demo --help)
	@scripts/demo

cluster: ## three gateways on this machine behind HAProxy, parts of it killed under load (scripts/cluster --help)
	@scripts/cluster

manifests: $(B)/quittance ## the Compose file and the Kubernetes manifest against their schemas (fetches those into build)
	@scripts/check-manifests

image: ## the Dockerfile built with Debian's buildah, and run as gateway/deploy demands (scripts/check-image --help)
	@scripts/check-image

e2e: $(B)/quittance $(B)/tests/bench/loadgen contracts ## end-to-end tests: real node, real contract, real HTTP
	@QUITTANCE_BINARY=$(abspath $(B))/quittance node tests/e2e/run.mjs

test-geth: $(B)/quittance ## the whole path on geth --dev; builds geth, so it needs Go
	@QUITTANCE_BINARY=$(abspath $(B))/quittance scripts/test-geth

busy: $(B)/quittance $(B)/tests/bench/loadgen contracts ## receipts, reads and settlements at once for 20 seconds (SAN=thread: no race)
	@QUITTANCE_BINARY=$(abspath $(B))/quittance node tests/e2e/busy.mjs 20

soak-leak: $(B)/quittance contracts ## 100 000 receipts: memory must not grow (SAN=address,undefined: no leak)
	@QUITTANCE_BINARY=$(abspath $(B))/quittance node tests/e2e/soak.mjs

# A fresh seed each time; of a run that fails the seed is shown, and runs again alone.
soak: $(B)/quittance $(B)/tests/bench/loadgen contracts ## 50 runs through faults, 100 rounds with several gateways, serve under load for 10 minutes, and 10 at 80 % of its peak: about 30 minutes (SAN=... too)
	@QUITTANCE_BINARY=$(abspath $(B))/quittance node tests/e2e/faults.test.mjs --runs 50 --seed $$(date +%s)
	@QUITTANCE_BINARY=$(abspath $(B))/quittance node tests/e2e/rounds.test.mjs --rounds 50 --seed $$(date +%s)
	@QUITTANCE_BINARY=$(abspath $(B))/quittance node tests/e2e/soak.mjs --minutes 10
	@QUITTANCE_BINARY=$(abspath $(B))/quittance node tests/e2e/soak-peak.mjs --minutes 10

bench-programs: $(BENCH_PROGRAMS) $(B)/quittance contracts

# BENCH: one of `scripts/bench --help`, with its arguments; all of them when empty.
BENCH ?=
bench: bench-programs ## figures, the limit each is measured against, and the ratio (BENCH="close --receipts 5000000" for one)
	@scripts/bench $(BENCH)

instructions: $(B)/tests/bench/instructions ## instructions a receipt costs, against the record (valgrind)
	@node tests/bench/instructions.mjs

forge: contracts ## the contract's unit, fuzz and invariant tests
	@node_modules/.bin/forge test

forge-ci: contracts ## the same with 10 000 fuzz runs and 64 x 2048 invariant calls
	@FOUNDRY_PROFILE=ci node_modules/.bin/forge test

model: contracts ## the contract step by step against a model in JavaScript, on anvil
	@node --test tests/contract/model.test.mjs

bench-gas: contracts ## gas of every call, beside rivals; fails when a figure grew
	@scripts/bench-gas --check

coverage: contracts ## branch coverage of the contract
	@FORGE_COVERAGE=true node_modules/.bin/forge coverage --no-match-contract 'Gas|Invariant' --no-match-coverage 'test/|DevToken'

slither: contracts ## static analysis of the contract (installs slither from PyPI into build/)
	@scripts/slither

smt: contracts ## the compiler's SMT checker on the accounting
	@scripts/smt

$(B)/build/contracts/%.json.o: build/contracts/%.json
	@mkdir -p $(@D)
	$(Q)ld -r -b binary -z noexecstack -o $@ $<

build/contracts/Settlement.json build/contracts/DevToken.json &: $(wildcard chain/contracts/*.sol) scripts/build-contracts
	@scripts/build-contracts
	@touch build/contracts/*.json

contracts: ## compile the contracts to build/contracts
	@scripts/build-contracts

clean: ## remove everything that was built
	rm -rf build

-include $(OBJ:.o=.d) $(MAIN:%.c=$(B)/%.d) $(TESTS:=.d) $(SUPPORT:.o=.d) $(SIM_OBJ:.o=.d) $(HISTORY_OBJ:.o=.d) $(LOADGEN_OBJ:.o=.d) $(BENCH_PROGRAMS:=.d) $(B)/tests/bench/instructions.d
