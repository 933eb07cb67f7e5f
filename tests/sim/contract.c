/* Settlement.sol, Batches.sol and Walk.sol in C, as far as settling touches them, and a token that can refuse.
 *
 * Written from the contract's source, sharing only hashing with the gateway.  The growth cap is left out: it is far above
 * what is paid here. */
#include <stdlib.h>

#include "chain/abi.h"
#include "gateway/base/mem.h"
#include "gateway/lib/keccak.h"
#include "tests/sim/contract_parts.h"

#define LOGS_MOST (2u * SIM_PEOPLE + 4u)

static bool revert(struct execution *x, const char *error)
{
    buf_reset(&x->result);
    abi_add_selector(&x->result, error);
    x->log_count = 0;
    return false;
}

static bool revert_with(struct execution *x, const char *error, uint64_t v)
{
    revert(x, error);
    put(&x->result, v);
    return false;
}

static struct hash word_of_address(struct address a)
{
    struct hash h = { { 0 } };

    memcpy(h.b + 12, a.b, sizeof a.b);
    return h;
}

static struct hash word_of(uint64_t v)
{
    struct hash h = { { 0 } };

    for (unsigned k = WORD; k-- > 24; v >>= 8)
        h.b[k] = (uint8_t)v;
    return h;
}

static void emit(struct execution *x, struct address from, const char *event, const struct hash *topics, unsigned count,
                 const struct buf *data)
{
    struct sim_log *log;

    if (x->log_count == LOGS_MOST || data->len > sizeof log->data)
        bug("a log too many, or too long");
    log = &x->logs[x->log_count++];
    *log = (struct sim_log){ .address = from, .topic_count = count + 1, .len = data->len };
    log->topics[0] = abi_topic(event);
    if (count > 0)
        memcpy(log->topics + 1, topics, count * sizeof *topics);
    if (data->len > 0)
        memcpy(log->data, data->data, data->len);
}

static void emit_amount(struct execution *x, struct address from, const char *event, const struct hash *topics,
                        unsigned count, uint64_t amount)
{
    struct buf data;

    buf_init(&data);
    put(&data, amount);
    emit(x, from, event, topics, count, &data);
    buf_clear(&data);
}

static bool commit(struct execution *x, const struct args *a)
{
    struct state *st = x->state;
    uint64_t sequence = number(a, 0), total = number(a, 5), receipts = number(a, 6);
    struct hash topic = word_of(sequence), head;
    struct buf b;

    x->gas = st->sequence == 0 ? 131500 : 90000;
    if (!address_eq(x->from, st->operator_))
        return revert(x, "NotOperator()");
    if (x->time_s < st->paused_until_s)
        return revert(x, "IsPaused()");
    if (is_pending(x))
        return revert(x, "StillPending()");
    if (sequence != st->sequence + 1)
        return revert_with(x, "WrongSequence(uint64)", st->sequence + 1);
    if (!hash_eq(hash_at(a, 1), st->header[st->sequence]))
        return revert(x, "WrongParent()");
    if (hash_is_zero(hash_at(a, 3)))
        return revert(x, "ZeroRoot()");
    if (total < st->total)
        return revert(x, "TotalFell()");
    if (st->balance < total - st->claimed_sum)
        return revert_with(x, "Underfunded(uint256)", total - st->claimed_sum - st->balance);
    if (sequence > SIM_SEQUENCES)
        bug("more sequences than the simulator holds");
    st->before = st->total;
    st->sequence = sequence;
    st->active_at_s = x->time_s + x->chain->activation_delay_s;
    st->newest = st->newest < 2 ? st->newest + 1 : 0;
    st->total = total;
    st->roots[st->newest] = hash_at(a, 3);
    buf_init(&b);
    buf_add(&b, word(a, 1), WORD);
    put(&b, sequence);
    buf_add(&b, word(a, 2), 3 * WORD);             /* receipts root, rewards root, archive */
    put(&b, total);
    put(&b, receipts);
    put(&b, x->time_s);
    head = st->header[sequence] = keccak256(b.data, b.len);
    buf_reset(&b);
    buf_add(&b, word(a, 2), 3 * WORD);
    put(&b, total);
    put(&b, receipts);
    put(&b, st->active_at_s);
    buf_add(&b, head.b, sizeof head.b);
    emit(x, x->chain->contract, "Committed(uint64,bytes32,bytes32,bytes32,uint256,uint64,uint64,bytes32)", &topic, 1, &b);
    buf_clear(&b);
    return true;
}

static bool cancel(struct execution *x, const struct args *a)
{
    struct state *st = x->state;
    struct hash topic = word_of(number(a, 0));
    struct buf b;

    x->gas = 45700;
    if (!address_eq(x->from, x->chain->guardian))
        return revert(x, "NotGuardian()");
    if (!is_pending(x))
        return revert(x, "NothingPending()");
    if (number(a, 0) != st->sequence)
        return revert_with(x, "WrongSequence(uint64)", st->sequence);
    st->active_at_s = 0;
    st->newest = before(st->newest);
    st->total = st->before;
    buf_init(&b);                                  /* abi.encode(header, "cancelled") */
    buf_add(&b, st->header[st->sequence].b, WORD);
    put(&b, 2 * WORD);
    put(&b, 9);
    buf_add(&b, "cancelled", 9);
    buf_add_zeros(&b, WORD - 9);
    st->header[st->sequence] = keccak256(b.data, b.len);
    buf_reset(&b);
    emit(x, x->chain->contract, "Cancelled(uint64)", &topic, 1, &b);
    buf_clear(&b);
    return true;
}

/* -- Walk.sol -- */

static struct hash join(struct hash a, struct hash b)
{
    return memcmp(a.b, b.b, sizeof a.b) <= 0 ? keccak256_pair(a, b) : keccak256_pair(b, a);
}

static struct hash leaf(const struct execution *x, const uint8_t *account, const uint8_t *claimable)
{
    struct hash token = word_of_address(x->chain->token), inner;
    uint8_t bytes[3 * WORD];

    memcpy(bytes, account, WORD);
    memcpy(bytes + WORD, token.b, WORD);
    memcpy(bytes + 2 * WORD, claimable, WORD);
    inner = keccak256(bytes, sizeof bytes);
    return keccak256(inner.b, sizeof inner.b);
}

/* A dynamic argument: its elements' bytes and count; false: it lies outside. */
static bool list_at(const struct args *a, size_t i, size_t size, const uint8_t **data, size_t *count)
{
    uint64_t offset = number(a, i), n;
    struct args tail;

    if (offset > a->len || a->len - offset < WORD)
        return false;
    tail = (struct args){ a->data + offset, a->len - offset };
    n = number(&tail, 0);
    if (n > (tail.len - WORD) / size)
        return false;
    *data = tail.data + WORD;
    *count = (size_t)n;
    return true;
}

struct run { const uint8_t *accounts, *claimables, *proof, *steps; size_t count, claimable_count, proof_count, step_count; };

static bool root_of(const struct execution *x, const struct run *r, struct hash *root)
{
    struct hash *stack = mem_array(r->step_count + 1, sizeof *stack);
    size_t top = 0, at = 0, hash = 0;
    bool ok = r->count > 0 && r->count == r->claimable_count;

    for (size_t i = 0; ok && i < r->step_count; i++) {
        struct hash node = { { 0 } };

        if ((r->steps[i] & 0x80) != 0) {
            ok = hash < r->proof_count;
            if (ok)
                memcpy(node.b, r->proof + WORD * hash++, WORD);
        } else {
            ok = at < r->count;
            if (ok)
                node = leaf(x, r->accounts + WORD * at, r->claimables + WORD * at);
            at++;
        }
        for (unsigned joins = r->steps[i] & 0x7f; ok && joins > 0; joins--) {
            ok = top > 0;
            if (ok)
                node = join(node, stack[--top]);
        }
        stack[top++] = node;
    }
    ok = ok && top == 1 && at == r->count && hash == r->proof_count;
    if (ok)
        *root = stack[0];
    free(stack);
    return ok;
}

static bool is_accepted(const struct execution *x, struct hash root)
{
    return hash_eq(root, x->state->roots[active(x)]) || hash_eq(root, x->state->roots[before(active(x))]);
}

static void pay(struct execution *x, unsigned who, uint64_t claimable, uint64_t amount)
{
    struct state *st = x->state;
    struct hash topics[2] = { word_of_address(x->chain->contract), word_of_address(x->chain->people[who]) };

    st->claimed[who] = claimable;
    st->claimed_sum += amount;
    st->balance -= amount;
    st->held[who] += amount;
    emit_amount(x, x->chain->token, "Transfer(address,address,uint256)", topics, 2, amount);
}

static uint64_t gas_of(const struct state *st, unsigned who)
{
    return st->claimed[who] != 0 ? 15200 : st->held[who] != 0 ? 32500 : 49500;
}

static bool distribute(struct execution *x, const struct args *a)
{
    struct state *st = x->state;
    uint64_t paid = 0, skipped = 0;
    struct hash root;
    struct run r;
    struct buf b;

    x->gas = 40000;
    if (!list_at(a, 0, WORD, &r.accounts, &r.count) || !list_at(a, 1, WORD, &r.claimables, &r.claimable_count)
        || !list_at(a, 2, WORD, &r.proof, &r.proof_count) || !list_at(a, 3, 1, &r.steps, &r.step_count)
        || !root_of(x, &r, &root))
        return revert(x, "BadRun()");
    if (!is_accepted(x, root))
        return revert(x, "BadProof()");
    for (size_t i = 0; i < r.count; i++) {
        struct args account = { r.accounts, WORD * r.count }, claimable = { r.claimables, WORD * r.count };
        unsigned who = chain_person(x->chain, address_at(&account, i));
        uint64_t claims = number(&claimable, i);
        struct hash topic;

        if (who == SIM_PEOPLE)
            bug("a stranger's leaf is proven");
        if (claims <= st->claimed[who])
            continue;
        x->gas += gas_of(st, who);
        claims -= st->claimed[who];
        if (claims > active_total(x) - st->claimed_sum)
            return revert(x, "ExceedsTotal()");
        if (!st->blocked[who] && claims <= st->balance) {
            pay(x, who, number(&claimable, i), claims);
            paid += claims;
            continue;
        }
        skipped += claims;
        topic = word_of_address(x->chain->people[who]);
        emit_amount(x, x->chain->contract, "Skipped(address,uint256)", &topic, 1, claims);
    }
    buf_init(&b);
    put(&b, paid);
    put(&b, skipped);
    emit(x, x->chain->contract, "Distributed(uint256,uint256)", NULL, 0, &b);
    buf_add(&x->result, b.data, b.len);
    buf_clear(&b);
    return true;
}

static bool claim(struct execution *x, const struct args *a)
{
    struct state *st = x->state;
    unsigned who = chain_person(x->chain, address_at(a, 0));
    struct hash node = leaf(x, word(a, 0), word(a, 2)), topics[2];
    const uint8_t *proof;
    uint64_t amount;
    size_t count;

    x->gas = 97400;
    if (!address_eq(address_at(a, 1), x->chain->token))
        return revert(x, "WrongToken()");
    if (!list_at(a, 3, WORD, &proof, &count))
        return revert(x, "BadProof()");
    for (size_t i = 0; i < count; i++) {
        struct hash other;

        memcpy(other.b, proof + WORD * i, WORD);
        node = join(node, other);
    }
    if (!is_accepted(x, node) || who == SIM_PEOPLE)
        return revert(x, "BadProof()");
    if (number(a, 2) <= st->claimed[who])
        return revert(x, "NothingToClaim()");
    amount = number(a, 2) - st->claimed[who];
    if (amount > active_total(x) - st->claimed_sum)
        return revert(x, "ExceedsTotal()");
    if (st->blocked[who])
        return revert(x, "SafeERC20FailedOperation(address)");
    topics[0] = word_of_address(x->chain->people[who]);
    topics[1] = word_of_address(x->chain->token);
    emit_amount(x, x->chain->contract, "Claimed(address,address,uint256)", topics, 2, amount);
    pay(x, who, number(a, 2), amount);
    put(&x->result, amount);
    return true;
}

static bool pause_commits(struct execution *x, const struct args *a)
{
    (void)a;
    if (!address_eq(x->from, x->chain->guardian))
        return revert(x, "NotGuardian()");
    x->state->paused_until_s = x->time_s + 600;
    return true;
}

/* Roles.sol takes two steps and a delay for it; settling sees the end alone. */
static bool set_operator(struct execution *x, const struct args *a)
{
    if (!address_eq(x->from, x->chain->admin))
        return revert(x, "OwnableUnauthorizedAccount(address)");
    x->state->operator_ = address_at(a, 0);
    return true;
}

static const struct call_row { const char *signature; call_fn *run; } calls[] = {
    { "commit(uint64,bytes32,bytes32,bytes32,bytes32,uint256,uint64)", commit },
    { "cancel(uint64)", cancel },
    { "distribute(address[],uint256[],bytes32[],bytes)", distribute },
    { "claim(address,address,uint256,bytes32[])", claim },
    { "pause()", pause_commits },
    { "setOperator(address)", set_operator },
    { "claimed(address)", view_claimed },
    { "header(uint64)", view_header },
    { "pending()", view_pending },
    { "sequence()", NULL }, { "total()", NULL }, { "totalClaimed()", NULL }, { "cap()", NULL }, { "capAvailable()", NULL },
    { "activationDelay()", NULL }, { "roleDelay()", NULL }, { "capWindow()", NULL }, { "pausedUntil()", NULL },
    { "funder()", NULL }, { "token()", NULL }, { "owner()", NULL }, { "operator()", NULL }, { "guardian()", NULL },
    { "activeRoot()", NULL }, { "previousRoot()", NULL },
};

static const struct call_row *find_call(const uint8_t *data, size_t len)
{
    static uint8_t selectors[ARRAY_LEN(calls)][4];

    if (selectors[0][0] == 0 && selectors[0][1] == 0)
        for (size_t i = 0; i < ARRAY_LEN(calls); i++)
            memcpy(selectors[i], abi_topic(calls[i].signature).b, 4);
    for (size_t i = 0; len >= 4 && i < ARRAY_LEN(calls); i++)
        if (memcmp(selectors[i], data, 4) == 0)
            return &calls[i];
    return NULL;
}

/* -- the token: balanceOf, and what its admin does -- */

static bool token_run(struct execution *x, const uint8_t *data, size_t len)
{
    struct args a = { data + 4, len - 4 };
    unsigned who = chain_person(x->chain, address_at(&a, 0));

    x->gas = 30000;
    if (memcmp(data, abi_topic("balanceOf(address)").b, 4) == 0) {
        put(&x->result, who < SIM_PEOPLE ? x->state->held[who]
                      : address_eq(address_at(&a, 0), x->chain->contract) ? x->state->balance : 0);
        return true;
    }
    if (!address_eq(x->from, x->chain->admin))
        return revert(x, "NotAdmin()");
    if (memcmp(data, abi_topic("mint(address,uint256)").b, 4) == 0)
        x->state->balance += number(&a, 1);
    else if (who < SIM_PEOPLE)                     /* block(address,bool) */
        x->state->blocked[who] = number(&a, 1) != 0;
    return true;
}

/* EIP-7623: what the bytes cost at least. */
static uint64_t floor_gas(const uint8_t *data, size_t len)
{
    uint64_t gas = 21000;

    for (size_t i = 0; i < len; i++)
        gas += data[i] == 0 ? 10 : 40;
    return gas;
}

bool contract_run(struct execution *x, struct address to, const uint8_t *data, size_t len)
{
    static struct sim_log logs[LOGS_MOST];
    struct state tried = *x->state, *kept = x->state;
    const struct call_row *call;
    struct args a = { data + 4, len - 4 };
    bool ok;

    buf_init(&x->result);
    x->logs = logs;
    x->log_count = 0;
    x->gas = 21000;
    if (len < 4)
        return true;
    x->state = &tried;
    if (address_eq(to, x->chain->token)) {
        ok = token_run(x, data, len);
    } else if (address_eq(to, x->chain->contract) && (call = find_call(data, len)) != NULL) {
        ok = call->run != NULL ? call->run(x, &a) : view_word(x, call->signature);
    } else if (address_eq(to, x->chain->contract)) {
        buf_reset(&x->result);
        ok = false;
    } else {
        ok = true;                                 /* no code there */
    }
    if (x->gas < floor_gas(data, len))
        x->gas = floor_gas(data, len);
    x->state = kept;
    if (ok)
        *kept = tried;
    return ok;
}
