# The library context of libssl: OpenSSL's own, or a leaner one.
#
# OpenSSL before 3.2 looks through all of its hundred decoders and kinds of keys each time that it reads a certificate's public key, and
# copies the list of all algorithms that its context has met: a third of what a handshake costs. So it is given a library context whose
# only provider has of the default one what handshakes of ours use, and nothing else. Later versions remember what they found.
from simplestchat._native.crypto.openssl cimport OSSL_LIB_CTX

# For the life of the process; NULL stands for OpenSSL's own.
cdef OSSL_LIB_CTX* library_context() noexcept nogil
# Certificates are read in the thread's default context, whatever libssl was given: makes the lean one that, and returns the one that it
# was, to be set again.
cdef OSSL_LIB_CTX* library_enter() noexcept nogil
cdef void library_leave(OSSL_LIB_CTX* before) noexcept nogil
