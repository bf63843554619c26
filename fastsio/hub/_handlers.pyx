"""Which handler an event has. Precedence and the shapes of arguments are python-socketio's.

May import: nothing of ours. Never calls a handler.
"""
from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_GET_ITEM, PyTuple_GET_SIZE, PyTuple_New, PyTuple_SET_ITEM

LIFECYCLE_EVENTS = ("connect", "disconnect")


cdef inline bint is_lifecycle(object event) except -1:
    """Tell whether an event is one that catch-all handlers do not hear of."""
    return isinstance(event, str) and (<str> event == "connect" or <str> event == "disconnect")


cdef inline object entry(object table, object key):
    """What a table has for a key, None for nothing. Applications may put their own kind of mapping in its place."""
    return (<dict> table).get(key) if type(table) is dict else table.get(key)


cpdef tuple find(object handlers, object classes, str namespace, object event):
    """Give the callable for an event and the arguments that come before the sid; None when nobody handles it.

    Looked up live, since applications replace and delete entries while events flow.

    Args:
        handlers: namespace -> event -> callable; ``"*"`` stands for any.
        classes: namespace -> namespace handler.
    """
    cdef tuple found = _of_function(handlers, namespace, event, ())
    if found is None:
        found = _of_function(handlers, "*", event, (namespace,))
    if found is None and classes:
        handler = entry(classes, namespace)
        if handler is not None:
            return (handler.trigger_event, (event,))
        handler = entry(classes, "*")
        if handler is not None:
            return (handler.trigger_event, (event, namespace))
    return found


cdef tuple _of_function(object handlers, str key, object event, tuple lead):
    handler = None
    table = entry(handlers, key)
    if table is None:
        return None
    if not isinstance(event, str) or <str> event != "*":
        handler = entry(table, event)
    if handler is not None:
        return (handler, lead)
    if not is_lifecycle(event):
        handler = entry(table, "*")
        if handler is not None:
            return (handler, (event, *lead))
    return None


cdef tuple with_arguments(tuple found, str sid, list data):
    """Give (handler, all its arguments) for an event packet; `data` is its name and what came with it."""
    cdef tuple lead = <tuple> found[1]
    cdef Py_ssize_t ahead = PyTuple_GET_SIZE(lead), count = PyList_GET_SIZE(data), i
    cdef tuple args = PyTuple_New(ahead + count)
    for i in range(ahead):
        _put(args, i, <object> PyTuple_GET_ITEM(lead, i))
    _put(args, ahead, sid)
    for i in range(1, count):
        _put(args, ahead + i, <object> PyList_GET_ITEM(data, i))
    return (found[0], args)


cdef inline void _put(tuple args, Py_ssize_t at, object value) noexcept:
    Py_INCREF(value)
    PyTuple_SET_ITEM(args, at, value)
