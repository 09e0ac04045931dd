//! Other programs: how they are started, waited for, and ended.

mod bounded;
mod limited;
mod programs;
mod traces;
mod unprivileged;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{PipeReader, Read, Write, pipe};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bounded::{LIMIT, check, in_child};
use limited::{lower, take_all_descriptors};
use programs::{Started, sh, started};
use purlin_process::command::{Launch, Program, run};
use purlin_process::{Error, ExitStatus, Process};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Resource;
use traces::{descriptor_count, has_children};
use unprivileged::{become_unprivileged, reach_the_process_limit};

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// What `command` prints, which must end with status 0.
fn printed(command: Command) -> String {
    let output = run(command, "", LIMIT).and_then(|output| output.check()).expect("success");
    String::from_utf8(output.stdout.expect("it was captured")).expect("text")
}

fn status_of(script: &str) -> ExitStatus {
    started(Program::start(sh(script))).wait(LIMIT).expect("its end")
}

/// A folder of this test's own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("purlin-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).expect("a folder for this test");
        Self(path)
    }

    fn file(&self, name: &str, contents: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, contents).expect("a file for this test");
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&path, rights).expect("its rights");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_status_is_what_the_program_said() {
    // shows: subprocess-call-returns-exit-status, subprocess-exit-status-nonzero
    // shows: subprocess-exit-status-signal
    assert_eq!(status_of("exit 0"), ExitStatus::Code(0));
    assert_eq!(status_of("exit 47"), ExitStatus::Code(47));
    assert_eq!(status_of("kill -9 $$"), ExitStatus::Signal(9));
}

#[test]
fn arguments_arrive_whole_and_in_order() {
    // shows: subprocess-call-passes-arguments
    let mut command = sh("for one; do printf '%s\\n' \"$one\"; done");
    command.args(["sh", "-c", "4", "two words", "", "*"]);
    assert_eq!(printed(command), "-c\n4\ntwo words\n\n*\n");
}

#[test]
fn what_is_not_redirected_goes_to_the_callers_own_streams() {
    // shows: subprocess-call-output-goes-to-own-output
    // shows: subprocess-stderr-into-inherited-stdout
    in_child(|| {
        let (mut reader, writer) = pipe().map_err(text)?;
        rustix::stdio::dup2_stdout(&writer).map_err(text)?;
        drop(writer);
        let say = |what: &[u8]| rustix::io::write(rustix::stdio::stdout(), what).map_err(text);
        say(b"A")?;
        let first = Program::start(sh("printf B")).map_err(text)?;
        check(first.wait(LIMIT) == Ok(ExitStatus::Code(0)), "the first ends well")?;
        say(b"C")?;
        let launch = Launch::new(sh("printf 42 >&2")).errors_into_output();
        let second = launch.start().map_err(text)?;
        check(second.wait(LIMIT) == Ok(ExitStatus::Code(0)), "the second ends well")?;
        let mut seen = [0; 5];
        reader.read_exact(&mut seen).map_err(text)?;
        check(&seen == b"ABC42", "all of it came, in this order")
    });
}

#[test]
fn the_caller_goes_on_when_the_program_has_ended() {
    // shows: subprocess-call-waits, subprocess-poll, subprocess-wait-many-times
    let mut command = sh("read one; exit 3");
    command.stdin(Stdio::piped());
    let program = started(Program::start(command));
    assert_eq!(program.status(), Ok(None));
    let waiter = std::thread::spawn({
        let program = program.0.clone();
        move || (program.wait(LIMIT), Instant::now())
    });
    let before = Instant::now();
    program.take_stdin().expect("a pipe").write_all(b"x\n").expect("it is read");
    let (status, after) = waiter.join().expect("no panic");
    assert_eq!(status, Ok(ExitStatus::Code(3)));
    assert!(after >= before, "it waited for what came later");
    assert_eq!(program.wait(LIMIT), Ok(ExitStatus::Code(3)));
    assert_eq!(program.status(), Ok(Some(ExitStatus::Code(3))));
}

#[test]
fn a_deadline_leaves_the_program_running() {
    // shows: subprocess-wait-timeout-expires, subprocess-wait-timeout-zero-or-negative
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped());
    let program = started(Program::start(command));
    let limit = Duration::from_millis(100);
    let begin = Instant::now();
    assert_eq!(program.wait(limit), Err(Error::TimedOut));
    assert!(begin.elapsed() >= limit);
    assert_eq!(program.wait(Duration::ZERO), Err(Error::TimedOut));
    program.close_streams();
    assert_eq!(program.wait(LIMIT), Ok(ExitStatus::Code(0)));
}

#[test]
fn all_that_wait_see_the_same_end() {
    // shows: subprocess-wait-from-several-threads
    let program = started(Program::start(sh("kill -STOP $$")));
    let limits = [None, Some(Duration::from_secs(3600)), Some(LIMIT)];
    let waiters = limits.map(|limit| {
        let program = program.0.clone();
        std::thread::spawn(move || program.wait(limit))
    });
    program.kill().expect("it is ours");
    for waiter in waiters {
        assert_eq!(waiter.join().expect("no panic"), Ok(ExitStatus::Signal(9)));
    }
}

#[test]
fn signals_reach_the_program_and_nobody_after_it() {
    // shows: subprocess-signals, subprocess-signal-after-end-harmless
    // shows: subprocess-stopped-is-running
    let blocking = || {
        let mut command = Command::new("cat");
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        started(Program::start(command))
    };
    type Way = fn(&Program) -> Result<(), Error>;
    let ways: [(Way, i32); 3] =
        [(Program::terminate, 15), (Program::kill, 9), (|program| program.signal(10), 10)];
    for (way, number) in ways {
        let program = blocking();
        way(&program).expect("it is ours");
        assert_eq!(program.wait(LIMIT), Ok(ExitStatus::Signal(number)));
        for call in [Program::terminate, Program::kill] {
            assert_eq!(call(&program), Ok(()));
        }
        assert_eq!(program.status(), Ok(Some(ExitStatus::Signal(number))));
    }
    let stopped = blocking();
    stopped.signal(19).expect("it is ours");
    assert_eq!(stopped.status(), Ok(None));
    assert_eq!(stopped.wait(Duration::from_millis(50)), Err(Error::TimedOut));
    stopped.kill().expect("it is ours");
    assert_eq!(stopped.wait(LIMIT), Ok(ExitStatus::Signal(9)));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    // shows: subprocess-not-found, subprocess-not-executable, subprocess-one-text-is-not-split
    // shows: subprocess-bad-working-directory
    let folder = Folder::new("start");
    let plain = folder.file("plain", "no program", 0o644);
    let missing = folder.0.join("missing");
    let odd = folder.file("odd", "\u{1}\u{2}", 0o755);
    in_child(|| {
        let before = descriptor_count();
        let fails = |command: Command, error: Error, path: &Path| {
            let mut command = command;
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let Err(failure) = Program::start(command) else { return Err("started".to_owned()) };
            let seen = (failure.error(), failure.path().map(Path::to_owned));
            check(seen == (error, Some(path.to_owned())), &format!("{seen:?}"))?;
            check(failure.to_string().contains(&*path.to_string_lossy()), "it is named")?;
            check(!has_children(), "no child is left")?;
            check(descriptor_count() == before, "no descriptor is left")
        };
        fails(Command::new(&missing), Error::NoSuchProgram, &missing)?;
        fails(Command::new("echo a"), Error::NoSuchProgram, Path::new("echo a"))?;
        fails(Command::new(&folder.0), Error::NotExecutable, &folder.0)?;
        fails(Command::new(&plain), Error::NotExecutable, &plain)?;
        let mut nowhere = sh("exit 0");
        nowhere.current_dir(&missing);
        fails(nowhere, Error::NoSuchName, &missing)?;
        let mut file = sh("exit 0");
        file.current_dir(&plain);
        fails(file, Error::NoSuchName, &plain)?;
        let mut both = Command::new(&missing);
        both.current_dir(&folder.0);
        fails(both, Error::NoSuchProgram, &missing)?;
        // Of no known form: the C library may hand it to a shell, and then it has started.
        let kind = Program::start(Command::new(&odd)).map_or_else(|f| f.kind(), |_| "started");
        check(["no-such-program", "started"].contains(&kind), kind)
    });
}

#[test]
fn a_program_may_have_any_name_that_a_file_may_have() {
    let folder = Folder::new("odd");
    for name in [&b"caf\xe9 \xff"[..], b" two\nlines\t", b"-n", "\u{6728}\u{202e}".as_bytes()] {
        let path = folder.0.join(OsStr::from_bytes(name));
        let missing = Program::start(Command::new(&path)).expect_err("it is not there");
        assert_eq!((missing.error(), missing.path()), (Error::NoSuchProgram, Some(&*path)));
        assert!(!missing.to_string().contains(char::is_control), "{missing}");
        std::os::unix::fs::symlink("/bin/sh", &path).expect("a name for a shell");
        let mut command = Command::new(&path);
        // Its argument, too, is no text.
        command.args(["-c", "test ${#1} -gt 0 && exit 7", "sh"]).arg(OsStr::from_bytes(name));
        assert_eq!(started(Program::start(command)).wait(LIMIT), Ok(ExitStatus::Code(7)));
    }
}

#[test]
fn what_no_program_can_have_is_refused() {
    // shows: subprocess-zero-byte-refused, subprocess-arguments-too-long
    // shows: subprocess-environment-bad-name-refused
    in_child(|| {
        let with = |change: fn(&mut Command) -> &mut Command| {
            let mut command = sh("exit 0");
            change(&mut command);
            Program::start(command).map_or_else(|failure| failure.kind(), |_| "started")
        };
        let refused: [fn(&mut Command) -> &mut Command; 5] = [
            |command| command.arg("a\0b"),
            |command| command.env("A=B", "c"),
            |command| command.env("A", "b\0"),
            |command| command.env("A\0", "b"),
            |command| command.current_dir("a\0b"),
        ];
        for (index, change) in refused.into_iter().enumerate() {
            check(with(change) == "invalid-argument", &format!("refused, number {index}"))?;
        }
        let long = with(|command| command.arg("a".repeat(3_000_000)));
        check(long == "out-of-resources", long)?;
        let error_of = |command| Program::start(command).err().map(|failure| failure.error());
        let mut one = sh("exit 0");
        one.arg("a".repeat(3_000_000));
        check(error_of(one) == Some(Error::ArgumentsTooLong), "one that is too long")?;
        let mut many = sh("exit 0");
        many.args((0..100_000).map(|_| "a".repeat(100)));
        check(error_of(many) == Some(Error::ArgumentsTooLong), "too long together")?;
        let standard = std::io::stdin();
        let launch = Launch::new(sh("exit 0")).pass(&standard);
        check(launch.start().is_err_and(|f| f.error() == Error::InvalidArgument), "stdin")?;
        let launch = Launch::new(sh("exit 0")).umask(0o1000);
        check(launch.start().is_err_and(|f| f.error() == Error::InvalidArgument), "mask")?;
        check(!has_children(), "no child is left")
    });
}

#[test]
fn without_descriptors_nothing_is_started() {
    in_child(|| {
        lower(Resource::Nofile, 64)?;
        let mut taken = take_all_descriptors();
        for free_count in 0.. {
            let mut command = sh("exit 0");
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            match Program::start(command) {
                Ok(program) => {
                    check(program.wait(LIMIT) == Ok(ExitStatus::Code(0)), "it ends well")?;
                    return check(free_count > 5, "three pipes take six, before our ends are left");
                }
                Err(failure) => check(failure.error() == Error::OutOfResources, "no room")?,
            }
            check(!has_children(), "no child is left")?;
            check(taken.pop().is_some(), &format!("{free_count} are free, one more can be"))?;
        }
        Ok(())
    });
}

#[test]
fn at_the_limit_of_processes_nothing_is_started() {
    in_child(|| {
        if !reach_the_process_limit() {
            return Ok(());
        }
        let before = descriptor_count();
        let started = Program::start(sh("exit 0"));
        check(started.is_err_and(|f| f.error() == Error::OutOfResources), "the limit holds")?;
        check(!has_children(), "no child is left")?;
        check(descriptor_count() == before, "no descriptor is left open")
    });
}

#[test]
fn another_user_needs_the_right_to_it() {
    // shows: subprocess-other-user-needs-right
    use std::os::unix::process::CommandExt;
    in_child(|| {
        if !become_unprivileged() {
            return Ok(());
        }
        let mut command = sh("exit 0");
        command.uid(1);
        let started = Program::start(command);
        check(started.is_err_and(|f| f.error() == Error::PermissionDenied), "it is refused")?;
        check(!has_children(), "no child is left")
    });
}

#[test]
fn the_environment_is_the_one_given() {
    // shows: subprocess-environment-replaced, subprocess-environment-bad-name-refused
    // shows: subprocess-search-path-of-given-environment, subprocess-program-name-can-differ
    let show = || sh("echo ${HOME-unset} ${Y-unset}");
    let mut replaced = show();
    replaced.env_clear().env("Y", "b=c");
    assert_eq!(printed(replaced), "unset b=c\n");
    let home = std::env::var("HOME").unwrap_or("unset".to_owned());
    assert_eq!(printed(show()), format!("{home} unset\n"));
    let folder = Folder::new("path");
    folder.file("p-only-here", "#!/bin/sh\nexit 0\n", 0o755);
    let only = || Command::new("p-only-here");
    let failure = Program::start(only()).expect_err("it is not in the search path");
    assert_eq!(failure.error(), Error::NoSuchProgram);
    let mut found = only();
    found.env("PATH", &folder.0);
    assert_eq!(started(Program::start(found)).wait(LIMIT), Ok(ExitStatus::Code(0)));
    let mut named = sh("echo $0");
    std::os::unix::process::CommandExt::arg0(&mut named, "other name");
    assert_eq!(printed(named), "other name\n");
}

#[test]
fn the_working_directory_is_the_programs_own() {
    // shows: subprocess-working-directory
    let own = std::env::current_dir().expect("a directory");
    let mut command = sh("pwd -P");
    command.current_dir("/");
    assert_eq!(printed(command), "/\n");
    assert_eq!(std::env::current_dir().expect("a directory"), own);
}

#[test]
fn mask_and_session_are_the_programs_own() {
    // shows: subprocess-umask, subprocess-own-session
    let folder = Folder::new("mask");
    let mut command = sh("cut -d' ' -f1,6 /proc/$$/stat; : > made");
    command.current_dir(&folder.0);
    let launch = Launch::new(command).capture().umask(0o077).own_session();
    let output = launch.run("", LIMIT).and_then(|output| output.check()).expect("success");
    let said = String::from_utf8(output.stdout.expect("captured")).expect("text");
    let (program, session) = said.trim().split_once(' ').expect("two numbers");
    assert_eq!(session, program, "it leads its own session");
    let mode = |name| File::open(folder.0.join(name)).and_then(|file| file.metadata());
    let made = mode("made").expect("it was made").permissions().mode();
    assert_eq!(made & 0o777, 0o600);
    File::create(folder.0.join("ours")).expect("a file");
    let ours = mode("ours").expect("it was made").permissions().mode();
    assert_ne!(ours & 0o777, 0o600);
}

/// Waits until a pipe can be read, or has ended.
fn await_readable(reader: &PipeReader, what: &str) {
    let limit = Timespec::try_from(LIMIT).expect("a minute fits");
    let ready = poll(&mut [PollFd::new(reader, PollFlags::IN)], Some(&limit));
    assert!(ready.is_ok_and(|count| count > 0), "waited for {what}");
}

#[test]
fn a_program_outlives_its_killed_caller_unless_asked_not_to() {
    // shows: subprocess-caller-killed-program-goes-on, subprocess-dies-with-caller-on-request
    for is_bound in [false, true] {
        let (mut from_program, to_us) = pipe().expect("a pipe");
        let (until, release) = pipe().expect("a pipe");
        let mut ours = Some((to_us, until, release));
        let caller = Process::fork("caller", || -> Result<(), String> {
            let (to_us, until, _release) = ours.take().ok_or("no pipes")?;
            let mut command = sh("echo r; read x; echo w");
            command.stdin(until).stdout(to_us);
            let launch = Launch::new(command);
            let launch = if is_bound { launch.end_with_caller() } else { launch };
            launch.start().map_err(text)?.wait(None).map(drop).map_err(text)
        });
        let caller = caller.expect("a child");
        let (_, _, release) = ours.take().expect("not taken here");
        await_readable(&from_program, "the program's first word");
        from_program.read_exact(&mut [0; 2]).expect("it says so");
        caller.kill().expect("it is ours");
        assert_eq!(caller.join(LIMIT), Ok(ExitStatus::Signal(9)));
        if is_bound {
            await_readable(&from_program, "the program's end");
            assert_eq!(from_program.read(&mut [0; 2]).expect("the end"), 0);
        } else {
            (&release).write_all(b"x\n").expect("it is read");
            await_readable(&from_program, "the program's last word");
            assert_eq!(from_program.read(&mut [0; 2]).expect("a word"), 2);
        }
        drop(release);
    }
}

#[test]
fn leaving_a_scope_closes_the_streams_and_waits() {
    // shows: subprocess-scope-end-waits
    let mut command = sh("cat; exit 100");
    command.stdin(Stdio::piped());
    let program = started(Program::start(command));
    {
        let scope = program.0.clone().scoped(LIMIT);
        assert_eq!(scope.status(), Ok(None));
    }
    assert_eq!(program.status(), Ok(Some(ExitStatus::Code(100))));
}

#[test]
fn a_program_that_was_let_go_is_collected_by_a_later_start() {
    in_child(|| {
        let (mut reader, writer) = pipe().map_err(text)?;
        let mut command = sh("read x; exit 1");
        command.stdin(Stdio::piped()).stdout(writer);
        let program = Program::start(command).map_err(text)?;
        let sentinel = program.sentinel().map(|fd| fd.try_clone_to_owned()).map_err(text)?;
        let sentinel = sentinel.map_err(text)?;
        drop(program); // its input ends by that
        check(reader.read(&mut [0]).map_err(text)? == 0, "it ends")?;
        let limit = Timespec::try_from(LIMIT).map_err(text)?;
        let ready = poll(&mut [PollFd::new(&sentinel, PollFlags::IN)], Some(&limit));
        check(ready == Ok(1), "it has ended")?;
        check(has_children(), "and nobody has collected it")?;
        let next = Program::start(sh("exit 0")).map_err(text)?;
        check(next.wait(LIMIT) == Ok(ExitStatus::Code(0)), "the next one ends")?;
        check(!has_children(), "both have been collected")
    });
}

#[test]
fn a_forked_copy_of_the_caller_is_not_the_parent() {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped());
    let program = started(Program::start(command));
    let child = Process::fork("copy", || -> Result<(), String> {
        check(program.status() == Err(Error::NotTheParent), "status")?;
        check(program.kill() == Err(Error::NotTheParent), "kill")?;
        check(program.take_stdin().is_none(), "no stream")?;
        check(program.exchange("").err() == Some(Error::NotTheParent), "exchange")
    });
    assert_eq!(child.expect("a child").join(LIMIT), Ok(ExitStatus::Code(0)));
    assert_eq!(program.status(), Ok(None));
    drop(Started(program.0.clone()));
    assert_eq!(program.status(), Ok(Some(ExitStatus::Signal(9))));
}
