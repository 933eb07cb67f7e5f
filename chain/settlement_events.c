#include "chain/settlement.h"

static const char transfer_signature[] = "Transfer(address,address,uint256)";
static const char committed_signature[] = "Committed(uint64,bytes32,bytes32,bytes32,uint256,uint64,uint64,bytes32)";
static const char cancelled_signature[] = "Cancelled(uint64)";
static const char retired_signature[] = "Retired(address,uint256)";

struct hash token_transfer_topic(void)
{
    return abi_topic(transfer_signature);
}

struct hash settlement_committed_topic(void)
{
    return abi_topic(committed_signature);
}

struct hash settlement_cancelled_topic(void)
{
    return abi_topic(cancelled_signature);
}

struct hash settlement_retired_topic(void)
{
    return abi_topic(retired_signature);
}

/* The event of this signature, from this contract, with so many topics (its own hash counted). */
static bool is_event(const struct log_entry *log, struct address contract, const char *signature, size_t topics)
{
    return !log->removed && address_eq(log->address, contract) && log->topic_count == topics
        && hash_eq(log->topics[0], abi_topic(signature));
}

static struct abi_in topic_word(const struct log_entry *log, size_t index)
{
    return (struct abi_in){ .data = log->topics[index].b, .len = sizeof log->topics[index].b };
}

static struct abi_in data_words(const struct log_entry *log)
{
    return (struct abi_in){ .data = log->data.data, .len = log->data.len };
}

bool settlement_committed(const struct log_entry *log, struct address contract, struct committed_event *event)
{
    struct committed_event e;
    struct abi_in topic, data;

    if (!is_event(log, contract, committed_signature, 2))
        return false;
    topic = topic_word(log, 1);
    data = data_words(log);
    if (!abi_get_u64(&topic, &e.sequence)
        || !abi_get_hash(&data, &e.receipts_root)
        || !abi_get_hash(&data, &e.rewards_root)
        || !abi_get_hash(&data, &e.archive)
        || !abi_get_u256(&data, &e.total.base_units)
        || !abi_get_u64(&data, &e.receipts)
        || !abi_get_u64(&data, &e.active_at_s)
        || !abi_get_hash(&data, &e.header))
        return false;
    *event = e;
    return true;
}

bool settlement_cancelled(const struct log_entry *log, struct address contract, uint64_t *sequence)
{
    struct abi_in topic;

    if (!is_event(log, contract, cancelled_signature, 2))
        return false;
    topic = topic_word(log, 1);
    return abi_get_u64(&topic, sequence);
}

bool settlement_retired(const struct log_entry *log, struct address contract, struct retired_event *event)
{
    struct abi_in data = data_words(log);
    struct retired_event e;

    if (!is_event(log, contract, retired_signature, 1) || !abi_get_address(&data, &e.successor)
        || !abi_get_u64(&data, &e.effective_at_s))
        return false;
    *event = e;
    return true;
}

/* An indexed account, and an amount as the only word of the data. */
static bool read_account_amount(const struct log_entry *log, size_t topic_index, struct address *account,
                                struct amount *amount)
{
    struct abi_in topic = topic_word(log, topic_index), data = data_words(log);
    struct address who;
    struct amount much;

    if (!abi_get_address(&topic, &who) || !abi_get_u256(&data, &much.base_units))
        return false;
    *account = who;
    *amount = much;
    return true;
}

bool settlement_skipped(const struct log_entry *log, struct address contract, struct address *account,
                        struct amount *amount)
{
    return is_event(log, contract, "Skipped(address,uint256)", 2) && read_account_amount(log, 1, account, amount);
}

bool settlement_claimed_event(const struct log_entry *log, struct address contract, struct address *account,
                              struct amount *amount)
{
    return is_event(log, contract, "Claimed(address,address,uint256)", 3)
        && read_account_amount(log, 1, account, amount);
}

bool token_paid(const struct log_entry *log, struct address token, struct address contract, struct address *to,
                struct amount *amount)
{
    struct address from;
    struct abi_in topic;

    if (!is_event(log, token, transfer_signature, 3))
        return false;
    topic = topic_word(log, 1);
    return abi_get_address(&topic, &from) && address_eq(from, contract) && read_account_amount(log, 2, to, amount);
}
