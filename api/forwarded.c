#include "api/forwarded.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

bool ip_eq(struct ip a, struct ip b)
{
    return memcmp(a.b, b.b, sizeof a.b) == 0;
}

static struct ip mapped(const void *ipv4)
{
    struct ip ip = { { [10] = 0xff, [11] = 0xff } };

    memcpy(ip.b + 12, ipv4, 4);
    return ip;
}

static bool is_ipv4(struct ip ip)
{
    return memcmp(ip.b, mapped("\0\0\0").b, 12) == 0;
}

bool ip_parse(const char *text, size_t len, struct ip *ip)
{
    char copy[IP_TEXT];
    struct in_addr ipv4;
    struct in6_addr ipv6;

    if (len == 0 || len >= sizeof copy || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (inet_pton(AF_INET, copy, &ipv4) == 1)
        *ip = mapped(&ipv4);
    else if (inet_pton(AF_INET6, copy, &ipv6) == 1)
        memcpy(ip->b, &ipv6, sizeof ip->b);
    else
        return false;
    return true;
}

struct ip ip_of_socket(const struct sockaddr *address)
{
    const struct sockaddr_in *ipv4 = (const void *)address;
    const struct sockaddr_in6 *ipv6 = (const void *)address;
    struct ip ip = { { 0 } };

    if (address != NULL && address->sa_family == AF_INET)
        return mapped(&ipv4->sin_addr);
    if (address != NULL && address->sa_family == AF_INET6)
        memcpy(ip.b, &ipv6->sin6_addr, sizeof ip.b);
    return ip;
}

void ip_to_text(struct ip ip, char text[IP_TEXT])
{
    if (is_ipv4(ip))
        inet_ntop(AF_INET, ip.b + 12, text, IP_TEXT);
    else
        inet_ntop(AF_INET6, ip.b, text, IP_TEXT);
}

struct ip ip_sender(struct ip ip)
{
    if (!is_ipv4(ip))
        memset(ip.b + 8, 0, 8);
    return ip;
}

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && ((*text)[*len - 1] == ' ' || (*text)[*len - 1] == '\t'))
        (*len)--;
}

/* ADDRESS or ADDRESS/BITS, where the bits behind the prefix are not looked at. */
static bool parse_proxy(const char *text, size_t len, struct proxies *proxies)
{
    const char *slash = memchr(text, '/', len);
    size_t address = slash != NULL ? (size_t)(slash - text) : len, bits_len = slash != NULL ? len - address - 1 : 0;
    struct ip ip;
    unsigned bits = 0, most;

    if (!ip_parse(text, address, &ip))
        return false;
    most = is_ipv4(ip) && memchr(text, ':', address) == NULL ? 32 : 128;
    if (slash != NULL && (bits_len == 0 || bits_len > 3))
        return false;
    for (size_t i = 0; i < bits_len; i++) {
        if (slash[1 + i] < '0' || slash[1 + i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(slash[1 + i] - '0');
    }
    if (slash == NULL)
        bits = most;
    if (bits > most)
        return false;
    proxies->list[proxies->count].ip = ip;
    proxies->list[proxies->count++].prefix = bits + (128 - most);
    return true;
}

bool proxies_parse(const char *text, struct proxies *proxies, struct err *err)
{
    struct proxies read = { .count = 0 };

    while (*text != '\0') {
        const char *part = text;
        size_t whole = strcspn(text, ","), len = whole;

        trim(&part, &len);
        if (len > 0 && read.count == PROXIES_MAX)
            return err_set(err, ERR_CONFIG, "[api] trusted_proxies: more than %d", PROXIES_MAX);
        if (len > 0 && !parse_proxy(part, len, &read))
            return err_set(err, ERR_CONFIG, "[api] trusted_proxies: \"%.*s\" is no IP address or ADDRESS/BITS",
                           (int)(len < 80 ? len : 80), part);
        text += whole + (text[whole] == ',');
    }
    *proxies = read;
    return true;
}

static bool prefix_eq(struct ip a, struct ip b, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;

    return memcmp(a.b, b.b, bytes) == 0 && (rest == 0 || (a.b[bytes] ^ b.b[bytes]) >> (8 - rest) == 0);
}

bool proxies_trust(const struct proxies *proxies, struct ip ip)
{
    for (size_t i = 0; i < proxies->count; i++)
        if (prefix_eq(proxies->list[i].ip, ip, proxies->list[i].prefix))
            return true;
    return false;
}

/* The last hops of a header; one that is no address ("unknown", "_hidden", nonsense) is not known. */
struct hops {
    struct { bool known; struct ip ip; } list[FORWARDED_HOPS_MAX];
    size_t count;                             /* of all; the list is a ring */
};

/* An address, with its port or without: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80. */
static bool parse_node(const char *text, size_t len, struct ip *ip)
{
    const char *colon = memchr(text, ':', len), *close = memchr(text, ']', len);

    if (len > 0 && text[0] == '[')
        return close != NULL && (close + 1 == text + len || close[1] == ':')
            && memchr(text + 1, ':', (size_t)(close - text - 1)) != NULL && ip_parse(text + 1, (size_t)(close - text - 1), ip);
    if (colon != NULL && memchr(colon + 1, ':', len - (size_t)(colon + 1 - text)) == NULL)
        len = (size_t)(colon - text);
    return ip_parse(text, len, ip);
}

static void add_hop(struct hops *hops, const char *text, size_t len)
{
    size_t at = hops->count++ % FORWARDED_HOPS_MAX;

    trim(&text, &len);
    hops->list[at].known = parse_node(text, len, &hops->list[at].ip);
}

/* Bytes up to one of `ends` or the zero byte; an end within a quoted-string is none (RFC 9110 section 5.6.4).  *open: the
 * text ended within one. */
static size_t quoted_span(const char *text, const char *ends, bool *open)
{
    bool quoted = false;
    size_t len = 0;

    for (; text[len] != '\0' && (quoted || strchr(ends, text[len]) == NULL); len++)
        if (text[len] == '"')
            quoted = !quoted;
        else if (quoted && text[len] == '\\' && text[len + 1] != '\0')
            len++;
    *open = quoted;
    return len;
}

/* One forwarded-element of RFC 7239 section 4: pairs name=value with ';' between; its `for`. */
static void add_element(struct hops *hops, const char *text, size_t len)
{
    const char *end = text + len, *node = "";
    size_t node_len = 0;
    bool open;

    while (text < end) {
        size_t whole = quoted_span(text, ";,", &open), pair_len = whole;
        const char *pair = text;

        trim(&pair, &pair_len);
        if (pair_len >= 4 && strncasecmp(pair, "for=", 4) == 0) {
            node = pair + 4;
            node_len = pair_len - 4;
        }
        text += whole + 1;
    }
    if (node_len >= 2 && node[0] == '"' && node[node_len - 1] == '"') {
        node++;
        node_len -= 2;
    }
    add_hop(hops, node, node_len);
}

static void read_hops(const char *text, bool elements, struct hops *hops)
{
    while (*text != '\0') {
        bool open = false;
        size_t len = elements ? quoted_span(text, ",", &open) : strcspn(text, ",");

        /* A client's quote that is left open would swallow what our proxy appended: then nothing is known. */
        if (open)
            add_hop(hops, "", 0);
        else if (elements)
            add_element(hops, text, len);
        else
            add_hop(hops, text, len);
        text += len + (text[len] == ',');
    }
}

/* From the right while they are trusted; a hop that is not known hides all before it. */
static struct ip walk(const struct proxies *proxies, struct ip peer, const struct hops *hops)
{
    size_t left = hops->count < FORWARDED_HOPS_MAX ? hops->count : FORWARDED_HOPS_MAX, at = hops->count;
    struct ip client = peer;

    while (left-- > 0 && proxies_trust(proxies, client)) {
        at--;
        if (!hops->list[at % FORWARDED_HOPS_MAX].known)
            break;
        client = hops->list[at % FORWARDED_HOPS_MAX].ip;
    }
    return client;
}

struct ip forwarded_client(const struct proxies *proxies, struct ip peer, const char *forwarded, const char *x_forwarded_for)
{
    struct hops elements = { .count = 0 }, list = { .count = 0 };
    struct ip by_element, by_list;

    if (!proxies_trust(proxies, peer))
        return peer;
    read_hops(forwarded != NULL ? forwarded : "", true, &elements);
    read_hops(x_forwarded_for != NULL ? x_forwarded_for : "", false, &list);
    by_element = walk(proxies, peer, &elements);
    by_list = walk(proxies, peer, &list);
    if (elements.count == 0 || list.count == 0)
        return elements.count == 0 ? by_list : by_element;
    return ip_eq(by_element, by_list) ? by_list : peer;
}
