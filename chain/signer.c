#include "chain/signer.h"

#include <pthread.h>
#include <stdlib.h>

#include "chain/signer_driver.h"
#include "gateway/base/mem.h"
#include "gateway/base/thread.h"
#include "gateway/lib/secp.h"

/* A key that a thread unlocks.  Whoever needs it first joins the thread; the others wait for the lock meanwhile. */
struct unlocking {
    pthread_t thread;
    pthread_mutex_t lock;            /* all below */
    bool running;
    struct err why;                  /* ERR_NONE: unlocked */
};

struct signer {
    const struct signer_driver *driver;
    void *self;                      /* owned through driver->free; with unlocking, only once that is over */
    struct address address;
    char *rest, *secret_file;        /* owned; of one that is unlocked later */
    struct unlocking *unlocking;     /* owned; NULL: opened at once */
};

static const struct signer_driver *const drivers[] = {
    &signer_keystore, &signer_web3signer,
};

static const struct signer_driver *driver_for(const char *spec)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (strncmp(spec, drivers[i]->prefix, strlen(drivers[i]->prefix)) == 0)
            return drivers[i];
    return NULL;
}

bool signer_is_remote(const char *spec)
{
    const struct signer_driver *driver = driver_for(spec);

    return driver != NULL && driver->is_remote;
}

bool signer_is_known(const char *spec)
{
    return driver_for(spec) != NULL;
}

bool signer_open(const char *spec, const char *secret_file, struct signer **signer, struct err *err)
{
    const struct signer_driver *driver = driver_for(spec);
    struct signer *made;

    if (driver == NULL)
        return err_set(err, ERR_CONFIG, "signer: a key is named as keystore:PATH or web3signer:URL");
    made = mem_new(sizeof *made);
    made->driver = driver;
    if (!driver->open(spec + strlen(driver->prefix), secret_file, &made->self, &made->address, err)) {
        free(made);
        return err_prefix(err, "signer");
    }
    *signer = made;
    return true;
}

static void *unlock(void *self)
{
    struct signer *signer = self;
    struct err *why = &signer->unlocking->why;      /* nobody else looks before the thread is joined */
    struct address own;

    thread_name("unlock");
    if (signer->driver->open(signer->rest, signer->secret_file, &signer->self, &own, why)
        && !address_eq(own, signer->address))
        err_set(why, ERR_CONFIG, "the key is not that of the address it was named with a moment ago");
    if (why->code != ERR_NONE)
        err_prefix(why, "signer");
    return NULL;
}

bool signer_open_later(const char *spec, const char *secret_file, struct signer **signer, struct err *err)
{
    const struct signer_driver *driver = driver_for(spec);
    struct address address;
    struct signer *made;

    if (driver == NULL || driver->claimed == NULL || secret_file == NULL || !driver->claimed(spec + strlen(driver->prefix), &address))
        return signer_open(spec, secret_file, signer, err);
    made = mem_new(sizeof *made);
    made->driver = driver;
    made->address = address;
    made->rest = mem_text(spec + strlen(driver->prefix));
    made->secret_file = mem_text(secret_file);
    made->unlocking = mem_new(sizeof *made->unlocking);
    made->unlocking->running = true;
    pthread_mutex_init(&made->unlocking->lock, NULL);
    if (pthread_create(&made->unlocking->thread, NULL, unlock, made) != 0) {
        made->unlocking->running = false;
        signer_free(made);
        return err_set(err, ERR_IO, "signer: no thread to unlock the key");
    }
    *signer = made;
    return true;
}

static void join(struct unlocking *u)
{
    pthread_mutex_lock(&u->lock);
    if (u->running)
        pthread_join(u->thread, NULL);
    u->running = false;
    pthread_mutex_unlock(&u->lock);
}

bool signer_wait(const struct signer *signer, struct err *err)
{
    struct unlocking *u = signer->unlocking;

    if (u == NULL)
        return true;
    join(u);
    if (u->why.code != ERR_NONE)
        *err = u->why;
    return u->why.code == ERR_NONE;
}

void signer_free(struct signer *signer)
{
    if (signer == NULL)
        return;
    if (signer->unlocking != NULL) {
        join(signer->unlocking);
        pthread_mutex_destroy(&signer->unlocking->lock);
        free(signer->unlocking);
    }
    if (signer->self != NULL)
        signer->driver->free(signer->self);
    free(signer->rest);
    free(signer->secret_file);
    free(signer);
}

struct address signer_address(const struct signer *signer)
{
    return signer->address;
}

/* A holder that signs with another key (a file swapped, a remote one set up wrongly) must not be believed. */
static bool check_signature(const struct signer *signer, struct hash digest, const struct signature *sig,
                            struct err *err)
{
    struct address by;

    if (!secp_recover(sig, digest, &by, err))
        return err_prefix(err, "signer");
    return address_eq(by, signer->address) || err_set(err, ERR_HALT, "signer: signed with another key than its own");
}

bool signer_sign_tx(const struct signer *signer, const struct tx *tx, struct buf *raw, struct tx_hash *hash,
                    struct err *err)
{
    struct signature sig;
    struct tx_hash encoded;

    if (!signer_wait(signer, err))
        return false;
    if (!signer->driver->sign_tx(signer->self, tx, &sig, err))
        return err_prefix(err, "signer");
    if (!check_signature(signer, tx_digest(tx), &sig, err))
        return false;
    encoded = tx_encode(tx, &sig, raw);
    if (raw->failed)
        return err_set(err, ERR_LIMIT, "signer: a transaction over %zu bytes", raw->max);
    *hash = encoded;
    return true;
}

bool signer_sign_digest(const struct signer *signer, struct hash digest, struct signature *sig, struct err *err)
{
    if (signer->driver->sign_digest == NULL)
        return err_set(err, ERR_CONFIG, "signer: this one signs transactions only; promises, quotes and receipts need a keystore");
    return signer_wait(signer, err) && signer->driver->sign_digest(signer->self, digest, sig, err);
}
