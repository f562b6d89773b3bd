/* What is used of ipsec-mb (libIPSec_MB.so.1, x86-64): the beginnings of its two structs, which are the same in versions 1.1 to 1.5.
   The library is loaded at run time; where its header is installed, the compiler compares. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
#ifdef __x86_64__
    MB_X86_64 = 1,
#else
    MB_X86_64 = 0,
#endif
    MB_OLDEST = 0x10100,
    MB_NEWEST = 0x105ff,
    MB_LARGER_KEYS = 0x10400,      /* gcm_key_data has 1008 bytes before, 1264 from then on */
    MB_GCM_KEY_ROOM = 1024,
    MB_GCM_KEY_ROOM_LARGER = 1280,
    MB_CM_KEY_ROOM = 384,
    MB_GCM_STATE = 128,            /* holds gcm_context_data: 88 bytes */
    MB_AES_128_KEYS = 176,
    MB_CIPHER_CNTR = 2,
    MB_ENCRYPT = 1,
    MB_CIPHER_THEN_HASH = 1,
    MB_HMAC_SHA1 = 1,
    MB_COMPLETED = 3,
    MB_JOBS = 128                  /* that a manager holds at once */
};

typedef struct MbJob {
    const void *enc_keys;
    const void *dec_keys;
    uint64_t key_size;
    const uint8_t *src;
    uint8_t *dst;
    uint64_t cipher_offset;        /* in src */
    uint64_t cipher_size;
    uint64_t hash_offset;          /* from src, too: what lies elsewhere is told by the distance, modulo 2^64 */
    uint64_t hash_size;
    const uint8_t *iv;
    uint64_t iv_size;
    uint8_t *tag;
    uint64_t tag_size;
    const void *hmac_inner;        /* five words of SHA-1's state after the key's inner block */
    const void *hmac_outer;
    const void *unused;
    int status;
    int cipher_mode;
    int direction;
    int hash;
    int order;
    void *user_data;
} MbJob;

typedef struct MbManager MbManager;
typedef void (*mb_gcm_fn)(const void *key, void *state, uint8_t *out, const uint8_t *in, uint64_t size, const uint8_t *iv,
                          const uint8_t *aad, uint64_t aad_size, uint8_t *tag, uint64_t tag_size);
typedef void (*mb_gcm_key_fn)(const void *key, void *prepared);

struct MbManager {
    uint64_t flags;
    uint64_t features;
    uint64_t reserved[5];
    uint32_t used_arch;
    int error;
    MbJob *(*get_next_job)(MbManager *);
    MbJob *(*submit_job)(MbManager *);
    MbJob *(*submit_job_nocheck)(MbManager *);
    MbJob *(*get_completed_job)(MbManager *);
    MbJob *(*flush_job)(MbManager *);
    uint32_t (*queue_size)(MbManager *);
    void (*keyexp_128)(const void *key, void *enc, void *dec);
    void *others[17];
    mb_gcm_fn gcm_enc[3];          /* keys of 128, 192 and 256 bits */
    mb_gcm_fn gcm_dec[3];
    void *more[15];
    void *precompute[3];
    mb_gcm_key_fn gcm_pre[3];
};

/* Whether the flag was down; it is up now. */
static inline int mb_take(char *flag) { return !__atomic_test_and_set(flag, __ATOMIC_ACQUIRE); }
static inline void mb_give(char *flag) { __atomic_clear(flag, __ATOMIC_RELEASE); }

#ifdef __has_include
#if __has_include(<intel-ipsec-mb.h>)
#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>
#if IMB_VERSION_NUM >= 0x10100
#define MB_SAME(theirs, their_field, ours, our_field) \
    _Static_assert(offsetof(theirs, their_field) == offsetof(ours, our_field), #our_field)
MB_SAME(IMB_JOB, enc_keys, MbJob, enc_keys);
MB_SAME(IMB_JOB, key_len_in_bytes, MbJob, key_size);
MB_SAME(IMB_JOB, src, MbJob, src);
MB_SAME(IMB_JOB, dst, MbJob, dst);
MB_SAME(IMB_JOB, cipher_start_src_offset_in_bytes, MbJob, cipher_offset);
MB_SAME(IMB_JOB, msg_len_to_cipher_in_bytes, MbJob, cipher_size);
MB_SAME(IMB_JOB, hash_start_src_offset_in_bytes, MbJob, hash_offset);
MB_SAME(IMB_JOB, msg_len_to_hash_in_bytes, MbJob, hash_size);
MB_SAME(IMB_JOB, iv, MbJob, iv);
MB_SAME(IMB_JOB, auth_tag_output, MbJob, tag);
MB_SAME(IMB_JOB, auth_tag_output_len_in_bytes, MbJob, tag_size);
MB_SAME(IMB_JOB, u, MbJob, hmac_inner);
MB_SAME(IMB_JOB, status, MbJob, status);
MB_SAME(IMB_JOB, cipher_mode, MbJob, cipher_mode);
MB_SAME(IMB_JOB, cipher_direction, MbJob, direction);
MB_SAME(IMB_JOB, hash_alg, MbJob, hash);
MB_SAME(IMB_JOB, chain_order, MbJob, order);
MB_SAME(IMB_JOB, user_data, MbJob, user_data);
MB_SAME(IMB_MGR, features, MbManager, features);
MB_SAME(IMB_MGR, imb_errno, MbManager, error);
MB_SAME(IMB_MGR, get_next_job, MbManager, get_next_job);
MB_SAME(IMB_MGR, submit_job_nocheck, MbManager, submit_job_nocheck);
MB_SAME(IMB_MGR, get_completed_job, MbManager, get_completed_job);
MB_SAME(IMB_MGR, flush_job, MbManager, flush_job);
MB_SAME(IMB_MGR, keyexp_128, MbManager, keyexp_128);
MB_SAME(IMB_MGR, gcm128_enc, MbManager, gcm_enc);
MB_SAME(IMB_MGR, gcm128_dec, MbManager, gcm_dec);
MB_SAME(IMB_MGR, gcm128_pre, MbManager, gcm_pre);
_Static_assert(sizeof(struct gcm_key_data) <= ((int)IMB_VERSION_NUM < (int)MB_LARGER_KEYS ? MB_GCM_KEY_ROOM : MB_GCM_KEY_ROOM_LARGER), "gcm_key_data");
_Static_assert(sizeof(struct gcm_context_data) <= MB_GCM_STATE, "gcm_context_data");
_Static_assert((int)IMB_CIPHER_CNTR == (int)MB_CIPHER_CNTR && (int)IMB_AUTH_HMAC_SHA_1 == (int)MB_HMAC_SHA1, "algorithms");
_Static_assert((int)IMB_DIR_ENCRYPT == (int)MB_ENCRYPT && (int)IMB_ORDER_CIPHER_HASH == (int)MB_CIPHER_THEN_HASH, "order");
_Static_assert((int)IMB_STATUS_COMPLETED == (int)MB_COMPLETED && IMB_MAX_JOBS >= (int)MB_JOBS, "jobs");
#endif
#endif
#endif
