"""The library context of libssl; the reason is in library.pxd."""

from libc.string cimport strlen, strncmp, strstr

cdef extern from "openssl/core.h":
    ctypedef struct OSSL_CORE_HANDLE
    ctypedef struct OSSL_PARAM
    ctypedef struct OSSL_DISPATCH:
        int function_id
        void (*function)() noexcept nogil
    ctypedef struct OSSL_ALGORITHM:
        const char* algorithm_names
        const char* property_definition

cdef extern from "openssl/core_dispatch.h":
    int OSSL_FUNC_PROVIDER_QUERY_OPERATION
    int OSSL_FUNC_PROVIDER_GET_CAPABILITIES
    int OSSL_OP_DECODER
    int OSSL_OP_KEYMGMT

cdef extern from "openssl/crypto.h":
    unsigned long OpenSSL_version_num() noexcept nogil
    OSSL_LIB_CTX* OSSL_LIB_CTX_new() noexcept nogil
    void OSSL_LIB_CTX_free(OSSL_LIB_CTX* ctx) noexcept nogil
    OSSL_LIB_CTX* OSSL_LIB_CTX_set0_default(OSSL_LIB_CTX* ctx) noexcept nogil

cdef extern from "openssl/provider.h":
    ctypedef struct OSSL_PROVIDER
    OSSL_PROVIDER* OSSL_PROVIDER_load(OSSL_LIB_CTX* ctx, const char* name) noexcept nogil
    int OSSL_PROVIDER_add_builtin(
        OSSL_LIB_CTX* ctx, const char* name,
        int (*init)(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH**, void**) noexcept nogil) noexcept nogil
    const OSSL_ALGORITHM* OSSL_PROVIDER_query_operation(const OSSL_PROVIDER* provider, int operation, int* no_cache) noexcept nogil
    int OSSL_PROVIDER_get_capabilities(const OSSL_PROVIDER* provider, const char* capability,
                                       int (*call)(const OSSL_PARAM*, void*) noexcept nogil, void* user) noexcept nogil
    void* OSSL_PROVIDER_get0_provider_ctx(const OSSL_PROVIDER* provider) noexcept nogil

ctypedef void (*Function)() noexcept nogil

cdef enum:
    LIST_MAX = 16
    REMEMBERS_DECODERS = 0x30200000          # OpenSSL 3.2.0

cdef OSSL_PROVIDER* _DEFAULT = NULL
cdef OSSL_ALGORITHM _DECODERS[LIST_MAX + 1]            # zeroed: ends with an entry without name
cdef OSSL_ALGORITHM _KEYS[LIST_MAX + 1]                # likewise
cdef OSSL_DISPATCH _DISPATCH[3]                        # likewise


cdef bint _named(const char* names, const char* name) noexcept nogil:
    """Is it the first of the names, which have colons between?"""
    cdef size_t size = strlen(name)
    return strncmp(names, name, size) == 0 and (names[size] == 0 or names[size] == c':')


cdef bint _is_decoder(const OSSL_ALGORITHM* one) noexcept nogil:
    """Of public keys in certificates."""
    return (
        (_named(one.algorithm_names, b"EC") or _named(one.algorithm_names, b"RSA"))
        and strstr(one.property_definition, b"input=der") != NULL
        and strstr(one.property_definition, b"structure=SubjectPublicKeyInfo") != NULL
    )


cdef bint _is_key(const OSSL_ALGORITHM* one) noexcept nogil:
    """Of certificates and key agreement. What DTLS 1.2 derives and authenticates takes no key of this kind."""
    cdef const char* names = one.algorithm_names
    return _named(names, b"EC") or _named(names, b"RSA") or _named(names, b"X25519")


cdef const OSSL_ALGORITHM* _query(void* provider, int operation, int* no_cache) noexcept nogil:
    if operation == OSSL_OP_DECODER:
        no_cache[0] = 0
        return _DECODERS
    if operation == OSSL_OP_KEYMGMT:
        no_cache[0] = 0
        return _KEYS
    return OSSL_PROVIDER_query_operation(_DEFAULT, operation, no_cache)


cdef int _capabilities(void* provider, const char* capability, int (*call)(const OSSL_PARAM*, void*) noexcept nogil, void* user) noexcept nogil:
    return OSSL_PROVIDER_get_capabilities(_DEFAULT, capability, call, user)


cdef int _init(const OSSL_CORE_HANDLE* handle, const OSSL_DISPATCH* offered, const OSSL_DISPATCH** out, void** context) noexcept nogil:
    _DISPATCH[0].function_id = OSSL_FUNC_PROVIDER_QUERY_OPERATION
    _DISPATCH[0].function = <Function><void*>_query
    _DISPATCH[1].function_id = OSSL_FUNC_PROVIDER_GET_CAPABILITIES
    _DISPATCH[1].function = <Function><void*>_capabilities
    out[0] = _DISPATCH
    context[0] = OSSL_PROVIDER_get0_provider_ctx(_DEFAULT)         # the algorithms are its own
    return 1


cdef bint _choose(int operation, bint (*wanted)(const OSSL_ALGORITHM*) noexcept nogil, OSSL_ALGORITHM* out) noexcept nogil:
    """The default provider's algorithms that are wanted."""
    cdef int no_cache = 0
    cdef int count = 0
    cdef const OSSL_ALGORITHM* one = OSSL_PROVIDER_query_operation(_DEFAULT, operation, &no_cache)
    while one != NULL and one.algorithm_names != NULL and count < LIST_MAX:
        if wanted(one):
            out[count] = one[0]
            count += 1
        one += 1
    return count > 0


cdef OSSL_LIB_CTX* _make() noexcept nogil:
    """NULL when this OpenSSL needs none, or will not have it."""
    cdef OSSL_LIB_CTX* ctx
    global _DEFAULT
    if OpenSSL_version_num() >= REMEMBERS_DECODERS:
        return NULL
    _DEFAULT = OSSL_PROVIDER_load(NULL, b"default")
    if _DEFAULT == NULL or not _choose(OSSL_OP_DECODER, _is_decoder, _DECODERS) or not _choose(OSSL_OP_KEYMGMT, _is_key, _KEYS):
        return NULL
    ctx = OSSL_LIB_CTX_new()
    if ctx != NULL and OSSL_PROVIDER_add_builtin(ctx, b"lean", _init) == 1 and OSSL_PROVIDER_load(ctx, b"lean") != NULL:
        return ctx
    OSSL_LIB_CTX_free(ctx)
    return NULL


cdef OSSL_LIB_CTX* _CONTEXT = _make()


cdef OSSL_LIB_CTX* library_context() noexcept nogil:
    return _CONTEXT


cdef OSSL_LIB_CTX* library_enter() noexcept nogil:
    return OSSL_LIB_CTX_set0_default(_CONTEXT)


cdef void library_leave(OSSL_LIB_CTX* before) noexcept nogil:
    OSSL_LIB_CTX_set0_default(before)
