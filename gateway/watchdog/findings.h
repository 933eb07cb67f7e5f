/* gateway/watchdog/findings.h - what is past its limit, from facts.  Pure: no I/O, no clock, no allocation.
 *
 * One judge for `status --check`, /readyz, /metrics and the log, so that they never disagree.  A finding has a code of a
 * fixed set, at most one each.  Balances are a warning before they are a failure.  Times are Unix ms, 0: never or not. */
#ifndef QUITTANCE_WATCHDOG_FINDINGS_H
#define QUITTANCE_WATCHDOG_FINDINGS_H

#include "chain/rpc.h"
#include "gateway/base/amount.h"

/* What the chain said when it was last asked; members without `has` are zero until then. */
struct chain_facts {
    bool asked;                               /* false: nobody asked, so nothing is known and nothing is wrong */
    uint64_t away_since_ms;                   /* the last asking failed, and all since then */
    char away[400];                           /* why */
    uint64_t endpoints_out;                   /* of several, left out; one of them: */
    char endpoint_out[400];
    bool seen;                                /* at least once: all below */
    uint64_t seen_ms;                         /* the last time */
    uint64_t head, head_time_s;
    bool any_confirmed;                       /* a block is deep enough to count as confirmed: */
    uint64_t confirmed;
    struct { uint64_t head, lag, finalized; } endpoints[RPC_URLS_MAX];       /* in the order of [chain] rpc; as in rpc_health.h */
    struct wei gas_balance;
    struct wei gas_price;                     /* what is offered for gas now, at most the ceiling of [settle] max_fee_gwei */
    bool fees_over_ceiling;
    uint64_t gas_runs_left;                   /* UINT64_MAX: more than a number holds */
    bool is_operator;                         /* the signer is the contract's operator */
    struct amount total, total_claimed, cap_available;
    struct amount contract_balance, pullable; /* tokens held; tokens that the contract may pull from its funder */
    bool prefunded;                           /* there is no funder */
    struct amount funds, owed;                /* held and pullable; not collected, and not yet committed */
    uint64_t funds_days_left;                 /* after what is owed, at the growth of late; UINT64_MAX: without end */
    struct amount uncommitted;                /* growth that the next commits bring */
    uint64_t paused_until_s;                  /* 0: not paused, by the chain's own clock */
    uint64_t strange_sequence;                /* whose root is not ours, active or pending; 0: none */
};

struct facts {
    uint64_t now_ms;
    uint64_t last_success_ms;                 /* end of the last run that ended well */
    uint64_t unsettled_since_ms;              /* acceptance of the oldest receipt that no commit holds */
    uint64_t stuck_since_ms;                  /* since when unfinished work does not move, or runs fail */
    char stuck[400];                          /* the error of the last run, where that is known */
    bool halted;                              /* and it does not go away by itself */
    uint64_t held;                            /* receipts in quarantine */
    uint64_t cancelled_batch;                 /* waits for carry; 0: none */
    bool has_foreign;                         /* a nonce of the signer was used by somebody else */
    uint64_t foreign_nonce;
    uint64_t hiding;                          /* (provider, model) that report far fewer cache hits than their peers; one of them: */
    char hiding_one[240];
    struct chain_facts chain;
};

/* [watchdog] of the configuration. */
struct watchdog_limits {
    uint64_t unsettled_max_s, stuck_max_s, held_max;              /* past these */
    uint64_t gas_runs_warn, gas_runs_fail, funds_days_warn, funds_days_fail;      /* below these */
};

enum finding_code {
    FINDING_UNSETTLED, FINDING_STUCK, FINDING_HALTED, FINDING_HELD, FINDING_CANCELLED, FINDING_NONCE_FOREIGN, FINDING_CHAIN_AWAY, FINDING_ENDPOINT_OUT,
    FINDING_GAS_LOW,
    FINDING_FEES_HIGH, FINDING_FUNDS_LOW, FINDING_CAP_SHORT, FINDING_PAUSED, FINDING_NOT_OPERATOR, FINDING_ROOT_FOREIGN,
    FINDING_CACHE_HIDDEN
};
#define FINDING_CODES (FINDING_CACHE_HIDDEN + 1)
enum finding_level { LEVEL_NONE, LEVEL_WARNING, LEVEL_FAILURE };
struct findings { struct { enum finding_level level; char text[480]; } by_code[FINDING_CODES]; };

const char *finding_name(enum finding_code code);         /* "gas-low": also the metric's label */
const char *finding_level_name(enum finding_level level); /* "warning", "failure" */
void findings_judge(const struct facts *facts, const struct watchdog_limits *limits, struct findings *findings);
/* Per code the worse of both: what two books together must tell. */
void findings_join(struct findings *findings, const struct findings *other);
bool findings_any(const struct findings *findings, enum finding_level least);
/* What a failure with this code means to whoever runs the command: ERR_AGAIN (it may pass, or money helps) or ERR_HALT (a
 * person must look).  Names that are not known are ERR_HALT. */
enum err_code finding_error(const char *name);

/* Whole runs that balance pays for, each of `gas` at `price`; UINT64_MAX: more than a number holds, or a run is free. */
uint64_t gas_runs_left(struct wei balance, struct wei price, uint64_t gas);
/* Whole days until funds are used up by what is owed and by `growth` each span_ms.  0 when less is there than is owed;
 * UINT64_MAX: nothing grows.  span_ms at least a day is the caller's to see to: less would make guesses of an hour's luck. */
uint64_t funds_days_left(struct amount funds, struct amount owed, struct amount growth, uint64_t span_ms);

#endif
