/* tests/support/anvil.h - a real anvil for tests: started on a free port, stopped by its process id. */
#ifndef QUITTANCE_TESTS_ANVIL_H
#define QUITTANCE_TESTS_ANVIL_H

#include <sys/types.h>

#include "gateway/base/types.h"
#include "gateway/lib/secp.h"

struct anvil { pid_t pid; char url[64]; char log[64]; };

/* False where node_modules or the built contracts are missing: the test is skipped then. */
bool anvil_available(void);
/* Returns when it listens; a test that cannot have it fails.  Blocks are mined at once unless told otherwise. */
void anvil_start(struct anvil *anvil);
void anvil_stop(struct anvil *anvil);
/* Any method with its parameters as a JSON array, for evm_* and anvil_*; an error answer fails the test. */
void anvil_do(const struct anvil *anvil, const char *method, const char *params);
/* The first account of anvil's own mnemonic, with 10 000 ether. */
void anvil_key(struct secret_key *key);

#endif
