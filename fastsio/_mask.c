/* XOR masking of WebSocket payloads; see _mask.h.
 *
 * Every kernel walks in blocks whose size is a multiple of four, so the key is in phase again wherever it hands the
 * rest to the next narrower one. Loads and stores are memcpy or the unaligned intrinsics: no alignment is assumed.
 */
#include "_mask.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define FASTSIO_MASK_X86 1
#include <immintrin.h>
#endif

/* Below this many bytes the wide kernels cost more to enter than they save. */
#define WIDE_FROM 64

static void mask_portable(unsigned char *data, size_t size, const unsigned char *key)
{
    uint64_t wide_key, block;
    size_t i = 0;

    memcpy(&wide_key, key, 4);
    memcpy((unsigned char *) &wide_key + 4, key, 4);
    for (; size - i >= 8; i += 8) {
        memcpy(&block, data + i, 8);
        block ^= wide_key;
        memcpy(data + i, &block, 8);
    }
    for (; i < size; i++)
        data[i] ^= key[i & 3];
}

#ifdef FASTSIO_MASK_X86

/* SSE2 is part of x86-64, so this one needs no question to the processor. */
static void mask_sse2(unsigned char *data, size_t size, const unsigned char *key)
{
    int32_t word;
    size_t i = 0;

    memcpy(&word, key, 4);
    {
        const __m128i wide_key = _mm_set1_epi32(word);
        for (; size - i >= 16; i += 16) {
            __m128i *at = (__m128i *) (void *) (data + i);
            _mm_storeu_si128(at, _mm_xor_si128(_mm_loadu_si128(at), wide_key));
        }
    }
    if (i < size)
        mask_portable(data + i, size - i, key);
}

__attribute__((target("avx2")))
static void mask_avx2(unsigned char *data, size_t size, const unsigned char *key)
{
    int32_t word;
    size_t i = 0;

    memcpy(&word, key, 4);
    {
        const __m256i wide_key = _mm256_set1_epi32(word);
        for (; size - i >= 64; i += 64) {
            __m256i *at = (__m256i *) (void *) (data + i);
            const __m256i low = _mm256_xor_si256(_mm256_loadu_si256(at), wide_key);
            const __m256i high = _mm256_xor_si256(_mm256_loadu_si256(at + 1), wide_key);
            _mm256_storeu_si256(at, low);
            _mm256_storeu_si256(at + 1, high);
        }
        for (; size - i >= 32; i += 32) {
            __m256i *at = (__m256i *) (void *) (data + i);
            _mm256_storeu_si256(at, _mm256_xor_si256(_mm256_loadu_si256(at), wide_key));
        }
    }
    /* gcc 12 forgets this in front of a tail call, and the plain SSE code there then runs several times slower. */
    _mm256_zeroupper();
    if (i < size)
        mask_portable(data + i, size - i, key);
}

#endif

static void (*mask_wide)(unsigned char *, size_t, const unsigned char *) = mask_portable;

void fastsio_mask_select(void)
{
#ifdef FASTSIO_MASK_X86
    __builtin_cpu_init();
    mask_wide = __builtin_cpu_supports("avx2") ? mask_avx2 : mask_sse2;
#endif
}

void fastsio_mask(unsigned char *data, size_t size, const unsigned char *key)
{
    if (size < WIDE_FROM)
        mask_portable(data, size, key);
    else
        mask_wide(data, size, key);
}

int fastsio_mask_with(int kernel, unsigned char *data, size_t size, const unsigned char *key)
{
    switch (kernel) {
    case FASTSIO_MASK_AUTO:
        fastsio_mask(data, size, key);
        return 0;
    case FASTSIO_MASK_PORTABLE:
        mask_portable(data, size, key);
        return 0;
#ifdef FASTSIO_MASK_X86
    case FASTSIO_MASK_SSE2:
        mask_sse2(data, size, key);
        return 0;
    case FASTSIO_MASK_AVX2:
        __builtin_cpu_init();
        if (!__builtin_cpu_supports("avx2"))
            return -1;
        mask_avx2(data, size, key);
        return 0;
#endif
    default:
        return -1;
    }
}
