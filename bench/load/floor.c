/* The floor: the least that a server has to do for these scenarios, in C.
 *
 * One thread, one epoll. Real handshakes and real frames, but fixed parsing of the three events of the benchmark: no
 * JSON, no sessions, no heartbeat, no limits. What a loop turn produced for a client leaves in one send(2).
 * Not a server to use: it believes its clients. `floor PORT` listens on 127.0.0.1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_ROOM = 1 << 18, EVENTS = 1024, BACKLOG = 2048 };

struct client {
    int fd, index;  /* index: place in the room, -1 outside of it */
    bool upgraded, wants_out, dirty, closing;
    char *tail, *out;
    size_t tail_size, out_size, out_room;
};

static int epoll_fd;
static char receive_room[RECEIVE_ROOM];
static struct client **room, **dirty;
static int room_size, room_room, dirty_size, dirty_room;

static void *grow(void *memory, size_t size) {
    void *grown = realloc(memory, size);
    if (grown == NULL) abort();
    return grown;
}

/* --- the accept key: SHA-1 (RFC 3174) and base64 */

static uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

static void sha1_block(uint32_t h[5], const unsigned char *block) {
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 |
               block[4 * i + 3];
    for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t f = i < 20 ? ((b & c) | (~b & d)) : i < 40 || i >= 60 ? b ^ c ^ d : ((b & c) | (b & d) | (c & d));
        uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
        uint32_t next = rotate(a, 5) + f + e + k + w[i];
        e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
}

/* A key of 24 characters and the GUID of RFC 6455 1.3 make 60 bytes: two blocks, always. */
static void accept_key(const char *key, char out[29]) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char blocks[128] = {0}, sum[21] = {0};
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    memcpy(blocks, key, 24);
    memcpy(blocks + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    blocks[60] = 0x80;
    blocks[126] = 60 * 8 >> 8, blocks[127] = (60 * 8) & 255;
    sha1_block(h, blocks);
    sha1_block(h, blocks + 64);
    for (int i = 0; i < 20; i++) sum[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
    for (int i = 0, o = 0; i < 21; i += 3) {
        uint32_t three = (uint32_t)sum[i] << 16 | (uint32_t)sum[i + 1] << 8 | sum[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) out[o++] = digits[three >> shift & 63];
    }
    out[27] = '=', out[28] = 0;
}

/* --- sending */

static void watch(struct client *c, bool out) {
    struct epoll_event event = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};
    epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
    c->wants_out = out;
}

static void append(struct client *c, const void *data, size_t size) {
    if (c->out_size + size > c->out_room) c->out = grow(c->out, c->out_room = 2 * (c->out_size + size));
    memcpy(c->out + c->out_size, data, size);
    c->out_size += size;
    if (c->dirty) return;
    c->dirty = true;
    if (dirty_size == dirty_room) dirty = grow(dirty, (size_t)(dirty_room = 2 * dirty_room + 64) * sizeof *dirty);
    dirty[dirty_size++] = c;
}

static size_t write_head(char *head, int opcode, size_t size) {
    head[0] = (char)(0x80 | opcode);
    if (size < 126) {
        head[1] = (char)size;
        return 2;
    }
    if (size < 65536) {
        head[1] = 126, head[2] = (char)(size >> 8), head[3] = (char)size;
        return 4;
    }
    head[1] = 127;
    for (int i = 0; i < 8; i++) head[2 + i] = (char)((uint64_t)size >> (56 - 8 * i));
    return 10;
}

static void append_frame(struct client *c, int opcode, const char *data, size_t size) {
    char head[10];
    append(c, head, write_head(head, opcode, size));
    append(c, data, size);
}

static void leave_room(struct client *c) {
    if (c->index < 0) return;
    room[c->index] = room[--room_size];
    room[c->index]->index = c->index;
    c->index = -1;
}

static void join_room(struct client *c) {
    if (room_size == room_room) room = grow(room, (size_t)(room_room = 2 * room_room + 64) * sizeof *room);
    c->index = room_size;
    room[room_size++] = c;
}

/* Freed in flush, when nothing of this loop turn points to the client any more. */
static void let_go(struct client *c) {
    leave_room(c);
    c->closing = true;
    if (!c->dirty) append(c, "", 0);
}

static void flush(struct client *c) {
    c->dirty = false;
    ssize_t sent = c->out_size > 0 ? send(c->fd, c->out, c->out_size, MSG_NOSIGNAL) : 0;
    if (sent < 0 && errno != EAGAIN) {
        leave_room(c);
        c->closing = true;
    }
    if (c->closing) {
        close(c->fd);
        free(c->tail);
        free(c->out);
        free(c);
        return;
    }
    if (sent > 0 && (size_t)sent < c->out_size) memmove(c->out, c->out + sent, c->out_size - (size_t)sent);
    if (sent > 0) c->out_size -= (size_t)sent;
    if (c->out_size > 0 || c->wants_out) watch(c, c->out_size > 0);
}

/* --- the application */

static void fan_out(const char *data, size_t size) {
    char head[10];
    size_t head_size = write_head(head, 1, size);
    for (int i = 0; i < room_size; i++) {
        append(room[i], head, head_size);
        append(room[i], data, size);
    }
}

static void on_text(struct client *c, char *data, size_t size) {
    if (size == 2 && memcmp(data, "40", 2) == 0) {
        join_room(c);
        append_frame(c, 1, "40{\"sid\":\"01234567890123456789\"}", 32);
    } else if (size > 9 && memcmp(data, "42[\"echo\",", 10) == 0) {
        append_frame(c, 1, data, size);
    } else if (size > 8 && memcmp(data, "42[\"fan\",", 9) == 0) {
        fan_out(data, size);
    } else if (size > 2 && memcmp(data, "42", 2) == 0) {
        /* 42ID["ack","x"] becomes 43ID["x"]: the head moves over the name of the event. */
        size_t digits = 0;
        while (2 + digits < size && data[2 + digits] != '[') digits++;
        memmove(data + 6, data, 3 + digits);
        data[7] = '3';
        append_frame(c, 1, data + 6, size - 6);
    }
}

static size_t take_request(struct client *c, char *data, size_t size) {
    static const char open[] = "0{\"sid\":\"01234567890123456789\",\"upgrades\":[],\"pingInterval\":25000,"
                               "\"pingTimeout\":20000,\"maxPayload\":1000000}";
    char *end = memmem(data, size, "\r\n\r\n", 4), answer[256], accept[29];
    if (end == NULL) return 0;
    *end = 0;
    const char *key = strcasestr(data, "\r\nSec-WebSocket-Key: ");
    if (key == NULL) {
        let_go(c);
        return size;
    }
    accept_key(key + 21, accept);
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: %s\r\n\r\n", accept);
    append(c, answer, (size_t)length);
    append_frame(c, 1, open, sizeof open - 1);
    c->upgraded = true;
    return (size_t)(end - data) + 4;
}

static size_t take_frame(struct client *c, char *data, size_t size) {
    const unsigned char *head = (const unsigned char *)data;
    if (size < 6) return 0;
    size_t length = head[1] & 0x7F, start = 6;
    if (length == 126) {
        length = (size_t)head[2] << 8 | head[3], start = 8;
    } else if (length == 127) {
        if (size < 14) return 0;
        for (length = 0, start = 2; start < 10; start++) length = length << 8 | head[start];
        start = 14;
    }
    if (size < start || size - start < length) return 0;
    uint32_t mask;
    uint64_t word;
    size_t i = 0;
    char *payload = data + start;
    memcpy(&mask, payload - 4, 4);
    for (; i + 8 <= length; i += 8) {
        memcpy(&word, payload + i, 8);
        word ^= (uint64_t)mask << 32 | mask;
        memcpy(payload + i, &word, 8);
    }
    for (; i < length; i++) payload[i] = (char)(payload[i] ^ (char)(mask >> 8 * (i & 3)));
    if ((head[0] & 15) == 1) on_text(c, payload, length);
    if ((head[0] & 15) == 9) append_frame(c, 10, payload, length);
    if ((head[0] & 15) == 8) {
        append_frame(c, 8, payload, length);
        let_go(c);
    }
    return start + length;
}

static void on_readable(struct client *c) {
    memcpy(receive_room, c->tail, c->tail_size);
    ssize_t got = recv(c->fd, receive_room + c->tail_size, sizeof receive_room - c->tail_size, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) let_go(c);
        return;
    }
    char *data = receive_room;
    size_t size = c->tail_size + (size_t)got;
    while (size > 0 && !c->closing) {
        size_t taken = c->upgraded ? take_frame(c, data, size) : take_request(c, data, size);
        if (taken == 0) break;
        data += taken, size -= taken;
    }
    c->tail_size = size;
    if (size == 0) return;
    c->tail = grow(c->tail, size);
    memcpy(c->tail, data, size);
}

static void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct client *c = calloc(1, sizeof *c);
        if (c == NULL) abort();
        c->tail = grow(NULL, 1);
        c->fd = fd, c->index = -1;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, BACKLOG) < 0) {
        perror("floor");
        exit(1);
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    return listener;
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: floor PORT\n");
        return 2;
    }
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    epoll_fd = epoll_create1(0);
    int listener = listen_on(atoi(argv[1]));
    static struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct client *c = events[i].data.ptr;
            if (c == NULL) accept_all(listener);
            else if (events[i].events & ~(unsigned)EPOLLOUT) on_readable(c);
            else append(c, "", 0);
        }
        for (int i = 0; i < dirty_size; i++) flush(dirty[i]);
        dirty_size = 0;
    }
}
