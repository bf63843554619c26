/* SHA-1; see _sha1.h.
 *
 * Loops rather than eighty steps in a row: it runs once for each client, so fetching its instructions costs more than
 * jumping does. Five steps at a time, after which a to e are in their old places. Processors that know SHA-1 do four steps
 * in one instruction.
 */
#include "_sha1.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && !defined(_MSC_VER) && !defined(FASTSIO_PLAIN)
#define KNOWS_SHA 1
#include <cpuid.h>
#include <immintrin.h>
#endif

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

#ifdef KNOWS_SHA

/* Whether the processor has the instructions; asked once. */
static int knows_sha(void)
{
    static int known = 0;
    unsigned int a, b, c, d, b7 = 0;

    if (!known) {
        const int has_basics = __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSSE3) && (c & bit_SSE4_1);
        known = has_basics && __get_cpuid_count(7, 0, &a, &b7, &c, &d) && (b7 & bit_SHA) ? 2 : 1;
    }
    return known == 2;
}

/* Twenty steps, four at a time, beginning with group `from` of the message's words. `before` is what a to d were four steps
 * ago, of which the next e is made. */
#define FIVE_GROUPS(from, which)                                                                             \
    for (i = (from); i < (from) + 5; i++) {                                                                  \
        if (i >= 4)                                                                                          \
            w[i & 3] = _mm_sha1msg2_epu32(                                                                   \
                _mm_xor_si128(_mm_sha1msg1_epu32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3]), w[(i + 3) & 3]); \
        e = i ? _mm_sha1nexte_epu32(before, w[i & 3]) : _mm_add_epi32(e, w[0]);                              \
        before = abcd;                                                                                       \
        abcd = _mm_sha1rnds4_epu32(abcd, e, which);                                                          \
    }

__attribute__((target("sha,ssse3,sse4.1"))) static void take_block_fast(uint32_t *state, const unsigned char *block)
{
    const __m128i turned = _mm_set_epi64x(0x0001020304050607LL, 0x08090A0B0C0D0E0FLL);
    const __m128i abcd_before = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *) state), 0x1B);
    const __m128i e_before = _mm_set_epi32((int) state[4], 0, 0, 0);
    __m128i w[4], abcd = abcd_before, e = e_before, before = abcd_before;
    int i;

    for (i = 0; i < 4; i++)
        w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *) (block + 16 * i)), turned);
    FIVE_GROUPS(0, 0)
    FIVE_GROUPS(5, 1)
    FIVE_GROUPS(10, 2)
    FIVE_GROUPS(15, 3)
    _mm_storeu_si128((__m128i *) state, _mm_shuffle_epi32(_mm_add_epi32(abcd, abcd_before), 0x1B));
    state[4] = (uint32_t) _mm_extract_epi32(_mm_sha1nexte_epu32(before, e_before), 3);
}

#endif

static void take(uint32_t *state, const unsigned char *block)
{
#ifdef KNOWS_SHA
    if (knows_sha()) {
        take_block_fast(state, block);
        return;
    }
#endif
    take_block(state, block);
}

void fastsio_sha1(const unsigned char *data, size_t size, unsigned char *digest)
{
    uint32_t state[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    const uint64_t bits = (uint64_t) size * 8;
    unsigned char last[2 * BLOCK] = {0}; /* what is left, a one, zeros, and the length */
    size_t last_size;
    int i;

    for (; size >= BLOCK; size -= BLOCK, data += BLOCK)
        take(state, data);
    if (size)
        memcpy(last, data, size);
    last[size] = 0x80;
    last_size = size < BLOCK - 8 ? BLOCK : 2 * BLOCK;
    for (i = 0; i < 8; i++)
        last[last_size - 1 - i] = (unsigned char) (bits >> 8 * i);
    take(state, last);
    if (last_size > BLOCK)
        take(state, last + BLOCK);
    for (i = 0; i < FASTSIO_SHA1_SIZE; i++)
        digest[i] = (unsigned char) (state[i / 4] >> (24 - 8 * (i % 4)));
}
