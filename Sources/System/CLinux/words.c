#include "CLinux.h"

// The same loop compiled twice and chosen at run time, as for the zero scan: the compiler makes vectors of it.
#define GANTRY_COUNT_WORDS(name, attributes)                                                                          \
    attributes static size_t name(                                                                                    \
        const uint64_t *words, size_t count, uint64_t ignored, uint64_t clear, uint64_t low, uint64_t span,           \
        bool *others) {                                                                                               \
        uint64_t found = 0, odd = 0;                                                                                  \
        for (size_t i = 0; i < count; i++) {                                                                          \
            uint64_t word = __builtin_bswap64(words[i]), value = word & ~ignored;                                     \
            uint64_t is_one = (value - low <= span) & ((value & clear) == 0);                                         \
            found += is_one;                                                                                          \
            odd |= (word != 0) & !is_one;                                                                             \
        }                                                                                                             \
        if (odd) *others = true;                                                                                      \
        return found;                                                                                                 \
    }

GANTRY_COUNT_WORDS(count_words_plain, )
#if defined(__x86_64__)
GANTRY_COUNT_WORDS(count_words_avx2, __attribute__((target("avx2"))))
#endif

size_t gantry_count_words(
    const uint64_t *words, size_t count, uint64_t ignored, uint64_t clear, uint64_t low, uint64_t span, bool *others) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2")) return count_words_avx2(words, count, ignored, clear, low, span, others);
#endif
    return count_words_plain(words, count, ignored, clear, low, span, others);
}
