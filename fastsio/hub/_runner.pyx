"""Runs handlers at once, each as if in an asyncio task of its own.

May import: nothing of ours. Never knows events or clients.
Most handlers end in their first step, since what they wait for is there. To make a task for each costs more than all
else about an event. So a spare task stands in: while the step runs it is `asyncio.current_task()`, in its own context.
When the step was all, and nobody has kept, cancelled or changed anything of it, it stands in again; when there is more, it
becomes the task of that handler and goes on with it. This is what eager tasks do since Python 3.12, without the task.
"""
cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF, Py_REFCNT

import _asyncio
import asyncio
import sysconfig
from types import CoroutineType

cdef extern from "Python.h":
    int PyIter_Send(object iterator, object value, PyObject** result) except -1     # 0: returned, 1: yielded
    int PyContext_Enter(object context) except -1
    int PyContext_Exit(object context) except -1
    object PyContext_CopyCurrent()
    PyObject** PyObject_GET_WEAKREFS_LISTPTR(object owner)

cdef object Task = asyncio.Task
cdef object Future = asyncio.Future
cdef object CancelledError = asyncio.CancelledError
cdef object current_task = asyncio.current_task
cdef object enter_task = asyncio.tasks._enter_task
cdef object leave_task = asyncio.tasks._leave_task
# loop -> its current task, where asyncio keeps it in a table (before Python 3.14): its own functions cost more to call.
cdef dict current_tasks = getattr(_asyncio, "_current_tasks", None)
cdef object register_task = asyncio.tasks._register_task
cdef object unregister_task = asyncio.tasks._unregister_task
# Asked with each event: not looked up in each task.
cdef object cancelling_of = Task.cancelling
cdef object name_of = Task.get_name


async def _nothing():
    pass


cdef object _sample = _nothing()
cdef object CompiledCoroutine = type(_sample)
_sample.close()

CAN_COUNT = not sysconfig.get_config_var("Py_GIL_DISABLED")
# Context variables that are compared before a spare is used again; with more, comparing costs more than a task.
cdef Py_ssize_t MAX_COMPARED = 8


cdef int send_none(object iterator, PyObject** given) except -1:
    """Take one step; `given` is what comes of it, owned. 1 when it waits for that, 0 when that is its result."""
    return PyIter_Send(iterator, None, given)


cdef inline object owned(PyObject* given):
    """A reference that C code has given us."""
    cdef object value = <object> given
    Py_DECREF(value)
    return value


cdef Rest first_step(object awaitable, Spare spare):
    """Take the first step of a coroutine; None when that was all, and then `spare.result` is its result."""
    cdef PyObject* given = NULL
    cdef Rest rest
    if type(awaitable) is not CoroutineType and type(awaitable) is not CompiledCoroutine:
        # Of other kinds nothing is known but that they can be awaited.
        rest = Rest.__new__(Rest)
        rest._iterator = awaitable.__await__() if hasattr(awaitable, "__await__") else awaitable
        return rest
    if send_none(awaitable, &given) == 0:
        spare.result = owned(given)
        return None
    rest = Rest.__new__(Rest)
    rest._iterator = awaitable
    rest._has_given = True
    rest._given = owned(given)
    rest._blocks = getattr(rest._given, "_asyncio_future_blocking", None) is True
    if rest._blocks:
        rest._given._asyncio_future_blocking = False    # others may wait for it meanwhile
    return rest


@cython.final
cdef class Rest:
    """What is left of something awaitable; stands in for it where it is awaited."""

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        return self.send(None)

    def send(self, value):
        """Go on. What the first step has given is given again, to the task that now waits for it."""
        cdef PyObject* result = NULL
        if self._error is not None:
            error, self._error = self._error, None
            return self.throw(error)
        if self._has_given:
            self._has_given = False
            given, self._given = self._given, None
            if self._blocks:
                given._asyncio_future_blocking = True
            return given
        if value is not None:
            return self._iterator.send(value)
        if send_none(self._iterator, &result) == 0:
            raise StopIteration(owned(result))
        return owned(result)

    def throw(self, type, value=None, traceback=None):
        """Raise an exception where it waits."""
        error = type if value is None else value
        if self._has_given:
            self._has_given = False
            given, self._given = self._given, None
            if self._blocks:
                given.cancel()  # as its task would have done
        if not hasattr(self._iterator, "throw"):
            raise error
        return self._iterator.throw(error)

    def close(self):
        if hasattr(self._iterator, "close"):
            self._iterator.close()


@cython.final
cdef class Spare:
    """A task that stands in for others."""

    async def body(self):
        """What its task runs: wait, then go on with what it was given, if anything."""
        self.has_begun = True
        cancelled = None
        try:
            await self.wake
        except CancelledError as exc:
            if self.rest is None and self.error is None:
                raise
            cancelled = exc
        rest, error = self.rest, self.error
        self.rest = self.error = None
        if error is not None:
            raise error
        if rest is not None:
            await self._go_on(rest, cancelled)

    async def _go_on(self, rest, cancelled):
        if cancelled is not None:
            self.first._error = cancelled
        self.first = None
        await rest

    def rescue(self, task):
        """It was cancelled before it began: its handler has to hear of that all the same."""
        if self.rest is not None:
            rest, self.rest = self.rest, None
            Task(self._go_on(rest, CancelledError()), loop=task.get_loop())

    cdef int finish(self) except -1:
        """End the task, for whoever has kept it."""
        if not self.wake.done():
            self.wake.set_result(None)
        return 0


@cython.final
cdef class Runner:
    """Lends spare tasks of one loop. To be used so: enter, take a step, leave; then done, hand_over or fail."""

    def __init__(self, loop):
        self.loop = loop

    cdef Spare enter(self):
        """Make a spare task the current one, in a context like the current one."""
        cdef Spare spare = self._spare
        cdef object context = PyContext_CopyCurrent()
        self._spare = None
        if spare is not None and not is_like(spare.context, context):
            spare.finish()
            spare = None
        if spare is None:
            spare = self._make(context)
        task = spare.task   # held here as it is in `done`, where it is counted again
        spare.references = Py_REFCNT(task)
        spare.outer = self._swap(task)
        PyContext_Enter(spare.context)
        return spare

    cdef object _swap(self, object task):
        """Make a task, or None, the current one; give the one that was."""
        cdef object outer
        if current_tasks is not None:
            outer = current_tasks.get(self.loop)
            if task is not None:
                current_tasks[self.loop] = task
            else:
                del current_tasks[self.loop]
            return outer
        outer = current_task(self.loop)
        if outer is not None:
            leave_task(self.loop, outer)
        if task is not None:
            enter_task(self.loop, task)
        return outer

    def _make(self, context):
        cdef Spare spare = Spare.__new__(Spare)
        spare.context = context
        spare.wake = Future(loop=self.loop)
        spare.task = Task(spare.body(), loop=self.loop, context=context)
        spare.name = spare.task.get_name()
        spare.task._log_destroy_pending = False
        unregister_task(spare.task)     # nobody need wait for it, or stop it
        return spare

    cdef int leave(self, Spare spare) except -1:
        """Make the task that was current before the current one again."""
        cdef object outer = spare.outer
        spare.outer = None
        PyContext_Exit(spare.context)
        self._swap(outer)
        return 0

    cdef int done(self, Spare spare) except -1:
        """The step was all: use the task again, unless somebody has kept, cancelled or named it, or waits for its end."""
        task = spare.task
        if (
            CAN_COUNT and self._spare is None and Py_REFCNT(task) == spare.references
            and PyObject_GET_WEAKREFS_LISTPTR(task)[0] == NULL
            and cancelling_of(task) == 0 and not task._callbacks and name_of(task) is spare.name
        ):
            self._spare = spare
            return 0
        return spare.finish()

    cdef object hand_over(self, Spare spare, Rest first, object rest):
        """There is more: the task goes on with the coroutine `rest`, in which `first` is awaited. Give the task."""
        spare.first = first
        spare.rest = rest
        self._let_go(spare)
        return spare.task

    cdef int fail(self, Spare spare, object error) except -1:
        """The step has raised: so does the task."""
        spare.error = error
        self._let_go(spare)
        return 0

    def _let_go(self, Spare spare not None):
        spare.task._log_destroy_pending = True
        register_task(spare.task)
        if not spare.has_begun:
            spare.task.add_done_callback(spare.rescue)
        spare.finish()


cdef bint is_like(object one, object other) except -1:
    """Tell whether two contexts hold the same values, the very same: equal ones may belong to somebody else."""
    cdef Py_ssize_t size = len(one)
    if size != len(other) or size > MAX_COMPARED:
        return False
    for variable in one if size else ():
        if variable not in other or other[variable] is not one[variable]:
            return False
    return True
