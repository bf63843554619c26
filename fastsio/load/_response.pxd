"""HTTP responses, for whoever has received bytes of one."""
cdef struct Response:
    int status           # 200, 101, ...
    bint closes          # the server will not take another request on this connection
    const char* head     # status line and headers, without the blank line
    size_t head_size
    const char* body     # whole, chunks joined
    size_t size
    size_t whole         # what of the input this response was

cdef enum ResponseStatus:
    RESPONSE_PARTIAL = 0
    RESPONSE_WHOLE = 1
    RESPONSE_BAD = 2

cdef ResponseStatus take_response(char* data, size_t size, Response* out) noexcept nogil
cdef bint head_has(const Response* response, const char* name, const char* value) noexcept nogil
