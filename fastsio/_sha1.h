/* SHA-1 (RFC 3174), for the answer to a WebSocket handshake, on which no security hangs. Leaf C: no Python.h, no
 * allocation, no state. */
#ifndef FASTSIO_SHA1_H
#define FASTSIO_SHA1_H

#include <stddef.h>

enum { FASTSIO_SHA1_SIZE = 20 };

/* Put the digest of `size` bytes into `digest`, which has room for FASTSIO_SHA1_SIZE. */
void fastsio_sha1(const unsigned char *data, size_t size, unsigned char *digest);

#endif
