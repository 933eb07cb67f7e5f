/* The lines of the popularity pool (archive.h): an epoch's terms, and what came of it. */
#include "gateway/core/archive_members.h"

#include "gateway/base/mem.h"
#include "gateway/core/members.h"

void archive_put_epoch(json *line, const struct popularity_terms *terms)
{
    json_put_u64(line, "epoch", terms->epoch);
    json_put_u64(line, "begins", terms->begins_ms);
    json_put_u64(line, "ends", terms->ends_ms);
    json_put_amount(line, "budget", terms->budget);
    json_put_u64(line, "capBps", terms->cap_bps);
}

void archive_put_popularity(json *line, const struct popularity *p)
{
    json *models = json_new_array();

    for (size_t i = 0; i < p->count; i++) {
        json *row = json_new_object();

        json_put_hash(row, "model", p->rows[i].model);
        json_put_amount(row, "score", (struct amount){ p->rows[i].score });
        json_put_amount(row, "fees", p->rows[i].fees);
        json_put_amount(row, "share", p->rows[i].share);
        json_add(models, row);
    }
    archive_put_epoch(line, &p->terms);
    json_put_amount(line, "carriedIn", p->carried_in);
    json_put_amount(line, "carriedOut", p->carried_out);
    json_put(line, "models", models);
}

bool archive_read_epoch(const json *line, struct popularity_terms *terms, struct err *err)
{
    uint64_t cap_bps;

    if (!READ(json_get_u64, line, "epoch", &terms->epoch, err) || !READ(json_get_u64, line, "begins", &terms->begins_ms, err)
        || !READ(json_get_u64, line, "ends", &terms->ends_ms, err) || !READ(json_get_amount, line, "budget", &terms->budget, err)
        || !READ(json_get_u64, line, "capBps", &cap_bps, err))
        return false;
    if (cap_bps > BPS)
        return err_set(err, ERR_INVALID, "capBps: at most %d", BPS);
    terms->cap_bps = (uint16_t)cap_bps;
    return terms->begins_ms < terms->ends_ms || err_set(err, ERR_INVALID, "ends: after begins");
}

static bool read_row(const json *row, struct popularity_row *out, struct err *err)
{
    static const char *const names[] = { "model", "score", "fees", "share" };
    struct amount score;

    if (!members_known(row, names, ARRAY_LEN(names), err) || !READ(json_get_hash, row, "model", &out->model, err)
        || !READ(json_get_amount, row, "score", &score, err) || !READ(json_get_amount, row, "fees", &out->fees, err)
        || !READ(json_get_amount, row, "share", &out->share, err))
        return false;
    out->score = score.base_units;
    return true;
}

bool archive_read_popularity(const json *line, struct popularity *p, struct err *err)
{
    const json *models = json_member(line, "models");

    if (!archive_read_epoch(line, &p->terms, err) || !READ(json_get_amount, line, "carriedIn", &p->carried_in, err)
        || !READ(json_get_amount, line, "carriedOut", &p->carried_out, err))
        return false;
    if (models == NULL || json_kind_of(models) != JSON_KIND_ARRAY)
        return err_set(err, ERR_INVALID, "models: an array of {model, score, fees, share}");
    p->rows = mem_array(json_count(models) + 1, sizeof *p->rows);
    for (p->count = 0; p->count < json_count(models); p->count++) {
        if (!read_row(json_at(models, p->count), &p->rows[p->count], err))
            return err_prefix(err, "models/%zu", p->count);
        if (p->count > 0 && memcmp(p->rows[p->count - 1].model.b, p->rows[p->count].model.b, sizeof (struct hash)) >= 0)
            return err_set(err, ERR_INVALID, "models/%zu: in order of their digests, each once", p->count);
    }
    return true;
}
