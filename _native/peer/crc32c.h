/* CRC32C (Castagnoli, RFC 3720 appendix B.4): the CPU's own instruction where there is one, else eight tables. */
#ifndef SIMPLESTCHAT_CRC32C_H
#define SIMPLESTCHAT_CRC32C_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SC_CRC32C_POLYNOMIAL 0x82F63B78u /* 0x1EDC6F41 with its bits reversed */

static uint32_t sc_crc32c_tables[8][256];

/* Must have run before sc_crc32c_portable; again does no harm. */
static void sc_crc32c_init(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = (value >> 1) ^ (value & 1 ? SC_CRC32C_POLYNOMIAL : 0);
        sc_crc32c_tables[0][i] = value;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int k = 1; k < 8; k++)
            sc_crc32c_tables[k][i] =
                (sc_crc32c_tables[k - 1][i] >> 8) ^ sc_crc32c_tables[0][sc_crc32c_tables[k - 1][i] & 0xFF];
}

static inline uint32_t sc_crc32c_byte(uint32_t state, uint8_t byte) {
    return (state >> 8) ^ sc_crc32c_tables[0][(state ^ byte) & 0xFF];
}

/* `crc` is what an earlier part gave, 0 for the first. */
static uint32_t sc_crc32c_portable(uint32_t crc, const uint8_t *data, size_t size) {
    uint32_t state = ~crc;
    for (; size >= 8; data += 8, size -= 8) {
        uint32_t low = state ^ ((uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24);
        state = sc_crc32c_tables[7][low & 0xFF] ^ sc_crc32c_tables[6][(low >> 8) & 0xFF] ^
                sc_crc32c_tables[5][(low >> 16) & 0xFF] ^ sc_crc32c_tables[4][low >> 24] ^ sc_crc32c_tables[3][data[4]] ^
                sc_crc32c_tables[2][data[5]] ^ sc_crc32c_tables[1][data[6]] ^ sc_crc32c_tables[0][data[7]];
    }
    while (size--)
        state = sc_crc32c_byte(state, *data++);
    return ~state;
}

#if defined(__x86_64__) && defined(__GNUC__)

static int sc_crc32c_has_instruction(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse4.2") != 0;
}

__attribute__((target("sse4.2"))) static uint32_t sc_crc32c_fast(uint32_t crc, const uint8_t *data, size_t size) {
    uint64_t state = (uint32_t)~crc;
    for (; size >= 8; data += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        state = __builtin_ia32_crc32di(state, word);
    }
    while (size--)
        state = __builtin_ia32_crc32qi((uint32_t)state, *data++);
    return ~(uint32_t)state;
}

#else

static int sc_crc32c_has_instruction(void) {
    return 0;
}

static uint32_t sc_crc32c_fast(uint32_t crc, const uint8_t *data, size_t size) {
    return sc_crc32c_portable(crc, data, size);
}

#endif
#endif
