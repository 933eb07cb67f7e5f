/* gateway/cmd_status.c - what stands where: store, chain, key, funds, last run; with --check the exit code says it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gateway/admin_client.h"
#include "gateway/commands.h"
#include "gateway/open.h"
#include "gateway/status.h"
#include "gateway/watchdog/publish.h"

/* What the service found; one that cannot say so is a finding of its own. */
static json *findings_of_service(struct admin_client *client)
{
    struct err err = { 0 };
    json *answer = NULL, *list, *row;

    if (admin_call(client, "GET", "/readyz", NULL, &answer, &err) && json_member(answer, "findings") != NULL) {
        list = json_share(json_member(answer, "findings"));
    } else {
        list = json_new_array();
        row = json_new_object();
        json_put_text(row, "code", "not-ready");
        json_put_text(row, "level", finding_level_name(LEVEL_FAILURE));
        json_put_text(row, "text", err.code != ERR_NONE ? err.text : "/readyz tells no findings");
        json_add(list, row);
    }
    json_free(answer);
    return list;
}

static json *findings_of_our_own(const struct config *config, const struct facts *facts)
{
    const struct watchdog_limits limits = open_watchdog_limits(config);
    struct findings findings;
    json *list = json_new_array();

    findings_judge(facts, &limits, &findings);
    findings_add_to(list, &findings, NULL);
    return list;
}

static bool has_code(const json *list, const char *wanted)
{
    const char *code;
    size_t len;

    for (size_t i = 0; i < json_count(list); i++)
        if (json_get_text(json_member(json_at(list, i), "code"), &code, &len) && strcmp(code, wanted) == 0)
            return true;
    return false;
}

/* A running service judges, as it knows since when; beside what it says stands a chain that only we cannot reach: our settings
 * may be newer than those it runs with. */
static json *findings_of_both(struct admin_client *client, const struct config *config, const struct facts *facts)
{
    json *list = json_new_array(), *theirs = findings_of_service(client), *ours = findings_of_our_own(config, facts);
    static const enum finding_code reach[] = { FINDING_CHAIN_AWAY, FINDING_ENDPOINT_OUT };
    const char *code;
    size_t len;

    for (size_t i = 0; i < json_count(theirs); i++)
        json_add(list, json_share(json_at(theirs, i)));
    for (size_t r = 0; r < ARRAY_LEN(reach); r++)
        for (size_t i = 0; !has_code(theirs, finding_name(reach[r])) && i < json_count(ours); i++)
            if (json_get_text(json_member(json_at(ours, i), "code"), &code, &len) && strcmp(code, finding_name(reach[r])) == 0)
                json_add(list, json_share(json_at(ours, i)));
    json_free(theirs);
    json_free(ours);
    return list;
}

/* What a settlement waits for is in the memory of the service. */
static void put_waits(struct admin_client *client, json *out)
{
    const json *unfinished = json_member(json_member(out, "store"), "unfinishedBatch"), *waits, *detail;
    struct err ignored = { 0 };
    uint64_t sequence;
    char path[80];
    json *report;

    if (!json_get_u64(json_member(unfinished, "sequence"), &sequence))
        return;
    snprintf(path, sizeof path, "/admin/v1/settlements/%" PRIu64, sequence);
    if (!admin_call(client, "GET", path, NULL, &report, &ignored))
        return;                    /* it is stopping: what the store says is told all the same */
    waits = json_member(report, "waits");
    detail = json_member(report, "waitsDetail");
    if (waits != NULL)
        json_put(out, "waits", json_share(waits));
    if (detail != NULL)
        json_put(out, "waitsDetail", json_share(detail));
    json_free(report);
}

static bool collect(const struct config *config, json *out, struct err *err)
{
    struct admin_client *client = NULL;
    struct address signer;
    struct facts facts;

    if (!admin_connect(config, &client, err))
        return false;
    json_put_text(out, "service", client != NULL ? "running" : "not running");
    if (!status_signer(config, &signer, err)) {
        admin_free(client);
        return false;
    }
    json_put_address(out, "signer", signer);
    if (!status_gather(config, signer, &facts, out, err)) {
        admin_free(client);
        return false;
    }
    if (client != NULL)
        put_waits(client, out);
    json_put(out, "findings", client != NULL ? findings_of_both(client, config, &facts) : findings_of_our_own(config, &facts));
    admin_free(client);
    return true;
}

/* The worst of them decides: what a person must look at before what may pass. */
static bool judge_exit(const json *findings, struct err *err)
{
    enum err_code worst = ERR_NONE;
    const char *which = "";

    for (size_t i = 0; i < json_count(findings); i++) {
        const char *code, *level;
        size_t len;

        if (!json_get_text(json_member(json_at(findings, i), "code"), &code, &len)
            || !json_get_text(json_member(json_at(findings, i), "level"), &level, &len))
            return err_set(err, ERR_HALT, "the service told a finding without code or level");
        if (strcmp(level, finding_level_name(LEVEL_WARNING)) == 0 || worst == ERR_HALT)
            continue;
        if (worst == ERR_NONE || finding_error(code) == ERR_HALT) {
            worst = finding_error(code);
            which = code;
        }
    }
    return worst == ERR_NONE || err_set(err, worst, "%s: see findings", which);
}

static bool status_run(const struct args *args, struct err *err)
{
    struct config config;
    json *out;
    bool ok;

    if (!config_load(args->config, &config, err))
        return false;
    out = json_new_object();
    ok = collect(&config, out, err);
    if (ok) {
        print_json(json_share(out));
        ok = !args_flag(args, "--check") || judge_exit(json_member(out, "findings"), err);
    }
    json_free(out);
    config_clear(&config);
    return ok;
}

const struct command command_status = {
    .name = "status", .words = "", .words_max = 0,
    .summary = "what stands where: store, chain, key, funds, last run",
    .text = "Prints one JSON object: whether the service runs, what the store holds and waits for, the chain's head and its\n"
            "endpoints, the contract's totals and cap, funds in days left, gas in runs left, and `findings`: what is past a limit of\n"
            "[watchdog], as {code, level, text}.  With --check, a finding of level failure is exit code 75 where it may pass\n"
            "or money helps (gas-low, funds-low, chain-away, paused), and 70 where a person must look (all others); warnings\n"
            "are printed and exit 0.",
    .run = status_run,
    .options = { { "--check", NULL, "exit 70 or 75 when there is a failure, for monitoring" } },
};
