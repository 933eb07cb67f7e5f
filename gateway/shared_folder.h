/* gateway/shared_folder.h - the published files of gateways that share one store lie in one folder.
 *
 * The folder has a number of its own, in its file `folder.id`, and the store knows it: a gateway that was given another
 * folder is told so at its start, not by a file that cannot be found months later. */
#ifndef QUITTANCE_SHARED_FOLDER_H
#define QUITTANCE_SHARED_FOLDER_H

#include "store/writer.h"

/* reader: of the writer's store; where nobody else may write it nothing is done.  ERR_CONFIG: it is another folder. */
MUST_USE bool shared_folder_check(struct db *reader, struct writer *writer, const char *dir, struct err *err);

#endif
