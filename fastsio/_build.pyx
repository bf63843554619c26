"""How the compiled modules were built: with which Cython, which compiler, for which profile.

May import: nothing. Says, and never decides anything.
"""

cdef extern from *:
    """
    #define FASTSIO_TEXT_OF(word) #word
    #define FASTSIO_TEXT(word) FASTSIO_TEXT_OF(word)
    #ifdef FASTSIO_PROFILE
    #define FASTSIO_BUILD_PROFILE FASTSIO_TEXT(FASTSIO_PROFILE)
    #else
    #define FASTSIO_BUILD_PROFILE "unknown"
    #endif
    #if defined(__clang__)
    #define FASTSIO_COMPILER "clang " __clang_version__
    #elif defined(__GNUC__)
    #define FASTSIO_COMPILER "gcc " __VERSION__
    #elif defined(_MSC_VER)
    #define FASTSIO_COMPILER "MSVC " FASTSIO_TEXT(_MSC_VER)
    #else
    #define FASTSIO_COMPILER "unknown"
    #endif
    #if defined(__GLIBC__)
    #define FASTSIO_LIBC "glibc " FASTSIO_TEXT(__GLIBC__) "." FASTSIO_TEXT(__GLIBC_MINOR__)
    #else
    #define FASTSIO_LIBC ""
    #endif
    """
    const char* FASTSIO_BUILD_PROFILE
    const char* FASTSIO_COMPILER
    const char* FASTSIO_LIBC
    unsigned long CYTHON_HEX_VERSION
    const char* PY_VERSION

# One of the profiles of setup.py.
PROFILE = FASTSIO_BUILD_PROFILE.decode()
COMPILER = FASTSIO_COMPILER.decode()
# The C library whose headers were used, "" when it is not glibc.
LIBC = FASTSIO_LIBC.decode()
CYTHON = f"{CYTHON_HEX_VERSION >> 24}.{CYTHON_HEX_VERSION >> 16 & 255}.{CYTHON_HEX_VERSION >> 8 & 255}"
# The Python whose headers were used.
PYTHON = PY_VERSION.decode()
