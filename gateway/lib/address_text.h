/* gateway/lib/address_text.h - addresses as people read them: EIP-55 checksum casing. */
#ifndef QUITTANCE_LIB_ADDRESS_TEXT_H
#define QUITTANCE_LIB_ADDRESS_TEXT_H

#include "gateway/base/hex.h"

void address_to_text(struct address a, char text[ADDRESS_TEXT]);      /* EIP-55 */
/* True when the letters are all of one case or the checksum fits; for addresses that people type. */
bool address_checksum_fits(const char *text, size_t len);

#endif
