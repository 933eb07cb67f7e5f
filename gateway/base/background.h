/* gateway/base/background.h - threads whose work can wait: settling, retention. */
#ifndef QUITTANCE_BASE_BACKGROUND_H
#define QUITTANCE_BASE_BACKGROUND_H

/* From here on the calling thread runs when the others of this machine leave it time, and next to never else: building trees and
 * archives of millions of receipts must not make those wait who post the next ones.  There is no way back. */
void background_begin(void);

#endif
