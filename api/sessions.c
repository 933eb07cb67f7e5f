#include "api/sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/hex.h"
#include "gateway/base/mem.h"
#include "gateway/lib/crypt.h"

#define NONCE_TIME 8
#define NONCE_RANDOM 8                        /* then as many bytes of HMAC as fill 32 */
#define NONCE_SAID (NONCE_TIME + NONCE_RANDOM)

struct used_nonce { uint8_t said[NONCE_SAID]; uint64_t until_ms; };

struct sessions {
    pthread_mutex_t lock;
    uint8_t secret[32];                       /* of this process: for CSRF tokens and nonces */
    struct session list[SESSIONS_MAX];
    size_t count;
    struct used_nonce used[NONCES_USED_MAX];
    size_t used_count;
};

struct sessions *sessions_new(void)
{
    struct sessions *s = mem_new(sizeof *s);

    pthread_mutex_init(&s->lock, NULL);
    crypt_random(s->secret, sizeof s->secret);
    return s;
}

void sessions_free(struct sessions *sessions)
{
    if (sessions == NULL)
        return;
    pthread_mutex_destroy(&sessions->lock);
    mem_wipe(sessions, sizeof *sessions);
    free(sessions);
}

uint64_t session_ends_ms(const struct session *session)
{
    uint64_t idle = session->used_ms + SESSION_IDLE_MS, whole = session->began_ms + SESSION_MAX_MS;

    return idle < whole ? idle : whole;
}

static void drop_ended(struct sessions *s, uint64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++)
        if (now_ms < session_ends_ms(&s->list[i]))
            s->list[kept++] = s->list[i];
    s->count = kept;
}

static size_t longest_idle(const struct sessions *s)
{
    size_t oldest = 0;

    for (size_t i = 1; i < s->count; i++)
        if (s->list[i].used_ms < s->list[oldest].used_ms)
            oldest = i;
    return oldest;
}

void session_open(struct sessions *sessions, struct session *session, uint64_t now_ms, char cookie[SESSION_TEXT])
{
    uint8_t random[32];

    crypt_random(random, sizeof random);
    hex_encode_bare(random, sizeof random, cookie);
    mem_wipe(random, sizeof random);
    session->id = sha256(cookie, strlen(cookie));
    session->began_ms = session->used_ms = now_ms;
    pthread_mutex_lock(&sessions->lock);
    drop_ended(sessions, now_ms);
    if (sessions->count == SESSIONS_MAX)
        sessions->list[longest_idle(sessions)] = sessions->list[--sessions->count];
    sessions->list[sessions->count++] = *session;
    pthread_mutex_unlock(&sessions->lock);
}

bool session_find(struct sessions *sessions, const char *cookie, size_t len, bool uses, uint64_t now_ms, struct session *session)
{
    struct hash id;
    bool found = false;

    if (len != SESSION_TEXT - 1)
        return false;
    id = sha256(cookie, len);
    pthread_mutex_lock(&sessions->lock);
    drop_ended(sessions, now_ms);
    for (size_t i = 0; i < sessions->count && !found; i++)
        if (crypt_equal(sessions->list[i].id.b, id.b, sizeof id.b)) {
            if (uses)
                sessions->list[i].used_ms = now_ms;
            *session = sessions->list[i];
            found = true;
        }
    pthread_mutex_unlock(&sessions->lock);
    return found;
}

bool session_by_id(struct sessions *sessions, struct hash id, struct session *session)
{
    bool found = false;

    pthread_mutex_lock(&sessions->lock);
    for (size_t i = 0; i < sessions->count && !found; i++)
        if (hash_eq(sessions->list[i].id, id)) {
            *session = sessions->list[i];
            found = true;
        }
    pthread_mutex_unlock(&sessions->lock);
    return found;
}

void session_close(struct sessions *sessions, struct hash id)
{
    pthread_mutex_lock(&sessions->lock);
    for (size_t i = 0; i < sessions->count; i++)
        if (hash_eq(sessions->list[i].id, id)) {
            sessions->list[i] = sessions->list[--sessions->count];
            break;
        }
    pthread_mutex_unlock(&sessions->lock);
}

void session_csrf(const struct sessions *sessions, const struct session *session, char token[SESSION_TEXT])
{
    struct hash mac;
    uint8_t message[4 + sizeof session->id.b] = "csrf";

    memcpy(message + 4, session->id.b, sizeof session->id.b);
    mac = hmac_sha256(sessions->secret, sizeof sessions->secret, message, sizeof message);
    hex_encode_bare(mac.b, sizeof mac.b, token);
}

/* time, random bytes, and the start of their HMAC. */
static void seal_nonce(const struct sessions *s, uint8_t nonce[32])
{
    uint8_t message[5 + NONCE_SAID] = "nonce";
    struct hash mac;

    memcpy(message + 5, nonce, NONCE_SAID);
    mac = hmac_sha256(s->secret, sizeof s->secret, message, sizeof message);
    memcpy(nonce + NONCE_SAID, mac.b, 32 - NONCE_SAID);
}

void nonce_new(const struct sessions *sessions, uint64_t now_ms, char text[NONCE_TEXT])
{
    uint8_t nonce[32];

    for (size_t i = 0; i < NONCE_TIME; i++)
        nonce[i] = (uint8_t)(now_ms >> (8 * (NONCE_TIME - 1 - i)));
    crypt_random(nonce + NONCE_TIME, NONCE_RANDOM);
    seal_nonce(sessions, nonce);
    hex_encode_bare(nonce, sizeof nonce, text);
}

static bool was_used(struct sessions *s, const uint8_t said[NONCE_SAID], uint64_t now_ms)
{
    size_t kept = 0;
    bool used = false;

    for (size_t i = 0; i < s->used_count; i++)
        if (now_ms < s->used[i].until_ms)
            s->used[kept++] = s->used[i];
    s->used_count = kept;
    for (size_t i = 0; i < kept; i++)
        used = used || memcmp(s->used[i].said, said, NONCE_SAID) == 0;
    return used;
}

static enum nonce_result use_nonce(struct sessions *s, const uint8_t said[NONCE_SAID], uint64_t until_ms, uint64_t now_ms)
{
    enum nonce_result result = NONCE_TAKEN;

    pthread_mutex_lock(&s->lock);
    if (was_used(s, said, now_ms)) {
        result = NONCE_USED;
    } else if (s->used_count == NONCES_USED_MAX) {
        result = NONCE_BUSY;
    } else {
        struct used_nonce *to = &s->used[s->used_count++];

        memcpy(to->said, said, NONCE_SAID);
        to->until_ms = until_ms;
    }
    pthread_mutex_unlock(&s->lock);
    return result;
}

enum nonce_result nonce_take(struct sessions *sessions, const char *text, uint64_t now_ms)
{
    uint8_t nonce[32], ours[32];
    uint64_t made_ms = 0;

    if (!hex_decode_bare(text, strlen(text), nonce, sizeof nonce))
        return NONCE_UNKNOWN;
    memcpy(ours, nonce, NONCE_SAID);
    seal_nonce(sessions, ours);
    if (!crypt_equal(ours, nonce, sizeof nonce))
        return NONCE_UNKNOWN;
    for (size_t i = 0; i < NONCE_TIME; i++)
        made_ms = made_ms << 8 | nonce[i];
    if (now_ms >= made_ms + NONCE_MS)
        return NONCE_OLD;
    return use_nonce(sessions, nonce, made_ms + NONCE_MS, now_ms);
}
