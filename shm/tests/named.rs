//! Segments with names: made, found, taken away. Nothing here forks: a child would live in the
//! segments of the other tests.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use purlin_shm::{Error, LAYOUT_VERSION, Name, Object, Place, Segment, Shared, list};

#[repr(C)]
struct Body(AtomicU64);

// SAFETY: `repr(C)` and one atomic integer, of which any bits are a valid value.
unsafe impl Shared for Body {}

impl Object for Body {
    const KIND: u16 = 903;
    const VERSION: u16 = 1;
    type Row = ();
}

/// A name of this test's own, which is gone when it ends, however it ends.
struct Own(Name);

impl Own {
    fn new(word: &str) -> Self {
        Self(Name::new(&format!("test-{word}-{}", std::process::id())).expect("a name"))
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(format!("/dev/shm/purlin.{}", self.0))
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.path());
        let _ = fs::remove_dir(self.path());
    }
}

#[test]
fn what_one_makes_another_opens_until_the_name_is_gone() {
    let own = Own::new("made");
    let name = &own.0;
    assert_eq!(Segment::open(name).unwrap_err(), Error::NoSuchName);
    let made = Segment::create(name, 4096).expect("a segment");
    let place = Place::<Body>::new_in(&made).expect("room");
    place.0.store(7, Relaxed);
    assert_eq!(Segment::create(name, 4096).unwrap_err(), Error::AlreadyExists);

    let opened = Segment::open(name).expect("the same");
    let again = Place::<Body>::open(&opened, place.offset()).expect("the object in it");
    assert_eq!(again.0.load(Relaxed), 7);
    assert_eq!(opened.attachment().token(), made.attachment().token());

    name.unlink().expect("its owner may");
    assert_eq!(name.unlink(), Err(Error::NoSuchName));
    assert_eq!(Segment::open(name).unwrap_err(), Error::NoSuchName);
    again.0.store(8, Relaxed); // those who live in it go on
    assert_eq!(place.0.load(Relaxed), 8);
}

#[test]
fn open_or_create_finds_what_it_made() {
    let own = Own::new("either");
    let made = Segment::open_or_create(&own.0, 4096).expect("made");
    let place = Place::<Body>::new_in(&made).expect("room");
    let found = Segment::open_or_create(&own.0, 1 << 20).expect("found");
    Place::<Body>::open(&found, place.offset()).expect("the same segment");
    assert_eq!(found.capacity_bytes(), made.capacity_bytes());
}

#[test]
fn nobody_finds_a_segment_before_it_is_filled() {
    let own = Own::new("filled");
    let name = &own.0;
    let (_segment, place) = Segment::create_with(name, 4096, 0o600, |segment| {
        assert_eq!(Segment::open(name).unwrap_err(), Error::NoSuchName);
        Place::<Body>::new_in(segment)
    })
    .expect("a filled segment");
    let opened = Segment::open(name).expect("it is there now");
    Place::<Body>::open(&opened, place.offset()).expect("with its contents");
}

#[test]
fn what_could_not_be_filled_is_not_there() {
    let own = Own::new("unfilled");
    let answer = Segment::create_with(&own.0, 4096, 0o600, |_| Err::<(), _>(Error::Damaged));
    assert_eq!(answer.unwrap_err(), Error::Damaged);
    assert_eq!(Segment::open(&own.0).unwrap_err(), Error::NoSuchName);
}

#[test]
fn the_mode_is_as_asked_and_else_for_the_owner_alone() {
    let (plain, shared) = (Own::new("plain"), Own::new("shared"));
    let _one = Segment::create(&plain.0, 4096).expect("a segment");
    let _two =
        Segment::create_with(&shared.0, 4096, 0o664, |_| Ok::<_, Error>(())).expect("another");
    let mode_of = |own: &Own| fs::metadata(own.path()).expect("a file").permissions().mode();
    assert_eq!(mode_of(&plain) & 0o7777, 0o600);
    assert_eq!(mode_of(&shared) & 0o7777, 0o664);
    for wrong in [0, 0o400, 0o060, 0o4600, u32::MAX] {
        let own = Own::new("wrong-mode");
        let answer = Segment::create_with(&own.0, 4096, wrong, |_| Ok::<_, Error>(()));
        assert_eq!(answer.unwrap_err(), Error::InvalidArgument, "{wrong:o}");
    }
}

#[test]
fn sizes_that_cannot_be_are_refused_and_leave_no_name() {
    let own = Own::new("sizes");
    assert_eq!(Segment::create(&own.0, 0).unwrap_err(), Error::InvalidArgument);
    assert_eq!(Segment::create(&own.0, u64::MAX).unwrap_err(), Error::InvalidArgument);
    assert_eq!(Segment::create(&own.0, 1 << 39).unwrap_err(), Error::OutOfResources);
    assert_eq!(Segment::open(&own.0).unwrap_err(), Error::NoSuchName);
}

#[test]
fn what_lives_is_not_collected_and_what_does_not_is() {
    let own = Own::new("lives");
    let segment = Segment::create(&own.0, 4096).expect("a segment");
    assert_eq!(own.0.collect(), Ok(false), "attached");
    let descriptor = segment.descriptor().try_clone_to_owned().expect("a descriptor");
    drop(segment);
    assert_eq!(own.0.collect(), Ok(false), "on its way in a descriptor");
    let segment = Segment::from_descriptor(descriptor).expect("it arrived");
    assert_eq!(own.0.collect(), Ok(false), "attached again");
    drop(segment);
    let revived = Segment::open(&own.0).expect("a name outlives its users");
    assert_eq!(own.0.collect(), Ok(false), "opened again");
    drop(revived);
    assert_eq!(own.0.collect(), Ok(true));
    assert_eq!(own.0.collect(), Ok(false), "gone");
}

#[test]
fn who_is_attached_is_listed_while_they_live() {
    let own = Own::new("listed");
    let segment = Segment::create(&own.0, 4096).expect("a segment");
    let listed = || list().expect("a list").into_iter().find(|listed| listed.name == own.0);
    let found = listed().expect("it is there");
    assert!(found.is_alive);
    assert_eq!((found.mode, found.size_bytes), (0o600, fs::metadata(own.path()).unwrap().len()));
    let residents = found.residents.expect("a segment");
    assert_eq!(residents.iter().map(|one| one.pid).collect::<Vec<_>>(), [std::process::id()]);
    drop(segment);
    let found = listed().expect("its name is still there");
    assert!(!found.is_alive);
    assert_eq!(found.residents, Ok(Vec::new()));
}

#[test]
fn a_name_of_something_else_is_incompatible_and_left_alone() {
    let text = Own::new("text");
    fs::write(text.path(), "no segment").expect("a file");
    let folder = Own::new("folder");
    fs::create_dir(folder.path()).expect("a folder");
    let link = Own::new("link");
    symlink(text.path(), link.path()).expect("a link");
    let pipe = Own::new("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, pipe.path(), fifo, mode, 0).expect("a pipe");
    for own in [&text, &folder, &link, &pipe] {
        assert_eq!(Segment::open(&own.0).unwrap_err(), Error::Incompatible, "{}", own.0);
        assert_eq!(Segment::create(&own.0, 4096).unwrap_err(), Error::AlreadyExists, "{}", own.0);
        assert_ne!(own.0.collect(), Ok(true), "{}", own.0);
        assert!(fs::symlink_metadata(own.path()).is_ok(), "{} was taken away", own.0);
    }
}

#[test]
fn another_layout_is_incompatible_and_not_ours_to_collect() {
    let own = Own::new("layout");
    drop(Segment::create(&own.0, 4096).expect("a segment"));
    let file = OpenOptions::new().write(true).open(own.path()).expect("its file");
    file.write_all_at(&(LAYOUT_VERSION + 1).to_le_bytes(), 8).expect("another version");
    assert_eq!(Segment::open(&own.0).unwrap_err(), Error::Incompatible);
    assert_eq!(own.0.collect(), Ok(false));
    let listed = list().expect("a list").into_iter().find(|listed| listed.name == own.0);
    assert_eq!(listed.expect("it is there").residents, Err(Error::Incompatible));
}

#[test]
fn a_truncated_one_is_damaged_and_can_be_collected() {
    let own = Own::new("truncated");
    drop(Segment::create(&own.0, 1 << 16).expect("a segment"));
    let file = OpenOptions::new().write(true).open(own.path()).expect("its file");
    file.set_len(4096).expect("a stump");
    assert_eq!(Segment::open(&own.0).unwrap_err(), Error::Damaged);
    assert_eq!(own.0.collect(), Ok(true));
}

#[test]
fn an_anonymous_segment_copied_into_the_folder_is_incompatible() {
    let own = Own::new("copied");
    let segment = Segment::anonymous(4096).expect("a segment");
    let source = File::from(segment.descriptor().try_clone_to_owned().expect("a descriptor"));
    let mut bytes = vec![0; source.metadata().expect("its size").len() as usize];
    source.read_exact_at(&mut bytes, 0).expect("its bytes");
    File::create(own.path()).and_then(|mut file| file.write_all(&bytes)).expect("a copy");
    assert_eq!(Segment::open(&own.0).unwrap_err(), Error::Incompatible);
}

/// A collector that was stopped in the middle: it has the interest byte.
#[test]
fn an_open_waits_for_a_collector_a_second_at_most() {
    let own = Own::new("collected");
    drop(Segment::create(&own.0, 4096).expect("a segment"));
    let file = OpenOptions::new().read(true).write(true).open(own.path()).expect("its file");
    lock_interest(&file);
    assert_eq!(Segment::open(&own.0).unwrap_err(), Error::TimedOut);
    drop(file);
    Segment::open(&own.0).expect("the collector is gone");
}

fn lock_interest(file: &File) {
    use std::os::fd::AsRawFd;
    let request = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: (1 << 40) + 1024,
        l_len: 1,
        l_pid: 0,
    };
    // SAFETY: The structure outlives the call.
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &raw const request) };
    assert_eq!(answer, 0, "nobody lives in it");
}
