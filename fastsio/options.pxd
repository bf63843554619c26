"""Types of the fields that compiled code reads on every packet."""

cdef class Options:
    # heartbeat, in seconds
    cdef public double ping_interval
    cdef public double ping_grace
    cdef public double ping_timeout
    # deadlines, in seconds
    cdef public double upgrade_timeout
    cdef public double connect_timeout
    cdef public double linger_timeout
    cdef public double hold_timeout
    # limits: bytes unless named
    cdef public Py_ssize_t max_http_buffer_size
    cdef public Py_ssize_t max_send_buffer
    cdef public Py_ssize_t max_send_packets
    cdef public Py_ssize_t high_water
    cdef public Py_ssize_t max_poll_response
    cdef public Py_ssize_t max_fragments
    cdef public Py_ssize_t max_attachments
    cdef public Py_ssize_t max_binary_packet
    cdef public Py_ssize_t max_namespaces
    cdef public Py_ssize_t max_waiting_packets
    cdef public Py_ssize_t max_waiting_bytes
    cdef public Py_ssize_t pause_at_packets
    cdef public Py_ssize_t pause_at_bytes
    cdef public Py_ssize_t max_rooms
    cdef public Py_ssize_t max_pending_acks
    cdef public Py_ssize_t max_sessions
    cdef public Py_ssize_t max_sessions_per_address
    cdef public Py_ssize_t compression_threshold
    # rates: a second
    cdef public double max_events_per_second
    cdef public double max_bytes_per_second
    cdef public double rate_burst
    cdef public double handshake_rate
    cdef public double handshake_burst
    cdef public double control_rate
    cdef public double control_burst
    cdef public double log_rate
    # what happens beyond a limit
    cdef public str slow_client_policy
    cdef public str rate_policy
    cdef public int retry_after
    cdef public double tcp_user_timeout
    cdef public double watchdog
    cdef public double max_loop_lag
    # what is served
    cdef public tuple transports
    cdef public tuple protocols
    cdef public bint allow_upgrades
    cdef public bint jsonp
    cdef public bint http_compression
    cdef public bint per_message_deflate
    # who is served
    cdef public object cors_allowed_origins
    cdef public bint cors_credentials
    cdef public object cookie
    # read on each polling body
    cdef public object packet_limit
