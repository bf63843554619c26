/* A closed loop load generator for Socket.IO servers: one thread, one epoll, no dependencies.
 *
 * Speaks Engine.IO 4 (or 3) over WebSocket, and Engine.IO 4 long-polling. Every answer is compared, byte for byte, with
 * the only right one; a wrong answer ends the run. Each message is its own send(2), as from independent callers, so a
 * server is never handed batches that no real client would make. CPU of the server is read at the very edges of the
 * measured window. Prints one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    RECEIVE_ROOM = 1 << 20,
    EVENTS = 512,
    SEQUENCE_DIGITS = 8,     /* every payload begins with its number, so no answer can stand for another */
    CONNECTS_AT_ONCE = 128,  /* handshakes under way while the crowd assembles */
    SOURCE_ADDRESSES = 200,  /* 127.0.0.2 and up: TIME_WAIT of one address is never reused too soon */
    MAX_PIDS = 64,
    STALL_SECONDS = 15,
    ASSEMBLE_SECONDS = 120,
    V3_PING_SECONDS = 10,
};

/* --- options, and what is known once */

enum scenario { ECHO, ACK, BROADCAST, POLLING, CONNECT, IDLE };
static const char *const SCENARIOS[] = {"echo", "ack", "broadcast", "polling", "connect", "idle", NULL};

static struct {
    enum scenario scenario;
    const char *host, *path;
    int port, clients, window, payload, eio;
    double duration, warmup;
    int pids[MAX_PIDS], pid_count;
} opt = {.host = "127.0.0.1", .path = "/socket.io/", .clients = 1, .window = 1, .payload = 32, .eio = 4, .duration = 3,
         .warmup = 1};

/* --- one client */

enum state { CLOSED, TCP, UPGRADING, OPENING, JOINING, READY, CLOSING };
enum poll_step { GET_OPEN, POST_JOIN, GET_JOIN, POST_EVENT, GET_EVENT, POST_PONG };

struct slot {
    uint64_t sent;  /* when, in nanoseconds; 0 when nothing is in flight */
    uint32_t sequence;
};

struct client {
    int fd;
    enum state state;
    bool wants_out, owes_pong;
    enum poll_step step;
    char sid[128];
    char *tail;  /* the unfinished end of what was received */
    size_t tail_size;
    char *out;  /* what the kernel has not taken yet */
    size_t out_size, out_sent;
    uint64_t born;
    struct slot *slots;
    uint32_t last_sequence;
};

static struct client *clients;
static int epoll_fd, ready_count, opened_count, pending_count;
static char receive_room[RECEIVE_ROOM], *message_room, *filler;
static bool running;

/* --- broadcast rounds */

struct round {
    uint64_t sent;
    uint32_t sequence;
    int missing;
};

static struct round *rounds;

/* --- what is measured */

struct sample {
    uint64_t wall;          /* ns */
    double self, server;    /* CPU seconds */
    double machine;         /* CPU seconds spent by anybody, steal included */
};

static struct {
    bool open;
    uint64_t messages, reordered, buckets[64 * 64], slowest;
} measured;

static void die(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "loadgen: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *grow(void *memory, size_t size) {
    void *grown = realloc(memory, size);
    if (grown == NULL) die("out of memory");
    return grown;
}

/* --- histogram: 64 linear steps in every power of two, so a percentile is right within 1.6 % */

static int bucket_of(uint64_t ns) {
    if (ns < 64) return (int)ns;
    int shift = 63 - __builtin_clzll(ns) - 6;
    return (shift + 1) * 64 + (int)((ns >> shift) & 63);
}

static double bucket_us(int bucket) {
    if (bucket < 64) return bucket / 1e3;
    int shift = bucket / 64 - 1;
    return (double)((64ull + (uint64_t)(bucket & 63)) << shift) / 1e3;
}

static void record(uint64_t sent) {
    if (!measured.open) return;
    uint64_t ns = now() - sent;
    measured.buckets[bucket_of(ns)]++;
    if (ns > measured.slowest) measured.slowest = ns;
}

static double percentile(double share) {
    uint64_t total = 0, seen = 0;
    for (int i = 0; i < 64 * 64; i++) total += measured.buckets[i];
    for (int i = 0; i < 64 * 64; i++) {
        seen += measured.buckets[i];
        if (total > 0 && (double)seen >= share * (double)total) return bucket_us(i);
    }
    return 0;
}

/* --- CPU and memory, from /proc */

static double process_seconds(int pid) {
    char name[64], text[1024];
    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    FILE *file = fopen(name, "r");
    if (file == NULL) die("server process %d is gone", pid);
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = 0;
    unsigned long long user, system, child_user, child_system;
    const char *after_name = strrchr(text, ')');
    if (after_name == NULL || sscanf(after_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu",
                                     &user, &system, &child_user, &child_system) != 4)
        die("cannot read %s", name);
    return (double)(user + system + child_user + child_system) / (double)sysconf(_SC_CLK_TCK);
}

static double machine_seconds(void) {
    unsigned long long user, nice, system, idle, iowait, irq, softirq, steal;
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL || fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle,
                               &iowait, &irq, &softirq, &steal) != 8)
        die("cannot read /proc/stat");
    fclose(file);
    return (double)(user + nice + system + irq + softirq + steal) / (double)sysconf(_SC_CLK_TCK);
}

static double self_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long long resident_bytes(void) {
    long long total = 0;
    for (int i = 0; i < opt.pid_count; i++) {
        char name[64];
        long long pages;
        snprintf(name, sizeof name, "/proc/%d/statm", opt.pids[i]);
        FILE *file = fopen(name, "r");
        if (file == NULL || fscanf(file, "%*d %lld", &pages) != 1) die("cannot read %s", name);
        fclose(file);
        total += pages * sysconf(_SC_PAGESIZE);
    }
    return total;
}

static struct sample take_sample(void) {
    struct sample s = {.wall = now(), .self = self_seconds(), .machine = machine_seconds()};
    for (int i = 0; i < opt.pid_count; i++) s.server += process_seconds(opt.pids[i]);
    return s;
}

/* --- sending */

static void watch(struct client *c, bool out) {
    struct epoll_event event = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event) < 0) die("epoll_ctl: %s", strerror(errno));
    c->wants_out = out;
}

static void send_bytes(struct client *c, const char *data, size_t size) {
    ssize_t sent = c->out_size > 0 ? 0 : send(c->fd, data, size, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) die("send: %s", strerror(errno));
        sent = 0;
    }
    if ((size_t)sent == size) return;
    size_t rest = size - (size_t)sent;
    c->out = grow(c->out, c->out_size + rest);
    memcpy(c->out + c->out_size, data + sent, rest);
    c->out_size += rest;
    if (!c->wants_out) watch(c, true);
}

static void send_rest(struct client *c) {
    ssize_t sent = send(c->fd, c->out + c->out_sent, c->out_size - c->out_sent, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) die("send: %s", strerror(errno));
    if (sent > 0) c->out_sent += (size_t)sent;
    if (c->out_sent < c->out_size) return;
    c->out_size = c->out_sent = 0;
    watch(c, false);
}

static uint32_t random_mask(void) {
    static uint64_t x = 0x9E3779B97F4A7C15u;
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return (uint32_t)(x >> 16);
}

/* XOR with the mask, eight bytes at a time (RFC 6455 5.3). */
static void apply_mask(char *data, size_t size, uint32_t mask) {
    uint64_t wide = (uint64_t)mask << 32 | mask, word;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        memcpy(&word, data + i, 8);
        word ^= wide;
        memcpy(data + i, &word, 8);
    }
    for (; i < size; i++) data[i] = (char)(data[i] ^ (char)(mask >> 8 * (i & 3)));
}

static void send_frame(struct client *c, int opcode, const char *data, size_t size) {
    static char frame[RECEIVE_ROOM];
    if (size + 14 > sizeof frame) die("a message of %zu bytes is too long", size);
    size_t head = 2;
    frame[0] = (char)(0x80 | opcode);
    if (size < 126) {
        frame[1] = (char)(0x80 | size);
    } else if (size < 65536) {
        frame[1] = (char)(0x80 | 126);
        frame[head++] = (char)(size >> 8), frame[head++] = (char)size;
    } else {
        frame[1] = (char)(0x80 | 127);
        for (int shift = 56; shift >= 0; shift -= 8) frame[head++] = (char)((uint64_t)size >> shift);
    }
    uint32_t mask = random_mask();
    memcpy(frame + head, &mask, 4);
    memcpy(frame + head + 4, data, size);
    apply_mask(frame + head + 4, size, mask);
    send_bytes(c, frame, head + 4 + size);
}

static void send_text(struct client *c, const char *text) { send_frame(c, 1, text, strlen(text)); }

/* --- messages: PREFIX "SSSSSSSSfiller"] */

static void write_digits(char *at, uint32_t number) {
    for (int i = SEQUENCE_DIGITS - 1; i >= 0; i--, number /= 10) at[i] = (char)('0' + number % 10);
}

static uint32_t read_digits(const char *at) {
    uint32_t number = 0;
    for (int i = 0; i < SEQUENCE_DIGITS; i++) number = number * 10 + (uint32_t)(at[i] - '0');
    return number;
}

static size_t write_message(char *at, uint32_t sequence) {
    int head;
    if (opt.scenario == ACK) {
        head = sprintf(at, "42%" PRIu32 "[\"ack\",\"", sequence);
    } else {
        head = sprintf(at, opt.scenario == BROADCAST ? "42[\"fan\",\"" : "42[\"echo\",\"");
    }
    write_digits(at + head, sequence);
    memcpy(at + head + SEQUENCE_DIGITS, filler, (size_t)(opt.payload - SEQUENCE_DIGITS));
    memcpy(at + head + opt.payload, "\"]", 2);
    return (size_t)(head + opt.payload + 2);
}

static void wrong(const char *data, size_t size, const char *why) {
    die("wrong answer (%s): %.*s", why, (int)(size > 300 ? 300 : size), data);
}

/* Compare an answer with the right one and give the number in its payload. */
static uint32_t check_answer(const char *data, size_t size) {
    size_t head;
    uint32_t id = 0;
    if (opt.scenario == ACK) {
        if (size < 3 || memcmp(data, "43", 2) != 0) wrong(data, size, "not an acknowledgement");
        for (head = 2; head < size && data[head] >= '0' && data[head] <= '9'; head++)
            id = id * 10 + (uint32_t)(data[head] - '0');
        if (head + 2 > size || memcmp(data + head, "[\"", 2) != 0) wrong(data, size, "no arguments");
        head += 2;
    } else {
        const char *prefix = opt.scenario == BROADCAST ? "42[\"fan\",\"" : "42[\"echo\",\"";
        head = strlen(prefix);
        if (size < head || memcmp(data, prefix, head) != 0) wrong(data, size, "unexpected head");
    }
    if (size != head + (size_t)opt.payload + 2) wrong(data, size, "length");
    const char *payload = data + head;
    if (memcmp(payload + SEQUENCE_DIGITS, filler, (size_t)(opt.payload - SEQUENCE_DIGITS)) != 0)
        wrong(data, size, "payload");
    if (memcmp(payload + opt.payload, "\"]", 2) != 0) wrong(data, size, "end");
    uint32_t sequence = read_digits(payload);
    if (opt.scenario == ACK && sequence != id) wrong(data, size, "answer of another request");
    return sequence;
}

/* --- echo and ack: each slot of the window has one request in flight */

static void send_request(struct client *c, struct slot *slot, uint32_t sequence) {
    slot->sequence = sequence;
    size_t size = write_message(message_room, sequence);
    slot->sent = now();
    send_frame(c, 1, message_room, size);
}

static void on_answer(struct client *c, const char *data, size_t size) {
    uint32_t sequence = check_answer(data, size);
    struct slot *slot = &c->slots[sequence % (uint32_t)opt.window];
    if (slot->sent == 0 || slot->sequence != sequence) wrong(data, size, "nobody asked for it");
    record(slot->sent);
    if (measured.open) {
        measured.messages++;
        measured.reordered += sequence < c->last_sequence;
    }
    c->last_sequence = sequence;
    send_request(c, slot, sequence + (uint32_t)opt.window);
}

/* --- broadcast: a round is over when everybody has it; `window` rounds are under way */

static void send_round(uint32_t sequence) {
    struct round *round = &rounds[sequence % (uint32_t)opt.window];
    *round = (struct round){.sent = now(), .sequence = sequence, .missing = opt.clients};
    size_t size = write_message(message_room, sequence);
    send_frame(&clients[0], 1, message_room, size);
}

static void on_delivery(struct client *c, const char *data, size_t size) {
    uint32_t sequence = check_answer(data, size);
    struct round *round = &rounds[sequence % (uint32_t)opt.window];
    struct slot *slot = &c->slots[sequence % (uint32_t)opt.window];
    if (round->sequence != sequence || round->missing == 0) wrong(data, size, "round that is not under way");
    if (slot->sent != 0 && slot->sequence == sequence) wrong(data, size, "delivered twice");
    slot->sequence = sequence, slot->sent = 1;
    record(round->sent);
    if (measured.open) {
        measured.messages++;
        measured.reordered += sequence < c->last_sequence;
    }
    c->last_sequence = sequence;
    if (--round->missing == 0) send_round(sequence + (uint32_t)opt.window);
}

/* --- opening and closing connections */

static void open_client(struct client *c) {
    static uint32_t turn;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0) die("socket: %s", strerror(errno));
    int on = 1;
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (opt.scenario == CONNECT) {
        struct sockaddr_in from = {.sin_family = AF_INET};
        from.sin_addr.s_addr = htonl(0x7F000002u + turn++ % SOURCE_ADDRESSES);
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(c->fd, (struct sockaddr *)&from, sizeof from) < 0) die("bind: %s", strerror(errno));
    }
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port)};
    if (inet_pton(AF_INET, opt.host, &to.sin_addr) != 1) die("--host takes an IPv4 address");
    c->born = now();
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0) die("epoll_ctl: %s", strerror(errno));
    c->wants_out = true;
    c->state = TCP;
    c->tail_size = c->out_size = c->out_sent = 0;
    opened_count++, pending_count++;
}

static void open_more(int limit) {
    while (opened_count < limit && pending_count < CONNECTS_AT_ONCE) open_client(&clients[opened_count]);
}

static void client_ready(struct client *c) {
    c->state = READY;
    pending_count--;
    ready_count++;
    if (opt.scenario != CONNECT) return;
    record(c->born);
    c->state = CLOSING;
    send_frame(c, 8, "\x03\xe8", 2);
}

/* In scenario connect a closed client makes room for the next one; anywhere else a lost client is an error. */
static void client_closed(struct client *c) {
    if (c->state != CLOSING) die("the server closed client %d in state %d", (int)(c - clients), (int)c->state);
    close(c->fd);
    if (measured.open) measured.messages++;
    opened_count--;
    open_client(c);
}

static void send_upgrade(struct client *c) {
    char head[512];
    int size = snprintf(head, sizeof head,
                        "GET %s?EIO=%d&transport=websocket HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
                        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                        opt.path, opt.eio, opt.host, opt.port);
    send_bytes(c, head, (size_t)size);
    c->state = UPGRADING;
}

/* --- long-polling: POST, then GET, on one kept-alive connection per client */

static void send_get(struct client *c, enum poll_step step) {
    char head[512];
    int size = snprintf(head, sizeof head, "GET %s?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: %s:%d\r\n\r\n",
                        opt.path, c->sid[0] ? "&sid=" : "", c->sid, opt.host, opt.port);
    c->step = step;
    send_bytes(c, head, (size_t)size);
}

static void send_post(struct client *c, enum poll_step step, const char *body, size_t body_size) {
    static char request[RECEIVE_ROOM];
    int size = snprintf(request, 600,
                        "POST %s?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: %s:%d\r\n"
                        "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: %zu\r\n\r\n",
                        opt.path, c->sid, opt.host, opt.port, body_size);
    if ((size_t)size + body_size > sizeof request) die("a body of %zu bytes is too long", body_size);
    memcpy(request + size, body, body_size);
    c->step = step;
    send_bytes(c, request, (size_t)size + body_size);
}

static void send_polling_event(struct client *c) {
    struct slot *slot = &c->slots[0];
    slot->sequence++;
    slot->sent = now();
    size_t size = 0;
    if (c->owes_pong) memcpy(message_room, "3\x1e", size = 2);
    c->owes_pong = false;
    size += write_message(message_room + size, slot->sequence);
    send_post(c, POST_EVENT, message_room, size);
}

static void read_sid(struct client *c, const char *body, size_t size) {
    const char *at = size > 2 && memcmp(body, "0{", 2) == 0 ? memmem(body, size, "\"sid\":\"", 7) : NULL;
    const char *end = at ? memchr(at + 7, '"', size - (size_t)(at + 7 - body)) : NULL;
    if (end == NULL || (size_t)(end - at - 7) >= sizeof c->sid) wrong(body, size, "open packet");
    memcpy(c->sid, at + 7, (size_t)(end - at - 7));
    c->sid[end - at - 7] = 0;
}

static void on_poll(struct client *c, const char *body, size_t size) {
    bool answered = false;
    while (size > 0) {
        const char *end = memchr(body, 0x1e, size);
        size_t length = end ? (size_t)(end - body) : size;
        if (length == 1 && body[0] == '2') {
            c->owes_pong = true;
        } else if (length == 1 && body[0] == '6') {
        } else if (c->step == GET_JOIN && length > 3 && memcmp(body, "40{", 3) == 0) {
            client_ready(c);
        } else {
            if (check_answer(body, length) != c->slots[0].sequence || answered)
                wrong(body, length, "answer of another request");
            answered = true;
        }
        size -= end ? length + 1 : length;
        body += length + 1;
    }
    if (answered) {
        record(c->slots[0].sent);
        measured.messages += measured.open;
        send_polling_event(c);
    } else if (c->state == READY && c->step == GET_JOIN) {
        /* Everybody begins together, in start_load. */
    } else if (c->owes_pong) {
        c->owes_pong = false;
        send_post(c, POST_PONG, "3", 1);
    } else {
        send_get(c, c->step);
    }
}

static void on_response(struct client *c, const char *body, size_t size) {
    switch (c->step) {
    case GET_OPEN:
        read_sid(c, body, size);
        c->state = JOINING;
        send_post(c, POST_JOIN, "40", 2);
        break;
    case GET_JOIN:
    case GET_EVENT:
        on_poll(c, body, size);
        break;
    default:
        if (size != 2 || strncasecmp(body, "ok", 2) != 0) wrong(body, size, "answer to a POST");
        send_get(c, c->step == POST_JOIN ? GET_JOIN : GET_EVENT);
    }
}

/* Join the chunks of a body (RFC 9112 7.1) in place. Gives what was consumed, 0 when the end has not come. */
static size_t join_chunks(char *data, size_t size, size_t *body_size) {
    size_t at = 0;
    *body_size = 0;
    for (;;) {
        char *line_end = memmem(data + at, size - at, "\r\n", 2);
        if (line_end == NULL) return 0;
        size_t length = strtoul(data + at, NULL, 16);
        at = (size_t)(line_end - data) + 2;
        if (at + length + 2 > size) return 0;
        memmove(data + *body_size, data + at, length);
        *body_size += length;
        at += length + 2;
        if (length == 0) return at;
    }
}

/* Take one HTTP response from the input; gives what was consumed. */
static size_t take_response(struct client *c, char *data, size_t size) {
    char *head_end = memmem(data, size, "\r\n\r\n", 4);
    if (head_end == NULL) return 0;
    size_t head = (size_t)(head_end - data) + 4, rest = size - head, length = 0, consumed;
    if (strncmp(data, "HTTP/1.1 200", 12) != 0) wrong(data, size, "status");
    *head_end = 0;
    const char *field = strcasestr(data, "\r\ncontent-length:");
    bool chunked = strcasestr(data, "\r\ntransfer-encoding: chunked") != NULL;
    if (field == NULL && !chunked) wrong(data, size, "neither a length nor chunks");
    *head_end = '\r';
    if (chunked) {
        /* The chunks are joined in a copy: the input must stay as it is until all of them have come. */
        static char joined[RECEIVE_ROOM];
        memcpy(joined, data + head, rest);
        consumed = join_chunks(joined, rest, &length);
        if (consumed == 0) return 0;
        on_response(c, joined, length);
        return head + consumed;
    }
    length = strtoul(field + 17, NULL, 10);
    if (length > rest) return 0;
    on_response(c, data + head, length);
    return head + length;
}

/* --- WebSocket input */

static void on_text(struct client *c, const char *data, size_t size) {
    if (size > 0 && data[size - 1] == '\n') size--;  /* Go's JSON encoder ends with one */
    if (c->state == OPENING) {
        if (size < 2 || memcmp(data, "0{", 2) != 0) wrong(data, size, "open packet");
        if (opt.eio == 4) send_text(c, "40");  /* revision 3 is connected to the main namespace unasked */
        c->state = JOINING;
    } else if (size == 1 && data[0] == (opt.eio == 4 ? '2' : '3')) {
        if (opt.eio == 4) send_text(c, "3");
    } else if (c->state == JOINING) {
        if (opt.eio == 4 ? size < 3 || memcmp(data, "40{", 3) != 0 : size != 2 || memcmp(data, "40", 2) != 0)
            wrong(data, size, "CONNECT");
        client_ready(c);
    } else if (c->state == CLOSING) {
        /* What was under way when we said goodbye. */
    } else if (running && (opt.scenario == ECHO || opt.scenario == ACK)) {
        on_answer(c, data, size);
    } else if (running && opt.scenario == BROADCAST) {
        on_delivery(c, data, size);
    } else {
        wrong(data, size, "nothing was asked");
    }
}

/* Take one frame from the input; gives what was consumed, 0 when it has not come whole. */
static size_t take_frame(struct client *c, const char *data, size_t size) {
    const unsigned char *head = (const unsigned char *)data;
    if (size < 2) return 0;
    size_t length = head[1] & 0x7F, start = 2;
    if (head[1] & 0x80) die("the server masked a frame");
    if (length == 126) {
        if (size < 4) return 0;
        length = (size_t)head[2] << 8 | head[3], start = 4;
    } else if (length == 127) {
        if (size < 10) return 0;
        for (length = 0; start < 10; start++) length = length << 8 | head[start];
        if (length > RECEIVE_ROOM / 2) die("a frame of %zu bytes", length);
    }
    if (size - start < length) return 0;
    if (head[0] == 0x81) on_text(c, data + start, length);
    else if (head[0] == 0x88) client_closed(c);
    else if (head[0] == 0x89) send_frame(c, 10, data + start, length);
    else die("frame with first byte %02x is not expected", head[0]);
    return start + length;
}

static size_t take_upgrade(struct client *c, char *data, size_t size) {
    char *end = memmem(data, size, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    *end = 0;
    if (strncmp(data, "HTTP/1.1 101", 12) != 0 || strstr(data, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == NULL)
        wrong(data, size, "upgrade");
    if (strcasestr(data, "\r\nsec-websocket-extensions:") != NULL) wrong(data, size, "extension that nobody asked for");
    c->state = OPENING;
    return (size_t)(end - data) + 4;
}

static void consume(struct client *c, char *data, size_t size) {
    int fd = c->fd;
    uint64_t born = c->born;
    while (size > 0) {
        size_t taken = opt.scenario == POLLING ? take_response(c, data, size)
                       : c->state == UPGRADING ? take_upgrade(c, data, size)
                                               : take_frame(c, data, size);
        if (taken == 0 || c->fd != fd || c->born != born) break;  /* nothing whole left, or a new connection */
        data += taken, size -= taken;
    }
    if (c->fd != fd || c->born != born) return;
    c->tail_size = size;
    if (size == 0) return;
    c->tail = grow(c->tail, size);
    memcpy(c->tail, data, size);
}

static void on_readable(struct client *c) {
    memcpy(receive_room, c->tail, c->tail_size);
    ssize_t got = recv(c->fd, receive_room + c->tail_size, sizeof receive_room - c->tail_size, 0);
    if (got > 0) {
        consume(c, receive_room, c->tail_size + (size_t)got);
    } else if (got == 0 || errno == ECONNRESET) {
        client_closed(c);
    } else if (errno != EAGAIN) {
        die("recv: %s", strerror(errno));
    }
}

static void on_writable(struct client *c) {
    if (c->state != TCP) {
        send_rest(c);
        return;
    }
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) die("connect: %s", strerror(error));
    watch(c, false);
    c->state = UPGRADING;
    if (opt.scenario == POLLING) send_get(c, GET_OPEN);
    else send_upgrade(c);
}

/* --- the run */

static uint64_t progress(void) { return measured.messages + (uint64_t)ready_count; }

static void turn(int timeout_ms) {
    static uint64_t last_progress, last_change, last_v3_ping;
    static struct epoll_event events[EVENTS];
    int count = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);
    if (count < 0 && errno != EINTR) die("epoll_wait: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct client *c = events[i].data.ptr;
        if (events[i].events & EPOLLOUT) on_writable(c);
        if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) on_readable(c);
    }
    uint64_t time = now();
    if (progress() != last_progress || last_change == 0) last_progress = progress(), last_change = time;
    bool may_stall = opt.scenario != IDLE || ready_count < opened_count;
    if (may_stall && measured.open && time - last_change > STALL_SECONDS * 1000000000ull)
        die("no answer for %d s", STALL_SECONDS);
    if (opt.eio == 3 && time - last_v3_ping > V3_PING_SECONDS * 1000000000ull) {
        last_v3_ping = time;
        for (int i = 0; i < opt.clients; i++)
            if (clients[i].state == READY) send_text(&clients[i], "2");
    }
}

static void start_load(void) {
    running = true;
    if (opt.scenario == BROADCAST)
        for (int i = 0; i < opt.window; i++) send_round((uint32_t)i);
    if (opt.scenario == POLLING)
        for (int i = 0; i < opt.clients; i++) send_polling_event(&clients[i]);
    if (opt.scenario == ECHO || opt.scenario == ACK)
        for (int i = 0; i < opt.clients; i++)
            for (int w = 0; w < opt.window; w++) send_request(&clients[i], &clients[i].slots[w], (uint32_t)w);
}

static void run_for(double seconds) {
    uint64_t end = now() + (uint64_t)(seconds * 1e9);
    for (uint64_t time = now(); time < end; time = now()) turn((int)((end - time) / 1000000) + 1);
}

static void assemble(int count) {
    uint64_t begun = now();
    while (ready_count < count) {
        open_more(count);
        turn(100);
        if (now() - begun > ASSEMBLE_SECONDS * 1000000000ull)
            die("only %d of %d clients connected in %d s", ready_count, count, ASSEMBLE_SECONDS);
    }
}

static void print_number(const char *name, bool known, double value) {
    if (known) printf(", \"%s\": %.6g", name, value);
    else printf(", \"%s\": null", name);
}

static void report(struct sample from, struct sample to, const long long resident[3]) {
    double wall = (double)(to.wall - from.wall) / 1e9;
    double server = to.server - from.server, self = to.self - from.self;
    double messages = (double)measured.messages;
    bool watched = opt.pid_count > 0, counted = measured.messages > 0;
    printf("{\"scenario\": \"%s\", \"clients\": %d", SCENARIOS[opt.scenario], opt.clients);
    printf(", \"window\": %d, \"payload\": %d, \"eio\": %d", opt.window, opt.payload, opt.eio);
    printf(", \"seconds\": %.6f", wall);
    printf(", \"messages\": %" PRIu64 ", \"reordered\": %" PRIu64, measured.messages, measured.reordered);
    print_number("rate", true, messages / wall);
    print_number("p50_us", counted, percentile(0.50));
    print_number("p99_us", counted, percentile(0.99));
    print_number("max_us", counted, (double)measured.slowest / 1e3);
    print_number("server_cpu_s", watched, server);
    print_number("server_cpu_us", watched && counted, server * 1e6 / messages);
    print_number("server_busy", watched, server / wall);
    print_number("generator_busy", true, self / wall);
    /* CPU that neither side used: other programs, and time stolen from the virtual machine. */
    print_number("foreign_busy", watched, (to.machine - from.machine - server - self) / wall);
    if (opt.scenario == IDLE)
        printf(", \"few\": %d, \"rss_empty\": %lld, \"rss_few\": %lld, \"rss_all\": %lld", opt.clients / 10,
               resident[0], resident[1], resident[2]);
    printf("}\n");
}

/* Memory at a tenth of the crowd and at the whole of it: the slope is the price of a client, free of fixed costs. */
static void hold_idle(long long resident[3]) {
    resident[0] = resident_bytes();
    assemble(opt.clients / 10);
    run_for(opt.warmup);
    resident[1] = resident_bytes();
    assemble(opt.clients);
    run_for(opt.warmup);
}

static void measure(void) {
    long long resident[3] = {0, 0, 0};
    if (opt.scenario == IDLE) {
        hold_idle(resident);
    } else if (opt.scenario == CONNECT) {
        open_more(opt.clients);
        run_for(opt.warmup);
    } else {
        assemble(opt.clients);
        start_load();
        run_for(opt.warmup);
    }
    struct sample from = take_sample();
    measured.open = true;
    run_for(opt.duration);
    measured.open = false;
    struct sample to = take_sample();
    if (opt.scenario == IDLE) resident[2] = resident_bytes();
    else if (measured.messages == 0) die("not one answer in %.1f s", opt.duration);
    report(from, to, resident);
}

static int parse_scenario(const char *name) {
    for (int i = 0; SCENARIOS[i] != NULL; i++)
        if (strcmp(SCENARIOS[i], name) == 0) return i;
    die("--scenario takes echo, ack, broadcast, polling, connect or idle");
    return 0;
}

static void parse_options(int argc, char **argv) {
    static const struct option known[] = {
        {"scenario", 1, 0, 's'}, {"host", 1, 0, 'h'},   {"port", 1, 0, 'p'},    {"path", 1, 0, 'u'},
        {"clients", 1, 0, 'c'},  {"window", 1, 0, 'w'}, {"payload", 1, 0, 'b'}, {"duration", 1, 0, 'd'},
        {"warmup", 1, 0, 'm'},   {"eio", 1, 0, 'e'},    {"pid", 1, 0, 'i'},     {0, 0, 0, 0}};
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        switch (o) {
        case 's': opt.scenario = (enum scenario)parse_scenario(optarg); break;
        case 'h': opt.host = optarg; break;
        case 'p': opt.port = atoi(optarg); break;
        case 'u': opt.path = optarg; break;
        case 'c': opt.clients = atoi(optarg); break;
        case 'w': opt.window = atoi(optarg); break;
        case 'b': opt.payload = atoi(optarg); break;
        case 'd': opt.duration = atof(optarg); break;
        case 'm': opt.warmup = atof(optarg); break;
        case 'e': opt.eio = atoi(optarg); break;
        case 'i':
            if (opt.pid_count == MAX_PIDS) die("too many --pid");
            opt.pids[opt.pid_count++] = atoi(optarg);
            break;
        default: exit(2);
        }
    }
    if (opt.port <= 0) die("--port is needed");
    if (opt.clients < 1 || opt.window < 1 || opt.duration <= 0) die("--clients, --window and --duration are positive");
    if (opt.payload < SEQUENCE_DIGITS || opt.payload > RECEIVE_ROOM / 4)
        die("--payload is %d to %d", SEQUENCE_DIGITS, RECEIVE_ROOM / 4);
    if (opt.eio != 4 && opt.eio != 3) die("--eio is 4 or 3");
    if (opt.eio == 3 && opt.scenario == POLLING) die("polling is measured with Engine.IO 4 only");
    if (opt.scenario == POLLING && opt.window != 1) die("polling has one round trip in flight");
    if (opt.scenario == IDLE && opt.clients < 10) die("idle needs ten clients or more");
}

int main(int argc, char **argv) {
    parse_options(argc, argv);
    clients = calloc((size_t)opt.clients, sizeof *clients);
    rounds = calloc((size_t)opt.window, sizeof *rounds);
    message_room = malloc((size_t)opt.payload + 64);
    filler = malloc((size_t)opt.payload);
    if (!clients || !rounds || !message_room || !filler) die("out of memory");
    for (int i = 0; i < opt.payload; i++) filler[i] = (char)('a' + i % 26);
    for (int i = 0; i < opt.clients; i++) {
        clients[i].slots = calloc((size_t)opt.window, sizeof(struct slot));
        clients[i].tail = malloc(1);
        if (!clients[i].slots || !clients[i].tail) die("out of memory");
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(0);
    measure();
    return 0;
}
