/* SHA-1; see _sha1.h.
 *
 * Loops rather than eighty steps in a row: it runs once for each client, so fetching its instructions costs more than
 * jumping does. Five steps at a time, after which a to e are in their old places.
 */
#include "_sha1.h"

#include <stdint.h>
#include <string.h>

enum { BLOCK = 64 };

#define ROTATED(word, bits) ((word) << (bits) | (word) >> (32 - (bits)))

#define CHOSEN(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define ODD(b, c, d) ((b) ^ (c) ^ (d))
#define MOST(b, c, d) (((b) & (c)) | ((d) & ((b) | (c))))

#define STEP(a, b, c, d, e, mixed, constant, word)           \
    e += ROTATED(a, 5) + mixed(b, c, d) + (constant) + (word); \
    b = ROTATED(b, 30);

#define TWENTY_STEPS(from, mixed, constant)                  \
    for (i = (from); i < (from) + 20; i += 5) {              \
        STEP(a, b, c, d, e, mixed, constant, w[i])           \
        STEP(e, a, b, c, d, mixed, constant, w[i + 1])       \
        STEP(d, e, a, b, c, mixed, constant, w[i + 2])       \
        STEP(c, d, e, a, b, mixed, constant, w[i + 3])       \
        STEP(b, c, d, e, a, mixed, constant, w[i + 4])       \
    }

static uint32_t loaded(const unsigned char *four)
{
    return (uint32_t) four[0] << 24 | (uint32_t) four[1] << 16 | (uint32_t) four[2] << 8 | four[3];
}

static void take_block(uint32_t *state, const unsigned char *block)
{
    uint32_t w[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    int i;

    for (i = 0; i < 16; i++)
        w[i] = loaded(block + 4 * i);
    for (; i < 80; i++) {
        const uint32_t word = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
        w[i] = ROTATED(word, 1);
    }
    TWENTY_STEPS(0, CHOSEN, 0x5A827999)
    TWENTY_STEPS(20, ODD, 0x6ED9EBA1)
    TWENTY_STEPS(40, MOST, 0x8F1BBCDC)
    TWENTY_STEPS(60, ODD, 0xCA62C1D6)
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void fastsio_sha1(const unsigned char *data, size_t size, unsigned char *digest)
{
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    const uint64_t bits = (uint64_t) size * 8;
    unsigned char last[2 * BLOCK] = {0}; /* what is left, a one, zeros, and the length */
    size_t last_size;
    int i;

    for (; size >= BLOCK; size -= BLOCK, data += BLOCK)
        take_block(state, data);
    if (size)
        memcpy(last, data, size);
    last[size] = 0x80;
    last_size = size < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    for (i = 0; i < 8; i++)
        last[last_size - 1 - i] = (unsigned char) (bits >> 8 * i);
    take_block(state, last);
    if (last_size > BLOCK)
        take_block(state, last + BLOCK);
    for (i = 0; i < FASTSIO_SHA1_SIZE; i++)
        digest[i] = (unsigned char) (state[i / 4] >> (24 - 8 * (i % 4)));
}
