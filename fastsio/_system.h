/* What is asked of the operating system past Python and the loop: the one place that knows which system it is.
 * Leaf C: no Python.h, no allocation, no state. FASTSIO_PLAIN leaves out what Windows lacks, to try that elsewhere. */
#ifndef FASTSIO_SYSTEM_H
#define FASTSIO_SYSTEM_H

#include <stddef.h>

#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <time.h>
#endif
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Seconds of a clock that never goes back. Its zero means nothing. */
static inline double system_monotonic(void)
{
#ifdef _WIN32
    LARGE_INTEGER ticks, ticks_per_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&ticks_per_second);
    return (double) ticks.QuadPart / (double) ticks_per_second.QuadPart;
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
#endif
}

/* Have the C library keep memory that was freed, up to `kept` bytes at its end, and blocks of up to `largest` bytes among it:
 * else each large message has its pages from the kernel, and gives them back. */
static inline void system_keep_memory(int largest, int kept)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, largest);
    mallopt(M_TRIM_THRESHOLD, kept);
#else
    (void) largest, (void) kept;
#endif
}

#if defined(_WIN32) || defined(FASTSIO_PLAIN)

/* 1 where a socket may be written to past its loop. Where it is 0, the three below do nothing. */
#define SYSTEM_WRITES_DIRECTLY 0

static inline ptrdiff_t system_send(int fd, const void *data, size_t size)
{
    (void) fd, (void) data, (void) size;
    return 0;
}

static inline int system_ipv4_name(int fd, int is_peer, unsigned char *address)
{
    (void) fd, (void) is_peer, (void) address;
    return 0;
}

static inline void system_tune(int fd, double seconds)
{
    (void) fd, (void) seconds;
}

#else

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* macOS; Python ignores SIGPIPE */
#endif

#define SYSTEM_WRITES_DIRECTLY 1

/* Give how many bytes a socket took without waiting, 0 when it takes none now, -1 when it never will. */
static inline ptrdiff_t system_send(int fd, const void *data, size_t size)
{
    const ptrdiff_t sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0)
        return sent;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

/* Put the four bytes of the address and the two of the port of one end into `address`, as they come over the network;
 * 0, with nothing put, when the socket is not one of IPv4. */
static inline int system_ipv4_name(int fd, int is_peer, unsigned char *address)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_storage room;
    } name;
    socklen_t size = sizeof name;
    if ((is_peer ? getpeername(fd, &name.any, &size) : getsockname(fd, &name.any, &size)) != 0)
        return 0;
    if (name.any.sa_family != AF_INET)
        return 0;
    memcpy(address, &name.ipv4.sin_addr, 4);
    memcpy(address + 4, &name.ipv4.sin_port, 2);
    return 1;
}

/* Send small messages at once (asyncio and uvicorn leave Nagle's algorithm on for sockets they were given, and a delayed
 * acknowledgement then holds the next message for 40 ms), and let the kernel give up a peer that does not acknowledge what
 * was sent within `seconds` (RFC 5482); 0: its own time. What cannot be set is left: the socket may be of another family. */
static inline void system_tune(int fd, double seconds)
{
    const int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
#ifdef TCP_USER_TIMEOUT
    if (seconds > 0.0) {
        const unsigned int milliseconds = (unsigned int) (seconds * 1000);
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
    }
#else
    (void) seconds;
#endif
}

#endif

/* The address of a peer, as it comes over the network. */
typedef struct {
    int family; /* SYSTEM_IPV4, SYSTEM_IPV6, or another one, and then nothing else is known */
    unsigned char ipv4[6]; /* address and port, as `system_ipv4_name` puts them */
    unsigned char ipv6[16];
    unsigned int port; /* of IPv6 */
    unsigned int scope;
} SystemPeer;

#if defined(__linux__) && !defined(FASTSIO_PLAIN)

#include <stdint.h>
#include <sys/epoll.h>
#include <unistd.h>

/* 1 where many sockets may be watched past the loop. Where it is 0, nothing below does anything. */
#define SYSTEM_POLLS 1

typedef struct epoll_event SystemEvent;

enum { SYSTEM_READABLE = EPOLLIN, SYSTEM_WRITABLE = EPOLLOUT };

/* Give a descriptor that watches others, -1 for none. */
static inline int system_poller(void)
{
    return epoll_create1(EPOLL_CLOEXEC);
}

/* Have `poller` watch `fd` for what is `wanted` instead of what was so far; 0 for nothing. Give 0, or the error. */
static inline int system_watch(int poller, int fd, int so_far, int wanted, void *whose)
{
    struct epoll_event event = {.events = (uint32_t) wanted, .data = {.ptr = whose}};
    const int change = !wanted ? EPOLL_CTL_DEL : so_far ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    return epoll_ctl(poller, change, fd, &event) == 0 ? 0 : errno;
}

/* Put up to `most` of what is ready now into `events`; give how many. */
static inline int system_ready(int poller, SystemEvent *events, int most)
{
    const int count = epoll_wait(poller, events, most, 0);
    return count < 0 ? 0 : count;
}

static inline void *system_whose(const SystemEvent *event)
{
    return event->data.ptr;
}

/* What `event` says may be done. An error, or the end, is seen by whoever tries. */
static inline int system_may(const SystemEvent *event)
{
    return event->events & (EPOLLERR | EPOLLHUP) ? SYSTEM_READABLE | SYSTEM_WRITABLE : (int) event->events;
}

enum { SYSTEM_IPV4 = AF_INET, SYSTEM_IPV6 = AF_INET6 };

/* Give the next connection of a listening socket, or an error below 0: EINTR when it is about one connection only, which is
 * gone, and the next may be had (accept(2) counts them). */
static inline int system_accept(int fd, SystemPeer *peer)
{
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_storage room;
    } name;
    socklen_t size = sizeof name;
    const int found = accept4(fd, &name.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (found < 0)
        switch (errno) {
        case ECONNABORTED: case EPERM: case EPROTO: case ENOPROTOOPT: case EOPNOTSUPP: case ETIMEDOUT:
        case ENETDOWN: case ENETUNREACH: case EHOSTDOWN: case EHOSTUNREACH: case ENONET:
            return -EINTR;
        default:
            return -errno;
        }
    peer->family = name.any.sa_family;
    if (peer->family == AF_INET) {
        memcpy(peer->ipv4, &name.ipv4.sin_addr, 4);
        memcpy(peer->ipv4 + 4, &name.ipv4.sin_port, 2);
    } else if (peer->family == AF_INET6) {
        memcpy(peer->ipv6, &name.ipv6.sin6_addr, 16);
        peer->port = ntohs(name.ipv6.sin6_port);
        peer->scope = name.ipv6.sin6_scope_id;
    }
    return found;
}

/* Give how many bytes have come, 0 when there will be none any more, or an error below 0. */
static inline ptrdiff_t system_receive(int fd, void *data, size_t size)
{
    const ptrdiff_t count = recv(fd, data, size, MSG_DONTWAIT);
    return count < 0 ? -(ptrdiff_t) errno : count;
}

/* Say that nothing more will be sent. */
static inline void system_end(int fd)
{
    shutdown(fd, SHUT_WR);
}

static inline void system_close(int fd)
{
    close(fd);
}

#else

#define SYSTEM_POLLS 0

typedef struct { int nothing; } SystemEvent;

enum { SYSTEM_IPV4 = 2, SYSTEM_IPV6 = 10 };
enum { SYSTEM_READABLE = 1, SYSTEM_WRITABLE = 4 };

static inline int system_poller(void)
{
    return -1;
}

static inline int system_watch(int poller, int fd, int so_far, int wanted, void *whose)
{
    (void) poller, (void) fd, (void) so_far, (void) wanted, (void) whose;
    return -1;
}

static inline int system_ready(int poller, SystemEvent *events, int most)
{
    (void) poller, (void) events, (void) most;
    return 0;
}

static inline void *system_whose(const SystemEvent *event)
{
    (void) event;
    return NULL;
}

static inline int system_may(const SystemEvent *event)
{
    (void) event;
    return 0;
}

static inline int system_accept(int fd, SystemPeer *peer)
{
    (void) fd, (void) peer;
    return -1;
}

static inline ptrdiff_t system_receive(int fd, void *data, size_t size)
{
    (void) fd, (void) data, (void) size;
    return -1;
}

static inline void system_end(int fd)
{
    (void) fd;
}

static inline void system_close(int fd)
{
    (void) fd;
}

#endif

#endif
