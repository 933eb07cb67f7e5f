/* api/forwarded.h - who asks, behind reverse proxies: the last hop that is not one of ours.
 *
 * Reads `Forwarded` (RFC 7239) and `X-Forwarded-For`.  Each proxy appends the address it was asked from, so only what our
 * own proxies appended can be believed: hops are read from the right while they are trusted ones.  Where both headers are
 * sent they must say the same, else the proxy itself counts: a client could have made up the one its proxy does not set.
 * Pure; allocates nothing. */
#ifndef QUITTANCE_API_FORWARDED_H
#define QUITTANCE_API_FORWARDED_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "gateway/base/err.h"

/* IPv6, network order; IPv4 as ::ffff:a.b.c.d. */
struct ip { uint8_t b[16]; };
#define IP_TEXT INET6_ADDRSTRLEN
bool ip_parse(const char *text, size_t len, struct ip *ip);
struct ip ip_of_socket(const struct sockaddr *address);
void ip_to_text(struct ip ip, char text[IP_TEXT]);
bool ip_eq(struct ip a, struct ip b);
/* What one sender holds: an IPv4 address, or a /64 of IPv6. */
struct ip ip_sender(struct ip ip);

#define PROXIES_MAX 32
struct proxies {
    struct { struct ip ip; unsigned prefix; } list[PROXIES_MAX];  /* prefix: of 128 bits */
    size_t count;
};
/* "10.0.0.0/8, ::1, 192.0.2.7"; empty: none.  ERR_CONFIG names what does not fit. */
MUST_USE bool proxies_parse(const char *text, struct proxies *proxies, struct err *err);
bool proxies_trust(const struct proxies *proxies, struct ip ip);

#define FORWARDED_HOPS_MAX 32                 /* the last ones; those before are not looked at */
/* The headers' values, several lines joined by commas in their order; NULL or "": not sent. */
struct ip forwarded_client(const struct proxies *proxies, struct ip peer, const char *forwarded, const char *x_forwarded_for);

#endif
