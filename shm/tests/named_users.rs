//! Names of other users, and names without descriptors. What changes a whole process is tried in a
//! child, in a program that has no other tests.

use std::time::Duration;

use purlin_process::{ExitStatus, Process};
use purlin_shm::{Error, Name, Segment};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Uid, geteuid, getrlimit, set_dumpable_behavior, setrlimit,
};
use rustix::thread::set_thread_res_uid;

/// After this long a test says what it waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// Whoever owns nothing.
const NOBODY: u32 = 65534;

/// A name that is gone when its test ends, however it ends.
struct Own(Name);

impl Own {
    fn new(word: &str) -> Self {
        Self(Name::new(&format!("test-user-{word}-{}", std::process::id())).expect("a name"))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.unlink();
    }
}

/// Killed and collected when its test is over, however it ends.
struct Child(Process);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.join(LIMIT);
    }
}

fn in_child(body: impl FnOnce() -> Result<(), String>) {
    let child = Child(Process::fork("body", body).expect("a child"));
    assert_eq!(child.0.join(LIMIT), Ok(ExitStatus::Code(0)), "see the message above");
}

fn check<T: std::fmt::Debug>(
    what: &str,
    answer: Result<T, Error>,
    wanted: Option<Error>,
) -> Result<(), String> {
    if answer.as_ref().err() == wanted.as_ref() {
        return Ok(());
    }
    Err(format!("{what}: {answer:?}"))
}

/// Both in one: each needs that no other child has the other's segments.
#[test]
fn names_of_others_are_refused_and_a_process_without_descriptors_is_told() {
    of_another_user();
    without_descriptors();
}

fn of_another_user() {
    if !geteuid().is_root() {
        eprintln!("names of other users: NOT MADE, since only root can become one");
        return;
    }
    let (own, shared) = (Own::new("own"), Own::new("shared"));
    drop(Segment::create(&own.0, 4096).expect("a segment"));
    let made = Segment::create_with(&shared.0, 4096, 0o666, |_| Ok::<_, Error>(()));
    drop(made.expect("a segment for all"));
    in_child(|| {
        let nobody = Uid::from_raw(NOBODY);
        if set_thread_res_uid(nobody, nobody, nobody).is_err() {
            eprintln!("names of other users: NOT MADE, since this root may not become nobody");
            return Ok(());
        }
        // As in a program that this user starts: its own entries in /proc belong to it.
        set_dumpable_behavior(DumpableBehavior::Dumpable).map_err(|errno| errno.to_string())?;
        let denied = Some(Error::PermissionDenied);
        check("open", Segment::open(&own.0), denied)?;
        check("open or create", Segment::open_or_create(&own.0, 4096), denied)?;
        check("create", Segment::create(&own.0, 4096), Some(Error::AlreadyExists))?;
        check("unlink", own.0.unlink(), denied)?;
        check("collect", own.0.collect(), denied)?;
        let listed = purlin_shm::list().map_err(|error| error.to_string())?;
        if listed.iter().any(|listed| listed.name == own.0) {
            return Err("listed, though it may not be read".to_owned());
        }
        check("open for all", Segment::open(&shared.0), None)?;
        check("unlink for all", shared.0.unlink(), denied) // the folder is sticky
    });
    assert_eq!(own.0.collect(), Ok(true), "its owner may");
}

fn without_descriptors() {
    let own = Own::new("descriptors");
    drop(Segment::create(&own.0, 4096).expect("a segment"));
    in_child(|| {
        let before = getrlimit(Resource::Nofile);
        let none = Rlimit { current: Some(0), maximum: before.maximum };
        setrlimit(Resource::Nofile, none).map_err(|errno| errno.to_string())?;
        let other = Own::new("never");
        check("open", Segment::open(&own.0), Some(Error::OutOfResources))?;
        check("create", Segment::create(&other.0, 4096), Some(Error::OutOfResources))?;
        check("collect", own.0.collect(), Some(Error::OutOfResources))?;
        check("list", purlin_shm::list(), Some(Error::OutOfResources))?;
        setrlimit(Resource::Nofile, before).map_err(|errno| errno.to_string())?;
        check("create after", Segment::open(&other.0), Some(Error::NoSuchName))?;
        check("open after", Segment::open(&own.0), None)
    });
    assert_eq!(own.0.collect(), Ok(true));
}
