#include "gateway/node/domain.h"

#include <stdio.h>

#include "gateway/lib/json.h"

#define TIMEOUT_MS 10000

static bool read_info(const struct http_answer *answer, const char *url, struct domain *domain, struct err *err)
{
    struct address contract;
    uint64_t chain_id;
    json *body = NULL;
    bool ok;

    if (answer->status == 429 || answer->status >= 500)
        return err_set(err, ERR_AGAIN, "%s answers %d", url, answer->status);
    if (!json_read(answer->body.data, answer->body.len, &body, err))
        return err_prefix(err, "%s is no gateway", url);
    ok = json_get_u64(json_member(body, "chainId"), &chain_id) && json_get_address(json_member(body, "contract"), &contract);
    json_free(body);
    if (!ok)
        return err_set(err, ERR_INVALID, "%s does not answer with chainId and contract", url);
    domain_init(domain, chain_id, contract);
    return true;
}

bool node_fetch_domain(struct http_client *http, const char *url, struct domain *domain, struct err *err)
{
    char full[512];
    struct http_request request = { .method = "GET", .url = full, .timeout_ms = TIMEOUT_MS, .max_bytes = MIB };
    struct http_answer answer;
    bool ok;

    snprintf(full, sizeof full, "%s/v1/info", url);
    if (!http_do(http, &request, &answer, err)) {
        if (err->code == ERR_UNKNOWN)
            err->code = ERR_AGAIN;          /* a question may be asked twice */
        return err_prefix(err, "%s", full);
    }
    ok = read_info(&answer, full, domain, err);
    http_answer_clear(&answer);
    return ok;
}
