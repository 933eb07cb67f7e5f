#include "gateway/watchdog/publish.h"

#include "gateway/lib/exposition.h"

void findings_add_to(json *list, const struct findings *findings, const struct address *contract)
{
    for (size_t i = 0; i < FINDING_CODES; i++)
        if (findings->by_code[i].level != LEVEL_NONE) {
            json *row = json_new_object();

            json_put_text(row, "code", finding_name((enum finding_code)i));
            json_put_text(row, "level", finding_level_name(findings->by_code[i].level));
            json_put_text(row, "text", findings->by_code[i].text);
            if (contract != NULL)
                json_put_address(row, "contract", *contract);
            json_add(list, row);
        }
}

static void put_alarms(const struct findings *findings, struct buf *out)
{
    exposition_head(out, "quittance_alarm", "gauge", "1: past its limit, by code and level.");
    for (size_t i = 0; i < FINDING_CODES; i++)
        for (int level = LEVEL_WARNING; level <= LEVEL_FAILURE; level++)
            buf_printf(out, "quittance_alarm{code=\"%s\",level=\"%s\"} %d\n", finding_name((enum finding_code)i),
                       finding_level_name((enum finding_level)level), findings->by_code[i].level == (enum finding_level)level);
}

static void put_chain(const struct chain_facts *chain, struct buf *out)
{
    exposition_one(out, "quittance_chain_up", "gauge", "1: the chain answered when it was last asked.", chain->away_since_ms == 0);
    if (!chain->seen)
        return;
    exposition_left(out, "quittance_gas_runs_left", "Settlement runs that the signer's balance pays for.", chain->gas_runs_left);
    exposition_left(out, "quittance_funds_days_left", "Days that funds last beyond what is owed, at the growth of the last week.",
                    chain->funds_days_left);
}

void watchdog_metrics(const struct facts *facts, const struct findings *findings, struct buf *out)
{
    put_alarms(findings, out);
    exposition_one(out, "quittance_settle_last_success_timestamp_seconds", "gauge", "End of the last run that ended well; 0: never.",
                   facts->last_success_ms / 1000);
    exposition_one(out, "quittance_settle_stuck_timestamp_seconds", "gauge",
                   "Since when unfinished work does not move, or runs fail; 0: not so.", facts->stuck_since_ms / 1000);
    exposition_one(out, "quittance_oldest_unsettled_timestamp_seconds", "gauge",
                   "Acceptance of the oldest receipt that no commit holds; 0: none.", facts->unsettled_since_ms / 1000);
    exposition_one(out, "quittance_cache_hidden", "gauge", "Providers of a model that report under a tenth of their peers' cache hits.",
                   facts->hiding);
    if (facts->chain.asked)
        put_chain(&facts->chain, out);
}
