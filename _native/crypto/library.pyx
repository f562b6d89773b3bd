"""The library context of libssl; the reason is in library.pxd."""

from libc.string cimport strcspn, strncmp, strstr

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
    int OSSL_OP_ASYM_CIPHER
    int OSSL_OP_CIPHER
    int OSSL_OP_DECODER
    int OSSL_OP_DIGEST
    int OSSL_OP_ENCODER
    int OSSL_OP_KDF
    int OSSL_OP_KEM
    int OSSL_OP_KEYEXCH
    int OSSL_OP_KEYMGMT
    int OSSL_OP_MAC
    int OSSL_OP_SIGNATURE

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
    LIST_MAX = 8
    OPERATIONS_MAX = 23           # of their numbers, which are OpenSSL's; a larger one is not chosen from
    REMEMBERS_DECODERS = 0x30200000          # OpenSSL 3.2.0

# By their first names. The default provider's own functions look here for what they are built on, too: generators of random numbers,
# which each thread gets with its first handshake. Operations without a list (generators themselves) are the default provider's whole ones.
cdef const char* CIPHERS = b"AES-128-GCM:AES-256-GCM:ChaCha20-Poly1305:AES-256-CTR:AES-256-ECB"    # the last two: of random numbers
cdef const char* DIGESTS = b"SHA1:SHA2-256:SHA2-384:SHA2-512"
cdef const char* MACS = b"HMAC"
cdef const char* DERIVATIONS = b"TLS1-PRF"
cdef const char* KEYS = b"EC:RSA:X25519"
cdef const char* EXCHANGES = b"ECDH:X25519"
cdef const char* SIGNATURES = b"ECDSA:RSA"
cdef const char* DECODED = b"EC:RSA"
cdef const char* NONE = b""

cdef OSSL_PROVIDER* _DEFAULT = NULL
cdef OSSL_ALGORITHM _LISTS[OPERATIONS_MAX][LIST_MAX + 1]      # zeroed: each ends with an entry without name
cdef bint _CHOSEN[OPERATIONS_MAX]
cdef OSSL_DISPATCH _DISPATCH[3]                               # likewise


cdef bint _is_in(const char* list, const char* names) noexcept nogil:
    """Is the first of the names, which have colons between as those of the list have, in the list?"""
    cdef size_t size = strcspn(names, b":")
    while list[0] != 0:
        if strcspn(list, b":") == size and strncmp(list, names, size) == 0:
            return True
        list += strcspn(list, b":")
        list += list[0] == c':'
    return False


cdef bint _is_of_certificates(const OSSL_ALGORITHM* decoder) noexcept nogil:
    return (
        strstr(decoder.property_definition, b"input=der") != NULL
        and strstr(decoder.property_definition, b"structure=SubjectPublicKeyInfo") != NULL
    )


cdef const OSSL_ALGORITHM* _query(void* provider, int operation, int* no_cache) noexcept nogil:
    if 0 <= operation < OPERATIONS_MAX and _CHOSEN[operation]:
        no_cache[0] = 0
        return _LISTS[operation]
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


cdef bint _choose(int operation, const char* list) noexcept nogil:
    """The default provider's algorithms that are in the list; False when it has none of them."""
    cdef int no_cache = 0
    cdef int count = 0
    cdef const OSSL_ALGORITHM* one = OSSL_PROVIDER_query_operation(_DEFAULT, operation, &no_cache)
    while one != NULL and one.algorithm_names != NULL and count < LIST_MAX:
        if _is_in(list, one.algorithm_names) and (operation != OSSL_OP_DECODER or _is_of_certificates(one)):
            _LISTS[operation][count] = one[0]
            count += 1
        one += 1
    _CHOSEN[operation] = True
    return count > 0 or list[0] == 0


cdef bint _choose_all() noexcept nogil:
    return (
        _choose(OSSL_OP_CIPHER, CIPHERS) and _choose(OSSL_OP_DIGEST, DIGESTS) and _choose(OSSL_OP_MAC, MACS)
        and _choose(OSSL_OP_KDF, DERIVATIONS) and _choose(OSSL_OP_KEYMGMT, KEYS) and _choose(OSSL_OP_KEYEXCH, EXCHANGES)
        and _choose(OSSL_OP_SIGNATURE, SIGNATURES) and _choose(OSSL_OP_DECODER, DECODED)
        and _choose(OSSL_OP_ENCODER, NONE) and _choose(OSSL_OP_ASYM_CIPHER, NONE) and _choose(OSSL_OP_KEM, NONE)
    )


cdef OSSL_LIB_CTX* _make() noexcept nogil:
    """NULL when this OpenSSL needs none, or will not have it."""
    cdef OSSL_LIB_CTX* ctx
    global _DEFAULT
    if OpenSSL_version_num() >= REMEMBERS_DECODERS:
        return NULL
    _DEFAULT = OSSL_PROVIDER_load(NULL, b"default")
    if _DEFAULT == NULL or not _choose_all():
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
