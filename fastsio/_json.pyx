"""The default JSON of a server: orjson outwards, msgspec inwards (exact big integers), called without a detour.

May import: `lenient`, which takes whatever either of them refuses, so that semantics stay those of the standard module.
"""
import msgspec.json
import orjson

from fastsio import lenient

cdef object dumps = orjson.dumps
cdef object loads = msgspec.json.decode
cdef object Attachments = lenient.Attachments
cdef tuple REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


cdef class Json:
    """The default serializer: fast libraries with the semantics of the standard `json`."""

    @property
    def is_replaced(self):
        """Whether another serializer does the work."""
        return self._other is not None

    def use(self, other):
        """Have another serializer do the work from now on, None to do it again."""
        self._other = other

    def encode(self, value):
        """Give the JSON of `value` as UTF-8, and its binary values in depth-first order; None or [] for none.

        Raises:
            TypeError: a value has no JSON form.
            ValueError, RecursionError: the value contains itself, or is nested too deeply.
        """
        if self._other is not None:
            return self._other.encode(value)
        try:
            return dumps(value), None
        except TypeError:   # binary, or what only the standard module writes
            pass
        attachments = Attachments()
        try:
            return dumps(value, attachments), attachments.found
        except TypeError:   # big integers, odd keys, lone surrogates; or really not JSON
            return lenient.encode(value)

    def decode(self, bytes data not None):
        """Read one JSON value from UTF-8.

        NaN and Infinity are accepted as the standard module does; a lone surrogate becomes U+FFFD.

        Raises:
            ValueError: not JSON, or an integer of more than `lenient.MAX_INTEGER_DIGITS` digits.
        """
        return self.load(data)

    cdef bytes dump(self, object value):
        """The JSON of `value` when it is the ordinary kind; None when `encode` has to be asked."""
        if self._other is not None:
            return None
        try:
            return dumps(value)
        except TypeError:
            return None

    cdef object load(self, bytes data):
        """As `decode`."""
        if self._other is not None:
            return self._other.decode(data)
        try:
            return loads(data)
        except REFUSED:
            return lenient.decode(data)
