/* tests/sim/mutations.h - bugs that the simulator must find, each planted by a switch.
 *
 * The production code has no place for them: calls between its files are redirected by the linker (--wrap, see the
 * Makefile) to mutations.c, which passes them on unless its bug is switched on. */
#ifndef QUITTANCE_SIM_MUTATIONS_H
#define QUITTANCE_SIM_MUTATIONS_H

#define SIM_MUTATIONS(X)                                                                                               \
    X(SEND_BEFORE_STORE,      "the signed bytes are sent, then stored")                                                \
    X(NEW_NONCE_ON_TIMEOUT,   "a send without an answer is done again under another nonce")                            \
    X(RESEND_OTHER_CONTENT,   "a replacement carries other calldata")                                                  \
    X(REPLACEMENT_NOT_STORED, "a replacement is sent and not stored")                                                  \
    X(BUMP_TOO_LOW,           "a replacement offers 5 % more, pools ask for 10 %")                                     \
    X(NONCE_GAP,              "a nonce is skipped")                                                                    \
    X(NULL_RECEIPT_IS_LOST,   "no receipt means that it was dropped")                                                  \
    X(NONCE_LOW_IS_FOREIGN,   "one node's `nonce too low` means that somebody else used it")                           \
    X(REORG_IGNORED,          "what was mined stays mined when its block is gone")                                     \
    X(STALE_HEADER,           "a commit mined anew keeps the header of its first block")                               \
    X(CONFIRMATIONS_IGNORED,  "the latest block counts as confirmed")                                                  \
    X(PAYMENTS_UNCONFIRMED,   "payments are booked from the latest block")                                             \
    X(PAYMENT_TWICE,          "a payment is booked twice")                                                             \
    X(SET_FORGOTTEN,          "who is in a call under way is forgotten")                                               \
    X(VOID_IS_DONE,           "a void that was mined counts as the work")                                              \
    X(COMMIT_GUESSED,         "a commit without an answer counts as kept")                                              \
    X(FENCE_IGNORED,          "of several gateways: who was stopped past its lease writes on")
#define SIM_MUTATIONS_ALONE MUTATION_FENCE_IGNORED     /* those before show in one gateway */

#define SIM_MUTATION_NAME(name, text) MUTATION_##name,
enum sim_mutation { MUTATION_NONE, SIM_MUTATIONS(SIM_MUTATION_NAME) MUTATIONS };
#undef SIM_MUTATION_NAME

extern enum sim_mutation mutation;             /* the one that is planted */
void mutation_forget(void);                    /* before a life: what a bug remembers */
const char *mutation_name(enum sim_mutation m);
const char *mutation_text(enum sim_mutation m);

#endif
