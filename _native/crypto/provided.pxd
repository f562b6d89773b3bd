# libcrypto's ciphers by the functions of their provider (provider-cipher(7)), found once. EVP's own layer around them costs a fifth of
# a packet: it looks the length of the IV up by name, again for every packet.
#
# A context is made by `newctx` and belongs to its maker, who ends it with `freectx`, which wipes it.
from libc.stddef cimport size_t
from simplestchat._native.core.types cimport u8
from simplestchat._native.crypto.openssl cimport EVP_CIPHER, OSSL_PARAM

cdef enum Provided:
    PROVIDED_AES_128_CTR = 0
    PROVIDED_AES_128_GCM = 1
    PROVIDED_AES_256_GCM = 2
    PROVIDED_COUNT = 3

ctypedef void* (*provided_new)(void* provider) noexcept nogil
ctypedef void (*provided_free)(void* ctx) noexcept nogil
ctypedef int (*provided_init)(void* ctx, const u8* key, size_t key_size, const u8* iv, size_t iv_size,
                              const OSSL_PARAM* parameters) noexcept nogil
ctypedef int (*provided_update)(void* ctx, u8* out, size_t* written, size_t room, const u8* data, size_t size) noexcept nogil
ctypedef int (*provided_final)(void* ctx, u8* out, size_t* written, size_t room) noexcept nogil
ctypedef int (*provided_get)(void* ctx, OSSL_PARAM* parameters) noexcept nogil
ctypedef int (*provided_set)(void* ctx, const OSSL_PARAM* parameters) noexcept nogil

cdef struct ProvidedCipher:
    EVP_CIPHER* fetched              # held for good, so that the provider stays
    void* provider
    provided_new newctx
    provided_free freectx
    provided_init encrypt_init
    provided_init decrypt_init
    provided_update update
    provided_final final
    provided_get get_parameters
    provided_set set_parameters

# Never NULL: the import fails when libcrypto lacks one.
cdef const ProvidedCipher* provided(int cipher) noexcept nogil
