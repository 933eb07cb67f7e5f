#include "api/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 1024
#define HOST_MAX 256

static bool split(const char *host_port, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(host_port, ':');
    size_t len;

    if (colon == NULL || colon == host_port || colon[1] == '\0')
        return false;
    len = (size_t)(colon - host_port);
    if (host_port[0] == '[') {
        if (host_port[len - 1] != ']')
            return false;
        host_port++;
        len -= 2;
    }
    if (len == 0 || len >= size)
        return false;
    memcpy(host, host_port, len);
    host[len] = '\0';
    *port = colon + 1;
    return true;
}

bool listen_is_address(const char *host_port)
{
    char host[HOST_MAX];
    const char *port;
    unsigned number = 0;

    if (!split(host_port, host, sizeof host, &port) || strlen(port) > 5)
        return false;
    for (; *port >= '0' && *port <= '9'; port++)
        number = number * 10 + (unsigned)(*port - '0');
    return *port == '\0' && number <= UINT16_MAX;
}

static void describe(int fd, char address[LISTEN_TEXT])
{
    struct sockaddr_storage name = { 0 };
    socklen_t len = sizeof name;
    char host[48] = "", port[8] = "";

    getsockname(fd, (struct sockaddr *)&name, &len);
    getnameinfo((struct sockaddr *)&name, len, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(address, LISTEN_TEXT, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host, port);
}

static int bind_one(const struct addrinfo *at)
{
    int on = 1, fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    close(fd);
    return -1;
}

bool listen_open(const char *host_port, int *fd, char address[LISTEN_TEXT], struct err *err)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list;
    char host[HOST_MAX];
    const char *port;
    int bound;

    if (!split(host_port, host, sizeof host, &port) || getaddrinfo(host, port, &hints, &list) != 0)
        return err_set(err, ERR_CONFIG, "listen address %s: not HOST:PORT of this machine", host_port);
    bound = bind_one(list);
    freeaddrinfo(list);
    if (bound < 0)
        return err_set(err, ERR_AGAIN, "listen on %s: %s", host_port, strerror(errno));
    describe(bound, address);
    *fd = bound;
    return true;
}
