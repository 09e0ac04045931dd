"""The adapter for CPython's multiprocessing. Standard library only, 3.8 and later.

    cpython.py fork|spawn|forkserver|threads      the usual way in which actors are started

By forkserver what the protocol calls spawn, an actor that is started anew, is forked by the library's
server. With threads the subject is another one, the locks of `threading` and the queues of `queue`.

It is also the example for adapters in other languages; the protocol is in docs/protocol.md. The
process that reads standard input is the adapter; each actor is a child of it that reads its calls
from a pipe of its own and writes its replies straight to the adapter's standard output.

A spawned actor is a new interpreter, which this file may be unknown to: it is given the file's text,
or what was made of that, and executes it under the name ACTOR. So only what the library itself can pickle is passed: locks,
and descriptors as connections. A forked actor simply has everything.
"""

import atexit
import builtins
import errno
import fcntl
import functools
import gc
import glob
import json
import math
import mmap
import multiprocessing
import multiprocessing.pool
import multiprocessing.spawn
import os
import pickle
import platform
import queue
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
import warnings
from multiprocessing.connection import Connection, wait
from multiprocessing.managers import BaseProxy, IteratorProxy, State, SyncManager
from signal import SIG_BLOCK, SIG_DFL, SIG_IGN, pthread_sigmask

LINE_MAX_BYTES = 4096  # PIPE_BUF: up to this length a write to a pipe is never torn.
HELLO_MAX_BYTES = 65536  # The first line is written when there is nobody else who writes.
ACTOR = "actor"  # the name under which a spawned actor executes this file
TARGET = "target"  # and that under which what a spawned process object runs does
FORK_SERVER = "forkserver"  # the name that the library has for it
THREADS = "threads"
WORKER = "worker"  # and that under which the worker of a pool does
SERVER = "server"  # and that under which what a manager's server makes is known there
EXIT_CALL = {"x86_64": 60, "aarch64": 93}  # exit(2), which ends one thread
SENT_BY_SCRIPTS = {signal.SIGUSR1, signal.SIGINT}

# What a program is that takes an actor's place.
IDLE = """
import os, sys, time
line = '{"id":%s,"reply":"returned","at":%d,"value":null}' % (sys.argv[1], time.monotonic_ns())
os.write(1, (line + chr(10)).encode())
while os.read(0, 4096):
    pass
"""


# Programs with a main body that starts processes by spawn.
MAINS = {
    "unguarded": """
def child():
    print("child", flush=True)
print("main", flush=True)
start(child)
""",
    "guarded": """
def child():
    print("child", flush=True)
if __name__ == "__main__":
    print("main", flush=True)
    start(child)
""",
    "arguments": """
def child():
    print(*sys.argv[1:], flush=True)
if __name__ == "__main__":
    child()
    start(child)
""",
    "options": """
def grandchild():
    print("with" if sys.flags.optimize else "without", flush=True)
def child():
    grandchild()
    start(grandchild)
if __name__ == "__main__":
    grandchild()
    start(child)
""",
}
MAIN_START = """
import multiprocessing, sys
def start(target):
    child = multiprocessing.get_context("spawn").Process(target=target)
    child.start()
    child.join()
    sys.exit(child.exitcode)
"""


def say(reply_id, reply, longest=LINE_MAX_BYTES, **fields):
    line = json.dumps({"id": reply_id, "reply": reply, **fields}) + "\n"
    data = line.encode()
    if len(data) > longest:
        fields = {"at": time.monotonic_ns(), "kind": "system", "text": "the reply is too long"}
        data = (json.dumps({"id": reply_id, "reply": "failed", **fields}) + "\n").encode()
    while data:
        data = data[os.write(1, data):]  # all of it at once, where it is no longer than PIPE_BUF


# What can go wrong.


class Refused(Exception):
    """A refusal that is no exception in Python; its argument is the error kind."""


class TaskFailed(Exception):
    """An error of the user's own."""


class Leave(BaseException):
    """Whoever runs the program leaves it for good, through all its scopes."""

    def __init__(self, newborn=None, thread=False):
        self.newborn = newborn
        self.thread = thread


# What the library says of processes and threads, whatever the type of the exception.
SAID = (
    ("start a process object created by current process", "not-the-parent"),
    ("can only join a child process", "not-the-parent"),
    ("can only test a child process", "not-the-parent"),
    ("not a child process", "not-the-parent"),
    ("cannot start a process twice", "already-started"),
    ("process has already started", "already-started"),
    ("threads can only be started once", "already-started"),
    ("daemon status of active thread", "already-started"),
    ("context has already been set", "already-exists"),
    ("can only join a started process", "not-started"),
    ("process not started", "not-started"),
    ("cannot join thread before it is started", "not-started"),
    ("are not allowed to have children", "daemon-may-not-have-children"),
    ("process object is closed", "closed"),
    ("> is closed", "closed"),
    ("handle is closed", "closed"),
    ("> not closed", "still-running"),
    ("task_done() called too many times", "task-done-too-often"),
    ("release unlocked lock", "over-released"),
    ("on un-acquired lock", "not-owner"),
    ("release un-acquired lock", "not-owner"),
    ("objects should only be shared", "not-transferable"),
    ("has no method 'acquire'", "invalid-argument"),
    ("has no attribute 'get_lock'", "no-such-name"),
    ("has no attribute 'append'", "no-such-name"),
    ("__delitem__", "no-such-name"),
    ("doesn't support item deletion", "unsupported"),
    ("invalid index", "out-of-range"),
    ("while it is still running", "still-running"),
    ("cannot join current thread", "would-deadlock"),
    ("can't start new thread", "out-of-resources"),
    ("cannot pickle", "not-transferable"),
    ("Can't get local object", "not-transferable"),
    ("Pickling an AuthenticationString", "not-transferable"),
    ("connection is write-only", "wrong-direction"),
    ("connection is read-only", "wrong-direction"),
    ("bad message length", "message-too-large"),
    ("is already registered", "invalid-argument"),
    ("got end of file during message", "truncated"),
    ("group argument must be None", "invalid-argument"),
    ("name must be a string", "invalid-argument"),
    ("has no attribute '_closed'", "invalid-argument"),
    ("Pool not running", "pool-not-running"),
    ("Pool is still running", "still-running"),
    (" not ready", "not-ready"),
    ("Already started server", "already-started"),
    ("Manager has shut down", "closed"),
    ("server not yet started", "not-started"),
    ("has no attribute 'shutdown'", "no-such-name"),
    ("is not in exposed=", "no-such-name"),
    ("Namespace' object has no attribute", "no-such-name"),
    ("NamespaceProxy' object has no attribute", "no-such-name"),
    ("Unserializable message", "not-transferable"),
    ("changed size during iteration", "invalid-argument"),
    ("cannot release un-acquired lock", "not-owner"),
    ("release unlocked lock", "over-released"),
    ("on un-acquired lock", "not-owner"),
)


def error_kind(error):
    if isinstance(error, Refused):
        return error.args[0]
    if type(error.__cause__).__name__ == "RemoteTraceback":
        return "task-failed"
    if isinstance(error, multiprocessing.TimeoutError):
        return "timed-out"
    if isinstance(error, TaskFailed):
        return "task-failed"
    if isinstance(error, multiprocessing.AuthenticationError):
        return "authentication-failed"
    if isinstance(error, StopIteration):
        return "stop-iteration"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, (queue.Empty, queue.Full)):
        return "empty" if isinstance(error, queue.Empty) else "full"
    if isinstance(error, getattr(queue, "ShutDown", ())):  # 3.13
        return "closed"
    if isinstance(error, threading.BrokenBarrierError):
        return "barrier-broken"
    text = str(error)
    for said, kind in SAID:
        if said in text:
            return kind
    if isinstance(error, (pickle.PicklingError, AttributeError)) and "pickle" in text:
        return "not-transferable"
    if isinstance(error, (IndexError, KeyError)):
        return "out-of-range" if isinstance(error, IndexError) else "no-such-name"
    if isinstance(error, ChildProcessError):
        return "not-the-parent"
    if "released too many times" in text:
        return "over-released"
    if "is being shared with a process in a" in text:
        return "not-transferable"
    if isinstance(error, AssertionError):
        # The library's own checks of itself begin so.
        return "system" if text.startswith("notify:") else "not-owner"
    if isinstance(error, (ValueError, TypeError, OverflowError)):
        return "invalid-argument"
    if isinstance(error, OSError) and error.errno == errno.EINVAL:
        return "invalid-argument"
    if isinstance(error, OSError) and error.errno == errno.EOVERFLOW:
        return "over-released"
    if isinstance(error, subprocess.TimeoutExpired):
        return "timed-out"
    if isinstance(error, subprocess.CalledProcessError):
        return "task-failed"
    if isinstance(error, pickle.UnpicklingError):
        return "not-transferable"
    if isinstance(error, multiprocessing.BufferTooShort):
        return "message-too-large"
    if isinstance(error, EOFError):
        return "end-of-file"
    if isinstance(error, FileNotFoundError):
        return "no-such-program"
    if isinstance(error, PermissionError):
        return "permission-denied"
    if isinstance(error, BrokenPipeError):
        return "broken-pipe"
    if isinstance(error, MemoryError):
        return "out-of-resources"
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM,
                                                      errno.ENOSPC, errno.EAGAIN, errno.EFBIG):
        return "out-of-resources"
    return "system"


# Objects. Each has what a new process is given of it (`raw`), which makes the same object there.


class Lock:
    """multiprocessing.Lock; a refused acquire is False there and timed-out here."""

    operations = ("acquire", "try", "release", "state")
    is_guard = True

    def __init__(self, context, raw=None):
        self.raw = raw or context.Lock()

    def acquire(self, timeout=None, block=True):
        if not self.raw.acquire(block, timeout):
            raise Refused("timed-out")

    def try_(self, timeout=None):
        self.acquire(timeout, False)

    def release(self):
        self.raw.release()

    def state(self):
        # What the library shows to people; there is no call for it before 3.14.
        owner = repr(self.raw).split("owner=")[1].rstrip(")>")
        if owner == "unknown":
            raise NotImplementedError
        states = {"None": "free", "SomeOtherThread": "held-by-other",
                  "SomeOtherProcess": "held-by-other"}
        return states.get(owner, "held-by-me")


class RLock(Lock):
    """multiprocessing.RLock"""

    operations = ("acquire", "try", "release", "depth")

    def __init__(self, context, raw=None):
        self.raw = raw or context.RLock()

    def depth(self):
        # What the library shows to people, again.
        count = repr(self.raw).rsplit(", ", 1)[1].rstrip(")>")
        if count == "unknown":
            raise NotImplementedError
        return int(count) if count.isdigit() else 0


class Condition(Lock):
    """multiprocessing.Condition; a wait that was not notified is False there and timed-out here."""

    operations = ("acquire", "try", "release", "wait", "wait_for", "notify", "notify_all")

    def __init__(self, context, raw=None, lock=None):
        self.raw = raw or context.Condition(lock)

    def wait(self, timeout=None):
        if not self.raw.wait(timeout):
            raise Refused("timed-out")

    def wait_for(self, function, timeout=None):
        value = self.raw.wait_for(function, timeout)
        if not value:
            raise Refused("timed-out")
        return value

    def notify(self, n=1):
        self.raw.notify(n)

    def notify_all(self):
        self.raw.notify_all()


class Barrier:
    """multiprocessing.Barrier"""

    operations = ("wait", "abort", "reset", "parties", "waiting", "is_broken")
    is_guard = False

    def __init__(self, context, raw=None, **args):
        self.raw = raw or context.Barrier(**args)

    def wait(self, timeout=None):
        return self.raw.wait(timeout)

    def abort(self):
        self.raw.abort()

    def reset(self):
        self.raw.reset()

    def parties(self):
        return self.raw.parties

    def waiting(self):
        return self.raw.n_waiting

    def is_broken(self):
        return self.raw.broken


class Semaphore:
    """multiprocessing.Semaphore. A release is of one unit; there is no other."""

    operations = ("acquire", "try", "release", "value")
    is_guard = True

    def __init__(self, context, raw=None, value=1):
        self.raw = raw or self.make(context, value)

    def make(self, context, value):
        return context.Semaphore(value)

    def acquire(self, timeout=None, block=True):
        if not self.raw.acquire(block, timeout):
            raise Refused("timed-out")

    def try_(self, timeout=None):
        self.acquire(timeout, False)

    def release(self, n=None):
        if n is not None:
            raise NotImplementedError
        self.raw.release()

    def value(self):
        return self.raw.get_value()


class BoundedSemaphore(Semaphore):
    """multiprocessing.BoundedSemaphore, whose bound is the value that it starts with."""

    def make(self, context, value):
        return context.BoundedSemaphore(value)


class Event:
    """multiprocessing.Event; a wait that saw it unset is False there and timed-out here."""

    operations = ("set", "clear", "wait", "is_set")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw = raw or context.Event()

    def set(self):
        self.raw.set()

    def clear(self):
        self.raw.clear()

    def wait(self, timeout=None):
        if not self.raw.wait(timeout):
            raise Refused("timed-out")

    def is_set(self):
        return self.raw.is_set()


class Queue:
    """multiprocessing.Queue. Room of its own it has none, so `items` and `bytes` say nothing."""

    operations = ("put", "try_put", "put_nowait", "get", "try_get", "get_nowait", "qsize", "empty",
                  "full", "close", "join_thread", "cancel_join_thread", "settle", "put_mixed",
                  "get_mixed", "put_and_change", "get_and_change", "kept", "put_unsendable",
                  "put_unreadable", "send_handle")
    is_guard = False

    def __init__(self, context, raw=None, bound=0, items=None, bytes=None):
        self.raw = raw or self.make(context, bound)

    def make(self, context, bound):
        return context.Queue(bound)

    def put(self, timeout=None, block=True, kept=False, **given):
        item = item_of(given)
        if kept:
            self.original = item
        self.raw.put(item, block, timeout)

    def try_put(self, timeout=None, **given):
        self.put(timeout, False, **given)

    def put_nowait(self, **given):
        self.raw.put_nowait(item_of(given))

    def get(self, timeout=None, **end):
        item = told(self.raw.get(True, timeout))
        if end and item == end["end"]:
            raise Refused("stop-iteration", "the end marker")
        return item

    def try_get(self, timeout=None):
        return told(self.raw.get(False, timeout))

    def get_nowait(self):
        return told(self.raw.get_nowait())

    def qsize(self):
        return self.raw.qsize()

    def empty(self):
        return self.raw.empty()

    def full(self):
        return self.raw.full()

    def close(self):
        self.raw.close()

    def join_thread(self):
        self.raw.join_thread()

    def cancel_join_thread(self):
        self.raw.cancel_join_thread()

    def settle(self):
        """Waits until what this process put can be got."""
        limit = time.monotonic() + 10 * float(os.environ.get("PURLIN_PATIENCE", 1))
        while self.raw.empty():
            if time.monotonic() > limit:
                raise Refused("timed-out", "it is empty")
            time.sleep(0.001)

    def put_mixed(self, count, most):
        for item in mixture(count, most):
            self.raw.put(item)

    def get_mixed(self, count, most):
        for place, item in enumerate(mixture(count, most)):
            if self.raw.get() != item:
                return place
        return count

    def put_and_change(self, item):
        self.raw.put(item)
        item.append("changed")

    def get_and_change(self):
        item = self.raw.get()
        before = list(item)
        item.append("changed")
        return before

    def kept(self):
        return self.original

    def put_unsendable(self, timeout=None):
        self.raw.put(threading.Lock(), timeout=timeout)

    def put_unreadable(self):
        self.raw.put(Unreadable())

    def send_handle(self):
        read, write = multiprocessing.Pipe(False)
        write.send(self.raw)


class JoinableQueue(Queue):
    """multiprocessing.JoinableQueue; its join has no limit."""

    operations = ("put", "try_put", "get", "try_get", "qsize", "empty", "full", "close", "settle",
                  "put_unsendable", "task_done", "join")

    def make(self, context, bound):
        return context.JoinableQueue(bound)

    def task_done(self):
        self.raw.task_done()

    def join(self, timeout=None):
        if timeout is not None:
            raise NotImplementedError("there is no limit")
        self.raw.join()


class SimpleQueue:
    """multiprocessing.SimpleQueue"""

    operations = ("put", "get", "empty", "close", "settle", "put_unsendable")
    is_guard = False

    def __init__(self, context, raw=None, items=None, bytes=None):
        self.raw = raw or context.SimpleQueue()

    def put(self, **given):
        self.raw.put(item_of(given))

    def get(self):
        return told(self.raw.get())

    def empty(self):
        return self.raw.empty()

    def close(self):
        self.raw.close()

    def settle(self):
        pass  # put writes into the pipe itself

    def put_unsendable(self):
        self.raw.put(threading.Lock())


# The same between the threads of one process, where another library has them.


class Threads:
    """What multiprocessing calls a context."""

    Lock, RLock, Condition = threading.Lock, threading.RLock, threading.Condition
    Semaphore, BoundedSemaphore = threading.Semaphore, threading.BoundedSemaphore
    Event, Barrier = threading.Event, threading.Barrier
    Queue = JoinableQueue = queue.Queue
    SimpleQueue = queue.SimpleQueue

    def get_start_method(self):
        return THREADS


class ThreadLock(Lock):
    """threading.Lock, of which no limit is said by -1."""

    operations = ("acquire", "try", "release")

    def acquire(self, timeout=None, block=True):
        if not self.raw.acquire(block, -1 if timeout is None else timeout):
            raise Refused("timed-out")


class ThreadRLock(ThreadLock):
    """threading.RLock"""

    def __init__(self, context, raw=None):
        self.raw = context.RLock()


class ThreadCondition(Condition, ThreadLock):
    """threading.Condition"""

    acquire = ThreadLock.acquire


class ThreadSemaphore(Semaphore):
    """threading.Semaphore. Since 3.9 a release may be of several units."""

    operations = ("acquire", "try", "release")

    def release(self, n=1):
        self.raw.release(*[n] if n != 1 else [])


class ThreadBoundedSemaphore(ThreadSemaphore):
    """threading.BoundedSemaphore"""

    make = BoundedSemaphore.make


class ThreadQueue(Queue):
    """queue.Queue, which nobody closes; since 3.13 it can be shut down."""

    operations = ("put", "try_put", "put_nowait", "get", "try_get", "get_nowait", "qsize", "empty",
                  "full", "settle", "put_mixed", "get_mixed", "put_and_change", "get_and_change",
                  "kept") + (("shutdown",) if hasattr(queue.Queue, "shutdown") else ())

    def shutdown(self, immediate=False):
        self.raw.shutdown(immediate)


class ThreadJoinableQueue(JoinableQueue):
    """queue.Queue, which counts what was done."""

    operations = ("put", "try_put", "get", "try_get", "qsize", "empty", "full", "settle",
                  "task_done", "join")


class ThreadSimpleQueue(SimpleQueue):
    """queue.SimpleQueue"""

    operations = ("put", "get", "empty", "settle")


class Value:
    """multiprocessing.Value. What is past the lock is done to the object inside."""

    operations = ("get", "set", "load", "store", "add", "between", "is_negative", "alternate",
                  "seen", "copy_and_set", "send_handle", "acquire", "try", "release")
    is_guard = True

    def __init__(self, context, raw=None, type="i32", value=None, locked=True, lock=None):
        if raw is None:
            given = [] if value is None else [written(TYPES.get(type), value)]
            lock = locked if lock is None else lock
            raw = context.Value(TYPES.get(type, type), *given, lock=lock)
        self.raw = raw
        self.inner = raw.get_obj() if hasattr(raw, "get_obj") else raw
        self.code = self.inner._type_

    def get(self):
        return shown_number(self.raw.value)

    def set(self, value):
        self.raw.value = written(self.code, value)

    def load(self):
        return shown_number(self.inner.value)

    def store(self, value):
        self.inner.value = written(self.code, value)

    def add(self, n):
        self.raw.value += n

    def between(self, least, most):
        return least <= self.raw.value <= most

    def is_negative(self):
        return math.copysign(1, self.raw.value) < 0

    def alternate(self, values, count):
        raw = self.raw
        for _ in range(count // len(values)):
            for value in values:
                raw.value = value

    def seen(self, count):
        raw = self.raw
        return sorted({raw.value for _ in range(count)})

    def copy_and_set(self, value):
        from multiprocessing.sharedctypes import copy
        copied = copy(self.inner)
        self.set(value)
        return shown_number(copied.value)

    def send_handle(self, value):
        self.received().value = value

    def received(self):
        read, write = multiprocessing.Pipe(False)
        write.send(self.raw)
        return read.recv()

    def acquire(self, timeout=None, block=True):
        if not self.raw.get_lock().acquire(block, timeout):
            raise Refused("timed-out")

    def try_(self):
        self.acquire(None, False)

    def release(self):
        self.raw.get_lock().release()


class Array(Value):
    """multiprocessing.Array"""

    operations = ("length", "get", "set", "add", "store", "read", "read_and_change", "write",
                  "fill", "span", "iterate", "contains", "append", "delete", "text", "set_text",
                  "raw", "set_raw", "alternate", "seen", "send_handle", "acquire", "try", "release")

    def __init__(self, context, raw=None, type="i32", length=1, values=None, uncounted=None,
                 text=None, locked=True, lock=None):
        if raw is None:
            given = length if values is None else values
            if uncounted is not None:
                given = (value for value in uncounted)
            lock = locked if lock is None else lock
            raw = context.Array(TYPES.get(type, type), given, lock=lock)
        self.raw = raw
        self.inner = raw.get_obj() if hasattr(raw, "get_obj") else raw
        if text is not None:
            self.set_text(text)

    def length(self):
        return len(self.raw)

    def get(self, index):
        return self.raw[index]

    def set(self, index, value):
        self.raw[index] = value

    def store(self, index, value):
        self.inner[index] = value

    def add(self, index, n):
        self.raw[index] += n

    def read(self, start=None, end=None, step=None):
        return list(self.raw[start:end:step])

    def read_and_change(self, start=None, end=None):
        copied = self.raw[start:end]
        before = list(copied)
        copied[:] = [0] * len(copied)
        return before

    def write(self, values, start=None, end=None):
        self.raw[start:end] = values

    def fill(self, value):
        self.raw[:] = [value] * len(self.raw)

    def span(self, rounds=1, one_by_one=False):
        largest = 0
        for _ in range(rounds):
            found = self.iterate() if one_by_one else self.raw[:]
            largest = max(largest, max(found) - min(found))
        return largest

    def iterate(self):
        return [element for element in self.raw]

    def contains(self, value):
        return value in self.raw

    def append(self, value):
        self.raw.append(value)

    def delete(self, index):
        del self.raw[index]

    def text(self):
        return self.raw.value.decode()

    def set_text(self, text, times=1):
        self.raw.value = (text * times).encode()

    def raw_(self):
        return list(self.raw.raw)

    def set_raw(self, **given):
        self.raw.raw = bytes(given["bytes"])

    def alternate(self, index, values, count):
        raw = self.raw
        for _ in range(count // len(values)):
            for value in values:
                raw[index] = value

    def seen(self, index, count):
        raw = self.raw
        return sorted({raw[index] for _ in range(count)})

    def send_handle(self, index, value):
        self.received()[index] = value


class Record:
    """multiprocessing.Value of a structure."""

    operations = ("get", "set")
    is_guard = False

    def __init__(self, context, raw=None, fields=("x: i32",), values=(0,)):
        self.raw = context.Value(structure(fields), *values) if raw is None else raw

    def get(self):
        return shown_record(self.raw.get_obj())

    def set(self, field, value):
        setattr(self.raw, field, value)


class RecordArray:
    """multiprocessing.Array of structures."""

    operations = ("get", "set")
    is_guard = False

    def __init__(self, context, raw=None, fields=("x: i32",), values=((0,),)):
        if raw is None:
            raw = context.Array(structure(fields), [tuple(each) for each in values])
        self.raw = raw

    def get(self, index):
        return shown_record(self.raw[index])

    def set(self, index, field, value):
        setattr(self.raw[index], field, value)


# The letters of the module array for the types that a script names.
TYPES = {"i8": "b", "u8": "B", "i16": "h", "u16": "H", "i32": "i", "u32": "I", "i64": "q",
         "u64": "Q", "f32": "f", "f64": "d", "char": "c"}


def written(code, value):
    """A script's value for a number of the type that has this letter."""
    if isinstance(value, str) and code == "c":
        return value.encode("latin-1")
    return float(value) if value in ("infinity", "-infinity", "nan") else value


def shown_number(value):
    """As a script reads it."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if value != value else "infinity" if value > 0 else "-infinity"
    return value


def structure(fields):
    """`["x: i32", "y: f64"]`"""
    import ctypes
    from multiprocessing.reduction import ForkingPickler
    from multiprocessing.sharedctypes import typecode_to_type
    pairs = [field.split(": ") for field in fields]
    fields = [(name, typecode_to_type[TYPES[of]]) for name, of in pairs]
    ForkingPickler.register(type(ctypes.Structure), record_again)
    return type("Record", (ctypes.Structure,), {"_fields_": fields})


def shown_record(record):
    return [getattr(record, name) for name, _ in record._fields_]


def record_again(cls):
    """A type that a new interpreter does not know is made there anew."""
    fields = ", ".join("(%r, __import__('ctypes').%s)" % (name, of.__name__)
                       for name, of in cls._fields_)
    make = "type('Record', (__import__('ctypes').Structure,), {'_fields_': [%s]})"
    return eval, (make % fields,)


class Pipe:
    """An end of a multiprocessing.Pipe: a Connection."""

    operations = ("send", "send_bytes", "recv", "recv_bytes", "recv_into", "touched", "recv_refused",
                  "poll", "close", "is_closed", "reads", "writes", "descriptor", "is_readable",
                  "echo", "send_mixed", "recv_mixed", "send_unsendable", "send_unreadable",
                  "send_end", "recv_end_and_send", "send_lock", "recv_lock_and_try", "recv_ending",
                  "write_length")
    is_guard = True

    def __init__(self, context, raw=None, one_way=False, other=None, own=False, descriptor=None):
        self.other, self.own = None, own
        if raw is not None:
            self.raw = raw
        elif other is not None:
            self.raw, other.other = other.other, None
        elif descriptor is not None:
            self.raw = Connection(descriptor)
        else:
            self.raw, self.other = context.Pipe(not one_way)

    def send(self, item, timeout=None):
        self.unlimited(timeout)
        self.raw.send(item)

    def send_bytes(self, timeout=None, offset=0, size=None, text=None, **given):
        self.unlimited(timeout)
        self.raw.send_bytes(text if text is not None else item_of(given), offset, size)

    def recv(self, timeout=None):
        self.unlimited(timeout)
        return told(self.raw.recv())

    def recv_bytes(self, timeout=None, limit=None):
        self.unlimited(timeout)
        return told(self.raw.recv_bytes(limit))

    def recv_ending(self, limit):
        return told(self.raw.recv_bytes(limit))

    def unlimited(self, timeout):
        if timeout is not None:
            raise NotImplementedError("there is no limit")

    def recv_into(self, size, offset=0, read_only=False):
        self.buffer, self.refused = bytearray(size), None
        buffer = bytes(self.buffer) if read_only else self.buffer
        try:
            count = self.raw.recv_bytes_into(buffer, offset)
        except multiprocessing.BufferTooShort as error:
            self.refused = error.args[0]
            raise
        message = told(bytes(self.buffer[offset:offset + count]))
        others = self.buffer[:offset] + self.buffer[offset + count:]
        return [count, message["seed"], len(others) - others.count(0)]

    def touched(self):
        return len(self.buffer) - self.buffer.count(0)

    def recv_refused(self):
        """The message that came with the failure, or else the next one."""
        return told(self.raw.recv_bytes() if self.refused is None else self.refused)

    def poll(self, **timeout):
        return self.raw.poll(**timeout)

    def close(self):
        self.raw.close()

    def is_closed(self):
        return self.raw.closed

    def reads(self):
        return self.raw.readable

    def writes(self):
        return self.raw.writable

    def descriptor(self):
        return self.raw.fileno()

    def is_readable(self, timeout=None):
        watched = select.poll()
        watched.register(self.raw.fileno(), select.POLLIN)
        return bool(watched.poll(timeout and timeout * 1000 if timeout != 0 else 0))

    def echo(self):
        self.raw.send_bytes(self.raw.recv_bytes())

    def send_mixed(self, count, most, step=37):
        for item in mixture(count, most, step):
            self.raw.send_bytes(item)

    def recv_mixed(self, count, most, step=37):
        """Up to the end: whether each message was the next one of the mixture."""
        items = mixture(count, most, step)
        while True:
            try:
                message = self.raw.recv_bytes()
            except EOFError:
                return True
            if message != next(items):
                return False

    def send_unsendable(self):
        self.raw.send(threading.Lock())

    def send_unreadable(self):
        self.raw.send_bytes(b"junk")

    def send_end(self, end):
        self.raw.send(HERE.actor.objects[end].raw)

    def recv_end_and_send(self, **given):
        self.raw.recv().send(item_of(given))

    def send_lock(self, lock):
        self.raw.send(HERE.actor.objects[lock].raw)

    def recv_lock_and_try(self):
        """Tries the lock that comes; tells another item."""
        got = self.raw.recv()
        if isinstance(got, str):
            return got
        if not got.acquire(False):
            raise Refused("timed-out")

    def write_length(self, length, many=None):
        short = length if length < 2**31 else -1
        header = short.to_bytes(4, "big", signed=True)
        if short != length:
            header += length.to_bytes(8, "big")
        os.write(self.raw.fileno(), header[:many])


class Several:
    """multiprocessing.connection.wait"""

    operations = ("wait", "drain")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw = None

    def wait(self, of, timeout=None):
        objects = {name: HERE.actor.objects[name] for name in of}
        things = {name: one.raw.sentinel if isinstance(one, Process) else one.raw
                  for name, one in objects.items()}
        ready = wait([things[name] for name in of], timeout)
        return sorted(name for thing in ready for name in objects if things[name] is thing)

    def drain(self, of):
        """Receives from those that are ready, until all are at their end."""
        left, count = [HERE.actor.objects[name].raw for name in of], 0
        while left:
            for end in wait(left):
                try:
                    end.recv()
                    count += 1
                except EOFError:
                    left.remove(end)
        return count


def item_of(given):
    """`item=…`, or a byte string of `bytes=…` with `seed=…`."""
    return given["item"] if "item" in given else bulk(given["bytes"], given.get("seed", 0))


def bulk(count, seed):
    """So many bytes, each one more than the one before, modulo 251."""
    once = bytes((seed + place) % 251 for place in range(251))
    return (once * (count // 251 + 1))[:count]


def told(item):
    """As a script reads it."""
    if not isinstance(item, bytes):
        return item
    seed = item[0] if item else 0
    return {"bytes": len(item), "seed": seed if item == bulk(len(item), seed) else "torn"}


def mixture(count, most, step=37):
    return (bulk(step * place % (most + 1), place) for place in range(count))


class Cell:
    """A number of 64 bits in shared memory. To add is to read, then to write, on purpose."""

    operations = ("get", "set", "add")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw = raw or memory("cell", 8)
        self.memory = mmap.mmap(self.raw.fileno(), 8)
        self.numbers = memoryview(self.memory).cast("q")

    def get(self):
        return self.numbers[0]

    def set(self, value):
        self.numbers[0] = value

    def add(self, n):
        before = self.numbers[0]
        self.numbers[0] = (before + n + 2**63) % 2**64 - 2**63


class Log:
    """Lines that are written straight through, each behind the last."""

    operations = ("write", "lines", "has", "rows", "repeated")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw = raw or memory("log", 0)
        fcntl.fcntl(self.raw.fileno(), fcntl.F_SETFL, os.O_APPEND)

    def write(self, text):
        text = text if isinstance(text, str) else json.dumps(text, separators=(",", ":"))
        os.write(self.raw.fileno(), (text + "\n").encode())

    def lines(self):
        size = os.fstat(self.raw.fileno()).st_size
        return os.pread(self.raw.fileno(), size, 0).decode().splitlines()

    def has(self, text):
        texts = text if isinstance(text, list) else [text]
        return any(text in line for line in self.lines() for text in texts)

    def rows(self, sorted=False, take=False):
        found = {}
        for line in self.lines():
            name, number = named_number(line)
            if name is not None:
                found.setdefault(name, []).extend([] if number is None else [number])
        if take:
            os.ftruncate(self.raw.fileno(), 0)
        return [shown_row(name, found[name], sorted) for name in builtins.sorted(found)]

    def repeated(self):
        lines = self.lines()
        return len(lines) - len(set(lines))


def named_number(line):
    """The name and the number of a log's line; no name where it is null."""
    try:
        value = json.loads(line)
    except ValueError:
        return line, None
    if value is None:
        return None, None
    if isinstance(value, int) and not isinstance(value, bool):
        return "", value
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], int):
        name = value[0]
        return name if isinstance(name, str) else json.dumps(name, separators=(",", ":")), value[1]
    if isinstance(value, dict) and "bytes" in value and "seed" in value:
        seed = value["seed"]
        return "%s bytes" % value["bytes"], seed if isinstance(seed, int) else None
    return line, None


def shown_row(name, numbers, is_sorted):
    """The numbers as pieces that go up by one."""
    pieces = []
    for number in sorted(numbers) if is_sorted else numbers:
        if pieces and pieces[-1][1] + 1 == number:
            pieces[-1][1] = number
        else:
            pieces.append([number, number])
    shown = [("%d" if one == last else "%d..%d") % ((one,) if one == last else (one, last))
             for one, last in pieces]
    more = ["and more"] if len(shown) > 8 else []
    return " ".join(([name] if name else []) + shown[:8] + more)


class Host:
    """What the system itself knows and can do, about the process that calls it."""

    operations = ("pid", "parent", "thread", "state", "send", "threads", "descriptors", "children",
                  "environment", "set_environment", "directory", "set_directory", "global",
                  "set_global", "limit", "give_up_privileges", "use_processors", "ignore", "reset",
                  "exit_on", "block", "ignores", "handles", "blocks", "print", "output_to",
                  "errors_to", "close", "read", "is_open", "leave_open", "number_of",
                  "wait_for_end", "collect", "set_input", "mappings", "mappings_grew",
                  "shared_memory", "shared_memory_grew", "pipe", "pipe_is_at_end",
                  "note_children", "kill_new_child", "listen", "visit", "accept", "answer",
                  "knock", "hang_up", "resident", "resident_grew", "descriptors_of",
                  "descriptors_come_to")
    is_guard = False
    held = []  # connections that are kept
    value = 1  # what a program has in ordinary memory: its own, until it changes it

    def __init__(self, context, raw=None):
        self.raw = None

    def pid(self):
        return os.getpid()

    def parent(self):
        return os.getppid()

    def thread(self):
        return threading.get_native_id()

    def state(self, pid):
        try:
            with open("/proc/%d/stat" % pid) as stat:
                letter = stat.read().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return None
        return {"Z": "ended", "X": "ended", "T": "stopped", "t": "stopped"}.get(letter, "alive")

    def send(self, pid, signal):
        os.kill(pid, signal)

    def threads(self):
        return len(os.listdir("/proc/self/task"))

    def descriptors(self):
        return len(os.listdir("/proc/self/fd")) - 1  # the listing has one of its own

    def children(self):
        return len(own_children())

    def note_children(self):
        Host.noted = own_children()

    def kill_new_child(self):
        limit = time.monotonic() + 10 * float(os.environ.get("PURLIN_PATIENCE", 1))
        while time.monotonic() < limit:
            for child in own_children() - Host.noted:
                return os.kill(int(child), signal.SIGKILL)
        raise Refused("timed-out", "no child came")

    def listen(self):
        place = "purlin-host-%d" % os.getpid()
        Host.listener = socket.socket(socket.AF_UNIX)
        Host.listener.bind("\0" + place)
        Host.listener.listen()
        return place

    def visit(self, place):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("\0" + place)
            return int(client.makefile().readline())

    def accept(self):
        Host.client = Host.listener.accept()[0]

    def answer(self):
        Host.client.sendall(b"%d\n" % os.getpid())
        Host.client.close()

    def knock(self, address, says, holds=False):
        said = {"nothing": b"", "ones": b"\xff" * 100, "length": b"\0\0\0d",
                "greatest-length": b"\x7f\xff\xff\xff"}[says]
        stranger = raw_connection(meant_address(address))
        try:
            stranger.sendall(said)
        except ConnectionError:
            pass  # one that has been dropped meanwhile has heard enough
        if holds:
            Host.held.append(stranger)
        else:
            stranger.close()

    def hang_up(self):
        while Host.held:
            Host.held.pop().close()

    def resident(self, pid):
        with open("/proc/%d/status" % pid) as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def resident_grew(self, pid, before, by):
        return self.resident(pid) > before + by

    def descriptors_of(self, pid):
        return len(os.listdir("/proc/%d/fd" % pid))

    def descriptors_come_to(self, pid, most):
        return until(lambda: self.descriptors_of(pid) <= most)

    def environment(self, name):
        return os.environ.get(name)

    def set_environment(self, name, value):
        os.environ[name] = value

    def directory(self):
        return os.getcwd()

    def set_directory(self, path):
        os.chdir(path)

    def global_(self):
        return Host.value

    def set_global(self, value):
        Host.value = value

    def limit(self, of, most):
        of = {"processes": resource.RLIMIT_NPROC, "descriptors": resource.RLIMIT_NOFILE,
              "core": resource.RLIMIT_CORE, "file-size": resource.RLIMIT_FSIZE}[of]
        resource.setrlimit(of, (most, most))

    def give_up_privileges(self):
        if os.geteuid() == 0:
            os.setresuid(65534, 65534, 65534)

    def use_processors(self, count):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])

    def ignore(self, signal):
        self.act(signal, SIG_IGN)

    def reset(self, signal):
        self.act(signal, SIG_DFL)

    def exit_on(self, signal, code, log=None):
        log = log and HERE.actor.objects[log]

        def leave(number, frame):
            if log:
                log.write("caught")
            os._exit(code)

        self.act(signal, leave)

    def act(self, number, action):
        if threading.current_thread() is not threading.main_thread():
            raise NotImplementedError("only the first thread sets handlers")
        signal.signal(number, action)

    def block(self, signal):
        pthread_sigmask(SIG_BLOCK, {signal})

    def ignores(self, signal):
        return self.has("SigIgn:", signal)

    def handles(self, signal):
        return self.has("SigCgt:", signal)

    def blocks(self, signal):
        return self.has("SigBlk:", signal)

    def has(self, line, number):
        with open("/proc/thread-self/status") as status:
            mask = next(found for found in status if found.startswith(line))
        return bool(int(mask.split()[1], 16) >> (number - 1) & 1)

    def print(self, text):
        sys.stdout.write(text)

    def output_to(self, log):
        os.dup2(HERE.actor.objects[log].raw.fileno(), 1)

    def errors_to(self, log):
        os.dup2(HERE.actor.objects[log].raw.fileno(), 2)

    def close(self, number):
        os.close(number)

    def read(self):
        return sys.stdin.read(1) or None if sys.stdin is not None else None

    def leave_open(self, log, count):
        for _ in range(count):
            os.set_inheritable(os.dup(HERE.actor.objects[log].raw.fileno()), True)

    def number_of(self, log):
        return str(HERE.actor.objects[log].raw.fileno())

    def wait_for_end(self, pid):
        limit = time.monotonic() + 10 * float(os.environ.get("PURLIN_PATIENCE", 1))
        while self.state(pid) not in (None, "ended"):
            if time.monotonic() > limit:
                return False
            time.sleep(0.001)
        return True

    def collect(self, pid):
        return collected(os.waitpid(pid, 0)[1])

    def set_input(self, text):
        read, write = os.pipe()
        os.write(write, text.encode())
        os.close(write)
        os.dup2(read, 0)
        os.close(read)
        sys.stdin = open(0, closefd=False)

    def is_open(self, number):
        try:
            os.fstat(number)
        except OSError:
            return False
        return True

    def mappings(self):
        with open("/proc/self/maps") as maps:
            return sum(1 for _ in maps)

    def mappings_grew(self, before, by):
        return self.mappings() > before + by

    def shared_memory(self):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("RssShmem:"))

    def shared_memory_grew(self, before, by):
        return self.shared_memory() > before + by

    def pipe(self):
        Host.ends = os.pipe()
        for end in Host.ends:
            os.set_inheritable(end, True)

    def pipe_is_at_end(self):
        reads, writes = Host.ends
        os.close(writes)
        watched = select.poll()
        watched.register(reads, 0)
        found = watched.poll(0)
        os.close(reads)
        return any(events & select.POLLHUP for _, events in found)


def until(holds):
    """Waits until it does; false when the suite's patience is over."""
    limit = time.monotonic() + 10 * float(os.environ.get("PURLIN_PATIENCE", 1))
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(0.001)
    return True


def own_children():
    found = set()
    for thread in os.listdir("/proc/self/task"):
        with open("/proc/self/task/%s/children" % thread) as children:
            found.update(children.read().split())
    return found


class Process:
    """multiprocessing.Process. It is made when the script makes it; what it runs is filled in at its
    start, when the pipes are known of an actor that is its life."""

    operations = ("start", "run", "overwrite_arguments", "id", "id_twice", "name", "set_name",
                  "is_named", "daemon", "set_daemon", "key", "set_key", "exit_status", "is_alive",
                  "join", "terminate", "kill", "signal", "close", "has_ended", "wait_for_end",
                  "description")
    is_guard = False

    def __init__(self, context, raw=None, name=None, daemon=None, function=None, how=None, key=None,
                 echo=None, args=(), named=(), times=1, group=None, step=False, half_made=False,
                 gift=None, told=None, bulk=None, program=None, returns=None):
        self.program = program
        if how is not None:
            context = multiprocessing.get_context(method_for(how, context.get_start_method()))
        self.how = context.get_start_method()
        self.target = Target({"function": function, "echo": echo, "returns": returns})
        self.given = args  # which the object has a tuple of: the things in it are the same
        # No object of its is handed on to an interpreter of its own.
        if raw is not None:
            self.raw = raw
            return
        if gift is not None:
            args = (*args, given(gift, told))
        if bulk is not None:
            args = (*args, (bytes(range(127)) * (bulk // 127 + 1))[:bulk])
            self.target.passed["weighs"] = True
        if half_made:
            self.raw = half_made_process(context)
            return
        if step:
            self.raw = stepping(self.how).begin(self.target, args, name, daemon)
            return
        self.raw = context.Process(group=group, target=self.target, args=args,
                                   kwargs={each: each for each in named},
                                   name=name and name * times, daemon=daemon)
        self.set_key(key)

    def start(self, actor=None):
        if self.program is None:
            return self.begin(actor)
        before = multiprocessing.spawn.get_executable()
        own = self.program == "own"
        multiprocessing.set_executable(sys.executable if own else self.program)
        try:
            self.begin(actor)
        finally:
            multiprocessing.set_executable(before)

    def begin(self, actor):
        if actor is None:
            HERE.actor.fill(self.target.passed, self.how, None, None, None)
            self.raw.start()
            self.target.passed.pop("objects", None)  # this one is among them
            return
        hatched, hatch = multiprocessing.Pipe(False)
        HERE.actor.fill(self.target.passed, self.how, HERE.actor.heir(actor), hatched, hatch)
        try:
            self.raw.start()
        finally:
            hatch.close()
        wait_for(hatched)

    def run(self):
        self.raw.run()

    def id(self):
        return self.raw.pid

    def id_twice(self):
        return self.raw.pid == self.raw.ident

    def name(self):
        return self.raw.name

    def set_name(self, name):
        self.raw.name = name

    def is_named(self, name, times=1):
        return self.raw.name == name * times

    def overwrite_arguments(self):
        for one in self.given:
            one.append("overwritten")

    def daemon(self):
        return self.raw.daemon

    def set_daemon(self, value):
        self.raw.daemon = value

    def key(self):
        return bytes(self.raw.authkey).hex()

    def set_key(self, key):
        if key is not None:
            self.raw.authkey = key.encode() if isinstance(key, str) else key

    def exit_status(self):
        return self.raw.exitcode

    def is_alive(self):
        return self.raw.is_alive()

    def join(self, timeout=None):
        self.raw.join(timeout)
        # What the join itself has seen: to ask for the exit code is to look once more.
        if timeout is not None and self.raw._popen.returncode is None:
            raise Refused("timed-out")

    def terminate(self):
        self.raw.terminate()

    def kill(self):
        self.raw.kill()

    def signal(self, number):
        raise NotImplementedError("there is no such call")

    def close(self):
        self.raw.close()

    def has_ended(self):
        return bool(wait([self.raw.sentinel], 0))

    def wait_for_end(self, timeout=None):
        if not wait([self.raw.sentinel], timeout):
            raise Refused("timed-out")

    def description(self):
        return repr(self.raw)


class Shouter:
    """A process of a type of its own, which answers each text in capitals."""

    operations = ("start", "submit", "stop", "join", "exit_status")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw = shouting(context.get_start_method())() if raw is None else raw

    def start(self):
        self.raw.start()

    def submit(self, text):
        self.raw.ours.send(text)
        return self.raw.ours.recv()

    def stop(self):
        self.raw.ours.send("none")

    def join(self):
        self.raw.join()

    def exit_status(self):
        return self.raw.exitcode


class Current:
    """The process that the call is made in, as the library sees it."""

    operations = ("id", "name", "is_named", "daemon", "key", "send_key", "is_alive", "exit_status",
                  "join", "parent_id", "parent_name", "parent_is_alive", "parent_join", "children",
                  "wait_any", "processors", "usable_processors", "start_methods", "start_method",
                  "set_start_method", "empty_children", "exit", "at_exit", "fork", "wait")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw = None

    def id(self):
        return multiprocessing.current_process().pid

    def name(self):
        return multiprocessing.current_process().name

    def daemon(self):
        return multiprocessing.current_process().daemon

    def key(self):
        return bytes(multiprocessing.current_process().authkey).hex()

    def is_named(self, name, times=1):
        return multiprocessing.current_process().name == name * times

    def send_key(self):
        read, write = multiprocessing.Pipe(False)
        write.send(multiprocessing.current_process().authkey)

    def is_alive(self):
        return multiprocessing.current_process().is_alive()

    def exit_status(self):
        return multiprocessing.current_process().exitcode

    def join(self):
        multiprocessing.current_process().join()

    def the_parent(self):
        parent = multiprocessing.parent_process()
        if parent is None:
            raise Refused("no-such-name", "there is no parent")
        return parent

    def parent_id(self):
        return self.the_parent().pid

    def parent_name(self):
        return self.the_parent().name

    def parent_is_alive(self):
        return self.the_parent().is_alive()

    def parent_join(self, timeout=None):
        self.the_parent().join(timeout)
        if timeout is not None and self.the_parent().is_alive():
            raise Refused("timed-out")

    def children(self):
        children = multiprocessing.active_children()
        return sorted([child.name, child.pid] for child in children)

    def wait_any(self, of, timeout=None):
        processes = [HERE.actor.objects[name] for name in of]
        ready = wait([one.raw.sentinel for one in processes], timeout)
        if not ready:
            raise Refused("timed-out")
        return [name for name, one in zip(of, processes) if one.raw.sentinel in ready]

    def processors(self):
        return multiprocessing.cpu_count()

    def usable_processors(self):
        return len(os.sched_getaffinity(0))

    def start_methods(self):
        return multiprocessing.get_all_start_methods()

    def start_method(self):
        method = multiprocessing.get_start_method()
        return "spawn" if method == FORK_SERVER else method  # as in `method_for`

    def set_start_method(self, method, force=False, of=None):
        where = multiprocessing if of is None else multiprocessing.get_context(of)
        where.set_start_method(method, **({"force": True} if force else {}))

    def empty_children(self):
        multiprocessing.active_children().clear()

    def exit(self, code=None):
        sys.exit(code)

    def at_exit(self, function):
        here = HERE.actor

        def run():
            HERE.actor, HERE.reply_id = here, 0
            function()

        atexit.register(run)

    def fork(self, actor=None, function=None):
        if actor is not None:
            return HERE.actor.fork(HERE.reply_id, actor)
        self.last = os.fork()
        if self.last == 0:
            function()
            os._exit(0)
        return self.last

    def wait(self, pid=None, block=True):
        found, status = os.waitpid(pid or self.last, 0 if block else os.WNOHANG)
        return None if found == 0 else collected(status)


class Thread:
    """threading.Thread, in the process of the actor that makes it."""

    operations = ("start", "run", "id", "native_id", "name", "set_name", "daemon", "set_daemon",
                  "is_alive", "join")
    is_guard = False

    def __init__(self, context, raw=None, name=None, daemon=None, function=None, echo=None, args=(),
                 named=None, counts=None, stack=None):
        self.work, self.life = {"function": function, "echo": echo}, None
        self.maker, self.stack = getattr(HERE, "actor", None), stack
        if counts is not None:
            raw = Counting(self.maker.objects[counts], name)
        self.raw = raw or threading.Thread(target=self.live, args=args, kwargs=named or {},
                                           name=name, daemon=daemon)

    def live(self, *args, **named):
        if self.life is not None:
            return self.life()
        actor = HERE.actor if hasattr(HERE, "actor") else Alone(self.maker.context,
                                                                self.maker.objects)
        return run_work(actor, self.work, args, named)

    def start(self, actor=None):
        hatched = None
        if actor is not None:
            hatched, self.life = HERE.actor.thread_life(HERE.reply_id, actor)
        before = threading.stack_size(self.stack or 0)
        try:
            self.raw.start()
        finally:
            threading.stack_size(before)
        if hatched is not None:
            wait_for(hatched)

    def run(self):
        self.raw.run()

    def id(self):
        return self.raw.ident

    def native_id(self):
        return self.raw.native_id

    def name(self):
        return self.raw.name

    def set_name(self, name):
        self.raw.name = name

    def daemon(self):
        return self.raw.daemon

    def set_daemon(self, value):
        self.raw.daemon = value

    def is_alive(self):
        return self.raw.is_alive()

    def join(self, timeout=None):
        join_thread(self.raw, timeout)


class Counting(threading.Thread):
    """One with a run step and a state of its own."""

    def __init__(self, log, name):
        super().__init__(name=name)
        self.log, self.number = log, 0

    def run(self):
        while self.number < 5:
            self.log.write("%s %d" % (self.name, self.number))
            self.number += 1


class Timer(Thread):
    """threading.Timer"""

    operations = ("start", "cancel", "is_alive", "join")

    def __init__(self, context, raw=None, delay=None, function=None):
        super().__init__(context, raw or threading.Timer(delay, self.live), function=function)

    def cancel(self):
        self.raw.cancel()


class Local:
    """threading.local, with one attribute. It holds nothing (null) where nobody has set it."""

    operations = ("get", "set")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw, self.values = None, threading.local()

    def get(self):
        return getattr(self.values, "value", None)

    def set(self, value):
        self.values.value = value


class CurrentThread:
    """The thread that the call is made in, as the library sees it."""

    operations = ("id", "native_id", "name", "daemon", "join", "main_id", "main_join", "is_main",
                  "threads", "lists", "makes_daemons", "exit", "on_error")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw = None

    def id(self):
        return threading.current_thread().ident

    def native_id(self):
        return threading.get_native_id()

    def name(self):
        return threading.current_thread().name

    def daemon(self):
        return threading.current_thread().daemon

    def join(self):
        threading.current_thread().join()

    def main_id(self):
        return threading.main_thread().ident

    def main_join(self, timeout=None):
        join_thread(threading.main_thread(), timeout)

    def is_main(self):
        return threading.current_thread() is threading.main_thread()

    def threads(self):
        return sorted(thread.name for thread in threading.enumerate())

    def lists(self, name):
        return name in self.threads()

    def makes_daemons(self):
        return threading.Thread().daemon

    def exit(self, code=None):
        sys.exit(code)

    def on_error(self, log=None, function=None):
        """Has the failures of threads written to a log, or given to a function."""
        actor = HERE.actor

        def hook(failure):
            HERE.actor, HERE.reply_id = actor, 0
            if function is not None:
                return function()
            actor.objects[log].write("%s: %s" % (failure.thread.name, failure.exc_value))

        threading.excepthook = hook


def join_thread(thread, timeout):
    if timeout is None:
        return thread.join()
    thread.join(timeout)
    if thread.is_alive():
        raise Refused("timed-out")


class Program:
    """subprocess.Popen: a description, and the last program that was started as it says."""

    operations = ("start", "run", "check", "partial", "scope", "id", "poll", "wait", "signal",
                  "terminate", "kill", "write", "close_input", "read", "read_count", "read_errors",
                  "exchange", "resume", "failed_path", "drop")
    is_guard = False

    def __init__(self, context, raw=None, sh=None, words=(), input=None, output=None, errors=None,
                 environment=None, directory=None, session=False, umask=-1, name=None,
                 with_caller=False, shell=None, text=False, user=None, long=0, main=None, **others):
        self.raw = raw
        self.passed = others.pop("pass", None)
        if with_caller:
            raise NotImplementedError("a program goes on without its caller")
        self.words = ["sh", "-c", sh] if sh is not None else list(words)
        self.words += ["x" * long] if long else []
        if main is not None:
            self.file = os.memfd_create(main)
            os.write(self.file, (MAIN_START + MAINS[main]).encode())
            options = ["-I", "-S", "-O"] if main == "options" else ["-I", "-S"]
            path = "/proc/%d/fd/%d" % (os.getpid(), self.file)
            self.words = [sys.executable, *options, path, *self.words]
        self.streams = (input, output, errors)
        self.more = {"cwd": directory, "start_new_session": session}
        if umask != -1:
            self.more["umask"] = umask
        if environment is not None:
            self.more["env"] = dict(environment)
        if shell is not None:
            self.words, self.more["shell"] = shell, True
        if name is not None:
            self.more["executable"], self.words[0] = self.words[0], name
        if text:
            self.more["universal_newlines"] = True
        if user is not None:
            self.more["user"] = user
        self.failure, self.begun = None, None

    def stream(self, name):
        special = {None: subprocess.PIPE, "pipe": subprocess.PIPE, "null": subprocess.DEVNULL,
                   "inherit": None, "output": subprocess.STDOUT}
        return special[name] if name in special else HERE.actor.objects[name].raw.fileno()

    def described(self):
        stdin, stdout, stderr = (self.stream(name) for name in self.streams)
        if self.passed is not None:
            self.more["pass_fds"] = [HERE.actor.objects[self.passed].raw.fileno()]
        return {"stdin": stdin, "stdout": stdout, "stderr": stderr, **self.more}

    def start(self):
        self.begun = None
        self.process = self.noted(lambda: subprocess.Popen(self.words, **self.described()))

    def noted(self, work):
        try:
            return work()
        except (OSError, subprocess.SubprocessError) as error:
            self.failure = error
            if isinstance(error, FileNotFoundError) and error.filename == self.more["cwd"]:
                raise Refused("no-such-name", error.filename) from error
            raise

    def run(self, timeout=None, also=None, **given):
        return self.ran(timeout, False, given, also)

    def check(self, timeout=None, **given):
        return self.ran(timeout, True, given, None)

    def ran(self, timeout, check, given, also):
        data = sent(given)
        described = self.described()
        if data is not None:
            if also != "input":
                del described["stdin"]
            described["input"] = data
        elif self.streams[0] is None:
            described["stdin"] = subprocess.DEVNULL
        if also == "output":
            described["capture_output"] = True
        ran = self.noted(lambda: subprocess.run(self.words, check=check, timeout=timeout,
                                                **described))
        return [ran.returncode, shown(ran.stdout, data), shown(ran.stderr, data)]

    def partial(self):
        failure = self.failure
        if not isinstance(failure, subprocess.SubprocessError):
            return None
        status = getattr(failure, "returncode", None)
        return [status, shown(failure.output), shown(failure.stderr)]

    def failed_path(self):
        return getattr(self.failure, "filename", None)

    def scope(self):
        with subprocess.Popen(self.words, **self.described()) as process:
            pass
        return process.returncode

    def id(self):
        return self.process.pid

    def poll(self):
        return self.process.poll()

    def wait(self, timeout=None):
        return self.process.wait(timeout)

    def signal(self, number):
        self.process.send_signal(number)

    def terminate(self):
        self.process.terminate()

    def kill(self):
        self.process.kill()

    def write(self, **given):
        self.process.stdin.write(sent(given))
        self.process.stdin.flush()

    def close_input(self):
        self.process.stdin.close()

    def read(self):
        line = self.process.stdout.readline()
        return line.decode().rstrip("\n") if line else None

    def read_errors(self):
        line = self.process.stderr.readline()
        return line.decode().rstrip("\n") if line else None

    def read_count(self, count=-1):
        return len(self.process.stdout.read(count))

    def exchange(self, timeout=None, **given):
        data = sent(given)
        self.begun = data
        out, errors = self.process.communicate(data, timeout)
        return [self.process.returncode, shown(out, data), shown(errors, data)]

    def resume(self, timeout=None):
        out, errors = self.process.communicate(None, timeout)
        data = self.begun
        return [self.process.returncode, shown(out, data), shown(errors, data)]

    def drop(self):
        self.process = None


def sent(given):
    """`input="text"`, or `input_count=N` bytes that take every value."""
    if "input" in given:
        return given["input"].encode()
    if "input_count" in given:
        return bytes(place % 256 for place in range(given["input_count"]))
    return None


def shown(data, sent=None):
    """Bytes as a script reads them: a text when it is short, else how many, and whether they are
    what was sent."""
    if data is None or isinstance(data, str):
        return data
    try:
        if len(data) <= 1000:
            return data.decode()
    except UnicodeDecodeError:
        pass
    return "%d bytes%s" % (len(data), " as sent" if data == sent else "")


def collected(status):
    signal = status & 127
    return -signal if signal else status >> 8 & 255


def run_work(actor, work, args, named):
    """A function of the script's, and then one that writes down the arguments that it gets."""
    HERE.actor, HERE.reply_id = actor, 0
    value = None
    if work.get("weighs"):
        words = memoryview(args[0])[:len(args[0]) // 8 * 8].cast("Q")
        sys.exit((3 * sum(words[::2]) + 5 * sum(words[1::2]) + len(args[0])) % 250 + 1)
    if work["function"] is not None:
        value = work["function"]()
    if work["echo"] is not None:
        actor.objects[work["echo"]].write(json.dumps([list(args), named], separators=(",", ":")))
    return value if work.get("returns") is None else work["returns"]


def stepping(how):
    """A class of process objects with a step and a state of their own."""
    context = multiprocessing.get_context(how)

    class Stepping(context.Process):
        @classmethod
        def begin(cls, work, given, name, daemon):
            begun = cls(name=name, daemon=daemon)
            begun.work, begun.given = work, given
            return begun

        def run(self):
            self.work(*self.given)

        def __reduce__(self):
            names = {"__name__": TARGET, "source": SOURCE[0], "passed": None, "how": how}
            again = "exec(source, globals()) or unfilled(stepping(how))"
            return eval, (again, names), self.__dict__

    return Stepping


def shouting(how):
    """A class of process objects with a step, and with a pipe that each is made with."""
    context = multiprocessing.get_context(how)

    class Shouting(context.Process):
        def __init__(self):
            super().__init__()
            self.ours, self.theirs = context.Pipe()

        def run(self):
            for text in iter(self.theirs.recv, "none"):
                self.theirs.send(text.upper())

        def __reduce__(self):
            names = {"__name__": TARGET, "source": SOURCE[0], "passed": None, "how": how}
            again = "exec(source, globals()) or unfilled(shouting(how))"
            return eval, (again, names), self.__dict__

    return Shouting


def unfilled(cls):
    return cls.__new__(cls)


def half_made_process(context):
    class HalfMade(context.Process):
        def __init__(self):
            pass

    return HalfMade()


def given(gift, told):
    """An argument that has no serial form, that cannot be read, or that tells of its release."""
    if gift == "no-serial-form":
        return threading.Lock()
    if gift == "large":
        return bytes(64 << 20)
    return Unreadable() if gift == "unreadable" else Watched(HERE.actor.objects[told])


class Unreadable:
    def __reduce__(self):
        return int, ("it is no number",)


class Watched:
    def __init__(self, log):
        self.log, self.made_by = log, os.getpid()

    def __reduce__(self):
        return int, ()

    def __del__(self):
        if os.getpid() == self.made_by:
            self.log.write("released")


class Target:
    """What a process object runs: an actor, when it is started as the life of one, or a function.
    In an interpreter of its own it is made anew, from the text of this file."""

    def __init__(self, passed):
        self.passed = passed

    def __reduce__(self):
        names = {"__name__": TARGET, "source": SOURCE[0], "passed": self.passed}
        return eval, ("exec(source, globals()) or target", names)

    def __call__(self, *args, **named):
        passed = self.passed
        if "usual" not in passed:
            return run_work(HERE.actor, passed, args, named)  # called without a start
        if "objects" in passed:
            for descriptor in passed["others"]:
                os.close(descriptor)
            objects = passed["objects"]
        else:
            offer_functions()
            objects = remade(multiprocessing.get_context(passed["usual"]), passed["kinds"])
        if passed["estate"] is None:
            actor = Alone(multiprocessing.get_context(passed["usual"]), objects)
            return run_work(actor, passed, args, named)
        actor = Actor(SOURCE[0], passed["usual"], Estate.unpacked(passed["estate"]), objects)
        actor.greet(passed["reply_id"], passed["hatch"])
        actor.live()


class Pool:
    """multiprocessing.pool.Pool, which is made by the operation `start`. What it runs is
    `run_task`, on a pair of what is to be run and what that is given."""

    operations = ("start", "size", "worker", "strangers", "apply", "submit", "map", "map_async",
                  "starmap", "imap", "imap_unordered", "close", "terminate", "join", "failure",
                  "map_unsendable", "map_traced", "traced", "map_reversed", "map_puts", "send", "drop",
                  "drop_warns", "local")
    is_guard = True

    def __init__(self, context, raw=None):
        self.context, self.raw, self.failed = context, raw, None

    def start(self, workers=None, by=None, initializer=None, **limits):
        self.raw = None
        usual = self.context.get_start_method()
        context = self.context if by is None else context_by(method_for(by, usual))
        if initializer is not None and not callable(initializer):
            context.Pool(workers, initializer)
        tasks = {"maxtasksperchild": limits["tasks"]} if "tasks" in limits else {}
        self.raw = self.make(context, workers, initializer, tasks)

    def make(self, context, workers, initializer, tasks):
        usual = self.context.get_start_method()
        others = {name: object for name, object in HERE.actor.objects.items()
                  if not isinstance(object[0] if isinstance(object, list) else object, OF_POOLS)}
        if context.get_start_method() == "fork":
            return context.Pool(workers, begin_worker, (others, usual, initializer), **tasks)
        kinds = {name: kept(handles) for name, handles in others.items()}
        names = {"__name__": WORKER, "source": SOURCE[0], "passed": (kinds, usual, initializer)}
        return context.Pool(workers, exec, (SOURCE[0], names), **tasks)

    def came(self, work, *args, **named):
        """What comes of it; a failure is kept, since scripts ask what it says."""
        if self.raw is None:
            raise Refused("pool-not-running", "nothing was started")
        try:
            return work(*args, **named)
        except Exception as error:
            self.failed = error
            raise

    def size(self):
        return self.raw._processes

    def worker(self, place):
        return self.raw._pool[place].pid

    def strangers(self, of):
        workers = [worker.pid for worker in self.raw._pool]
        return len([pid for pid in of if pid not in workers])

    def apply(self, of=None, task=None, function=None):
        run, args, _ = self.given(task or function, of)
        return whole_or_plain(self.came(self.raw.apply, run, args))

    def submit(self, of=None, task=None, function=None, to=None, place=None, base=None,
               handle=None, **callbacks):
        of = of if handle is None else HERE.actor.objects[handle].raw
        run, args, named = self.given(task or function, of, base)
        result = self.came(self.raw.apply_async, run, args, named, **with_actor(callbacks))
        fill(to, place, result)

    def given(self, work, of, base=None):
        """What is called, with what."""
        if base is not None:
            return int, (of,), {"base": base}
        if work == "unsendable-function":
            return lambda: None, (), {}
        if work == "unknown":
            sys.modules[ACTOR].only_here = only_here
            return only_here, (), {}
        if work == "square" and isinstance(of, list):
            return run_task, (work, *of), {}
        return run_task, ((work, of),), {}

    def map(self, chunk=None, log=None, sum=False, distinct=None, **source):
        values = self.came(self.raw.map, run_task, elements(**source), chunk)
        return shown_values(values, log, sum, distinct)

    def map_async(self, chunk=None, to=None, place=None, callback=None, error_callback=None,
                  **source):
        callbacks = {"callback": callback, "error_callback": error_callback}
        callbacks = with_actor({name: one for name, one in callbacks.items() if one is not None})
        result = self.came(self.raw.map_async, run_task, elements(**source), chunk, **callbacks)
        fill(to, place, result)

    def starmap(self, of=None, squares=None, chunk=None, to=None, sum=False):
        pairs = of if squares is None else [(n, n) for n in range(squares)]
        if to is not None:
            return fill(to, None, self.came(self.raw.starmap_async, multiply, pairs, chunk))
        return shown_values(self.came(self.raw.starmap, multiply, pairs, chunk), None, sum, None)

    def imap(self, to, chunk=1, **source):
        fill(to, None, self.came(self.raw.imap, run_task, elements(**source), chunk))

    def imap_unordered(self, to, chunk=1, **source):
        fill(to, None, self.came(self.raw.imap_unordered, run_task, elements(**source), chunk))

    def close(self):
        self.raw.close()

    def terminate(self):
        self.raw.terminate()

    def join(self, timeout=None):
        if timeout is not None:
            raise NotImplementedError("it has no time limit")
        self.raw.join()

    def failure(self, has=None, place=False):
        return says(self.failed, has, place)

    def map_unsendable(self, count):
        return self.came(self.raw.map, run_task, [threading.Lock() for _ in range(count)], 1)

    def map_reversed(self, count, bytes):
        given = [bulk(bytes, seed) for seed in range(count)]
        came = self.came(self.raw.map, reversed_bytes, given, 1)
        return [one[::-1] for one in came] == given and count

    def map_puts(self, on, over):
        queue = HERE.actor.objects[on].raw
        self.came(self.raw.map, put_on, [(queue, number) for number in range(over)], 1)

    def map_traced(self, count):
        return len(self.came(self.raw.map, same, [Traced() for _ in range(count)]))

    def traced(self):
        return traced_count()

    def send(self):
        try:
            multiprocessing.Pipe()[1].send(self.raw)
        except NotImplementedError as error:
            raise Refused("not-transferable", str(error)) from error

    def drop(self):
        self.raw = None
        gc.collect()

    def drop_warns(self):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            self.drop()
        return any("unclosed running" in str(one.message) for one in seen)

    def local(self):
        here = object()
        return [7, self.came(self.raw.apply, lambda: here) is here]


class ThreadPool(Pool):
    """multiprocessing.pool.ThreadPool"""

    def make(self, context, workers, initializer, tasks):
        passed = (dict(HERE.actor.objects), self.context.get_start_method(), initializer)
        return multiprocessing.pool.ThreadPool(workers, begin_worker, passed)


class AsyncResult:
    """multiprocessing.pool.AsyncResult, which a call of a pool fills in."""

    operations = ("get", "wait", "ready", "successful", "failure")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw, self.failed = raw, None

    def get(self, timeout=None, log=None, sum=False, distinct=None):
        if self.raw is None:
            raise Refused("pool-not-running", "nothing was submitted")
        try:
            value = self.raw.get(timeout)
        except Exception as error:
            self.failed = error
            raise
        if isinstance(value, list):
            return shown_values(value, log, sum, distinct)
        return whole_or_plain(value)

    def wait(self, timeout=None):
        self.raw.wait(timeout)

    def ready(self):
        return self.raw.ready()

    def successful(self):
        return self.raw.successful()

    def failure(self, has=None, place=False):
        return says(self.failed, has, place)


class Iterator:
    """What imap gives, which a call of a pool fills in."""

    operations = ("next", "rest", "failure")
    is_guard = False

    def __init__(self, context, raw=None):
        self.raw, self.failed = raw, None

    def next(self, timeout=None):
        try:
            return next(self.raw) if timeout is None else self.next_within(timeout)
        except StopIteration:
            raise Refused("stop-iteration", "there is none left") from None
        except Exception as error:
            self.failed = error
            raise

    def next_within(self, timeout):
        if isinstance(self.raw, types.GeneratorType):
            raise NotImplementedError("with chunks there is no such call")
        return self.raw.next(timeout)

    def rest(self, log=None, sum=False, distinct=None):
        return shown_values(list(self.raw), log, sum, distinct)

    def failure(self, has=None, place=False):
        return says(self.failed, has, place)


OF_POOLS = (Pool, AsyncResult, Iterator)


def begin_worker(objects, usual, initializer):
    """What each worker runs first."""
    HERE.actor, HERE.reply_id = Alone(multiprocessing.get_context(usual), objects), 0
    if initializer is not None:
        initializer()


def run_task(given):
    """A task by its name, or a function of the script, on what it is given."""
    work, of = given
    if callable(work):
        HERE.given = of
        return work()
    return TASKS[work](of)


def late(of):
    time.sleep((10 - of) * 0.005)
    return of


def fails(of):
    raise TaskFailed(of)


def parse(of):
    return int(of) if of.isdigit() else fails(of)


def start_child(of):
    child = multiprocessing.Process(target=int)
    child.start()
    child.join()


TASKS = {
    "square": lambda of: of * of,
    "identity": lambda of: of,
    "parse": parse,
    "late": late,
    "fails": fails,
    "start": start_child,
    "unsendable": lambda of: threading.Lock(),
    "large": lambda of: bulk(LARGE_BYTES, 7),
    "traced": lambda of: traced_count(),
}
LARGE_BYTES = 8 << 20


def only_here():
    pass


def multiply(one, other):
    return one * other


def reversed_bytes(of):
    return of[::-1]


def same(traced):
    return traced


def put_on(given):
    queue, number = given
    queue.put(number)


class Traced:
    """Something that is counted while it lives."""

    count = 0

    def __init__(self):
        Traced.count += 1

    def __reduce__(self):
        return Traced, ()

    def __del__(self):
        Traced.count -= 1


def traced_count():
    """How many there are in this process, as soon as the threads of a pool have let go of theirs."""
    for _ in range(100):
        gc.collect()
        if Traced.count == 0:
            break
        time.sleep(0.01)
    return Traced.count


def elements(task=None, function=None, over=None, of=None, at=(), there=None, fails_at=None,
             counts=None):
    """What a map is given: pairs, for `run_task`."""
    if of is not None and not isinstance(of, list):
        return of
    asked = None if counts is None else HERE.actor.objects[counts]
    at = at if isinstance(at, (list, tuple)) else (at,)
    values = of if of is not None else range(over if over is not None else sys.maxsize)

    def each():
        for place, value in enumerate(values):
            if asked is not None:
                asked.add(1)
            if place == fails_at:
                raise TaskFailed("the source fails at %d" % place)
            yield (there if there is not None and value in at else task or function, value)
        if asked is not None:
            asked.add(1)

    return each()


def fill(to, place, made):
    if to is not None:
        found = HERE.actor.objects[to]
        (found if place is None else found[place]).raw = made


def with_actor(callbacks):
    """The script's functions as callbacks, which the library runs in a thread of its own."""
    actor = HERE.actor

    def calling(function, value):
        HERE.actor, HERE.reply_id = actor, 0
        HERE.given = error_kind(value) if isinstance(value, BaseException) else value
        function()

    return {name: functools.partial(calling, one) for name, one in callbacks.items()}


def shown_values(values, log, sum, distinct):
    """All values; or each in a log, their sum, how many of each so many are different."""
    if log is not None:
        for value in values:
            HERE.actor.objects[log].write(value)
    elif sum:
        return builtins.sum(value for value in values if isinstance(value, int))
    elif distinct:
        parts = [values[place:place + distinct] for place in range(0, len(values), distinct)]
        return [len(set(map(json.dumps, part))) for part in parts]
    else:
        return values


def whole_or_plain(value):
    """Of the large bytes whether they are whole."""
    return value == bulk(LARGE_BYTES, 7) if isinstance(value, bytes) else value


def says(error, has, place):
    text = "" if error is None else "%r %s" % (error, error.__cause__ or "")
    return ("in fails" if place else has) in text


class Manager:
    """multiprocessing.managers.SyncManager, with types and a queue of the suite's own."""

    operations = ("start", "connect", "shutdown", "exit_status", "process_id", "is_child", "address",
                  "has_port", "is_private", "objects", "objects_come_to", "unheard", "pretend",
                  "heard", "intrude", "has_mark")
    is_guard = True

    def __init__(self, context, raw=None, **args):
        self.context, self.args, self.key = context, args, None
        self.raw, self.is_own = None, False
        self.process = None  # the server's, where it is not this process's child
        if raw is not None:
            self.args, place = raw
            if place is not None:
                self.reach(meant_address(place[0]), place[1])
                self.process = place[2]
        elif "unstarted" in args:
            self.raw = self.described({})
        else:
            self.start()

    def packed(self):
        """What a new interpreter is given of it."""
        is_there = self.raw is not None and self.raw._state.value == State.STARTED
        place = (self.address(), self.key, self.process_id()) if is_there else None
        return self.args, place

    def reach(self, address, key):
        self.key, self.is_own = key, False
        self.raw = offering(self.context)(address=address, authkey=key, ctx=self.context)
        try:
            self.raw.connect()
        except OSError:
            pass  # it is gone; who asks for something will hear it

    def described(self, given):
        args = {**self.args, **given}
        key = args.get("key")
        self.key, self.is_own = key and key.encode(), True
        context = multiprocessing.get_context(args["by"]) if "by" in args else self.context
        own_folder()
        address = args.get("address")
        return offering(context)(address=address and meant_address(address), authkey=self.key,
                                 ctx=context)

    def start(self, initializer=None, **given):
        if self.raw is None or given:
            self.raw = self.described(given)
        passed = ()
        how = self.raw._ctx.get_start_method()
        if callable(initializer) and how != "fork":
            kinds = {name: kept(handles) for name, handles in HERE.actor.objects.items()
                     if handles is not self}
            usual = self.context.get_start_method()
            names = {"__name__": WORKER, "source": SOURCE[0], "passed": (kinds, usual, initializer)}
            initializer, passed = exec, (SOURCE[0], names)
        self.raw.start(initializer, passed)
        note_server(self.raw._process.pid)

    def connect(self, address=None, to=None, key=None):
        if to is not None:
            other = HERE.actor.objects[to]
            address, usual = other.raw.address, other.key
        else:
            address, usual = meant_address(address), None
        self.key, self.is_own = key.encode() if key else usual, False
        self.raw = offering(self.context)(address=address, authkey=self.key, ctx=self.context)
        try:
            self.raw.connect()
        except ConnectionRefusedError as error:
            raise Refused("connection-refused", str(error)) from error
        except FileNotFoundError as error:
            raise Refused("no-such-name", str(error)) from error

    def shutdown(self, timeout=None):
        self.raw.shutdown()  # which has limits of its own

    def exit_status(self):
        return self.raw._process.exitcode

    def process_id(self):
        own = getattr(self.raw, "_process", None)
        return self.process if own is None else own.pid

    def is_child(self):
        return self.process_id() in [one.pid for one in multiprocessing.active_children()]

    def address(self):
        return shown_address(self.raw.address)

    def has_port(self):
        return self.raw.address[1] > 0

    def is_private(self):
        address = self.raw.address
        if isinstance(address, tuple):
            return False
        if address[0] in ("\0", 0):
            return True
        folders = [address]
        while os.path.dirname(folders[-1]) != folders[-1]:
            folders.append(os.path.dirname(folders[-1]))
        return any(os.stat(path).st_mode & 0o077 == 0 for path in folders)

    def objects(self):
        return self.raw._number_of_objects()

    def objects_come_to(self, count):
        return until(lambda: gone(self.objects)() == count)

    def make(self, typeid, *args):
        """An object of its server's, by its stand-in."""
        try:
            return gone(getattr(self.raw, typeid))(*args)
        except AssertionError as error:
            if self.raw._state.value == State.SHUTDOWN:
                raise Refused("closed", str(error)) from error
            raise

    def unheard(self, of):
        """An address where nobody listens."""
        if of != "tcp":
            return shown_address(meant_address("path"))
        self.taken = socket.socket()
        self.taken.bind(("127.0.0.1", 0))
        return shown_address(self.taken.getsockname())

    def pretend(self):
        """A false server that accepts anyone, and sends the client's own proof back for its own."""
        listener, self.said = multiprocessing.connection.Listener(("127.0.0.1", 0)), []

        def serve():
            with listener, listener.accept() as client:
                client.send_bytes(b"#CHALLENGE#" + bytes(20))
                self.said.append(client.recv_bytes(256))
                client.send_bytes(b"#WELCOME#")
                self.said.append(client.recv_bytes(256))
                client.send_bytes(self.said[0])
                self.said.append(client.recv_bytes(256))

        self.pretender = threading.Thread(target=serve, daemon=True)
        self.pretender.start()
        return shown_address(listener.address)

    def heard(self, text):
        self.pretender.join()
        return [len(self.said) > 0, any(text.encode() in said for said in self.said)]

    def intrude(self):
        """Sends a value in the place of a proof that makes a folder when it is decoded."""
        self.mark = os.path.join(own_folder(), "mark-%d" % os.getpid())
        intruder = Connection(raw_connection(self.raw.address).detach())
        intruder.recv_bytes(256)
        intruder.send_bytes(pickle.dumps(Mark(self.mark)))
        answer = intruder.recv_bytes(256)
        try:
            intruder.send((None, "create", ("list",), {}))
            intruder.recv_bytes()
        except (EOFError, ConnectionError) as error:
            raise Refused("end-of-file", str(error)) from error
        if answer == b"#FAILURE#":
            raise Refused("authentication-failed", "the proof was refused")

    def has_mark(self):
        return os.path.exists(self.mark)


class Mark:
    """What makes a folder when it is decoded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def offering(context):
    """A class of managers with types of the suite's own. Its server is the library's, so that it is
    known in a new interpreter, too."""

    class Offering(SyncManager):
        _run_server = SyncManager._run_server

    def makes(what):
        # Where there is no copy of this process, the text of this file makes the module first.
        names = {"__name__": SERVER, "source": SOURCE[0]}
        modules = "__import__('sys').modules"
        make = "(%r in %s or exec(source, globals()), %s[%r].%s())[1]"
        return functools.partial(eval, make % (ACTOR, modules, modules, ACTOR, what), names)

    Offering.register("Thing", makes("Thing"))
    Offering.register("Narrow", makes("Thing"), exposed=("f", "_h"))
    Offering.register("Squares", makes("squares"), proxytype=IteratorProxy)
    once = "__import__('builtins').__dict__.setdefault('offered', __import__('queue').Queue())"
    Offering.register("Offered", functools.partial(eval, once))
    return Offering


class Thing:
    """A type of the suite's own."""

    def f(self):
        return "f()"

    def g(self):
        raise TaskFailed("boom")

    def _h(self):
        return "_h()"

    def unsendable(self):
        return threading.current_thread()


def squares():
    for number in range(10):
        yield number * number


def meant_address(text):
    """`tcp` with a port of the server's choice, `path` in a folder, or what is written out."""
    if text == "tcp":
        return ("127.0.0.1", 0)
    if text == "path":
        return tempfile.mktemp(prefix="socket-", dir=own_folder())
    family, _, rest = text.partition(":")
    if family == "tcp":
        host, _, port = rest.rpartition(":")
        return (host, int(port))
    return "\0" + rest[1:] if rest.startswith("@") else rest


def shown_address(address):
    if isinstance(address, tuple):
        return "tcp:%s:%d" % address
    address = address.decode() if isinstance(address, bytes) else address
    return "unix:" + address.replace("\0", "@")


def raw_connection(address):
    made = socket.socket(socket.AF_INET if isinstance(address, tuple) else socket.AF_UNIX)
    made.connect(address)
    return made


FOLDER = "PURLIN_SUITE_FOLDER"  # names the folder for sockets, which the adapter takes away


def name_folder():
    """Names the folder of this adapter, and takes away what those have left that were killed."""
    prefix = os.path.join(tempfile.gettempdir(), "purlin-suite-")
    os.environ[FOLDER] = "%s%d" % (prefix, os.getpid())
    for path in glob.glob(prefix + "*"):
        if not os.path.exists("/proc/" + path[len(prefix):].split("-")[0]):
            shutil.rmtree(path, ignore_errors=True)


def own_folder():
    """Where the library puts its sockets, too."""
    os.makedirs(os.environ[FOLDER], mode=0o700, exist_ok=True)
    multiprocessing.current_process()._config["tempdir"] = os.environ[FOLDER]
    return os.environ[FOLDER]


def note_server(pid):
    """Of one that is noted the adapter makes an end: whoever started it may have been killed."""
    with open(os.path.join(own_folder(), "server-%d" % pid), "w"):
        pass


def end_servers():
    for path in glob.glob(os.path.join(os.environ[FOLDER], "server-*")):
        pid = int(path.rpartition("-")[2])
        try:
            if os.getpgid(pid) == os.getpgrp():
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    shutil.rmtree(os.environ[FOLDER], ignore_errors=True)


def gone(method):
    """The end of a server, as the library says it in many words."""

    def call(*args, **named):
        try:
            return method(*args, **named)
        except (ConnectionError, EOFError, FileNotFoundError) as error:
            raise Refused("server-gone", repr(error)) from error

    return call


class Managed:
    """What a stand-in of a manager has, whatever it stands for. Without a manager it is yet to be
    put here."""

    is_guard = False
    typeid = None

    def __init__(self, context, raw=None, manager=None, unfilled=None, **args):
        self.context, self.raw = context, raw
        if manager is not None:
            self.raw = manager.make("Offered" if "offered" in args else self.typeid, *self.made_of(**args))

    def made_of(self, offered=None, **args):
        return list(args.values())

    def send_by(self, end):
        HERE.actor.objects[end].raw.send(self.raw)

    def recv_from(self, end):
        self.raw = HERE.actor.objects[end].raw.recv()


def put_or_told(item, to=None):
    """What came, as a script reads it; a stand-in becomes the object that is named."""
    if not isinstance(item, BaseProxy):
        return told(item)
    if to is None:
        return "an object"
    HERE.actor.objects[to].raw = item


def item_or_object(given, name="item"):
    if "object" in given:
        return HERE.actor.objects[given["object"]].raw
    return given[name] if name in given else item_of(given)


class ManagedList(Managed):
    operations = ("length", "get", "set", "append", "insert", "remove", "pop", "extend", "reverse",
                  "count", "index", "read", "repeat", "joined", "walk", "next", "get_and_change",
                  "change_and_set", "append_unsendable", "read_for_ever", "text", "equals", "call",
                  "fill", "send_by", "recv_from")
    typeid = "list"

    def made_of(self, values=(), over=None):
        return [list(values if over is None else range(over))]

    def length(self, **limit):
        unlimited(limit)
        return len(self.raw)

    def get(self, index, to=None):
        return put_or_told(self.raw[index], to)

    def set(self, index, **given):
        self.raw[index] = item_or_object(given)

    def append(self, **given):
        self.raw.append(item_or_object(given))

    def insert(self, index, item):
        self.raw.insert(index, item)

    def remove(self, item):
        self.raw.remove(item)

    def pop(self):
        return self.raw.pop()

    def extend(self, values):
        self.raw.extend(values)

    def reverse(self):
        self.raw.reverse()

    def count(self, item):
        return self.raw.count(item)

    def index(self, item):
        return self.raw.index(item)

    def read(self, start=None, end=None, count=None):
        found = self.raw[start:end]
        return found if count is None else found.count(count)

    def repeat(self, times):
        self.raw *= times

    def joined(self, values):
        return self.raw + values

    def walk(self):
        self.walked = iter(self.raw)

    def next(self):
        return told(next(self.walked))

    def get_and_change(self, index):
        copied = self.raw[index]
        before = list(copied)
        copied.append("changed")
        return before

    def change_and_set(self, index, item):
        copied = self.raw[index]
        copied.append(item)
        self.raw[index] = copied

    def append_unsendable(self):
        self.raw.append(threading.Lock())

    def read_for_ever(self):
        while True:
            self.raw[:]

    def text(self):
        return str(self.raw)

    def equals(self, values, copy=False):
        return (self.raw[:] if copy else self.raw) == values

    def call(self, method):
        return self.raw._callmethod(method)

    def fill(self, over):
        self.raw[:] = list(range(over))


class ManagedDict(Managed):
    operations = ("length", "get", "set", "contains", "keys", "values", "read", "pop", "clear",
                  "walk", "next", "send_by", "recv_from")
    typeid = "dict"

    def made_of(self, pairs=()):
        return [[tuple(pair) for pair in pairs]]

    def length(self, **limit):
        unlimited(limit)
        return len(self.raw)

    def get(self, key, to=None, **other):
        return self.raw.get(key, other["or"]) if other else put_or_told(self.raw[key], to)

    def set(self, key, **given):
        self.raw[key] = item_or_object(given, "value")

    def contains(self, key):
        return key in self.raw

    def keys(self):
        return list(self.raw.keys())

    def values(self):
        return list(self.raw.values())

    def read(self):
        return list(self.raw.copy().items())

    def pop(self, key):
        return self.raw.pop(key)

    def clear(self):
        self.raw.clear()

    def walk(self):
        self.walked = iter(self.raw)

    def next(self):
        return next(self.walked)


class ManagedNamespace(Managed):
    operations = ("get", "set", "delete", "send_by", "recv_from")
    typeid = "Namespace"

    def get(self, name):
        return getattr(self.raw, name)

    def set(self, name, value):
        setattr(self.raw, name, value)

    def delete(self, name):
        delattr(self.raw, name)


class ManagedValue(Managed):
    operations = ("get", "set", "add", "send_by", "recv_from")
    typeid = "Value"

    def made_of(self, type="i32", value=0):
        return [TYPES[type], value]

    def get(self):
        return self.raw.value

    def set(self, value):
        self.raw.value = value

    def add(self, n):
        self.raw.value += n


class ManagedArray(Managed):
    operations = ("length", "get", "set", "read", "send_by", "recv_from")
    typeid = "Array"

    def made_of(self, type="i32", values=()):
        return [TYPES[type], values]

    def length(self):
        return len(self.raw)

    def get(self, index):
        return self.raw[index]

    def set(self, index, value):
        self.raw[index] = value

    def read(self):
        return [self.raw[index] for index in range(len(self.raw))]


class ManagedThing(Managed):
    operations = ("call", "next", "failure", "send_by", "recv_from")

    def __init__(self, context, raw=None, type=None, **args):
        self.typeid, self.failed = type and type.capitalize(), None
        super().__init__(context, raw, **args)

    def call(self, method):
        try:
            return self.raw._callmethod(method)
        except Exception as error:
            self.failed = error
            raise

    def next(self):
        return next(self.raw)

    def failure(self, has):
        return has in str(self.failed)


class ManagedLock(Managed, Lock):
    operations = ("acquire", "try", "release", "send_by", "recv_from")
    typeid, is_guard = "Lock", True


class ManagedRLock(ManagedLock):
    typeid = "RLock"


class ManagedSemaphore(ManagedLock):
    typeid = "Semaphore"


class ManagedBoundedSemaphore(ManagedLock):
    typeid = "BoundedSemaphore"


class ManagedCondition(Managed, Condition):
    operations = (*Condition.operations, "send_by", "recv_from")
    typeid, is_guard = "Condition", True


class ManagedEvent(Managed, Event):
    operations = (*Event.operations, "send_by", "recv_from")
    typeid = "Event"


class ManagedBarrier(Managed, Barrier):
    operations = (*Barrier.operations, "send_by", "recv_from")
    typeid = "Barrier"


class ManagedQueue(Managed, Queue):
    operations = (*Queue.operations, "task_done", "join", "put_kinds", "get_kinds", "send_by",
                  "recv_from")
    typeid = "Queue"

    def put(self, timeout=None, block=True, **given):
        self.raw.put(item_or_object(given), block, timeout)

    def get(self, timeout=None, to=None):
        return put_or_told(self.raw.get(True, timeout), to)

    def task_done(self):
        self.raw.task_done()

    def join(self, **limit):
        unlimited(limit)
        self.raw.join()

    def put_kinds(self):
        for item in ITEM_KINDS:
            self.raw.put(item)

    def get_kinds(self):
        return sum(self.raw.get() == item for item in ITEM_KINDS)


class ManagedPool(Managed):
    operations = ("map", "send_by", "recv_from")
    typeid = "Pool"

    def made_of(self, workers=None):
        return [workers]

    def map(self, task, of):
        if task != "square":
            raise NotImplementedError(task)
        return self.raw.starmap(pow, [(value, 2) for value in of])


# A text, nothing, a truth value, a number, another script, and bytes above 127 among others.
ITEM_KINDS = ["hello world", None, True, 2.25, "\u043f\u0440\u0438\u0432\u0435\u0442",
              bulk(200, 100)]

# The kinds that a manager makes, and those that it alone makes first.
MANAGED = {
    "list": ManagedList,
    "dict": ManagedDict,
    "namespace": ManagedNamespace,
    "registered": ManagedThing,
    "value": ManagedValue,
    "array": ManagedArray,
    "lock": ManagedLock,
    "rlock": ManagedRLock,
    "semaphore": ManagedSemaphore,
    "bounded-semaphore": ManagedBoundedSemaphore,
    "condition": ManagedCondition,
    "event": ManagedEvent,
    "barrier": ManagedBarrier,
    "queue": ManagedQueue,
    "joinable-queue": ManagedQueue,
    "pool": ManagedPool,
}


def unlimited(limit):
    if limit:
        raise NotImplementedError("there is no limit")


KINDS = {
    "lock": Lock,
    "semaphore": Semaphore,
    "bounded-semaphore": BoundedSemaphore,
    "event": Event,
    "queue": Queue,
    "joinable-queue": JoinableQueue,
    "simple-queue": SimpleQueue,
    "value": Value,
    "array": Array,
    "record": Record,
    "record-array": RecordArray,
    "pipe": Pipe,
    "several": Several,
    "rlock": RLock,
    "condition": Condition,
    "barrier": Barrier,
    "cell": Cell,
    "log": Log,
    "host": Host,
    "process": Process,
    "shouter": Shouter,
    "current": Current,
    "program": Program,
    "thread": Thread,
    "current-thread": CurrentThread,
    "timer": Timer,
    "local": Local,
    "pool": Pool,
    "thread-pool": ThreadPool,
    "async-result": AsyncResult,
    "iterator": Iterator,
    "manager": Manager,
    "list": ManagedList,
    "dict": ManagedDict,
    "namespace": ManagedNamespace,
    "registered": ManagedThing,
}

# And the kinds between threads.
THREAD_KINDS = {
    "lock": ThreadLock,
    "rlock": ThreadRLock,
    "condition": ThreadCondition,
    "semaphore": ThreadSemaphore,
    "bounded-semaphore": ThreadBoundedSemaphore,
    "event": Event,
    "barrier": Barrier,
    "queue": ThreadQueue,
    "joinable-queue": ThreadJoinableQueue,
    "simple-queue": ThreadSimpleQueue,
    "cell": Cell,
    "log": Log,
}

# The arguments that name another object, whose own thing of the library is meant.
NAMES = ("lock",)


def memory(name, size):
    """Memory without a name anywhere, as a connection: what the library passes on as it is."""
    descriptor = os.memfd_create(name)
    os.ftruncate(descriptor, size)
    return Connection(descriptor)


def made(context, kind, args, count, objects):
    kinds = kinds_of(context)
    if kind not in kinds:
        raise NotImplementedError(kind)
    if "again" in args:
        raise NotImplementedError("the library maps a semaphore once in a process")
    if "room" in args:
        raise NotImplementedError("the library counts waiters without a limit")
    args = arguments(args)
    for name in NAMES:
        if name in args:
            if args[name] not in objects:
                raise Refused("no-such-name", args[name])
            args[name] = objects[args[name]].raw
    if "manager" in args or "unfilled" in args:
        by = args.pop("manager", None)
        if by is not None and by not in objects:
            raise Refused("no-such-name", by)
        return MANAGED[kind](context, manager=objects.get(by), **args)
    if "other" in args:
        args["other"] = objects[args["other"]]
    if count is None:
        return kinds[kind](context, **args)
    return [kinds[kind](context, **args) for _ in range(count)]


def kinds_of(context):
    return THREAD_KINDS if isinstance(context, Threads) else KINDS


def context_by(method):
    return Threads() if method == THREADS else multiprocessing.get_context(method)


def method_for(how, usual):
    """Where new interpreters come from the library's server, that is what a script's spawn is."""
    return usual if how == "spawn" and usual == FORK_SERVER else how


def operation(target, name):
    """The method for an operation, or none."""
    if name not in target.operations:
        return None
    is_taken = name in ("try", "global") or name == "raw" and isinstance(target, Array)
    method = getattr(target, name + "_" if is_taken else name)
    return gone(method) if isinstance(target, Managed) else method


def arguments(args):
    """JSON has neither infinity nor what is not a number, and functions are programs."""
    special = {"infinity": float("inf"), "nan": float("nan")}

    def meant(name, value):
        if isinstance(value, dict) and list(value) == ["program"]:
            return function(value["program"])
        return special[value] if name == "timeout" and isinstance(value, str) else value

    return {name: meant(name, value) for name, value in args.items()}


# Functions: programs that the library calls, in the thread whose actor then runs them.

HERE = threading.local()  # the actor of a thread, and the request that it answers
SOURCE = []  # the text of this file


def function(program):
    """The library pickles it for a new interpreter, and nothing of this file is known there yet."""
    call = "__import__(%r).run_function(%r)" % (ACTOR, json.dumps(program))
    return functools.partial(eval, call)


def run_function(program):
    given, HERE.given = getattr(HERE, "given", None), None  # what the function is called with
    return Script(HERE.actor, HERE.reply_id).block(json.loads(program), given)


def offer_functions():
    module = sys.modules[ACTOR] = types.ModuleType(ACTOR)
    module.run_function = run_function
    # What goes to the workers of a pool and back is known by this name on both sides.
    for each in (run_task, multiply, reversed_bytes, same, put_on, only_here, Traced, TaskFailed, Refused,
                 Thing, squares):
        each.__module__ = ACTOR
        if each is not only_here:
            setattr(module, each.__name__, each)


# Actors.


class Estate:
    """The reading end of an actor's pipe, and those of the actors that it will start."""

    def __init__(self, name, commands, heirs):
        self.name, self.commands, self.heirs = name, commands, heirs

    @classmethod
    def make(cls, name, heirs, writers):
        reads, writes = multiprocessing.Pipe(False)
        writers[name] = writes
        return cls(name, reads, [cls.make(heir["name"], heir.get("heirs", []), writers)
                                 for heir in heirs])

    def packed(self):
        return (self.name, self.commands, [heir.packed() for heir in self.heirs])

    @classmethod
    def unpacked(cls, packed):
        name, commands, heirs = packed
        return cls(name, commands, [cls.unpacked(heir) for heir in heirs])

    def descriptors(self):
        return sum((heir.descriptors() for heir in self.heirs), [self.commands.fileno()])


class Actor:
    """Takes requests in the thread that it was started in."""

    writers = {}  # the writing ends of all pipes, in the adapter's own process

    def __init__(self, source, method, estate, objects, is_process=True, is_forked=False):
        self.source, self.context = source, context_by(method)
        self.estate, self.objects = estate, objects
        self.is_process, self.is_forked = is_process, is_forked
        self.requests = queue.SimpleQueue()
        self.children = []
        threading.Thread(target=self.read, daemon=True).start()

    def greet(self, reply_id, hatch):
        ids = {"pid": os.getpid(), "tid": threading.get_native_id()}
        if hatch is None:
            say(reply_id, "ok", **ids)
        else:
            say(reply_id, "started", name=self.estate.name, **ids)
            # Its end alone says nothing while a sibling, forked meanwhile, has a copy.
            hatch.send_bytes(b"hatched")
            hatch.close()

    def read(self):
        # Signals are for the thread that makes the calls.
        signal.pthread_sigmask(signal.SIG_BLOCK, SENT_BY_SCRIPTS)
        with os.fdopen(self.estate.commands.fileno(), "rb", closefd=False) as lines:
            for line in lines:
                self.requests.put(json.loads(line))
        # The adapter let go of us, or is gone. The calling thread may wait in a lock for ever.
        os._exit(0)

    def live(self):
        """Returns when the actor is to end as any program does."""
        while True:
            request = self.requests.get()
            HERE.actor, HERE.reply_id = self, request["id"]
            try:
                if request["request"] == "call":
                    self.call(request)
                elif request["request"] == "run":
                    Script(self, request["id"]).run(request["program"])
                else:
                    say(request["id"], "error", kind="invalid-argument", text="nobody waits here")
            except Leave as leave:
                if leave.newborn is not None:
                    self.be(*leave.newborn)
                if leave.thread and self.is_process:
                    end_this_thread()
                return

    def call(self, request):
        reply_id = request["id"]
        try:
            target = self.find(request, {})
        except Refused as error:
            say(reply_id, "error", kind=error.args[0], text=error.args[1])
            return
        method = operation(target, request["op"])
        if method is None:
            say(reply_id, "unsupported")
            return
        say(reply_id, "entered", at=time.monotonic_ns())
        report(reply_id, lambda: method(**arguments(request["args"])))

    def find(self, target, variables):
        name, index = target["object"], target.get("index")
        if name not in self.objects:
            raise Refused("no-such-name", "there is no object " + name)
        found = self.objects[name]
        index = variables.get(index, index)
        if isinstance(found, list) != isinstance(index, int):
            raise Refused("invalid-argument", "one or several " + name)
        if index is None:
            return found
        if not 0 <= index < len(found):
            raise Refused("out-of-range", "there are not so many " + name)
        return found[index]

    # How it starts others.

    def heir(self, name):
        for heir in self.estate.heirs:
            if heir.name == name:
                return heir
        raise Refused("no-such-name", name + " is no heir")

    def fork(self, reply_id, name):
        heir = self.heir(name)
        hatched, hatch = multiprocessing.Pipe(False)
        pid = os.fork()
        if pid == 0:
            hatched.close()
            raise Leave(newborn=(heir, reply_id, hatch))
        hatch.close()
        wait_for(hatched)
        return pid

    def be(self, heir, reply_id, hatch):
        """The life of a forked copy of this process; nothing goes back to what stands around."""
        detach_input()
        self.estate.commands.close()
        for other in self.estate.heirs:
            if other is not heir:
                for descriptor in other.descriptors():
                    os.close(descriptor)
        actor = Actor(self.source, self.context.get_start_method(), heir, self.objects,
                      is_forked=True)
        actor.greet(reply_id, hatch)
        actor.live()
        os._exit(0)

    def start(self, reply_id, name, how):
        hatched, hatch = multiprocessing.Pipe(False)
        others = [self.estate.commands.fileno(), hatched.fileno()]
        for heir in self.estate.heirs:
            if heir.name != name:
                others += heir.descriptors()
        method = method_for(how, self.context.get_start_method()) or self.context.get_start_method()
        child = started(self.source, method, self.context.get_start_method(), self.heir(name),
                        self.objects, reply_id, hatch, others, self.objects)
        self.children.append(child)
        hatch.close()
        wait_for(hatched)

    def fill(self, passed, how, heir, hatched, hatch):
        """Puts in what a process object needs to be what it is started as."""
        passed.update(usual=self.context.get_start_method(), reply_id=HERE.reply_id, hatch=hatch,
                      estate=heir and heir.packed())
        if how != "fork":
            passed["kinds"] = {name: kept(handles) for name, handles in self.objects.items()}
            return
        passed["objects"] = dict(self.objects)
        passed["others"] = [self.estate.commands.fileno()] if self.estate else []
        passed["others"] += [pipe.fileno() for pipe in self.writers.values()]
        if hatched is not None:
            passed["others"].append(hatched.fileno())
        for other in self.estate.heirs if self.estate else []:
            if other is not heir:
                passed["others"] += other.descriptors()

    def thread_life(self, reply_id, name):
        heir = self.heir(name)
        hatched, hatch = multiprocessing.Pipe(False)

        def live():
            actor = Actor(self.source, self.context.get_start_method(), heir, dict(self.objects),
                          is_process=False)
            actor.greet(reply_id, hatch)
            actor.live()

        return hatched, live

    def thread(self, reply_id, name):
        hatched, live = self.thread_life(reply_id, name)
        threading.Thread(target=live, name=name, daemon=True).start()
        wait_for(hatched)

    def exec(self, reply_id):
        os.dup2(self.estate.commands.fileno(), 0)
        os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", IDLE, str(reply_id)])


class Alone(Actor):
    """What runs a function of the script's, and takes no calls."""

    def __init__(self, context, objects):
        self.context, self.objects = context, objects
        self.source, self.estate, self.children, self.requests = SOURCE[0], None, [], None

    def heir(self, name):
        raise Refused("no-such-name", name + " is no heir")


def report(reply_id, work):
    try:
        value = work()
    except NotImplementedError:
        say(reply_id, "unsupported")
    except (Exception, KeyboardInterrupt) as error:
        at = time.monotonic_ns()
        say(reply_id, "failed", at=at, kind=error_kind(error), text=repr(error)[:1000])
    else:
        say(reply_id, "returned", at=time.monotonic_ns(), value=value)


def wait_for(hatched):
    """Waits until a new actor has said that it is there, or is gone. So it comes first."""
    try:
        hatched.recv_bytes()
    except EOFError:
        pass
    hatched.close()


def detach_input():
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def end_this_thread():
    """Ends the first thread of the process alone; CPython itself has no call for that."""
    import ctypes
    while True:
        ctypes.CDLL(None).syscall(EXIT_CALL[platform.machine()], 0)


def started(source, method, usual, estate, objects, reply_id, hatch, others, copies):
    """Starts an actor by the library, in a copy of this process or in a new interpreter.

    A copy closes the descriptors `others` and lets go of the starter's objects, `copies`.
    """
    context = multiprocessing.get_context(method)
    rest = (usual, reply_id, hatch)
    if method == "fork":
        target, args = act, (source, estate, objects, others, copies, *rest)
    else:
        kinds = {name: kept(handles) for name, handles in objects.items()}
        passed = (estate.packed(), kinds, *rest)
        target, args = exec, (source, {"__name__": ACTOR, "passed": passed, "source": source})
    child = context.Process(target=target, args=args, name=estate.name)
    child.start()
    return child


def kept(handles):
    """What a new interpreter is given: the kind, and one thing of the library's or several."""
    if isinstance(handles, (Process, Thread, Program)):
        return (type(handles).__name__, "elsewhere")
    if isinstance(handles, Manager):
        return ("Manager", handles.packed())
    if isinstance(handles, Pipe) and (handles.own or handles.raw.closed):
        return ("Pipe", "elsewhere")
    if isinstance(handles, list) and handles and isinstance(handles[0], (Process, Thread)):
        return (type(handles[0]).__name__, ["elsewhere"] * len(handles))
    if isinstance(handles, list):
        return (type(handles[0]).__name__ if handles else "Lock", [one.raw for one in handles])
    return (type(handles).__name__, handles.raw)


def act(source, estate, objects, others, copies, usual, reply_id, hatch):
    """The life of a forked actor."""
    detach_input()
    for descriptor in others:
        os.close(descriptor)
    actor = Actor(source, usual, estate, dict(objects))
    # So that what it drops is its last handle.
    objects = copies.clear()
    actor.greet(reply_id, hatch)
    actor.live()


def act_anew(source, packed, kinds, usual, reply_id, hatch):
    """The life of a spawned actor."""
    detach_input()
    warnings.simplefilter("ignore", DeprecationWarning)
    offer_functions()
    objects = remade(multiprocessing.get_context(usual), kinds)
    actor = Actor(source, usual, Estate.unpacked(packed), objects)
    actor.greet(reply_id, hatch)
    actor.live()


def remade(context, kinds):
    """In a new interpreter, the objects that it was given."""
    objects = {}
    for name, (kind, raw) in kinds.items():
        make = globals()[kind]
        is_many = isinstance(raw, list)
        objects[name] = [make(context, one) for one in raw] if is_many else make(context, raw)
    return objects


class Script:
    """One run of a program. A failure is an exception, on its way through the scopes around."""

    def __init__(self, actor, reply_id):
        self.actor, self.id = actor, reply_id
        self.variables = {}
        self.it = None  # what the statement before came back with

    def run(self, program):
        say(self.id, "entered", at=time.monotonic_ns())
        report(self.id, lambda: self.block(program))

    def block(self, program, given=None):
        self.it = given
        for statement in program:
            do = getattr(self, "do_" + statement["do"].replace("-", "_"), self.unknown)
            self.it = do(statement)
        return self.it

    def filled(self, value):
        """An argument with the variables of loops, and what came before, in their places."""
        if isinstance(value, list):
            return [self.filled(one) for one in value]
        if isinstance(value, dict) and list(value) == ["loop"]:
            return self.variables.get(value["loop"])
        return self.it if value == {"it": True} else value

    def unknown(self, statement):
        raise NotImplementedError(statement["do"])

    def do_call(self, statement):
        try:
            target = self.actor.find(statement, self.variables)
            method = operation(target, statement["op"])
            if method is None:
                raise NotImplementedError(statement["op"])
            args = statement.get("args", {})
            args = {name: self.filled(value) for name, value in args.items()}
            return method(**arguments(args))
        except NotImplementedError:
            raise
        except (Exception, KeyboardInterrupt) as error:
            for expected in statement.get("or", []):
                if expected["kind"] == error_kind(error):
                    break
            else:
                raise
        return self.block(expected["body"])

    def rounds(self, statement):
        """Counts, with the loop's variable; without a count for ever."""
        number, count = 0, statement.get("count")
        name = statement.get("variable")
        before = dict(self.variables)
        while count is None or number < count:
            self.variables = before if name is None else {**before, name: number}
            yield
            number += 1
        self.variables = before

    def do_loop(self, statement):
        value = None
        for _ in self.rounds(statement):
            value = self.block(statement["body"])
        return value

    def do_tally(self, statement):
        outcomes = {}
        for _ in self.rounds(statement):
            try:
                self.block(statement["body"])
                outcome = "ok"
            except NotImplementedError:
                raise
            except (Exception, KeyboardInterrupt) as error:
                outcome = error_kind(error)
            outcomes[outcome] = outcomes.get(outcome, 0) + 1
        return outcomes

    def do_with(self, statement):
        target = self.actor.find(statement, self.variables)
        if not target.is_guard:
            raise NotImplementedError("with")
        with target.raw:
            return self.block(statement["body"])

    def do_fail(self, statement):
        raise TaskFailed("fail")

    def do_pause(self, statement):
        time.sleep(statement["seconds"])

    def do_wait(self, statement):
        say(self.id, "waiting", at=time.monotonic_ns())
        while True:
            request = self.actor.requests.get()
            if request["request"] == "go":
                say(request["id"], "ok")
                return
            say(request["id"], "error", kind="invalid-argument", text="it waits")

    def do_check(self, statement):
        value = self.actor.find(statement, {}).get()
        if value != statement["value"]:
            raise TaskFailed("%s is %s" % (statement["object"], value))

    def do_equals(self, statement):
        return self.actor.find(statement, {}).get() == statement["value"]

    def do_fork(self, statement):
        self.actor.fork(self.id, statement["name"])

    def do_start(self, statement):
        self.actor.start(self.id, statement["name"], statement.get("how"))

    def do_thread(self, statement):
        self.actor.thread(self.id, statement["name"])

    def do_make(self, statement):
        args = statement.get("args", {})
        self.actor.objects[statement["object"]] = made(
            self.actor.context, statement["kind"], args, statement.get("count"),
            self.actor.objects)

    def do_drop(self, statement):
        if self.actor.objects.pop(statement["object"], None) is None:
            raise Refused("no-such-name", "there is no object " + statement["object"])

    def do_exit(self, statement):
        os._exit(statement["code"])

    def do_end(self, statement):
        raise Leave()

    def do_end_thread(self, statement):
        if self.actor.is_process and platform.machine() not in EXIT_CALL:
            raise NotImplementedError("end thread")
        raise Leave(thread=True)

    def do_abort(self, statement):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.abort()

    def do_crash(self, statement):
        import ctypes
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        ctypes.string_at(0)

    def do_exec(self, statement):
        self.actor.exec(self.id)

    def do_catch(self, statement):
        if threading.current_thread() is not threading.main_thread():
            raise NotImplementedError("only the first thread sets handlers")
        signal.signal(signal.SIGUSR1, lambda number, frame: None)


# The adapter.

CAPABILITIES = ["programs", "cells", "logs", "host", "functions", "threads", "fork", "start", "make",
                "drop", "ends", "exec", "catch", "interrupts"]
CAPABILITIES_OF_THREADS = ["programs", "cells", "logs", "functions", "threads", "make", "drop"]


class Adapter:
    def __init__(self, source, method):
        self.source, self.method = source, method
        self.context = context_by(method)
        self.objects, self.children, self.pipes = {}, {}, {}

    def hello(self, reply_id, request):
        starts, capabilities = ["fork", "spawn"], CAPABILITIES
        sides = {"lock-release": ["by-anyone"], "lock-again": ["waits"],
                 "condition-wakeup": ["exact"], "condition-notify": ["by-holder"],
                 "at-exit": ["waits"], "queue-room": ["grows"], "queue-put": ["background"],
                 "pipe-message": ["in-pieces"], "pool-workers": ["processes"]}
        if self.method == THREADS:
            starts, capabilities = ["thread"], CAPABILITIES_OF_THREADS
            sides.update({"queue-put": ["direct"], "pool-workers": ["threads"]})
        elif self.method != "fork":
            starts.reverse()
        say(
            reply_id,
            "ok",
            longest=HELLO_MAX_BYTES,
            protocol=1,
            name="cpython-%d.%d-%s" % (*sys.version_info[:2], self.method),
            version="%d.%d.%d" % sys.version_info[:3],
            starts=starts,
            objects_reach="start",
            objects={kind: list(cls.operations) for kind, cls in kinds_of(self.context).items()},
            capabilities=capabilities,
            contracts=sides,
            pace="slow" if self.method in ("spawn", FORK_SERVER) else "fast",
        )

    def create(self, reply_id, request):
        try:
            handles = made(self.context, request["kind"], request["args"], request.get("count"),
                           self.objects)
        except NotImplementedError:
            say(reply_id, "error", kind="unsupported", text="no " + request["kind"])
        except Exception as error:
            say(reply_id, "error", kind=error_kind(error), text=repr(error)[:1000])
        else:
            self.objects[request["object"]] = handles
            say(reply_id, "ok")

    def actor(self, reply_id, request):
        name, how = request["name"], request["how"]
        known = ("thread",) if self.method == THREADS else ("fork", "spawn", "thread")
        if how not in known or request["parent"] is not None:
            say(reply_id, "error", kind="unsupported", text=how)
            return
        missing = [key for key in request["objects"] if key not in self.objects]
        if missing:
            say(reply_id, "error", kind="no-such-name", text=", ".join(missing))
            return
        shared = {key: self.objects[key] for key in request["objects"]}
        writers = {}
        estate = Estate.make(name, request.get("heirs", []), writers)
        if how == "thread":
            self.pipes.update(writers)
            act = functools.partial(self.act_here, estate, shared, reply_id)
            threading.Thread(target=act, daemon=True).start()
            return
        others = [pipe.fileno() for pipe in [*self.pipes.values(), *writers.values()]]
        try:
            child = started(self.source, method_for(how, self.method), self.method, estate, shared, reply_id, None, others,
                            self.objects)
        except Exception as error:
            say(reply_id, "error", kind=error_kind(error), text=repr(error)[:1000])
            return
        self.children[name] = child
        self.pipes.update(writers)

    def act_here(self, estate, objects, reply_id):
        """The life of an actor that acts in this process."""
        actor = Actor(self.source, self.method, estate, dict(objects), is_process=False)
        actor.writers = self.pipes
        actor.greet(reply_id, None)
        actor.live()

    def reap(self, reply_id, request):
        child = self.children.pop(request["actor"], None)
        if child is None:
            say(reply_id, "error", kind="no-such-name", text=request["actor"])
            return
        child.join()
        self.pipes.pop(request["actor"]).close()
        code = child.exitcode
        say(reply_id, "ok", **({"signal": -code} if code < 0 else {"code": code}))

    def pass_on(self, reply_id, request):
        pipe = self.pipes.get(request["actor"])
        if pipe is None:
            say(reply_id, "error", kind="no-such-name", text=request["actor"])
            return
        data = (json.dumps(request) + "\n").encode()
        try:
            while data:
                data = data[os.write(pipe.fileno(), data):]
        except BrokenPipeError:
            pass  # A dead actor's call is of no interest; the runner knows that it is dead.

    def drop(self, reply_id, request):
        if self.objects.pop(request["object"], None) is None:
            say(reply_id, "error", kind="no-such-name", text=request["object"])
        else:
            say(reply_id, "ok")

    def serve(self):
        requests = {
            "hello": self.hello,
            "create": self.create,
            "actor": self.actor,
            "call": self.pass_on,
            "run": self.pass_on,
            "go": self.pass_on,
            "reap": self.reap,
            "drop": self.drop,
        }
        # Not by `sys.stdin`, which a child of this process closes, with its lock as it then is.
        for line in os.fdopen(0, "rb", closefd=False):
            if not line.strip():
                continue
            request = json.loads(line)
            if request["request"] == "bye":
                self.let_go()
                say(request["id"], "ok")
                return
            answer = requests.get(request["request"], self.unknown)
            answer(request["id"], request)
        self.let_go()

    def unknown(self, reply_id, request):
        say(reply_id, "error", kind="unsupported", text=request["request"])

    def let_go(self):
        end_servers()
        # A lock for spawned processes has a name in the system until its last handle here goes.
        self.objects.clear()


def own_source():
    """The text of this file, or one that unpacks it compiled."""
    if "TEXT" in globals():
        return TEXT  # by whoever gave the interpreter it in pieces
    with open(__file__, encoding="utf-8") as file:
        return file.read()


def main():
    if sys.version_info < (3, 8):
        sys.exit("this needs CPython 3.8 or later, not %d.%d" % sys.version_info[:2])
    # Whoever started this may ignore the ends of children; then nobody could say how one ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # That a process with threads forks is what is asked for.
    warnings.simplefilter("ignore", DeprecationWarning)
    method = sys.argv[1] if len(sys.argv) > 1 else "fork"
    offer_functions()
    name_folder()
    SOURCE.append(own_source())
    Adapter(SOURCE[0], method).serve()
    # Children that were not collected end when their pipes close; nobody waits for them here.
    os._exit(0)


if __name__ == "__main__":
    main()
elif __name__ == ACTOR:
    SOURCE.append(source)
    act_anew(source, *passed)
elif __name__ == WORKER:
    SOURCE.append(source)
    offer_functions()
    begin_worker(remade(multiprocessing.get_context(passed[1]), passed[0]), *passed[1:])
elif __name__ == SERVER:
    SOURCE.append(source)
    offer_functions()
elif __name__ == TARGET:
    SOURCE.append(source)
    target = Target(passed)
