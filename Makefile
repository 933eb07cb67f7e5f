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
LIBS   := -lsecp256k1 -lcurl -ljansson -lmicrohttpd -lsqlite3 -lnettle -lsodium -lzstd -lz -linih

MAIN := gateway/main.c
SRC  := $(filter-out $(MAIN),$(wildcard gateway/*.c gateway/*/*.c chain/*.c store/*.c api/*.c))
OBJ  := $(SRC:%.c=$(B)/%.o)
SQL  := $(patsubst %.sql,$(B)/%.sql.o,$(wildcard store/schema/*.sql))
CONTRACTS := $(B)/build/contracts/Settlement.json.o $(B)/build/contracts/DevToken.json.o
DATA := $(SQL) $(CONTRACTS)
DATA += $(patsubst %.json,$(B)/%.json.o,$(wildcard api/*.json))
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/*/test_*.c))
SUPPORT := $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))

.DELETE_ON_ERROR:
.PHONY: all help test unit contracts clean check
all: $(B)/quittance ## build build/quittance (the default)

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

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

$(B)/tests/%: $(B)/tests/%.o $(SUPPORT) $(B)/libquittance.a
	$(Q)$(CC) $(LINK) -o $@ $^ $(LIBS) -lcmocka

# UNIT: folders of tests to run, all of them when empty.
UNIT ?=
RUN  := $(if $(UNIT),$(foreach d,$(UNIT),$(filter $(B)/tests/$(d)/%,$(TESTS))),$(TESTS))
unit: $(RUN) $(B)/quittance ## build and run the C unit tests (SAN=address,undefined or thread; UNIT="store api")
	@scripts/run-unit $(RUN)

forge: contracts ## run the contract's unit and fuzz tests
	@node_modules/.bin/forge test

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

-include $(OBJ:.o=.d) $(MAIN:%.c=$(B)/%.d) $(TESTS:=.d) $(SUPPORT:.o=.d)
