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
#endif
