/* The few socket calls of the load generator that need structs which Cython would have to be told of. No Python here. */
#ifndef FASTSIO_SOCKET_H
#define FASTSIO_SOCKET_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS: SO_NOSIGPIPE, and Python ignores SIGPIPE */
#endif

/* Pack an address; gives its size, 0 when it is none. `out` has room for 128 bytes. */
static inline size_t socket_address(int family, const char *host, int port, unsigned scope, char *out) {
    if (family == AF_INET) {
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        if (inet_pton(AF_INET, host, &a.sin_addr) != 1) return 0;
        memcpy(out, &a, sizeof a);
        return sizeof a;
    }
    if (family == AF_INET6) {
        struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_scope_id = scope};
        if (inet_pton(AF_INET6, host, &a.sin6_addr) != 1) return 0;
        memcpy(out, &a, sizeof a);
        return sizeof a;
    }
    return 0;
}

/* `receive_buffer` in bytes, 0 for the system's own choice. */
static inline int socket_open(const char *address, size_t size, int receive_buffer) {
    struct sockaddr_storage to;
    int on = 1;
    memcpy(&to, address, size);
    int fd = socket(to.ss_family, SOCK_STREAM, 0);
    if (fd < 0) return -1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (receive_buffer > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    return fd;
}

static inline int socket_bind_loopback(int fd, unsigned turn) {
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(0x7F000002u + turn);
#ifdef IP_BIND_ADDRESS_NO_PORT
    int on = 1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(fd, (struct sockaddr *)&from, sizeof from);
#else
    (void)fd; /* other systems have no 127.0.0.2 */
    return 0;
#endif
}

static inline int socket_connect(int fd, const char *address, size_t size) {
    struct sockaddr_storage to;
    memcpy(&to, address, size);
    return connect(fd, (struct sockaddr *)&to, (socklen_t)size);
}

static inline int socket_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

static inline ssize_t socket_send(int fd, const char *data, size_t size) { return send(fd, data, size, MSG_NOSIGNAL); }

static inline ssize_t socket_receive(int fd, char *room, size_t size) { return recv(fd, room, size, 0); }

#endif
