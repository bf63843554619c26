/* Waiting for many sockets: epoll on Linux, poll(2) elsewhere (or with -DFASTSIO_POLL). No Python here.
 *
 * Every descriptor carries a tag, which is what comes back. An event may belong to a descriptor that was closed a moment
 * ago; whoever reads tags has to put something into them that tells.
 */
#ifndef FASTSIO_POLL_H
#define FASTSIO_POLL_H

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { WANT_IN = 1, WANT_OUT = 2, GONE = 4, EVENTS_AT_ONCE = 512 };

struct event {
    uint64_t tag;
    int what; /* WANT_IN, WANT_OUT, GONE */
};

static inline uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#if defined(__linux__) && !defined(FASTSIO_POLL)

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

struct poller {
    int fd;
    int coarse; /* the kernel has no epoll_pwait2: whole milliseconds only */
};

static inline int poller_open(struct poller *p) {
    p->coarse = 0;
    prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0); /* ns; the default of 50 us would be seen in latencies at a rate */
    return (p->fd = epoll_create1(EPOLL_CLOEXEC)) < 0 ? -1 : 0;
}

static inline void poller_close(struct poller *p) {
    if (p->fd >= 0) close(p->fd);
    p->fd = -1;
}

static inline int poller_change(struct poller *p, int operation, int fd, int want, uint64_t tag) {
    struct epoll_event e = {.events = EPOLLRDHUP, .data.u64 = tag};
    if (want & WANT_IN) e.events = EPOLLIN;
    if (want & WANT_OUT) e.events |= EPOLLOUT;
    return epoll_ctl(p->fd, operation, fd, &e);
}

static inline int poller_add(struct poller *p, int fd, int want, uint64_t tag) {
    return poller_change(p, EPOLL_CTL_ADD, fd, want, tag);
}

static inline int poller_set(struct poller *p, int fd, int want, uint64_t tag) {
    return poller_change(p, EPOLL_CTL_MOD, fd, want, tag);
}

static inline void poller_remove(struct poller *p, int fd) { (void)p, (void)fd; /* closing does it */ }

static inline int poller_wait(struct poller *p, int64_t timeout_ns, struct event *out) {
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = -1;
#ifdef SYS_epoll_pwait2
    if (!p->coarse) {
        struct timespec t = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
        count = (int)syscall(SYS_epoll_pwait2, p->fd, events, EVENTS_AT_ONCE, &t, NULL, 0);
        if (count < 0 && errno == ENOSYS) p->coarse = 1;
    }
#else
    p->coarse = 1;
#endif
    if (p->coarse) count = epoll_wait(p->fd, events, EVENTS_AT_ONCE, (int)((timeout_ns + 999999) / 1000000));
    if (count < 0) return errno == EINTR ? 0 : -1;
    for (int i = 0; i < count; i++) {
        uint32_t e = events[i].events;
        out[i].tag = events[i].data.u64;
        out[i].what = (e & EPOLLIN ? WANT_IN : 0) | (e & EPOLLOUT ? WANT_OUT : 0) |
                      (e & (EPOLLHUP | EPOLLERR | EPOLLRDHUP) ? GONE : 0);
    }
    return count;
}

#else

struct poller {
    struct pollfd *set;
    uint64_t *tags;
    int *place; /* by descriptor: index in the set, -1 for none */
    int size, room, places, turn;
};

static inline int poller_open(struct poller *p) {
    p->set = NULL, p->tags = NULL, p->place = NULL;
    p->size = p->room = p->places = p->turn = 0;
    return 0;
}

static inline void poller_close(struct poller *p) {
    free(p->set), free(p->tags), free(p->place);
    poller_open(p);
}

static inline int poller_set(struct poller *p, int fd, int want, uint64_t tag) {
    int i = p->place[fd];
    p->set[i].events = (short)((want & WANT_IN ? POLLIN : 0) | (want & WANT_OUT ? POLLOUT : 0));
    p->tags[i] = tag;
    return 0;
}

static inline int poller_add(struct poller *p, int fd, int want, uint64_t tag) {
    if (fd >= p->places) {
        int places = 2 * fd + 64;
        int *place = realloc(p->place, (size_t)places * sizeof *place);
        if (place == NULL) return -1;
        for (int i = p->places; i < places; i++) place[i] = -1;
        p->place = place, p->places = places;
    }
    if (p->size == p->room) {
        int room = 2 * p->room + 64;
        struct pollfd *set = realloc(p->set, (size_t)room * sizeof *set);
        if (set != NULL) p->set = set;
        uint64_t *tags = realloc(p->tags, (size_t)room * sizeof *tags);
        if (tags != NULL) p->tags = tags;
        if (set == NULL || tags == NULL) return -1;
        p->room = room;
    }
    p->place[fd] = p->size;
    p->set[p->size].fd = fd;
    p->set[p->size].revents = 0;
    p->size++;
    return poller_set(p, fd, want, tag);
}

static inline void poller_remove(struct poller *p, int fd) {
    int i = p->place[fd], last = --p->size;
    p->set[i] = p->set[last], p->tags[i] = p->tags[last];
    p->place[p->set[i].fd] = i;
    p->place[fd] = -1;
}

static inline int poller_wait(struct poller *p, int64_t timeout_ns, struct event *out) {
    int count = poll(p->set, (nfds_t)p->size, (int)((timeout_ns + 999999) / 1000000)), found = 0;
    if (count < 0) return errno == EINTR ? 0 : -1;
    /* Begins where the last turn ended, so that nobody waits for ever behind EVENTS_AT_ONCE others. */
    for (int n = 0; n < p->size && found < EVENTS_AT_ONCE && found < count; n++) {
        int i = p->turn = (p->turn + 1) % p->size;
        short e = p->set[i].revents;
        if (e == 0) continue;
        out[found].tag = p->tags[i];
        out[found++].what = (e & POLLIN ? WANT_IN : 0) | (e & POLLOUT ? WANT_OUT : 0) |
                            (e & (POLLHUP | POLLERR | POLLNVAL) ? GONE : 0);
    }
    return found;
}

#endif
#endif
