/* XOR masking of WebSocket payloads (RFC 6455 5.3). Leaf C: no Python.h, no allocation, no state but the choice
 * of kernel, which fastsio_mask_select makes once at import. */
#ifndef FASTSIO_MASK_H
#define FASTSIO_MASK_H

#include <stddef.h>

enum fastsio_mask_kernel {
    FASTSIO_MASK_AUTO = 0,
    FASTSIO_MASK_PORTABLE = 1,
    FASTSIO_MASK_SSE2 = 2,
    FASTSIO_MASK_AVX2 = 3
};

/* Look at the processor once. Call before fastsio_mask; calling again changes nothing. */
void fastsio_mask_select(void);

/* XOR `size` bytes in place with the 4 bytes of `key`, repeated. `data` may have any alignment, and may be NULL
 * when `size` is 0. */
void fastsio_mask(unsigned char *data, size_t size, const unsigned char *key);

/* The same with a named kernel, for tests. Returns 0, or -1, with nothing touched, if this machine lacks it. */
int fastsio_mask_with(int kernel, unsigned char *data, size_t size, const unsigned char *key);

#endif
