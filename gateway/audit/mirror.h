/* gateway/audit/mirror.h - a folder with all published files, so that audits and claims need no gateway.
 *
 * Names are those of source.h, with info.json (contract, token, promise keys), reference price lists and manifest.json beside them:
 * {chainId, contract, files:[{name, bytes, sha256}], missing:[name]}.  What lies there already is kept when it is what the
 * chain says (the archive's digest, the rewards root), so a mirror that was cut short is just run again. */
#ifndef QUITTANCE_AUDIT_MIRROR_H
#define QUITTANCE_AUDIT_MIRROR_H

#include "gateway/audit/chain_view.h"
#include "gateway/audit/source.h"

struct mirror_report { uint64_t files, fetched, bytes, missing; };
/* ERR_DIFFERS: a file is not what the chain says; ERR_NOT_FOUND: one of a settlement that stands is not published.  The
 * manifest tells what is there, also after a failure. */
MUST_USE bool mirror_run(const char *dir, const struct chain_view *view, struct source *source, struct mirror_report *report, struct err *err);

#endif
