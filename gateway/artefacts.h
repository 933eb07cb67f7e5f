/* gateway/artefacts.h - the compiled contracts that the binary carries (build/contracts/NAME.json: {abi, bytecode}). */
#ifndef QUITTANCE_ARTEFACTS_H
#define QUITTANCE_ARTEFACTS_H

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

MUST_USE bool artefact_settlement(struct buf *bytecode, struct err *err);
MUST_USE bool artefact_dev_token(struct buf *bytecode, struct err *err);

#endif
