"""libcrypto's ciphers without EVP's layer around them; see provided.pxd."""

from libc.string cimport memset, strlen

from simplestchat._native.core.errors import InternalError
from simplestchat._native.crypto.openssl cimport (
    EVP_CIPHER_fetch, EVP_CIPHER_get0_provider, OSSL_ALGORITHM, OSSL_DISPATCH,
    OSSL_FUNC_CIPHER_DECRYPT_INIT, OSSL_FUNC_CIPHER_ENCRYPT_INIT, OSSL_FUNC_CIPHER_FINAL, OSSL_FUNC_CIPHER_FREECTX,
    OSSL_FUNC_CIPHER_GET_CTX_PARAMS, OSSL_FUNC_CIPHER_NEWCTX, OSSL_FUNC_CIPHER_SET_CTX_PARAMS, OSSL_FUNC_CIPHER_UPDATE, OSSL_OP_CIPHER,
    OSSL_PROVIDER, OSSL_PROVIDER_get0_provider_ctx, OSSL_PROVIDER_query_operation, OSSL_PROVIDER_unquery_operation,
)

cdef extern from "strings.h":
    int strncasecmp(const char* a, const char* b, size_t size) noexcept nogil

cdef ProvidedCipher _ciphers[PROVIDED_COUNT]


cdef const ProvidedCipher* provided(int cipher) noexcept nogil:
    return &_ciphers[cipher]


cdef bint _is_named(const char* names, const char* name) noexcept nogil:
    """Whether the first of the names, which colons divide, is this one."""
    cdef size_t size = strlen(name)
    return strncasecmp(names, name, size) == 0 and (names[size] == b":" or names[size] == 0)


cdef void _take(ProvidedCipher* out, const OSSL_DISPATCH* entry) noexcept nogil:
    while entry.function_id:
        if entry.function_id == OSSL_FUNC_CIPHER_NEWCTX:
            out.newctx = <provided_new>entry.function
        elif entry.function_id == OSSL_FUNC_CIPHER_FREECTX:
            out.freectx = <provided_free>entry.function
        elif entry.function_id == OSSL_FUNC_CIPHER_ENCRYPT_INIT:
            out.encrypt_init = <provided_init>entry.function
        elif entry.function_id == OSSL_FUNC_CIPHER_DECRYPT_INIT:
            out.decrypt_init = <provided_init>entry.function
        elif entry.function_id == OSSL_FUNC_CIPHER_UPDATE:
            out.update = <provided_update>entry.function
        elif entry.function_id == OSSL_FUNC_CIPHER_FINAL:
            out.final = <provided_final>entry.function
        elif entry.function_id == OSSL_FUNC_CIPHER_GET_CTX_PARAMS:
            out.get_parameters = <provided_get>entry.function
        elif entry.function_id == OSSL_FUNC_CIPHER_SET_CTX_PARAMS:
            out.set_parameters = <provided_set>entry.function
        entry += 1


cdef bint _find(ProvidedCipher* out, const char* name) noexcept nogil:
    cdef const OSSL_PROVIDER* provider
    cdef const OSSL_ALGORITHM* first
    cdef const OSSL_ALGORITHM* algorithm
    cdef int uncached = 0
    memset(out, 0, sizeof(ProvidedCipher))
    out.fetched = EVP_CIPHER_fetch(NULL, name, NULL)
    if out.fetched == NULL:
        return False
    provider = EVP_CIPHER_get0_provider(out.fetched)
    out.provider = OSSL_PROVIDER_get0_provider_ctx(provider)
    first = algorithm = OSSL_PROVIDER_query_operation(provider, OSSL_OP_CIPHER, &uncached)
    while algorithm != NULL and algorithm.algorithm_names != NULL:
        if _is_named(algorithm.algorithm_names, name):
            _take(out, algorithm.implementation)
            break
        algorithm += 1
    OSSL_PROVIDER_unquery_operation(provider, OSSL_OP_CIPHER, first)
    return (out.newctx != NULL and out.freectx != NULL and out.encrypt_init != NULL and out.decrypt_init != NULL
            and out.update != NULL and out.final != NULL and out.get_parameters != NULL and out.set_parameters != NULL)


cdef int _find_all() except -1:
    cdef bytes name
    cdef int place
    for place, name in enumerate((b"AES-128-CTR", b"AES-128-GCM", b"AES-256-GCM")):
        if not _find(&_ciphers[place], name):
            raise InternalError(f"libcrypto has no {name.decode()}")
    return 0


_find_all()
