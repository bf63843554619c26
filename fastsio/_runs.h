/* How far a text goes on without anything to look at: the loops that every byte of every message passes.
 *
 * Leaf C: no Python.h, no allocation, no state. Never reads a byte at or beyond `size`; any alignment. SSE2 is part of
 * x86-64, so that nobody has to ask the processor; long texts are worth the question for AVX2. Other machines take eight
 * bytes at a time.
 */
#ifndef FASTSIO_RUNS_H
#define FASTSIO_RUNS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#define FASTSIO_RUNS_X86 1
#include <emmintrin.h>
#ifdef _MSC_VER
#include <intrin.h>
#else
#define FASTSIO_RUNS_AVX2 1
#include <immintrin.h>
#endif
#endif

#define FASTSIO_EVERY_BYTE(value) (UINT64_C(0x0101010101010101) * (value))
#define FASTSIO_HIGH_BITS FASTSIO_EVERY_BYTE(0x80)

/* Whether one of eight bytes is 0: exact as a whole, though not about which one. */
static inline int fastsio_has_zero(uint64_t word)
{
    return ((word - FASTSIO_EVERY_BYTE(0x01)) & ~word & FASTSIO_HIGH_BITS) != 0;
}

/* A byte that JSON text may hold between quotation marks as it is (RFC 8259 7), whatever character it belongs to. */
static inline int fastsio_is_unescaped(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

#ifdef FASTSIO_RUNS_AVX2

/* Below this many bytes it costs more to go there than it saves. */
#define FASTSIO_WIDE_FROM 256

/* Whether the processor has AVX2; asked once in each module. */
static inline int fastsio_is_wide(void)
{
    static int known = 0;

    if (!known) {
        __builtin_cpu_init();
        known = __builtin_cpu_supports("avx2") ? 2 : 1;
    }
    return known == 2;
}

/* The number of bytes in whole blocks of 64 in front that are ASCII. */
__attribute__((target("avx2"))) static ptrdiff_t fastsio_ascii_blocks(const unsigned char *data, ptrdiff_t size)
{
    ptrdiff_t at = 0;

    for (; size - at >= 64; at += 64) {
        const __m256i *block = (const __m256i *) (const void *) (data + at);
        if (_mm256_movemask_epi8(_mm256_or_si256(_mm256_loadu_si256(block), _mm256_loadu_si256(block + 1))))
            break;
    }
    return at;
}

/* As fastsio_not_plain, of 32 bytes. */
__attribute__((target("avx2"))) static inline __m256i fastsio_not_plain_wide(const __m256i *at)
{
    const __m256i text = _mm256_loadu_si256(at);
    const __m256i quotes = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('"'));
    const __m256i slashes = _mm256_cmpeq_epi8(text, _mm256_set1_epi8('\\'));
    return _mm256_or_si256(_mm256_or_si256(quotes, slashes), _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), text));
}

/* As fastsio_plain_blocks. */
__attribute__((target("avx2"))) static ptrdiff_t fastsio_plain_blocks_wide(const unsigned char *data, ptrdiff_t size)
{
    ptrdiff_t at = 0;

    for (; size - at >= 64; at += 64) {
        const __m256i *block = (const __m256i *) (const void *) (data + at);
        if (_mm256_movemask_epi8(_mm256_or_si256(fastsio_not_plain_wide(block), fastsio_not_plain_wide(block + 1))))
            break;
    }
    return at;
}

#endif

/* The number of ASCII bytes in front. */
static inline ptrdiff_t fastsio_ascii_run(const unsigned char *data, ptrdiff_t size)
{
    ptrdiff_t at = 0;
    uint64_t word;

#ifdef FASTSIO_RUNS_AVX2
    if (size >= FASTSIO_WIDE_FROM && fastsio_is_wide())
        at = fastsio_ascii_blocks(data, size);
#endif
#ifdef FASTSIO_RUNS_X86
    for (; size - at >= 64; at += 64) {
        const __m128i *block = (const __m128i *) (const void *) (data + at);
        const __m128i low = _mm_or_si128(_mm_loadu_si128(block), _mm_loadu_si128(block + 1));
        const __m128i high = _mm_or_si128(_mm_loadu_si128(block + 2), _mm_loadu_si128(block + 3));
        if (_mm_movemask_epi8(_mm_or_si128(low, high)))
            break;
    }
#endif
    for (; size - at >= 8; at += 8) {
        memcpy(&word, data + at, 8);
        if (word & FASTSIO_HIGH_BITS)
            break;
    }
    while (at < size && data[at] < 0x80)
        at++;
    return at;
}

#ifdef FASTSIO_RUNS_X86

/* The number of zeros below the lowest bit that is set; one is. */
static inline int fastsio_lowest_bit(unsigned bits)
{
#ifdef _MSC_VER
    unsigned long index;
    _BitScanForward(&index, bits);
    return (int) index;
#else
    return __builtin_ctz(bits);
#endif
}

/* Of sixteen bytes, the two marks are 0xFF. */
static inline __m128i fastsio_marks(__m128i text)
{
    return _mm_or_si128(_mm_cmpeq_epi8(text, _mm_set1_epi8('"')), _mm_cmpeq_epi8(text, _mm_set1_epi8('\\')));
}

/* Of sixteen bytes, those that JSON text has to escape are 0xFF, and those beyond ASCII, which are below ' ' as signed
 * numbers. */
static inline __m128i fastsio_not_plain(const __m128i *at)
{
    const __m128i text = _mm_loadu_si128(at);
    return _mm_or_si128(fastsio_marks(text), _mm_cmplt_epi8(text, _mm_set1_epi8(' ')));
}

/* Of sixteen bytes, those that JSON text has to escape are 0xFF. */
static inline __m128i fastsio_escaped(const __m128i *at)
{
    const __m128i text = _mm_loadu_si128(at);
    return _mm_or_si128(fastsio_marks(text), _mm_cmpeq_epi8(_mm_min_epu8(text, _mm_set1_epi8(0x1F)), text));
}

#endif

#ifdef FASTSIO_RUNS_X86

/* The number of plain bytes in whole blocks of 64 in front. */
static ptrdiff_t fastsio_plain_blocks(const unsigned char *data, ptrdiff_t size)
{
    ptrdiff_t at = 0;

#ifdef FASTSIO_RUNS_AVX2
    if (size >= FASTSIO_WIDE_FROM && fastsio_is_wide())
        return fastsio_plain_blocks_wide(data, size);
#endif
    for (; size - at >= 64; at += 64) {
        const __m128i *block = (const __m128i *) (const void *) (data + at);
        const __m128i low = _mm_or_si128(fastsio_not_plain(block), fastsio_not_plain(block + 1));
        const __m128i high = _mm_or_si128(fastsio_not_plain(block + 2), fastsio_not_plain(block + 3));
        if (_mm_movemask_epi8(_mm_or_si128(low, high)))
            break;
    }
    return at;
}

#endif

/* The number of bytes in front that are ASCII and stand in JSON text as they are. */
static inline ptrdiff_t fastsio_plain_run(const unsigned char *data, ptrdiff_t size)
{
    ptrdiff_t at = 0;

#ifdef FASTSIO_RUNS_X86
    for (; size - at >= 16; at += 16) { /* most texts end here at once */
        const int found = _mm_movemask_epi8(fastsio_not_plain((const __m128i *) (const void *) (data + at)));
        if (found)
            return at + fastsio_lowest_bit((unsigned) found);
        if (at == 48)
            at += fastsio_plain_blocks(data + 64, size - 64);
    }
#endif
    for (; size - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, data + at, 8);
        if (word & FASTSIO_HIGH_BITS || fastsio_has_zero(word & FASTSIO_EVERY_BYTE(0xE0)) ||
            fastsio_has_zero(word ^ FASTSIO_EVERY_BYTE('"')) || fastsio_has_zero(word ^ FASTSIO_EVERY_BYTE('\\')))
            break;
    }
    while (at < size && data[at] < 0x80 && fastsio_is_unescaped(data[at]))
        at++;
    return at;
}

/* As fastsio_plain_run, characters beyond ASCII included. */
static inline ptrdiff_t fastsio_unescaped_run(const unsigned char *data, ptrdiff_t size)
{
    ptrdiff_t at = 0;

#ifdef FASTSIO_RUNS_X86
    for (; size - at >= 16; at += 16) {
        const int found = _mm_movemask_epi8(fastsio_escaped((const __m128i *) (const void *) (data + at)));
        if (found)
            return at + fastsio_lowest_bit((unsigned) found);
    }
#endif
    while (at < size && fastsio_is_unescaped(data[at]))
        at++;
    return at;
}

#endif
