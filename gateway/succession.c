#include "gateway/succession.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/address_text.h"

/* By what lies there: two names may lead to one folder. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    if (strcmp(a, b) == 0)
        return true;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static const char *path_of_url(const char *url)
{
    const char *path = strchr(url, ':');

    return path != NULL ? path + 1 : url;
}

static bool check(const struct config *config, const struct config *old, struct err *err)
{
    if (old->chain.predecessor[0] != '\0')
        return err_set(err, ERR_CONFIG, "it has a [chain] predecessor itself: finish that one first");
    if (old->chain.chain_id != config->chain.chain_id)
        return err_set(err, ERR_CONFIG, "[chain] chain_id is %" PRIu64 ", not %" PRIu64, old->chain.chain_id, config->chain.chain_id);
    if (address_eq(old->chain.contract, config->chain.contract))
        return err_set(err, ERR_CONFIG, "[chain] contract is the same: the successor is another contract");
    if (is_same_file(path_of_url(old->store.url), path_of_url(config->store.url)))
        return err_set(err, ERR_CONFIG, "[store] url is the same: each contract has a store of its own");
    if (is_same_file(old->archive.dir, config->archive.dir))
        return err_set(err, ERR_CONFIG, "[archive] dir is the same: settlements of both are numbered from 1");
    return true;
}

static void take_text(char **field, const char *text)
{
    free(*field);
    *field = mem_text(text);
}

bool succession_load(const struct config *config, const char *path, struct config *predecessor, struct err *err)
{
    struct config old;

    if (!config_load_file(path, &old, err))
        return err_prefix(err, "[chain] predecessor");
    if (!config_need_contract(&old, err) || !check(config, &old, err)) {
        config_clear(&old);
        return err_prefix(err, "[chain] predecessor %s", path);
    }
    /* One chain, so the endpoints of one configuration, with their secrets. */
    take_text(&old.chain.rpc, config->chain.rpc);
    take_text(&old.chain.rpc_auth, config->chain.rpc_auth);
    take_text(&old.chain.ca_file, config->chain.ca_file);
    *predecessor = old;
    return true;
}

bool succession_note(struct writer *successor, struct address successor_contract, struct writer *predecessor,
                     struct address predecessor_contract, uint64_t *moved_at_ms, struct err *err)
{
    struct relation after, before;

    /* The old store first: from then on it is not served alone, whatever happens before the new one takes a receipt. */
    if (!writer_relate(predecessor, RELATIVE_SUCCESSOR, successor_contract, &after, err)
        || !writer_relate(successor, RELATIVE_PREDECESSOR, predecessor_contract, &before, err))
        return false;
    *moved_at_ms = before.since_ms;
    return true;
}

bool succession_alone(struct db *db, uint64_t max_age_ms, uint64_t now_ms, struct err *err)
{
    struct relation after, before;
    bool has_after, has_before;
    char text[ADDRESS_TEXT];

    if (!store_relation(db, RELATIVE_SUCCESSOR, &after, &has_after, err)
        || !store_relation(db, RELATIVE_PREDECESSOR, &before, &has_before, err))
        return false;
    if (has_after) {
        address_to_text(after.contract, text);
        return err_set(err, ERR_CONFIG, "this contract was succeeded by %s: serve that one's configuration, with [chain] predecessor"
                       " naming this one", text);
    }
    /* The predecessor took jobs that ended up to max_age after the move; that long again and they are late here. */
    if (has_before && now_ms < before.since_ms + 2 * max_age_ms) {
        address_to_text(before.contract, text);
        return err_set(err, ERR_CONFIG, "[chain] predecessor is missing: for another %" PRIu64 " s a job that %s was paid for could be"
                       " taken here too", (before.since_ms + 2 * max_age_ms - now_ms + 999) / 1000, text);
    }
    return true;
}
