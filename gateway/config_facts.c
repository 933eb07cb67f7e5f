/* What follows from the settings: questions that more than one command asks (config.h). */
#include "gateway/config.h"

#include <string.h>

bool config_parties_only(const struct config *config)
{
    return strcmp(config->archive.disclosure, "parties") == 0;
}

bool config_is_test_chain(const struct config *config)
{
    return config->chain.chain_id == 31337 || config->chain.chain_id == 1337;
}

uint64_t config_confirmations(const struct config *config)
{
    if (config->chain.confirmations != 0)
        return config->chain.confirmations;
    return config_is_test_chain(config) ? 1 : 0;
}

MUST_USE bool config_need_contract(const struct config *config, struct err *err)
{
    if (address_is_zero(config->chain.contract) || address_is_zero(config->chain.token))
        return err_set(err, ERR_CONFIG, "%s: [chain] contract and token are not set: run `quittance deploy`", config->path);
    return true;
}
