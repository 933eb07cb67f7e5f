/* gateway/commands.h - one line a command; each lives in its own cmd_*.c. */
#ifndef QUITTANCE_COMMANDS_H
#define QUITTANCE_COMMANDS_H

#include "gateway/args.h"

extern const struct command command_init, command_deploy, command_serve, command_settle, command_status, command_contract,
    command_watch, command_store, command_key, command_apikey, command_receipt, command_reference, command_verify,
    command_audit, command_config;

#endif
