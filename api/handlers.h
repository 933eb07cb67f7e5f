/* api/handlers.h - every handler of routes.c, by the file that holds it.  To add an endpoint see README.md. */
#ifndef QUITTANCE_API_HANDLERS_H
#define QUITTANCE_API_HANDLERS_H

#include "api/route.h"

/* receipts_post.c, receipt_get.c */
handler_fn receipts_post, receipt_get;
/* models.c, lineage.c */
handler_fn model_post, models_get, model_get, lineage_get;
/* capacity.c, quotes.c */
handler_fn capacity_post, quote_post;
/* accounts.c */
handler_fn account_get, claim_get;
/* account_receipts.c, account_events.c */
handler_fn account_receipts_get, account_events_get;
/* delegations.c */
handler_fn delegation_post, revocation_post, payout_post, delegations_get, delegation_delete;
/* statements.c */
handler_fn statements_get, charges_get;
/* savings.c, references.c */
handler_fn savings_get, references_get, reference_get, reference_post;
/* settlements.c, settlement_files.c */
handler_fn settlements_get, settlement_get, settlement_rewards, settlement_archive;
/* info.c, openapi.c, metrics.c */
handler_fn info_get, health_get, ready_get, openapi_get, metrics_get;
/* admin_providers.c */
handler_fn provider_post, provider_patch, provider_delete, provider_get, providers_get;
/* admin_consumers.c */
handler_fn consumer_post, consumer_patch, consumer_delete, consumer_get, consumers_get;
/* admin_models.c */
handler_fn model_verify;
/* admin_prices.c */
handler_fn price_post, prices_get;
/* admin_adjustments.c */
handler_fn adjustment_post, adjustments_get;
/* admin_quarantine.c, admin_quarantine_bulk.c */
handler_fn quarantine_get, quarantine_release, quarantine_refuse, quarantine_release_many, quarantine_refuse_many;
/* admin_settlements.c */
handler_fn run_post, run_get, carry_post;
/* admin_settlement_keys.c */
handler_fn settlement_keys;
/* admin_keys.c */
handler_fn key_post, keys_get, key_delete;
/* admin_session.c */
handler_fn session_post, session_nonce, session_get, session_delete;
/* admin_overview.c, admin_live.c */
handler_fn overview_get, samples_get, events_get;
/* admin_receipts.c, admin_price_effect.c, admin_accounts.c */
handler_fn receipts_get, price_effect, accounts_get;
/* pages.c */
handler_fn page_desk, page_earner, page_earner_chain, page_claim, page_asset;
/* admin_audit.c, admin_transactions.c */
handler_fn audit_get, transactions_get;

#endif
