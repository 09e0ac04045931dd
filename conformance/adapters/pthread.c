/* An adapter in one file of C: what the C library offers to processes that share memory. It is the
 * worked example of docs/adapter-guide.md, and speaks the core page of docs/protocol.md, no more.
 *
 *     cc -O2 -pthread -o pthread-adapter pthread.c
 *     purlin-conformance check-adapter -- ./pthread-adapter
 *
 * From the top: the clock and the replies; a reader for JSON; the objects, which are the only part
 * that another subject has to replace; the actors; the adapter, which reads standard input.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

enum { /* limits; those of lines are the protocol's */
    REQUEST_MAX = 65536,  /* the longest line that the suite sends */
    REPLY_MAX = 4096,     /* PIPE_BUF: a write of up to so many bytes is never torn */
    DEPTH_MAX = 64,       /* lists within lists */
    NODES_MAX = 16384,    /* values in one line */
    OBJECTS_MAX = 1024,
    ACTORS_MAX = 256,
    NAME_MAX_BYTES = 64,
};

/* ---- The clock and the replies ---- */

static long long now_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* One line by one write: whoever is killed amid it has said all of it, or nothing. */
static void say(const char *format, ...) {
    char line[REPLY_MAX];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (length < 0 || length >= (int)sizeof line - 1) _exit(70); /* no reply of ours is so long */
    line[length] = '\n';
    while (write(STDOUT_FILENO, line, length + 1) < 0 && errno == EINTR) {
    }
}

/* `text` is ours or the C library's, and has neither quotes nor backslashes. */
static void say_error(long long id, const char *kind, const char *text) {
    say("{\"id\":%lld,\"reply\":\"error\",\"kind\":\"%s\",\"text\":\"%s\"}", id, kind, text);
}

/* ---- JSON: a line becomes a tree, whose texts stay in the line ---- */

enum type { NOTHING, BOOLEAN, NUMBER, TEXT, LIST, MAP };

struct json {
    enum type type;
    const char *name;          /* within a map */
    const char *text;          /* of a TEXT */
    double number;             /* of a NUMBER or a BOOLEAN */
    struct json *first, *next; /* of a LIST or a MAP; the one behind it in there */
};

struct reader {
    char *at;
    struct json nodes[NODES_MAX];
    int used;
};

static void skip_blanks(struct reader *reader) {
    while (*reader->at && strchr(" \t\r\n", *reader->at)) reader->at++;
}

/* Four digits of a \u, or -1. */
static int read_hex(struct reader *reader) {
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char digit = *reader->at;
        if (digit >= '0' && digit <= '9') digit -= '0';
        else if (digit >= 'a' && digit <= 'f') digit -= 'a' - 10;
        else if (digit >= 'A' && digit <= 'F') digit -= 'A' - 10;
        else return -1;
        value = value * 16 + digit;
        reader->at++;
    }
    return value;
}

static char *put_utf8(char *to, int code) {
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    *to++ = (char)((0xF00 >> more) | (code >> (6 * more)));
    while (more--) *to++ = (char)(0x80 | ((code >> (6 * more)) & 0x3F));
    return to;
}

/* In place: what is escaped is never shorter than what it stands for. */
static const char *read_text(struct reader *reader) {
    if (*reader->at != '"') return NULL;
    char *start = ++reader->at, *to = start;
    while (*reader->at != '"') {
        char c = *reader->at;
        if (!c) return NULL;
        reader->at++;
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
        c = *reader->at++;
        if (c == 'u') {
            int code = read_hex(reader);
            if (code >= 0xD800 && code < 0xDC00 && !strncmp(reader->at, "\\u", 2)) {
                reader->at += 2;
                int low = read_hex(reader);
                int is_pair = low >= 0xDC00 && low < 0xE000;
                code = is_pair ? 0x10000 + (code - 0xD800) * 1024 + (low - 0xDC00) : -1;
            }
            if (code <= 0) return NULL;
            to = put_utf8(to, code);
        } else {
            const char *escape = c ? strchr(escapes, c) : NULL;
            if (!escape) return NULL;
            *to++ = meant[escape - escapes];
        }
    }
    reader->at++;
    *to = 0;
    return start;
}

static struct json *read_value(struct reader *reader, int depth);

/* What stands between brackets. */
static int read_members(struct reader *reader, struct json *around, int depth, char end) {
    struct json **place = &around->first;
    reader->at++;
    skip_blanks(reader);
    if (*reader->at == end) {
        reader->at++;
        return 1;
    }
    for (;;) {
        const char *name = NULL;
        if (around->type == MAP) {
            skip_blanks(reader);
            name = read_text(reader);
            skip_blanks(reader);
            if (!name || *reader->at++ != ':') return 0;
        }
        struct json *member = read_value(reader, depth + 1);
        if (!member) return 0;
        member->name = name;
        *place = member;
        place = &member->next;
        skip_blanks(reader);
        char behind = *reader->at;
        if (behind) reader->at++;
        if (behind == end) return 1;
        if (behind != ',') return 0;
    }
}

static int read_word(struct reader *reader, const char *word) {
    size_t length = strlen(word);
    if (strncmp(reader->at, word, length)) return 0;
    reader->at += length;
    return 1;
}

/* NULL when it is no JSON, or more of it than there is room for. */
static struct json *read_value(struct reader *reader, int depth) {
    if (depth > DEPTH_MAX || reader->used == NODES_MAX) return NULL;
    struct json *value = &reader->nodes[reader->used++];
    memset(value, 0, sizeof *value);
    skip_blanks(reader);
    char c = *reader->at;
    if (c == '{' || c == '[') {
        value->type = c == '{' ? MAP : LIST;
        return read_members(reader, value, depth, c == '{' ? '}' : ']') ? value : NULL;
    }
    if (c == '"') {
        value->type = TEXT;
        value->text = read_text(reader);
        return value->text ? value : NULL;
    }
    if (read_word(reader, "null")) return value;
    value->type = BOOLEAN;
    if (read_word(reader, "true")) value->number = 1;
    else if (!read_word(reader, "false")) {
        char *end;
        if (c != '-' && (c < '0' || c > '9')) return NULL; /* strtod takes more than JSON has */
        value->type = NUMBER;
        value->number = strtod(reader->at, &end);
        reader->at = end;
    }
    return value;
}

/* The tree of a line. */
static struct json *read_line(struct reader *reader, char *line) {
    reader->at = line;
    reader->used = 0;
    return read_value(reader, 0);
}

static const struct json *field(const struct json *map, const char *name) {
    if (!map || map->type != MAP) return NULL;
    for (const struct json *each = map->first; each; each = each->next)
        if (!strcmp(each->name, name)) return each;
    return NULL;
}

static const char *text_of(const struct json *map, const char *name) {
    const struct json *value = field(map, name);
    return value && value->type == TEXT ? value->text : "";
}

static long long number_of(const struct json *map, const char *name) {
    const struct json *value = field(map, name);
    return value && value->type == NUMBER ? (long long)value->number : 0;
}

/* ---- Lines of a descriptor ---- */

struct lines {
    int descriptor;
    size_t start, end;
    char buffer[REQUEST_MAX + 1];
};

/* The next line without its end, or NULL when there are no more; it stays until the next call. */
static char *next_line(struct lines *lines) {
    for (;;) {
        char *start = lines->buffer + lines->start;
        char *end = memchr(start, '\n', lines->end - lines->start);
        if (end) {
            *end = 0;
            lines->start = end + 1 - lines->buffer;
            return start;
        }
        memmove(lines->buffer, start, lines->end - lines->start);
        lines->end -= lines->start;
        lines->start = 0;
        if (lines->end == REQUEST_MAX) return NULL; /* longer than the protocol has it */
        char *room = lines->buffer + lines->end;
        ssize_t count = read(lines->descriptor, room, REQUEST_MAX - lines->end);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return NULL;
        lines->end += count;
    }
}

/* ---- The objects: this part is the subject's ---- */

/* In memory that whoever is forked shares. Robust: a mutex whose holder dies says so. */
struct shared {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    sem_t semaphore;
};

enum kind { LOCK, SEMAPHORE, CONDITION };

struct object {
    char name[NAME_MAX_BYTES];
    enum kind kind;
    struct shared *shared;
    pthread_mutex_t *mutex; /* its own, or that of the lock which a condition was made with */
};

static struct shared *arena; /* OBJECTS_MAX of them */
static int arena_used;
static struct object *objects[OBJECTS_MAX]; /* the adapter's own; NULL is a free place */

static struct object *object_named(const char *name) {
    for (int i = 0; i < OBJECTS_MAX; i++)
        if (objects[i] && !strcmp(objects[i]->name, name)) return objects[i];
    return NULL;
}

/* What the C library says, in the words of catalogue/errors.toml. */
static const char *kind_of(int error) {
    switch (error) {
    case ETIMEDOUT: case EBUSY: case EAGAIN: return "timed-out";
    case EOWNERDEAD: return "owner-died";
    case ENOTRECOVERABLE: return "damaged";
    case EPERM: return "not-owner";
    case EDEADLK: return "would-deadlock";
    case EOVERFLOW: return "over-released";
    case EINTR: return "interrupted";
    case EINVAL: return "invalid-argument";
    case ENOMEM: return "out-of-resources";
    default: return "system";
    }
}

static int make_mutex(pthread_mutex_t *mutex, int type) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, type);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    return pthread_mutex_init(mutex, &attributes);
}

static int make_condition(pthread_cond_t *condition) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    return pthread_cond_init(condition, &attributes);
}

/* Whether there is no argument but, perhaps, this one. */
static int has_only(const struct json *args, const char *name) {
    for (const struct json *each = args ? args->first : NULL; each; each = each->next)
        if (strcmp(each->name, name)) return 0;
    return 1;
}

/* Makes an object, and answers the request itself. */
static void create(long long id, const struct json *request) {
    const char *name = text_of(request, "object"), *kind = text_of(request, "kind");
    const struct json *args = field(request, "args");
    int place = 0, answer;
    while (place < OBJECTS_MAX && objects[place]) place++;
    if (place == OBJECTS_MAX || arena_used == OBJECTS_MAX || strlen(name) >= NAME_MAX_BYTES) {
        say_error(id, "out-of-resources", "there is no room for it");
        return;
    }
    struct object made = {.shared = &arena[arena_used]};
    strcpy(made.name, name);
    made.mutex = &made.shared->mutex;
    if (!strcmp(kind, "lock") && has_only(args, "")) {
        made.kind = LOCK;
        answer = make_mutex(made.mutex, PTHREAD_MUTEX_NORMAL);
    } else if (!strcmp(kind, "semaphore") && has_only(args, "value")) {
        const struct json *value = field(args, "value");
        double units = value && value->type == NUMBER ? value->number : 1;
        if (units < 0 || units > UINT32_MAX) {
            say_error(id, "unsupported", "an unsigned int has no such value");
            return;
        }
        made.kind = SEMAPHORE;
        answer = sem_init(&made.shared->semaphore, 1, (unsigned)units) ? errno : 0;
    } else if (!strcmp(kind, "condition") && has_only(args, "lock")) {
        made.kind = CONDITION;
        struct object *lock = object_named(text_of(args, "lock"));
        if (field(args, "lock") && (!lock || lock->kind != LOCK)) {
            say_error(id, "no-such-name", "no such lock");
            return;
        }
        if (lock) made.mutex = lock->mutex;
        answer = lock ? 0 : make_mutex(made.mutex, PTHREAD_MUTEX_RECURSIVE);
        if (!answer) answer = make_condition(&made.shared->condition);
    } else {
        say_error(id, "unsupported", "no such kind, or not with these arguments");
        return;
    }
    struct object *kept = answer ? NULL : malloc(sizeof made);
    if (!kept) {
        say_error(id, kind_of(answer ? answer : ENOMEM), strerror(answer ? answer : ENOMEM));
        return;
    }
    *kept = made;
    objects[place] = kept;
    arena_used++;
    say("{\"id\":%lld,\"reply\":\"ok\"}", id);
}

/* The moment at which the argument `timeout` is over. A word instead: what to answer, since a
 * timespec can express neither infinity nor what is no number. */
static const char *moment(const struct json *args, clockid_t clock, struct timespec *until) {
    const struct json *timeout = field(args, "timeout");
    if (timeout->type == TEXT && !strcmp(timeout->text, "nan")) return "prevented";
    if (timeout->type != NUMBER || fabs(timeout->number) >= 9.2e18) return "unsupported";
    double whole = floor(timeout->number);
    clock_gettime(clock, until);
    until->tv_nsec += (long)((timeout->number - whole) * 1e9);
    long carry = until->tv_nsec / 1000000000;
    until->tv_nsec %= 1000000000;
    time_t more = (time_t)whole + carry;
    return __builtin_add_overflow(until->tv_sec, more, &until->tv_sec) ? "unsupported" : NULL;
}

enum op { ACQUIRE, TRY, RELEASE, RECOVER, VALUE, WAIT, NOTIFY, NOTIFY_ALL, NO_OP };

/* What each kind can be asked; `hello` says the same. */
static enum op operation(enum kind kind, const char *name) {
    static const char *const names[] = {"acquire", "try", "release", "recover",
                                        "value", "wait", "notify", "notify_all"};
    static const unsigned offered[] = {
        [LOCK] = 1 << ACQUIRE | 1 << TRY | 1 << RELEASE | 1 << RECOVER,
        [SEMAPHORE] = 1 << ACQUIRE | 1 << TRY | 1 << RELEASE | 1 << VALUE,
        [CONDITION] = 1 << ACQUIRE | 1 << TRY | 1 << RELEASE | 1 << RECOVER | 1 << WAIT |
                      1 << NOTIFY | 1 << NOTIFY_ALL,
    };
    for (enum op op = ACQUIRE; op < NO_OP; op++)
        if (offered[kind] & 1u << op && !strcmp(names[op], name)) return op;
    return NO_OP;
}

/* 0 or an errno; the call itself, and nothing besides. `until` is NULL without a limit. */
static int make_call(struct object *object, enum op op, struct timespec *until, int *value) {
    pthread_cond_t *condition = &object->shared->condition;
    sem_t *semaphore = &object->shared->semaphore;
    if (object->kind == SEMAPHORE) {
        int failed;
        switch (op) {
        case ACQUIRE: failed = until ? sem_timedwait(semaphore, until) : sem_wait(semaphore); break;
        case TRY: failed = sem_trywait(semaphore); break;
        case RELEASE: failed = sem_post(semaphore); break;
        default: failed = sem_getvalue(semaphore, value); break;
        }
        return failed ? errno : 0;
    }
    switch (op) {
    case ACQUIRE:
        return until ? pthread_mutex_timedlock(object->mutex, until)
                     : pthread_mutex_lock(object->mutex);
    case TRY: return pthread_mutex_trylock(object->mutex);
    case RELEASE: return pthread_mutex_unlock(object->mutex);
    case RECOVER: return pthread_mutex_consistent(object->mutex);
    case WAIT:
        return until ? pthread_cond_timedwait(condition, object->mutex, until)
                     : pthread_cond_wait(condition, object->mutex);
    case NOTIFY: return pthread_cond_signal(condition);
    default: return pthread_cond_broadcast(condition);
    }
}

/* Answers a call: `entered` right before it, and what came right behind it. */
static void call(long long id, struct object *object, const struct json *request) {
    const struct json *args = field(request, "args");
    enum op op = operation(object->kind, text_of(request, "op"));
    int may_wait = op == ACQUIRE || op == WAIT;
    struct timespec limit, *until = NULL;
    if (op == NO_OP || !has_only(args, may_wait ? "timeout" : "")) {
        say("{\"id\":%lld,\"reply\":\"unsupported\"}", id);
        return;
    }
    if (field(args, "timeout")) {
        /* The limits of locks and semaphores are moments on the wall clock. */
        const char *word = moment(args, op == WAIT ? CLOCK_MONOTONIC : CLOCK_REALTIME, &limit);
        if (word) {
            const char *why = "a timespec is always a number";
            say("{\"id\":%lld,\"reply\":\"%s\",\"why\":\"%s\"}", id, word, why);
            return;
        }
        until = &limit;
    }
    int value = -1;
    say("{\"id\":%lld,\"reply\":\"entered\",\"at\":%lld}", id, now_nanos());
    int answer = make_call(object, op, until, &value);
    long long at = now_nanos();
    if (answer)
        say("{\"id\":%lld,\"reply\":\"failed\",\"at\":%lld,\"kind\":\"%s\",\"text\":\"%s\"}", id,
            at, kind_of(answer), strerror(answer));
    else if (op == VALUE)
        say("{\"id\":%lld,\"reply\":\"returned\",\"at\":%lld,\"value\":%d}", id, at, value);
    else
        say("{\"id\":%lld,\"reply\":\"returned\",\"at\":%lld,\"value\":null}", id, at);
}

/* ---- The actors ---- */

struct actor {
    char name[NAME_MAX_BYTES];
    pid_t pid;         /* 0 is a thread */
    int writes, reads; /* its pipe; the adapter keeps the second for threads alone */
    int objects_count;
    struct object *objects[OBJECTS_MAX]; /* those that it was started with */
};

static struct actor *actors[ACTORS_MAX]; /* NULL is a free place */

static struct actor *actor_named(const char *name) {
    for (int i = 0; i < ACTORS_MAX; i++)
        if (actors[i] && !strcmp(actors[i]->name, name)) return actors[i];
    return NULL;
}

static void answer_call(struct actor *actor, char *line, struct reader *reader) {
    struct json *request = read_line(reader, line);
    long long id = number_of(request, "id");
    if (strcmp(text_of(request, "request"), "call")) {
        say_error(id, "unsupported", "an actor takes calls alone");
        return;
    }
    for (int i = 0; i < actor->objects_count; i++)
        if (!strcmp(actor->objects[i]->name, text_of(request, "object"))) {
            call(id, actor->objects[i], request);
            return;
        }
    say_error(id, "no-such-name", "the actor has no such object");
}

/* A process: one thread reads, the first one makes the calls. Between them there is room for one
 * line, since an actor has at most one call under way. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int is_full;
    char line[REQUEST_MAX + 1];
} slot = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, ""};

static void *read_calls(void *reads) {
    static struct lines lines;
    lines.descriptor = *(int *)reads;
    char *line;
    while ((line = next_line(&lines))) {
        if (!*line) continue;
        pthread_mutex_lock(&slot.mutex);
        if (slot.is_full) _exit(71); /* the suite never does that */
        strcpy(slot.line, line);
        slot.is_full = 1;
        pthread_cond_signal(&slot.changed);
        pthread_mutex_unlock(&slot.mutex);
    }
    _exit(0); /* The adapter is gone, or let go of it; the other thread may wait for ever. */
}

static void live_as_process(struct actor *actor, long long id) {
    static char line[REQUEST_MAX + 1];
    static struct reader reader;
    pthread_t thread;
    /* The adapter's requests are not for its copies. */
    int null = open("/dev/null", O_RDONLY);
    if (null >= 0) dup2(null, STDIN_FILENO), close(null);
    signal(SIGPIPE, SIG_DFL);
    if (pthread_create(&thread, NULL, read_calls, &actor->reads)) _exit(72);
    say("{\"id\":%lld,\"reply\":\"ok\",\"pid\":%d,\"tid\":%d}", id, getpid(), gettid());
    for (;;) {
        pthread_mutex_lock(&slot.mutex);
        while (!slot.is_full) pthread_cond_wait(&slot.changed, &slot.mutex);
        strcpy(line, slot.line);
        slot.is_full = 0;
        pthread_mutex_unlock(&slot.mutex);
        answer_call(actor, line, &reader);
    }
}

struct birth {
    struct actor *actor;
    long long id;
};

/* A thread reads its calls itself: it ends with the adapter. */
static void *live_as_thread(void *given) {
    struct birth birth = *(struct birth *)given;
    free(given);
    struct lines *lines = calloc(1, sizeof *lines);
    struct reader *reader = calloc(1, sizeof *reader);
    if (!lines || !reader) _exit(73);
    lines->descriptor = birth.actor->reads;
    say("{\"id\":%lld,\"reply\":\"ok\",\"pid\":%d,\"tid\":%d}", birth.id, getpid(), gettid());
    char *line;
    while ((line = next_line(lines)))
        if (*line) answer_call(birth.actor, line, reader);
    return NULL;
}

/* In a new process: nobody but the adapter keeps an actor's pipe. */
static void close_others(struct actor *own) {
    for (int i = 0; i < ACTORS_MAX; i++)
        if (actors[i]) {
            close(actors[i]->writes);
            if (actors[i]->reads >= 0) close(actors[i]->reads);
        }
    close(own->writes);
}

/* 0, or an errno. */
static int start_actor(struct actor *actor, int is_thread, long long id) {
    int ends[2];
    if (pipe(ends)) return errno;
    actor->reads = ends[0];
    actor->writes = ends[1];
    if (is_thread) {
        pthread_t thread;
        struct birth *birth = malloc(sizeof *birth);
        if (!birth) return ENOMEM;
        *birth = (struct birth){actor, id};
        return pthread_create(&thread, NULL, live_as_thread, birth);
    }
    actor->pid = fork();
    if (actor->pid < 0) return errno;
    if (actor->pid == 0) {
        close_others(actor);
        live_as_process(actor, id);
    }
    close(actor->reads);
    actor->reads = -1;
    return 0;
}

/* ---- The adapter ---- */

static void hello(long long id) {
#ifdef __GLIBC__
    const char *version = gnu_get_libc_version();
#else
    const char *version = "0";
#endif
    say("{\"id\":%lld,\"reply\":\"ok\",\"protocol\":1,\"name\":\"pthread-fork\",\"version\":\"%s\","
        "\"starts\":[\"fork\"],\"objects_reach\":\"start\",\"objects\":{"
        "\"lock\":[\"acquire\",\"try\",\"release\",\"recover\"],"
        "\"semaphore\":[\"acquire\",\"try\",\"release\",\"value\"],"
        "\"condition\":[\"acquire\",\"try\",\"release\",\"recover\",\"wait\",\"notify\","
        "\"notify_all\"]},"
        "\"capabilities\":[],\"contracts\":{"
        "\"lock-release\":[\"by-holder\"],\"lock-again\":[\"waits\"],"
        "\"condition-wakeup\":[\"may-be-spurious\"],\"condition-notify\":[\"by-anyone\"]}}",
        id, version);
}

static void start(long long id, const struct json *request) {
    const char *name = text_of(request, "name"), *how = text_of(request, "how");
    const struct json *parent = field(request, "parent"), *list = field(request, "objects");
    int is_thread = !strcmp(how, "thread");
    if ((!is_thread && strcmp(how, "fork")) || (parent && parent->type != NOTHING)) {
        say_error(id, "unsupported", "actors are forked, or threads");
        return;
    }
    int place = 0;
    while (place < ACTORS_MAX && actors[place]) place++;
    struct actor *actor = calloc(1, sizeof *actor);
    if (place == ACTORS_MAX || !actor || strlen(name) >= NAME_MAX_BYTES) {
        say_error(id, "out-of-resources", "there is no room for it");
        return;
    }
    strcpy(actor->name, name);
    for (const struct json *each = list ? list->first : NULL; each; each = each->next) {
        struct object *object = each->type == TEXT ? object_named(each->text) : NULL;
        if (!object) {
            say_error(id, "no-such-name", "there is no such object");
            free(actor);
            return;
        }
        actor->objects[actor->objects_count++] = object;
    }
    int answer = start_actor(actor, is_thread, id);
    if (answer) {
        say_error(id, "out-of-resources", strerror(answer));
        return;
    }
    actors[place] = actor; /* It says itself that it is there. */
}

static void reap(long long id, const struct json *request) {
    struct actor *actor = actor_named(text_of(request, "actor"));
    int status;
    if (!actor || !actor->pid) {
        say_error(id, "no-such-name", "there is no such process");
        return;
    }
    while (waitpid(actor->pid, &status, 0) < 0)
        if (errno != EINTR) {
            say_error(id, "system", strerror(errno));
            return;
        }
    close(actor->writes);
    for (int i = 0; i < ACTORS_MAX; i++)
        if (actors[i] == actor) actors[i] = NULL;
    free(actor);
    int is_signal = WIFSIGNALED(status);
    say("{\"id\":%lld,\"reply\":\"ok\",\"%s\":%d}", id, is_signal ? "signal" : "code",
        is_signal ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void drop(long long id, const struct json *request) {
    struct object *object = object_named(text_of(request, "object"));
    for (int i = 0; object && i < OBJECTS_MAX; i++)
        if (objects[i] == object) objects[i] = NULL; /* actors may have it still */
    if (object) say("{\"id\":%lld,\"reply\":\"ok\"}", id);
    else say_error(id, "no-such-name", "there is no such object");
}

/* The actor answers; one that is dead does not, and the suite knows that it is. */
static void pass_on(long long id, const struct json *request, const char *line) {
    struct actor *actor = actor_named(text_of(request, "actor"));
    size_t length = strlen(line);
    if (!actor) {
        say_error(id, "no-such-name", "there is no such actor");
        return;
    }
    char ended[REPLY_MAX];
    if (length >= sizeof ended) {
        say_error(id, "invalid-argument", "longer than what an actor is sent");
        return;
    }
    memcpy(ended, line, length);
    ended[length] = '\n';
    while (write(actor->writes, ended, length + 1) < 0 && errno == EINTR) {
    }
}

int main(void) {
    static struct lines lines = {.descriptor = STDIN_FILENO};
    static struct reader reader;
    static char copy[REQUEST_MAX + 1]; /* reading a line changes it */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* or nobody could say how an actor ended */
    arena = mmap(NULL, OBJECTS_MAX * sizeof *arena, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (arena == MAP_FAILED) return 74;
    char *line;
    while ((line = next_line(&lines))) {
        strcpy(copy, line);
        struct json *request = read_line(&reader, line);
        if (!request) {
            if (copy[strspn(copy, " \t\r")]) fprintf(stderr, "no JSON: %s\n", copy);
            continue;
        }
        const char *word = text_of(request, "request");
        long long id = number_of(request, "id");
        if (!strcmp(word, "hello")) hello(id);
        else if (!strcmp(word, "create")) create(id, request);
        else if (!strcmp(word, "actor")) start(id, request);
        else if (!strcmp(word, "call")) pass_on(id, request, copy);
        else if (!strcmp(word, "reap")) reap(id, request);
        else if (!strcmp(word, "drop")) drop(id, request);
        else if (!strcmp(word, "bye")) {
            say("{\"id\":%lld,\"reply\":\"ok\"}", id);
            break;
        } else say_error(id, "unsupported", "no such request");
    }
    /* Threads that wait for ever are no reason to stay; processes see that their pipes end. */
    _exit(0);
}
