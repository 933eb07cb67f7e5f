/* Every endpoint (design 3 and 4).  tests/api/test_route.c holds this against openapi.json. */
#include "api/handlers.h"

#define SMALL (64 * KIB)

static const struct route public_rows[] = {
    /* method  path ... least role, pace, handler, body limit, any type */
    { "POST", "/v1/receipts", ACCESS_ANYONE, ROUTE_QUICK, receipts_post, REQUEST_BODY_MAX, true },
    { "GET",    "/v1/receipts/{jobId}",                   ACCESS_ANYONE,   ROUTE_QUICK, receipt_get, 0, false },
    { "POST",   "/v1/models",                             ACCESS_ANYONE,   ROUTE_SLOW,  model_post, SMALL, false },
    { "GET",    "/v1/models",                             ACCESS_ANYONE,   ROUTE_QUICK, models_get, 0, false },
    { "GET",    "/v1/models/{digest}",                    ACCESS_ANYONE,   ROUTE_QUICK, model_get, 0, false },
    { "GET",    "/v1/models/{digest}/lineage",            ACCESS_ANYONE,   ROUTE_QUICK, lineage_get, 0, false },
    { "POST",   "/v1/capacity",                           ACCESS_ANYONE,   ROUTE_SLOW,  capacity_post, SMALL, false },
    { "POST",   "/v1/quotes",                             ACCESS_ANYONE,   ROUTE_SLOW,  quote_post, SMALL, false },
    { "GET",    "/v1/accounts/{address}",                 ACCESS_ANYONE,   ROUTE_QUICK, account_get, 0, false },
    { "GET",    "/v1/accounts/{address}/claim",           ACCESS_ANYONE,   ROUTE_QUICK, claim_get, 0, false },
    { "GET",    "/v1/accounts/{address}/receipts",        ACCESS_ANYONE,   ROUTE_QUICK, account_receipts_get, 0, false },
    { "GET",    "/v1/accounts/{address}/delegations",     ACCESS_ANYONE,   ROUTE_QUICK, delegations_get, 0, false },
    { "POST",   "/v1/delegations",                        ACCESS_ANYONE,   ROUTE_SLOW,  delegation_post, SMALL, false },
    { "POST",   "/v1/revocations",                        ACCESS_ANYONE,   ROUTE_SLOW,  revocation_post, SMALL, false },
    { "POST",   "/v1/payouts",                            ACCESS_ANYONE,   ROUTE_SLOW,  payout_post, SMALL, false },
    { "GET",    "/v1/accounts/{address}/statements",      ACCESS_ANYONE,   ROUTE_QUICK, statements_get, 0, false },
    { "GET",    "/v1/accounts/{address}/charges",         ACCESS_ANYONE,   ROUTE_SLOW,  charges_get, 0, false },
    { "GET",    "/v1/accounts/{address}/savings",         ACCESS_ANYONE,   ROUTE_SLOW,  savings_get, 0, false },
    { "GET",    "/v1/reference-prices",                   ACCESS_ANYONE,   ROUTE_QUICK, references_get, 0, false },
    { "GET",    "/v1/reference-prices/{list}",            ACCESS_ANYONE,   ROUTE_QUICK, reference_get, 0, false },
    { "GET",    "/v1/settlements",                        ACCESS_ANYONE,   ROUTE_QUICK, settlements_get, 0, false },
    { "GET",    "/v1/settlements/{sequence}",             ACCESS_ANYONE,   ROUTE_QUICK, settlement_get, 0, false },
    { "GET",    "/v1/settlements/{sequence}/rewards.json", ACCESS_ANYONE,   ROUTE_QUICK, settlement_rewards, 0, false },
    { "GET",    "/v1/settlements/{sequence}/archive",     ACCESS_ANYONE,   ROUTE_QUICK, settlement_archive, 0, false },
    { "GET",    "/v1/events",                             ACCESS_ANYONE,   ROUTE_QUICK, account_events_get, 0, false },
    { "GET",    "/v1/info",                               ACCESS_ANYONE,   ROUTE_QUICK, info_get, 0, false },
    { "GET",    "/openapi.json",                          ACCESS_ANYONE,   ROUTE_QUICK, openapi_get, 0, false },
    { "GET",    "/healthz",                               ACCESS_ANYONE,   ROUTE_QUICK, health_get, 0, false },
    { "GET",    "/readyz",                                ACCESS_ANYONE,   ROUTE_QUICK, ready_get, 0, false },
};

/* The admin listener also answers the public rows, so that its page needs no second address. */
static const struct route admin_rows[] = {
    /* method  path ... least role, pace, handler, body limit, any type */
    { "GET",    "/metrics",                               ACCESS_VIEWER,   ROUTE_QUICK, metrics_get, 0, false },
    { "POST",   "/admin/v1/providers",                    ACCESS_ADMIN,    ROUTE_SLOW,  provider_post, SMALL, false },
    { "GET",    "/admin/v1/providers",                    ACCESS_VIEWER,   ROUTE_QUICK, providers_get, 0, false },
    { "GET",    "/admin/v1/providers/{address}",          ACCESS_VIEWER,   ROUTE_QUICK, provider_get, 0, false },
    { "PATCH",  "/admin/v1/providers/{address}",          ACCESS_ADMIN,    ROUTE_SLOW,  provider_patch, SMALL, false },
    { "DELETE", "/admin/v1/providers/{address}",          ACCESS_ADMIN,    ROUTE_SLOW,  provider_delete, 0, false },
    { "DELETE", "/admin/v1/providers/{address}/delegations/{key}", ACCESS_ADMIN, ROUTE_SLOW, delegation_delete, 0, false },
    { "POST",   "/admin/v1/consumers",                    ACCESS_ADMIN,    ROUTE_SLOW,  consumer_post, SMALL, false },
    { "GET",    "/admin/v1/consumers",                    ACCESS_VIEWER,   ROUTE_QUICK, consumers_get, 0, false },
    { "GET",    "/admin/v1/consumers/{address}",          ACCESS_VIEWER,   ROUTE_QUICK, consumer_get, 0, false },
    { "PATCH",  "/admin/v1/consumers/{address}",          ACCESS_ADMIN,    ROUTE_SLOW,  consumer_patch, SMALL, false },
    { "DELETE", "/admin/v1/consumers/{address}",          ACCESS_ADMIN,    ROUTE_SLOW,  consumer_delete, 0, false },
    { "POST",   "/admin/v1/models/{digest}/verify",       ACCESS_ADMIN,    ROUTE_SLOW,  model_verify, SMALL, false },
    { "POST",   "/admin/v1/prices",                       ACCESS_ADMIN,    ROUTE_SLOW,  price_post, SMALL, false },
    { "GET",    "/admin/v1/prices",                       ACCESS_VIEWER,   ROUTE_QUICK, prices_get, 0, false },
    { "POST",   "/admin/v1/reference-prices",             ACCESS_ADMIN,    ROUTE_SLOW,  reference_post, 2 * MIB, true },
    { "POST",   "/admin/v1/adjustments",                  ACCESS_ADMIN,    ROUTE_SLOW,  adjustment_post, SMALL, false },
    { "GET",    "/admin/v1/adjustments",                  ACCESS_VIEWER,   ROUTE_QUICK, adjustments_get, 0, false },
    { "GET",    "/admin/v1/quarantine",                   ACCESS_VIEWER,   ROUTE_QUICK, quarantine_get, 0, false },
    { "POST", "/admin/v1/quarantine/release", ACCESS_OPERATOR, ROUTE_SLOW, quarantine_release_many, SMALL, false },
    { "POST", "/admin/v1/quarantine/refuse", ACCESS_OPERATOR, ROUTE_SLOW, quarantine_refuse_many, SMALL, false },
    { "POST", "/admin/v1/quarantine/{provider}/{jobId}/release", ACCESS_OPERATOR, ROUTE_SLOW, quarantine_release, SMALL, false },
    { "POST", "/admin/v1/quarantine/{provider}/{jobId}/refuse", ACCESS_OPERATOR, ROUTE_SLOW, quarantine_refuse, SMALL, false },
    { "POST",   "/admin/v1/settlements",                  ACCESS_OPERATOR, ROUTE_SLOW,  run_post, SMALL, false },
    { "GET",    "/admin/v1/settlements/{sequence}",       ACCESS_VIEWER,   ROUTE_QUICK, run_get, 0, false },
    { "GET",    "/admin/v1/settlements/{sequence}/keys",  ACCESS_VIEWER,   ROUTE_SLOW,  settlement_keys, 0, false },
    { "POST",   "/admin/v1/settlements/{sequence}/carry", ACCESS_OPERATOR, ROUTE_SLOW,  carry_post, SMALL, false },
    { "GET",    "/admin/v1/transactions",                 ACCESS_VIEWER,   ROUTE_QUICK, transactions_get, 0, false },
    { "POST",   "/admin/v1/keys",                         ACCESS_ADMIN,    ROUTE_SLOW,  key_post, SMALL, false },
    { "GET",    "/admin/v1/keys",                         ACCESS_VIEWER,   ROUTE_QUICK, keys_get, 0, false },
    { "DELETE", "/admin/v1/keys/{id}",                    ACCESS_ADMIN,    ROUTE_SLOW,  key_delete, 0, false },
    { "GET",    "/admin/v1/audit",                        ACCESS_VIEWER,   ROUTE_QUICK, audit_get, 0, false },
    { "GET",    "/admin/v1/session/nonce",                ACCESS_ANYONE,   ROUTE_QUICK, session_nonce, 0, false },
    { "POST",   "/admin/v1/session",                      ACCESS_ANYONE,   ROUTE_SLOW,  session_post, SMALL, false },
    { "GET",    "/admin/v1/session",                      ACCESS_ANYONE,   ROUTE_QUICK, session_get, 0, false },
    { "DELETE", "/admin/v1/session",                      ACCESS_VIEWER,   ROUTE_SLOW,  session_delete, 0, false },
    { "GET",    "/admin/v1/overview",                     ACCESS_VIEWER,   ROUTE_QUICK, overview_get, 0, false },
    { "GET",    "/admin/v1/samples",                      ACCESS_VIEWER,   ROUTE_QUICK, samples_get, 0, false },
    { "GET",    "/admin/v1/receipts",                     ACCESS_VIEWER,   ROUTE_SLOW,  receipts_get, 0, false },
    { "GET",    "/admin/v1/accounts",                     ACCESS_VIEWER,   ROUTE_SLOW,  accounts_get, 0, false },
    { "POST",   "/admin/v1/prices/effect",                ACCESS_VIEWER,   ROUTE_SLOW,  price_effect, SMALL, false },
    { "GET",    "/admin/v1/events",                       ACCESS_VIEWER,   ROUTE_QUICK, events_get, 0, false },
};

/* The desk: each page has its own URL and all are one document, which asks the rows above. */
#define PAGE(path, handler) { "GET", path, ACCESS_ANYONE, ROUTE_QUICK, handler, 0, false }
#define DESK(path) PAGE(path, page_desk)
static const struct route desk_rows[] = {
    PAGE("/assets/{name}", page_asset),
    DESK("/"), DESK("/sign-in"), DESK("/settlements"), DESK("/settlements/{sequence}"), DESK("/transactions"),
    DESK("/receipts"), DESK("/receipts/{jobId}"), DESK("/quarantine"), DESK("/providers"), DESK("/models"),
    DESK("/models/{digest}"), DESK("/consumers"), DESK("/prices"), DESK("/accounts"), DESK("/accounts/{address}"), DESK("/keys"), DESK("/audit"),
};

/* The earner's pages: one document, too; where it compares proofs with the chain, under another policy. */
static const struct route earner_rows[] = {
    PAGE("/assets/{name}", page_asset),
    PAGE("/", page_earner), PAGE("/models/{digest}", page_earner), PAGE("/register", page_earner),
    PAGE("/accounts/{address}", page_earner_chain), PAGE("/receipts/{jobId}", page_earner_chain), PAGE("/claim.html", page_claim),
};

const struct route_table routes_public = { public_rows, ARRAY_LEN(public_rows) };
const struct route_table routes_earner = { earner_rows, ARRAY_LEN(earner_rows) };
const struct route_table routes_admin = { admin_rows, ARRAY_LEN(admin_rows) };
const struct route_table routes_desk = { desk_rows, ARRAY_LEN(desk_rows) };
