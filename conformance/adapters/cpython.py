"""The adapter for CPython's multiprocessing, started by fork. Standard library only, 3.8 and later.

It is also the example for adapters in other languages; the protocol is in docs/protocol.md. The
process that reads standard input is the adapter; each actor is a child of it that reads its calls
from a pipe of its own and writes its replies straight to the adapter's standard output.
"""

import json
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time

LINE_MAX_BYTES = 4096  # PIPE_BUF: up to this length a write to a pipe is never torn.

context = multiprocessing.get_context("fork")


def say(reply_id, reply, **fields):
    line = json.dumps({"id": reply_id, "reply": reply, **fields}) + "\n"
    data = line.encode()
    if len(data) > LINE_MAX_BYTES:
        fields = {"at": fields.get("at", 0), "kind": "system", "text": "the reply is too long"}
        data = (json.dumps({"id": reply_id, "reply": "failed", **fields}) + "\n").encode()
    os.write(1, data)


class Lock:
    """multiprocessing.Lock; a refused acquire is False there and timed-out here."""

    operations = ("acquire", "try", "release")

    def __init__(self):
        self.lock = context.Lock()

    def call(self, op, timeout=None):
        if op == "acquire":
            self.taken(self.lock.acquire(True, timeout))
        elif op == "try":
            self.taken(self.lock.acquire(False))
        elif op == "release":
            self.lock.release()
        else:
            raise NotImplementedError(op)

    @staticmethod
    def taken(is_taken):
        if not is_taken:
            raise Refused("timed-out")


class Refused(Exception):
    """A refusal that is no exception in Python; its argument is the error kind."""


KINDS = {"lock": Lock}


def error_kind(error):
    if isinstance(error, Refused):
        return error.args[0]
    text = str(error)
    if "released too many times" in text:
        return "over-released"
    if isinstance(error, AssertionError):
        return "not-owner"
    if isinstance(error, (ValueError, TypeError, OverflowError)):
        return "invalid-argument"
    if isinstance(error, MemoryError):
        return "out-of-resources"
    return "system"


def make_call(request, objects):
    reply_id = request["id"]
    target = objects[request["object"]]
    if request["op"] not in target.operations:
        say(reply_id, "unsupported")
        return
    say(reply_id, "entered", at=time.monotonic_ns())
    try:
        value = target.call(request["op"], **request["args"])
    except NotImplementedError:
        say(reply_id, "unsupported")
    except Exception as error:
        at = time.monotonic_ns()
        text = repr(error)[:1000]
        say(reply_id, "failed", at=at, kind=error_kind(error), text=text)
    else:
        say(reply_id, "returned", at=time.monotonic_ns(), value=value)


def act(reply_id, commands, objects, others):
    """The life of an actor: its main thread calls, a second one reads."""
    for descriptor in others:
        os.close(descriptor)
    requests = queue.SimpleQueue()

    def read():
        with open(commands, "rb", buffering=0) as lines:
            for line in lines:
                requests.put(json.loads(line))
        # The adapter let go of us, or is gone. The main thread may wait in a lock for ever.
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    say(reply_id, "ok", pid=os.getpid(), tid=threading.get_native_id())
    while True:
        make_call(requests.get(), objects)


class Adapter:
    def __init__(self):
        self.objects = {}
        self.children = {}
        self.pipes = {}

    def hello(self, reply_id, request):
        version = "%d.%d.%d" % sys.version_info[:3]
        name = "cpython-%d.%d-fork" % sys.version_info[:2]
        say(
            reply_id,
            "ok",
            protocol=1,
            name=name,
            version=version,
            starts=["fork"],
            objects_reach="start",
            objects={kind: list(cls.operations) for kind, cls in KINDS.items()},
            capabilities=[],
            contracts={"lock-release": ["by-anyone"], "lock-again": ["waits"]},
        )

    def create(self, reply_id, request):
        kind = request["kind"]
        if kind not in KINDS:
            say(reply_id, "error", kind="unsupported", text="no " + kind)
            return
        try:
            self.objects[request["object"]] = KINDS[kind](**request["args"])
        except Exception as error:
            say(reply_id, "error", kind=error_kind(error), text=repr(error)[:1000])
        else:
            say(reply_id, "ok")

    def actor(self, reply_id, request):
        name, how = request["name"], request["how"]
        if how != "fork" or request["parent"] is not None:
            say(reply_id, "error", kind="unsupported", text=how)
            return
        reads, writes = os.pipe()
        others = [writes, *self.pipes.values()]
        shared = {key: self.objects[key] for key in request["objects"]}
        child = context.Process(target=act, args=(reply_id, reads, shared, others), name=name)
        child.start()
        os.close(reads)
        self.children[name] = child
        self.pipes[name] = writes

    def reap(self, reply_id, request):
        actor = request["actor"]
        child = self.children.pop(actor)
        child.join()
        os.close(self.pipes.pop(actor))
        code = child.exitcode
        say(reply_id, "ok", **({"signal": -code} if code < 0 else {"code": code}))

    def call(self, reply_id, request):
        os.write(self.pipes[request["actor"]], (json.dumps(request) + "\n").encode())

    def drop(self, reply_id, request):
        del self.objects[request["object"]]
        say(reply_id, "ok")

    def serve(self):
        requests = {
            "hello": self.hello,
            "create": self.create,
            "actor": self.actor,
            "call": self.call,
            "reap": self.reap,
            "drop": self.drop,
        }
        for line in sys.stdin.buffer:
            if not line.strip():
                continue
            request = json.loads(line)
            if request["request"] == "bye":
                say(request["id"], "ok")
                return
            requests[request["request"]](request["id"], request)


# Whoever started this may ignore the ends of children; then nobody could say how one ended.
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
Adapter().serve()
# Children that were not collected end when their pipes close; nobody waits for them here.
os._exit(0)
