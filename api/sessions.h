/* api/sessions.h - who is signed in at the desk, and the nonces that wallets sign.
 *
 * A session is random bytes in a cookie, of which only the SHA-256 is kept, in memory: a restart signs everybody out.  It
 * ends SESSION_IDLE_MS after the last request and SESSION_MAX_MS after sign-in; SESSIONS_MAX at a time, then the one that
 * was idle longest goes.  Its CSRF token is an HMAC of that digest, so it fits no other session.
 *
 * A nonce tells its own time and carries an HMAC, so that handing them out takes no memory that strangers could fill;
 * those that were used are kept until they are too old.  Thread-safe; times are Unix ms. */
#ifndef QUITTANCE_API_SESSIONS_H
#define QUITTANCE_API_SESSIONS_H

#include "api/request.h"

#define SESSIONS_MAX 256
#define SESSION_IDLE_MS (UINT64_C(60) * 60 * 1000)
#define SESSION_MAX_MS (UINT64_C(12) * 60 * 60 * 1000)
#define NONCE_MS (UINT64_C(10) * 60 * 1000)
#define NONCES_USED_MAX 1024
#define SESSION_TEXT 65                       /* 64 hex digits and a zero byte */
#define NONCE_TEXT 65

struct session {
    struct hash id;                           /* SHA-256 of the cookie's text */
    char who[REQUEST_WHO_MAX];
    enum access_role role;
    bool by_wallet;
    struct hash key;                          /* by key: its digest, looked up again with each request */
    uint64_t began_ms, used_ms;
};

struct sessions;
struct sessions *sessions_new(void);
void sessions_free(struct sessions *sessions);            /* NULL is fine */
/* Fills cookie; session's id and times are set. */
void session_open(struct sessions *sessions, struct session *session, uint64_t now_ms, char cookie[SESSION_TEXT]);
/* uses: the request counts as one that keeps it alive. */
MUST_USE bool session_find(struct sessions *sessions, const char *cookie, size_t len, bool uses, uint64_t now_ms, struct session *session);
MUST_USE bool session_by_id(struct sessions *sessions, struct hash id, struct session *session);
void session_close(struct sessions *sessions, struct hash id);
uint64_t session_ends_ms(const struct session *session);
void session_csrf(const struct sessions *sessions, const struct session *session, char token[SESSION_TEXT]);

void nonce_new(const struct sessions *sessions, uint64_t now_ms, char nonce[NONCE_TEXT]);
enum nonce_result { NONCE_TAKEN, NONCE_UNKNOWN, NONCE_OLD, NONCE_USED, NONCE_BUSY };
/* Once: the second time it is NONCE_USED.  NONCE_BUSY: as many were used of late as are kept. */
enum nonce_result nonce_take(struct sessions *sessions, const char *nonce, uint64_t now_ms);

#endif
